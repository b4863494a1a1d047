"""Typed values: in the table, corrected with a reason, read from a workbook."""

import io
from datetime import timedelta
from decimal import Decimal

import pytest
import xlsxwriter

from tests.assessments.conftest import LEDGER
from weicheng.assessments.entries import (
    EntryImport,
    Value,
    enter_values,
    field_of,
    read_table,
    read_value,
    table_of,
)
from weicheng.assessments.facts import latest_entries
from weicheng.assessments.models import Entry
from weicheng.journal.models import Entry as JournalEntry
from weicheng.rules.errors import ConflictError, ForbiddenError, MissingError, RuleError
from weicheng.ui import imports


def refused(code, call, kind=RuleError):
    with pytest.raises(kind) as caught:
        call()
    assert caught.value.code == code
    return caught.value.sentence()


def enter(boards, code, value, by="Qian", **more):
    one = field_of(boards.board, LEDGER)
    held = latest_entries(boards.board).get((code, LEDGER))
    more.setdefault("base", held)
    return enter_values(
        boards.board, one, [Value(code, Decimal(value), **more)], by=boards.city.actor(by), at=boards.now
    )


@pytest.mark.parametrize(
    ("text", "value"),
    [("45", "45"), (" ４５．５ ", "45.5"), ("90分", "90"), ("0", "0"), ("100", "100"), ("1e1", "10")],
)
def test_a_number_is_read_as_an_office_writes_it(boards, text, value):
    assert read_value(text, field_of(boards.board, LEDGER)) == Decimal(value)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("很好", "entry-not-a-number"),
        ("", "entry-not-a-number"),
        ("NaN", "entry-not-a-number"),
        ("Infinity", "entry-not-a-number"),
        ("-1", "entry-too-small"),
        ("100.1", "entry-too-large"),
        ("0.00001", "entry-too-fine"),
    ],
)
def test_a_value_that_is_none_is_refused_with_what_is_taken(boards, text, code):
    assert (
        "0 至 100 的数" in refused(code, lambda: read_value(text, field_of(boards.board, LEDGER)))
        or code == "entry-too-fine"
    )


def test_a_correction_takes_a_reason_and_keeps_what_was_there(boards):
    code = boards.city.east_one
    sentence = refused("entry-needs-reason", lambda: enter(boards, code, "85"))
    assert "东一社区原为 90" in sentence
    enter(boards, code, "85", reason="加错了")
    rows = Entry.objects.filter(board=boards.board, code=code, key=LEDGER).order_by("number")
    assert [(row.number, row.value, row.reason) for row in rows] == [
        (1, Decimal(90), ""), (2, Decimal(85), "加错了"),
    ]  # fmt: skip
    assert latest_entries(boards.board)[code, LEDGER] == 85
    assert JournalEntry.objects.filter(verb="board.enter").count() == 2


def test_the_same_value_again_is_no_new_row(boards):
    assert enter(boards, boards.city.east_one, "90.0") == []


def test_a_value_typed_over_anothers_is_a_conflict(boards):
    sentence = refused(
        "entry-changed",
        lambda: enter(boards, boards.city.east_one, "70", base=Decimal(60), reason="更正"),
        ConflictError,
    )
    assert "90" in sentence


def test_foreign_objects_other_offices_and_confirmed_boards_take_no_value(boards):
    refused("no-object", lambda: enter(boards, "320312001001", "70"), MissingError)
    refused(
        "may-not-assess",
        lambda: enter(boards, boards.city.east_one, "70", by="Chen", reason="x"),
        ForbiddenError,
    )
    refused("reason-too-long", lambda: enter(boards, boards.city.east_one, "70", reason="长" * 301))
    refused("no-entry-field", lambda: field_of(boards.board, "source:nothing"), MissingError)
    boards.compute().confirm()
    refused("board-frozen", lambda: enter(boards, boards.city.east_one, "70", reason="x"), ConflictError)


def test_a_board_with_newer_values_is_computed_again_before_it_is_confirmed(boards):
    boards.compute()
    boards.now += timedelta(minutes=1)
    enter(boards, boards.city.east_one, "70", reason="更正")
    refused("entries-newer", boards.confirm)
    boards.compute().confirm()
    assert boards.sheet(boards.city.east_one).total == Decimal("82.5")  # 47.5 + 35


# --- the table ---------------------------------------------------------------------------------------


