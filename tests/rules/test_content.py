"""Content as data: it survives its bytes, numbers its headings, and says its figures as everywhere."""

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from weicheng.rules import content as doc
from weicheng.rules.figures import Figure, Period, Ratio, Scope

AS_OF = datetime(2026, 11, 1, 0, 30, tzinfo=UTC)
words = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
periods = st.dates(date(2000, 1, 1), date(2030, 1, 1)).map(lambda day: Period.between(day, day))
counts = st.integers(0, 10**6)
ratios = st.builds(Ratio, counts, counts)
amounts = st.decimals(-1000, 1000, places=2)
figures = st.builds(
    Figure, id=words, title=words, definition=words, scope=st.builds(Scope, words, words), period=periods,
    as_of=st.just(AS_OF), value=st.none() | counts | ratios | amounts, unit=words, decimals=st.integers(0, 3),
    records=st.lists(st.tuples(words, words), max_size=2).map(tuple),
)  # fmt: skip
inlines = st.one_of(
    st.builds(doc.Text, words, st.booleans()),
    st.builds(doc.FigureRef, figures, st.booleans()),
    st.builds(doc.LinkRef, words, words),
)
lines = st.lists(inlines, max_size=3).map(tuple)
pictures = st.builds(doc.Picture, words, words, words)
blocks = st.one_of(
    st.builds(doc.Heading, words, st.integers(1, 4)),
    st.builds(doc.Paragraph, lines, st.sampled_from(["", "reason"])),
    st.builds(
        doc.Table, words, st.just(("甲", "乙")), st.lists(st.tuples(lines, lines), max_size=3).map(tuple),
        st.just((1, 2)), st.just((1,)),
    ),
    st.builds(doc.Form, st.lists(st.builds(doc.Fact, words, lines, st.integers(0, 3)), max_size=2).map(tuple)),
    st.builds(doc.Photos, st.lists(pictures, max_size=3).map(tuple)),
    st.builds(
        doc.Chart, st.sampled_from(["bars", "lines"]), words, st.lists(words, max_size=3).map(tuple),
        st.lists(st.builds(doc.Series, words, st.lists(counts, max_size=3).map(tuple)), max_size=2).map(tuple), words,
        words,
    ),
    st.builds(doc.Code, words, words),
    st.builds(doc.Signatures, st.lists(words, max_size=2).map(tuple)),
    st.builds(doc.TearOff, words),
)  # fmt: skip
many = st.lists(blocks, max_size=4).map(tuple)
contents = st.builds(
    doc.Content, kind=words, agency=words, title=words, word=words, addressed_to=words, as_of=st.just(AS_OF),
    blocks=many, period=st.none() | periods,
    attachments=st.lists(st.builds(doc.Attachment, words, many), max_size=2).map(tuple), number=words,
    signed_on=st.none() | st.dates(date(2000, 1, 1), date(2030, 1, 1)), editions=st.just(("7",)),
)  # fmt: skip


# How long it takes says more about the machine than about the code.
@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow], max_examples=60)
@given(contents)
def test_a_document_survives_its_bytes(given_content):
    again = doc.read(given_content.as_bytes())
    assert again == given_content
    assert again.as_bytes() == given_content.as_bytes()
    assert again.digest() == given_content.digest()
    assert again.text() == given_content.text()


@pytest.mark.parametrize(
    "data", [b'{"form": 9, "content": null}', b"[]", b'{"form": 1, "content": {"is": "Nothing"}}']
)
def test_bytes_that_are_no_document_are_refused(data):
    with pytest.raises(ValueError):  # noqa: PT011 - the class is the promise
        doc.read(data)


def test_headings_are_numbered_by_level():
    levels = [1, 2, 3, 3, 4, 2, 1, 2]
    given_blocks = [doc.Heading("题", level) for level in levels]
    assert doc.numbers(given_blocks) == ["一、", "（一）", "1.", "2.", "（1）", "（二）", "二、", "（一）"]


@pytest.mark.parametrize(
    ("number", "text"),
    [(1, "一"), (9, "九"), (10, "十"), (11, "十一"), (20, "二十"), (21, "二十一"), (99, "九十九")],
)
def test_chinese_numbers(number, text):
    assert doc.chinese_number(number) == text


@pytest.mark.parametrize("number", [0, -1, 100])
def test_numbers_without_a_word_are_refused(number):
    with pytest.raises(ValueError, match="between 1 and 99"):
        doc.chinese_number(number)


def test_a_file_number_has_six_angled_brackets_and_no_zeros():
    assert doc.file_number("泉创卫办", 2026, 5) == "泉创卫办〔2026〕5号"
    assert doc.day_text(date(2026, 4, 5)) == "2026年4月5日"


def test_a_figure_prints_as_everywhere():
    figure = Figure(
        "rate",
        "按期结案率",
        "",
        Scope("320311", "泉山区"),
        Period.month("2026-10"),
        AS_OF,
        Ratio(468, 570),
        "%",
        1,
    )
    assert doc.FigureRef(figure).text == "82.1%"  # 468 / 570 = 0.82105…
    assert doc.FigureRef(figure, bare=True).text == "82.1"


