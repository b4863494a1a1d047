"""The Word file: what GB/T 9704 asks for stands in its XML, and the same content is the same file."""

import io
import zipfile
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from xml.etree import ElementTree

import docx
import pytest
import yaml

import weicheng
from weicheng.documents.charts import drawn
from weicheng.documents.word import _broken, _seal_places, docx_of
from weicheng.rules.content import (
    Attachment,
    Chart,
    Content,
    Heading,
    Paragraph,
    Photos,
    Picture,
    Series,
    Table,
    Text,
)
from weicheng.standards import kinds

W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
PACK = Path(weicheng.__file__).parent / "packs" / "base" / "document-layout.yaml"
LAYOUT = kinds.read_body("document-layout", yaml.safe_load(PACK.read_text())["body"])
CHART = Chart(
    "bars",
    "各街道立案",
    ("东街道", "西街道"),
    (Series("立案", (12, 0)), Series("结案", (3, 1))),
    "件",
    "说明",
)
TABLE = Table("表1", ("指标", "本月"), (((Text("立案"),), (Text("12"),)),) * 3, (3, 1), (1,))
CONTENT = Content(
    "bulletin", "泉山区创建国家卫生城市工作领导小组办公室", "关于2026年10月泉山区创建国家卫生城市督查情况的通报", "泉山创卫办",
    "各有关单位：", datetime(2026, 11, 1, tzinfo=UTC),
    (
        Paragraph((Text("现将督查情况通报如下。"),), own="reason"), Heading("检查情况"), Heading("分项", 2), TABLE, CHART,
        Photos((Picture("0" * 64, "说明一", "一"),)), Paragraph((Text("一是。\n二是。"),), own="requirements"),
    ),
    attachments=(Attachment("清单", (TABLE,)),), signed_by="泉山区创卫办", copies_to="区委办公室", printed_by="泉山区创卫办",
)  # fmt: skip
ISSUED = CONTENT.issued(number="泉山创卫办〔2026〕5号", on=date(2026, 11, 2))


def pictures(wanted):
    return drawn(wanted) if isinstance(wanted, Chart) else None


def made(content=ISSUED):
    return docx_of(content, LAYOUT, pictures)


@pytest.fixture(scope="module")
def parts():
    with zipfile.ZipFile(io.BytesIO(made())) as bundle:
        return {name: bundle.read(name) for name in bundle.namelist()}


@pytest.fixture(scope="module")
def body(parts):
    return ElementTree.fromstring(parts["word/document.xml"])


def attribute(element, name):
    return element.get(W + name)


def test_the_same_content_is_the_same_file():
    assert made() == made()
    assert made() != made(CONTENT)
    assert made(replace(ISSUED, as_of=datetime(2026, 11, 5, tzinfo=UTC))) == made()


def test_the_page_is_a4_with_the_margins_of_the_standard(body):
    size, margin = body.find(f".//{W}pgSz"), body.find(f".//{W}pgMar")
    # 210 and 297 mm are 11906 and 16838 twips; 37, 35, 28 and 26 mm are 2098, 1984, 1587 and 1474.
    assert (attribute(size, "w"), attribute(size, "h")) == ("11906", "16838")
    edges = [round(int(attribute(margin, side)) / 1440 * 25.4) for side in ("top", "bottom", "left", "right")]
    assert edges == [37, 35, 28, 26]


def test_the_grid_is_of_lines_with_exact_pitch(body):
    grid = body.find(f".//{W}docGrid")
    assert (attribute(grid, "type"), attribute(grid, "linePitch")) == ("lines", "579")  # 28.95 x 20
    text = next(p for p in body.iter(f"{W}p") if "现将督查情况" in "".join(p.itertext()))
    spacing, indent = text.find(f".//{W}spacing"), text.find(f".//{W}ind")
    assert (attribute(spacing, "line"), attribute(spacing, "lineRule")) == ("579", "exact")
    # LibreOffice reads firstLine, Word firstLineChars: both say two characters, 2 x 15.75 pt = 630 twips.
    assert (attribute(indent, "firstLine"), attribute(indent, "firstLineChars")) == ("630", "200")


def test_28_characters_fit_a_line_and_22_lines_a_page():
    width, height = (float(mm) / 25.4 * 72 for mm in LAYOUT.text_mm)
    character = float(LAYOUT.body.size_pt + LAYOUT.spacing_pt)
    assert 28 * character <= width < 29 * character
    assert 22 * float(LAYOUT.pitch_pt) <= height < 23 * float(LAYOUT.pitch_pt)


def test_the_body_is_fangsong_of_16_points_in_every_slot(body):
    run = next(r for r in body.iter(f"{W}r") if "现将督查情况" in "".join(r.itertext()))
    fonts = run.find(f".//{W}rFonts")
    assert {attribute(fonts, slot) for slot in ("ascii", "hAnsi", "eastAsia", "cs")} == {"仿宋_GB2312"}
    assert attribute(run.find(f".//{W}sz"), "val") == "32"
    assert attribute(run.find(f".//{W}rPr/{W}spacing"), "val") == "-5"  # -0.25 pt


