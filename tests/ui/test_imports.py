"""The importer: what an office sends, what it is told, and that nothing is done twice."""

import contextlib
import io
import zipfile
from datetime import date

import pytest
import xlsxwriter
from hypothesis import given, settings
from hypothesis import strategies as st

from weicheng.rules.errors import RuleError
from weicheng.ui import imports
from weicheng.ui.imports import Field, Importer, Plan, Sheet


def whole(text: str) -> int | None:
    if not text:
        return None
    try:
        return int(text)
    except ValueError:
        raise ValueError(f"“{text}”不是整数。请填写整数。") from None


SHEET = Sheet(
    "things",
    "物品",
    [
        Field("name", "名称", required=True, aliases=("品名",)),
        Field("count", "数量", required=True, parse=whole),
        Field("kind", "类别", choices=("甲", "乙")),
        Field("place", "地址"),
    ],
)


class Things(Importer):
    """Things kept in a dictionary: key → values."""

    sheet = SHEET

    def __init__(self, kept: dict[str, dict] | None = None) -> None:
        self.kept = {} if kept is None else kept

    def plan(self, rows, fail):
        plans = []
        by_name = {values["name"]: key for key, values in self.kept.items()}
        for row in rows:
            key = row.key or by_name.get(row.values["name"])
            if row.values["name"] == "坏":
                fail(row, "name", "这个名称不能用。")
            elif key is None:
                plans.append(Plan(row, "new"))
            else:
                plans.append(Plan(row, "same" if self.kept.get(key) == row.values else "changed", key))
        return plans

    def commit(self, plans):
        for plan in plans:
            self.kept[plan.target or f"k{len(self.kept) + 1}"] = plan.row.values


def workbook(rows, *, write=None) -> bytes:
    file = io.BytesIO()
    book = xlsxwriter.Workbook(file)
    page = book.add_worksheet()
    for line, cells in enumerate(rows):
        for at, cell in enumerate(cells):
            page.write(line, at, cell)
    if write:
        write(book, page)
    book.close()
    return file.getvalue()


HEAD = ["名称", "数量", "类别", "地址"]
GOOD = [HEAD, ["扫帚", 3, "甲", "一号"], ["簸箕", 5, "乙", ""]]


def read(data: bytes, name: str = "表.xlsx", kept=None):
    return imports.dry_run(Things(kept), data, name)


@pytest.mark.django_db
def test_a_file_is_read_committed_and_then_adds_nothing():
    things = Things()
    data = workbook(GOOD)
    report = imports.run(things, data, "表.xlsx")
    assert (report.new, report.changed, report.same, report.errors) == (2, 0, 0, [])
    assert things.kept["k1"] == {"name": "扫帚", "count": 3, "kind": "甲", "place": "一号"}
    again = imports.run(things, data, "表.xlsx")
    assert (again.new, again.changed, again.same) == (0, 0, 2)
    assert len(things.kept) == 2


@pytest.mark.parametrize(
    "head",
    [
        ["名 称", "数量（必填）", "类别：", "地址"],
        ["*名称", "数　量", "类别", "地址(选填)"],
        ["品名", "数量 (必填)", "类别", "地址"],
    ],
)
def test_titles_are_matched_as_an_office_writes_them(head):
    assert read(workbook([head, *GOOD[1:]])).new == 2


def test_the_head_may_stand_below_a_title_and_totals_are_passed_over():
    rows = [["2026 年物品表"], [], ["填表人：张三"], HEAD, ["扫帚", 3], ["合 计", 3], [], ["簸箕", 5]]
    report = read(workbook(rows))
    assert (report.head_line, report.new, report.skipped) == (4, 2, [6])


def test_an_error_names_its_cell():
    rows = [["物品表"], HEAD, ["扫帚", "三"], ["", 4], ["坏", 1], ["刷子", 1, "丙"]]
    report = read(workbook(rows))
    assert [str(error) for error in report.errors] == [
        "第3行“数量”：“三”不是整数。请填写整数。",
        "第4行“名称”：不能为空。请填写。",
        "第5行“名称”：这个名称不能用。",
        "第6行“类别”：“丙”不在可选范围内。请从下拉列表中选择，例如“甲”。",
    ]
    assert (report.new, report.changed) == (0, 0)


@pytest.mark.django_db
def test_with_one_error_nothing_at_all_is_written():
    things = Things()
    with pytest.raises(RuleError) as caught:
        imports.run(things, workbook([*GOOD, ["坏", 1]]), "表.xlsx")
    assert caught.value.code == "import-errors"
    assert things.kept == {}


def test_columns_nobody_asked_for_are_named_and_order_does_not_matter():
    report = read(workbook([["备注", "数量", "名称"], ["x", 1, "扫帚"]]))
    assert report.ignored == ["备注"]
    assert report.plans[0].row.values == {"name": "扫帚", "count": 1}


def test_numbers_dates_and_formulas_are_read_as_seen():
    def write(book, page):
        page.write_formula(1, 1, "=1+2", None, 3)
        page.write_number(2, 0, 13)
        page.write_datetime(2, 3, date(2026, 5, 8), book.add_format({"num_format": "yyyy-mm-dd"}))

    report = read(workbook([HEAD, ["扫帚", ""], ["", 5]], write=write))
    assert [plan.row.values["count"] for plan in report.plans] == [3, 5]
    assert report.plans[1].row.values["name"] == "13"
    assert report.plans[1].row.values["place"] == "2026-05-08"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16"])
@pytest.mark.parametrize("mark", [",", "\t", ";"])
def test_csv_in_the_encodings_met(encoding, mark):
    text = "\r\n".join(mark.join(map(str, row)) for row in GOOD)
    assert read(text.encode(encoding), "表.csv").new == 2


