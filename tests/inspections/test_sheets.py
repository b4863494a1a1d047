"""Answers of many visits at once: each sheet as if it had come alone."""

from datetime import timedelta

import pytest

from tests.inspections.lists_made import said, visit
from weicheng.cases.models import Case
from weicheng.inspections.actions import record_findings
from weicheng.inspections.answers import Sheet, record_answers, record_sheets
from weicheng.inspections.models import Answer, AnswerVersion
from weicheng.journal.models import Entry
from weicheng.rules.errors import ForbiddenError, MissingError


def sheet(city, one, *drafts, by="Lin", minutes=0):
    return Sheet(one.uid, drafts, city.actor(by), city.now + timedelta(minutes=minutes))


def test_each_sheet_is_what_it_would_be_alone(city):
    alone, together, other = visit(city), visit(city), visit(city)
    lines = [("2", "fail", "纸屑"), ("3", "pass", ""), ("4", "partly", "绿地")]
    record_answers(
        alone.uid, [said(*line[:2], note=line[2]) for line in lines], by=city.actor("Lin"), at=city.now
    )
    told = record_sheets(
        [
            sheet(city, together, *(said(*line[:2], note=line[2]) for line in lines), minutes=0),
            sheet(city, other, said("9", "fail"), minutes=5),
        ]
    )
    assert [[one.verdict.status for one in own] for own in told] == [["created"] * 3, ["created"]]

    def kept(one):
        rows = Answer.objects.filter(visit=one).order_by("item").select_related("finding__case")
        return [
            (row.item, row.result, row.note, row.received_at, row.finding and row.finding.case.category)
            for row in rows
        ]

    assert kept(together) == kept(alone)
    late = Case.objects.get(finding__visit=other)
    assert late.opened_at == city.now + timedelta(minutes=5)
    assert Entry.objects.filter(verb="visit.answer").count() == 3
    assert AnswerVersion.objects.count() == 7


def test_a_refused_line_of_one_sheet_does_not_take_the_others_with_it(city):
    one, other = visit(city), visit(city)
    told = record_sheets([sheet(city, one, said("99"), said("2")), sheet(city, other, said("2", "fail"))])
    assert [[each.verdict.status for each in own] for own in told] == [["refused", "created"], ["created"]]
    assert Case.objects.count() == 1


def test_a_visit_of_somebody_else_or_of_nobody_refuses_all(city):
    one, other = visit(city), visit(city)
    with pytest.raises(ForbiddenError):
        record_sheets([sheet(city, one, said("2")), sheet(city, other, said("2"), by="Chen")])
    stranger = visit(city)
    stranger.uid = said("2").uid
    with pytest.raises(MissingError):
        record_sheets([sheet(city, one, said("2")), sheet(city, stranger, said("2"))])
    assert not Answer.objects.exists()


def test_more_visits_cost_no_more_statements_but_one_each_to_read_them(city, django_assert_max_num_queries):
    def sheets(count):
        return [sheet(city, visit(city), said("2", "fail"), said("3")) for _n in range(count)]

    first, few, many = sheets(1), sheets(2), sheets(8)
    record_sheets(first)  # what is read once a process is read
    with django_assert_max_num_queries(16) as asked:
        record_sheets(few)
    few_count = len(asked)
    with django_assert_max_num_queries(few_count + 6):
        record_sheets(many)


def test_nothing_sent_is_nothing_recorded(city):
    assert record_findings([]) == []