def test_own_words_are_changed_where_they_stand_and_nowhere_else():
    made = doc.Content(
        "k", "机关", "题", "字", "", AS_OF,
        (doc.Paragraph((doc.Text("甲"),), own="reason"), doc.Paragraph((doc.Text("乙"),))),
    )  # fmt: skip
    assert made.own_words() == {"reason": "甲"}
    changed = made.with_own_words({"reason": "丙", "other": "丁", "": "戊"})
    assert [doc.plain(block.line) for block in changed.blocks] == ["丙", "乙"]
    assert made.with_own_words({}) == made


def test_exact_numbers_stay_exact():
    figure = Figure("a", "", "", Scope("", ""), Period.month("2026-10"), AS_OF, Decimal("1.50"), "分", 2)
    made = doc.Content("k", "", "", "", "", AS_OF, (doc.Paragraph((doc.FigureRef(figure),)),))
    again = doc.read(made.as_bytes()).figures()[0]
    assert isinstance(again.value, Decimal)
    assert format(again.value, "f") == "1.50"


def everything() -> doc.Content:
    """Return a document with one of each block, in body, attachment and slip."""
    number = Figure("a", "数", "", Scope("", ""), Period.month("2026-10"), AS_OF, 3, "件")
    picture = doc.Picture("0" * 64, "整改前", "")
    return doc.Content(
        "k", "机关", "题目", "字", "各单位：", AS_OF,
        (
            doc.Heading("情况"), doc.Paragraph((doc.Text("共"), doc.FigureRef(number)), own=""),
            doc.Table("表1", ("街道", "数"), (((doc.Text("东街"),), (doc.FigureRef(number),)),), (1, 1), (1,)),
            doc.Form((doc.Fact("单位", (doc.LinkRef("农贸市场", "/units/1"),)),)),
            doc.Photos((picture,)), doc.Chart("bars", "图", ("十月",), (), "件", "图中三件"),
        ),
        attachments=(
            doc.Attachment("名单", (doc.Heading("一组"), doc.Paragraph((doc.Text("甲"),), own="list"))),
            doc.Attachment("照片", (doc.Photos((picture,)),)),
        ),
        slip=(doc.TearOff("回执"), doc.Code("/v/1", "扫码"), doc.Signatures(("签收人",)),
              doc.Paragraph((doc.Text("已收到"),), own="slip")),
        signed_by="泉山区创卫办",
    )  # fmt: skip


def test_a_reader_reads_body_signature_slip_and_attachments_in_this_order():
    made = everything().issued(number="字〔2026〕1号", on=date(2026, 11, 3))
    assert made.text().split("\n") == [
        "机关", "字〔2026〕1号", "题目", "各单位：", "一、情况", "共3件", "表1", "街道\t数", "东街\t3件", "单位：农贸市场",
        "整改前", "图中三件", "泉山区创卫办", "2026年11月3日", "回执", "扫码", "签收人", "已收到", "附件1", "名单", "一、一组", "甲",
        "附件2", "照片", "整改前",
    ]  # fmt: skip
    assert (made.is_draft, everything().is_draft) == (False, True)
    assert "2026年11月3日" not in everything().text()


def test_figures_and_pictures_are_found_wherever_they_stand():
    made = everything()
    assert [figure.value for figure in made.figures()] == [3, 3]  # in a paragraph and in a cell
    assert [type(one).__name__ for one in made.pictures()] == ["Picture", "Chart", "Code", "Picture"]


def test_own_words_are_changed_in_slip_and_attachments_too():
    changed = everything().with_own_words({"list": "乙", "slip": "照办"})
    assert changed.own_words() == {"slip": "照办", "list": "乙"}
    assert "共3件" in changed.text()  # a paragraph without a name keeps its words


@pytest.mark.parametrize(
    "content",
    ['["a"]', '{"is": "Nothing", "text": ""}', '{"is": "Text", "text": "a", "strong": false}', "null"],
)
def test_what_is_not_a_document_inside_its_envelope_is_refused(content):
    with pytest.raises(ValueError, match=r"no document|no place in a document"):
        doc.read(f'{{"form": {doc.FORM}, "content": {content}}}'.encode())


def test_what_has_no_spelling_is_not_written():
    with pytest.raises(TypeError, match="set has no place"):
        doc.Content("k", "", "", "", "", AS_OF, (doc.Paragraph({1}),)).as_bytes()


def test_words_are_plain_and_figures_have_their_unit_unless_said():
    number = Figure("a", "数", "", Scope("", ""), Period.month("2026-10"), AS_OF, 3, "件")
    assert (doc.Text("甲").strong, doc.FigureRef(number).bare, doc.Heading("题").level) == (False, False, 1)
    assert doc.Fact("甲").room == 0


def test_the_stored_form_is_the_first():
    # Issued documents are read back for as long as there are offices: a new form needs a reader of the old one.
    assert doc.FORM == 1