def test_an_apostrophe_that_guards_a_risky_cell_is_taken_off():
    text = "名称,数量\n'=1+1,1\n'常,2\n"
    names = [plan.row.values["name"] for plan in read(text.encode(), "表.csv").plans]
    assert names == ["=1+1", "'常"]


def refused(code: str, data: bytes, name: str = "表.xlsx", **more) -> RuleError:
    with pytest.raises(RuleError) as caught:
        read(data, name, **more)
    assert caught.value.code == code
    assert caught.value.sentence().endswith("。")
    return caught.value


def test_what_cannot_be_read_is_refused_in_a_sentence():
    refused("file-empty", b"")
    refused("file-empty", workbook([]))
    refused("file-empty", b"\n,,\n", "表.csv")
    refused("no-head", workbook([["甲", "乙"], [1, 2]]))
    refused("no-head", workbook([[], *[["x"]] * 11, HEAD, ["扫帚", 3]]))
    refused("no-rows", workbook([HEAD]))
    refused("head-twice", workbook([["名称", "数量", "品名"], ["扫帚", 3, "x"]]))
    assert "数量" in refused("head-missing", workbook([["名称", "地址"], ["扫帚", "x"]])).sentence()
    refused("file-columns", workbook([[f"列{n}" for n in range(400)], *GOOD]))
    refused("file-unreadable", b"%PDF-1.7 ...", "表.csv")
    refused("file-unreadable", b"<html><table>", "表.xls")
    refused("file-unreadable", b"\x89PNG\r\n\x1a\n" + b"\x00" * 100, "表.xlsx")
    refused("file-unreadable", b"PK\x03\x04 broken", "表.xlsx")
    refused("file-unreadable", workbook(GOOD)[:-200])
    refused("file-large", b"x" * ((imports.FILE_MB << 20) + 1), "表.csv")


def test_too_many_rows_are_refused():
    many = "名称,数量\n" + "物,1\n" * (imports.MOST_ROWS + 20)
    refused("file-rows", many.encode(), "表.csv")
    limited = Things()
    limited.sheet = Sheet("things", "物品", SHEET.fields, limit_rows=2)
    with pytest.raises(RuleError) as caught:
        imports.dry_run(limited, workbook([*GOOD, ["刷子", 1]]), "表.xlsx")
    assert caught.value.code == "file-rows"


def test_a_password_is_named_as_the_obstacle():
    encrypted = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\x00" * 600 + "EncryptedPackage".encode("utf-16-le")
    refused("file-password", encrypted)


def test_a_file_that_claims_to_be_huge_hurts_nobody():
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/worksheets/sheet1.xml", b"0" * ((imports.UNPACKED_MB << 20) + 1))
    refused("file-bomb", file.getvalue())
    # A few kilobytes whose last cell stands in the last corner of the largest sheet.
    corner = workbook(GOOD, write=lambda book, page: page.write(1_048_575, 16_383, "x"))
    refused("file-bomb", corner)


def test_the_same_key_twice_is_an_error():
    key = imports.KEY_TITLE
    report = read(
        workbook([[*HEAD, key], ["扫帚", 3, "", "", "k1"], ["簸箕", 5, "", "", "k1"]]),
        kept={"k1": {"name": "扫帚"}},
    )
    assert "与第2行的系统编号相同" in str(report.errors[0])


def test_the_template_carries_drop_downs_and_can_be_sent_back_filled():
    response = imports.template(SHEET, [("k1", {"name": "扫帚", "count": 3, "kind": "甲", "place": "一号"})])
    data = b"".join(response)
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        sheet = archive.read("xl/worksheets/sheet1.xml").decode()
    assert "<dataValidation " in sheet
    assert 'hidden="1"' in sheet
    kept = {"k1": {"name": "扫帚", "count": 3, "kind": "甲", "place": "一号"}}
    assert read(data, kept=kept).same == 1
    empty = b"".join(imports.template(SHEET))
    refused("no-rows", empty)


def test_errors_come_back_in_the_same_workbook():
    report = read(workbook([HEAD, ["=HYPERLINK(1)", "三"], ["簸箕", 5]]))
    data = b"".join(imports.errors_workbook(SHEET, report))
    again = imports.read_table(data, "表.xlsx").rows
    assert again[0][-1] == "需要改正"
    assert again[1][-1] == "数量：“三”不是整数。请填写整数。"
    assert again[2][-1] == ""
    # Sent again as it is, it says the same: the added column is not mistaken for one of ours.
    assert [str(error) for error in read(data).errors] == [str(error) for error in report.errors]


printable = st.text(
    st.characters(codec="utf-8", exclude_categories=("C", "Z")), min_size=1, max_size=30
).filter(lambda text: text not in imports.TOTALS and text != "坏")


@settings(max_examples=25, deadline=None)
@given(
    st.lists(
        st.tuples(printable, st.integers(-(10**9), 10**9), st.sampled_from(["", "甲", "乙"]), printable),
        min_size=1,
        max_size=8,
        unique_by=lambda row: row[0],
    )
)
def test_export_then_import_changes_nothing(rows):
    names = ("name", "count", "kind", "place")
    kept = {f"k{at}": dict(zip(names, row, strict=True)) for at, row in enumerate(rows)}
    data = b"".join(imports.template(SHEET, kept.items()))
    report = read(data, kept=kept)
    assert report.errors == []
    assert (report.new, report.changed, report.same) == (0, 0, len(rows))


@settings(max_examples=40, deadline=None)
@given(st.binary(max_size=400), st.sampled_from(["a.csv", "a.xlsx", "a.xls", "a", "a.ods"]))
def test_no_bytes_whatever_break_the_reader(data, name):
    with contextlib.suppress(RuleError):
        read(data, name)