@pytest.mark.parametrize(
    ("words", "font", "half_points"),
    [
        ("督查情况的通报", "方正小标宋简体", "44"),
        ("一、检查情况", "黑体", "32"),
        ("（一）分项", "楷体_GB2312", "32"),
    ],
)
def test_titles_and_headings_have_their_faces(body, words, font, half_points):
    run = next(r for r in body.iter(f"{W}r") if words in "".join(r.itertext()))
    assert attribute(run.find(f".//{W}rFonts"), "eastAsia") == font
    assert attribute(run.find(f".//{W}sz"), "val") == half_points


def test_the_masthead_is_red_with_a_line_under_the_number(body):
    run = next(r for r in body.iter(f"{W}r") if "".join(r.itertext()) == ISSUED.agency)
    assert attribute(run.find(f".//{W}color"), "val") == "FF3333"
    number = next(p for p in body.iter(f"{W}p") if "".join(p.itertext()) == ISSUED.number)
    line = number.find(f".//{W}pBdr/{W}bottom")
    assert (attribute(line, "color"), attribute(line, "space")) == ("FF3333", "11")  # 4 mm are 11.3 pt


def test_each_face_names_what_to_take_where_it_is_missing(parts):
    fonts = ElementTree.fromstring(parts["word/fontTable.xml"])
    named = {attribute(f, "name"): attribute(f.find(f"{W}altName"), "val") for f in fonts}
    assert named["仿宋_GB2312"] == "仿宋"
    assert named["楷体_GB2312"] == "楷体"


def test_page_numbers_stand_right_on_odd_and_left_on_even_pages(parts):
    assert "evenAndOddHeaders" in parts["word/settings.xml"].decode()
    feet = [parts[name].decode() for name in parts if "footer" in name and name.endswith(".xml")]
    assert len(feet) == 2
    assert all(" PAGE " in foot and "— " in foot and 'w:val="28"' in foot for foot in feet)
    assert {("right" if 'w:jc w:val="right"' in foot else "left") for foot in feet} == {"right", "left"}


def test_tables_repeat_their_head_and_attachments_begin_a_page(body):
    tables = [table for table in body.iter(f"{W}tbl") if table.find(f".//{W}tblHeader") is not None]
    assert len(tables) == 2
    mark = next(p for p in body.iter(f"{W}p") if "".join(p.itertext()) == "附件")
    assert mark.find(f".//{W}pageBreakBefore") is not None


def test_a_draft_says_so_and_an_issued_document_does_not():
    def text(data):
        return "\n".join(p.text for p in docx.Document(io.BytesIO(data)).paragraphs)

    assert "草稿（未签发）" in text(made(CONTENT))
    assert "草稿" not in text(made())
    assert "2026年11月2日" in text(made())


def test_a_lost_photo_is_said_in_its_place(body):
    assert "（照片缺失）" in "".join(body.itertext())


def test_letters_that_xml_cannot_carry_do_not_break_the_file():
    bad = replace(CONTENT, blocks=(Paragraph((Text("甲\x00\x0b\ufffe<b>&乙\ud800"),)),))
    text = "".join(p.text for p in docx.Document(io.BytesIO(made(bad))).paragraphs)
    assert "甲<b>&乙" in text


def test_many_documents_in_one_file_begin_a_page_each():
    data = docx_of([ISSUED, CONTENT, ISSUED], LAYOUT, pictures)
    breaks = [p for p in docx.Document(io.BytesIO(data)).paragraphs if p.paragraph_format.page_break_before]
    assert len(breaks) == 2 + 3  # two documents begin a page, and three attachments


@pytest.mark.parametrize(
    ("title", "room", "lines"),
    [
        ("整改通知书", 18, ["整改通知书"]),
        ("关于2026年10月泉山区督查情况的通报", 14, ["关于2026年10月", "泉山区督查情况的通报"]),
        (
            "关于2026年10月泉山区创建国家卫生城市督查情况的通报",
            18,
            ["关于2026年10月泉山区", "创建国家卫生城市督查情况的通报"],
        ),
        ("字" * 20, 18, ["字" * 10, "字" * 10]),
        ("1" * 40, 18, ["1" * 14, "1" * 13, "1" * 13]),
    ],
)
def test_a_title_is_broken_into_even_lines(title, room, lines):
    assert _broken(title, room) == lines
    assert "".join(_broken(title, room)) == title


def test_the_name_stands_over_the_date_with_room_for_the_seal():
    # 2026年11月2日 is 3 characters and 7 figures of half a width: 6.5 wide. A name of 6 is centred over it:
    # 4 + (6.5 - 6) / 2 = 4.25 free at its right; one of 18 keeps 2, and the date 2 + (18 - 6.5) / 2 = 7.75.
    assert [float(one) for one in _seal_places("泉山区创卫办", "2026年11月2日", 4)] == [4.25, 4]
    assert [float(one) for one in _seal_places("字" * 18, "2026年11月2日", 4)] == [2, 7.75]


def test_a_chart_is_the_same_picture_each_time():
    assert drawn(CHART) == drawn(CHART)
    assert drawn(replace(CHART, series=())) != drawn(CHART)
    assert drawn(Chart("lines", "", (), (), "", ""))[:4] == b"\x89PNG"