def sent_for(table, **changes):
    sent = {}
    for cell in table.cells:
        sent |= {
            f"c{cell.number}": cell.target.code, f"b{cell.number}": cell.base, f"v{cell.number}": cell.text,
        }  # fmt: skip
    for code, text in changes.items():
        number = next(cell.number for cell in table.cells if cell.target.code == code.removeprefix("c"))
        sent[f"v{number}"] = text
    return sent


def test_only_changed_cells_are_sent_on(boards):
    table = table_of(boards.board, field_of(boards.board, LEDGER))
    sent = sent_for(table, c320311001001="88") | {"reason": "复核"}
    assert read_table(table, sent) == [Value("320311001001", Decimal(88), "复核", base=Decimal(90))]
    assert not table.faulty


@pytest.mark.parametrize("text", ["-1", "101", "优", ""])
def test_a_wrong_cell_says_so_and_keeps_what_was_typed(boards, text):
    table = table_of(boards.board, field_of(boards.board, LEDGER))
    read_table(table, sent_for(table, c320311001001=text))
    assert [(cell.target.name, cell.text) for cell in table.faulty] == [("东一社区", text)]


def test_a_cell_that_somebody_else_changed_meanwhile_is_not_overwritten(boards):
    table = table_of(boards.board, field_of(boards.board, LEDGER))
    sent = sent_for(table, c320311001001="70") | {"reason": "更正"}
    enter(boards, boards.city.east_one, "95", reason="复核")
    again = table_of(boards.board, field_of(boards.board, LEDGER))
    assert read_table(again, sent) == []
    assert "95" in again.faulty[0].error


def test_a_correction_in_the_table_asks_for_the_reason(boards):
    table = table_of(boards.board, field_of(boards.board, LEDGER))
    read_table(table, sent_for(table, c320311001001="70"))
    assert "写明原因" in table.reason_error


# --- the workbook ------------------------------------------------------------------------------------


def workbook(*rows):
    file = io.BytesIO()
    book = xlsxwriter.Workbook(file)
    page = book.add_worksheet()
    for line, row in enumerate(rows):
        page.write_row(line, 0, row)
    book.close()
    return file.getvalue()


def importer(boards):
    return EntryImport(boards.board, field_of(boards.board, LEDGER), boards.city.actor("Qian"), boards.now)


HEAD = ("区划代码", "名称", "分值", "更正原因")


def test_a_workbook_changes_corrects_and_leaves_alone(boards):
    data = workbook(
        HEAD, ("320311001001", "东一社区", 70, "复核后更正"), ("", "东二社区", 100, ""), ("合计", "", 170, "")
    )
    report = imports.run(importer(boards), data, "台账.xlsx")
    assert (report.new, report.changed, report.same, report.skipped) == (0, 1, 1, [4])
    assert latest_entries(boards.board)[boards.city.east_one, LEDGER] == 70


@pytest.mark.parametrize(
    ("row", "said"),
    [
        (("320312001001", "", 70, ""), "没有代码为"),
        (("", "无此社区", 70, ""), "没有“无此社区”"),
        (("320311001001", "东二社区", 70, "x"), "不是“东二社区”"),
        (("320311001001", "", 70, ""), "更正要写明原因"),
        (("320311001001", "", 170, "x"), "超过 100"),
        (("320311001001", "", "优", "x"), "不是数字"),
        (("320311001001", "", "", ""), "不能清空"),
        (("", "", 70, ""), "没有代码也没有名称"),
    ],
)
def test_a_wrong_row_names_its_cell_and_nothing_is_written(boards, row, said):
    report = imports.dry_run(importer(boards), workbook(HEAD, row), "a.xlsx")
    assert said in str(report.errors[0])
    refused("import-errors", lambda: imports.run(importer(boards), workbook(HEAD, row), "a.xlsx"))
    assert Entry.objects.count() == 3


def test_the_same_object_twice_is_refused(boards):
    data = workbook(HEAD, ("320311001001", "", 90, ""), ("", "东一社区", 80, "x"))
    assert "同一对象" in str(imports.dry_run(importer(boards), data, "a.xlsx").errors[0])


def test_the_sheet_to_fill_in_comes_back_unchanged(boards):
    made = importer(boards)
    answer = imports.template(made.sheet, made.rows_of())
    data = b"".join(answer.streaming_content)
    assert imports.dry_run(importer(boards), data, "a.xlsx").same == 3
