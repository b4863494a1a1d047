"""From records to sheets: which findings count where, caps and weights with the arithmetic beside them."""

from datetime import date, timedelta
from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest

from tests.cases.test_split import parts_of, split
from tests.inspections.lists_made import LEDGER, publish, said, visit
from weicheng.assessments import boards, compute, facts, jobs, ranking
from weicheng.assessments.models import Appeal, Board, Entry, Loss, Sheet, SheetVersion
from weicheng.assessments.sheets import how
from weicheng.cases import repeats
from weicheng.cases.actions import Step, take_step
from weicheng.cases.models import Case
from weicheng.inspections.actions import record_visit
from weicheng.inspections.answers import record_answer, standing
from weicheng.inspections.drafts import VisitIn
from weicheng.inspections.models import Finding, FindingVersion
from weicheng.journal.models import AppendOnlyError
from weicheng.places.area_verbs import merge_area
from weicheng.places.models import Area
from weicheng.rules.cases import Move
from weicheng.rules.digests import canonical, digest
from weicheng.rules.errors import ConflictError, ForbiddenError, RuleError
from weicheng.rules.figures import Period
from weicheng.standards import editions
from weicheng.standards.actions import Head, draft_edition, publish_edition
from weicheng.standards.kinds import Confidence

OCTOBER = Period.month("2026-10")
EAST_ONE, EAST_TWO, WEST_ONE = "320311001001", "320311001002", "320311002001"
D = Decimal


def scheme(city, *, key="test", since=date(2026, 1, 1), until=None, label="一", **body: Any):
    """Publish a scheme of the district and return its edition."""
    given = {
        "levels": ["community", "street", "unit"],
        "full": "100",
        "sources": [
            {"key": "routine", "title": "日常检查", "weight": "100", "always": True, "rounds": ["routine"]}
        ],
        "groups": [
            {
                "number": "一",
                "title": "环境",
                "items": [{"number": "1", "title": "垃圾", "points": "2", "categories": ["06010"]}],
            }
        ],
    } | body
    head = Head(
        title="测试办法", edition=label, source="测试", confidence=Confidence.LOCAL, in_force_from=since, key=key,
        in_force_to=until,
    )  # fmt: skip
    by = city.actor("Qian")
    row = draft_edition(kind="scheme", owner="320311", head=head, body=given, by=by, at=city.now)
    return publish_edition(edition=row, by=by, at=city.now)


def board(city, *, key="test", level="community", period=OCTOBER, text="2026-10") -> Board:
    return boards.make_board(
        area="320311", level=level, period=period, by=city.actor("Qian"), at=city.now, scheme_key=key,
        period_text=text,
    )  # fmt: skip


def enter(made: Board, code: str, key: str, value: str, number: int = 1) -> None:
    body = canonical({"value": value})
    Entry.objects.create(
        board=made, code=code, area=code, key=key, number=number, value=D(value), by_key="user:1",
        at=made.created_at, body=body, digest=digest(body),
    )  # fmt: skip


def computed(city, made: Board) -> dict[str, Sheet]:
    compute.compute_board(made, at=city.now + timedelta(minutes=30))
    return sheets(made)


def sheets(made: Board) -> dict[str, Sheet]:
    return {sheet.code: sheet for sheet in Sheet.objects.filter(board=made)}


def adds_up(sheet: Sheet) -> bool:
    """full - Σ effects + Σ bonuses == total, exactly."""
    standing = Loss.objects.filter(sheet=sheet, struck=False)
    lost = sum((row.effect for row in standing.exclude(kind="bonus")), D(0))
    gained = sum((row.effect for row in standing.filter(kind="bonus")), D(0))
    return sheet.full - lost + gained == sheet.total


def test_findings_cost_their_community_and_no_other(city):
    scheme(city)
    city.finding()
    city.finding()
    city.finding(area=EAST_TWO)
    found = computed(city, board(city))
    assert {code: sheet.total for code, sheet in found.items()} == {
        EAST_ONE: D(96),  # 100 - 2 x 2
        EAST_TWO: D(98),  # 100 - 2
        WEST_ONE: D(100),
    }
    assert {code: sheet.rank for code, sheet in found.items()} == {EAST_ONE: 3, EAST_TWO: 2, WEST_ONE: 1}
    assert all(adds_up(sheet) for sheet in found.values())


def test_a_street_is_scored_by_what_was_found_in_its_communities(city):
    scheme(city)
    city.finding()
    city.finding(area=EAST_TWO)
    found = computed(city, board(city, level="street"))
    assert {code: sheet.total for code, sheet in found.items()} == {"320311001": D(96), "320311002": D(100)}


def test_a_unit_is_scored_by_what_it_was_charged_with(city):
    scheme(city)
    city.finding(unit=city.units["market"].uid)
    made = board(city, level="unit")
    found = computed(city, made)
    assert found[str(city.units["market"].uid)].total == D(98)
    assert found[str(city.units["school"].uid)].total == D(100)
    assert str(city.units["foreign"].uid) not in found


def test_a_cancelled_case_costs_nothing(city):
    scheme(city)
    case = city.finding().case
    take_step(Step(case.uid, Move.CANCEL, city.actor("Chen"), note="重复"), at=city.now)
    assert computed(city, board(city))[EAST_ONE].total == D(100)


def test_what_happened_in_another_month_does_not_count(city):
    scheme(city)
    city.finding(occurred_on=date(2026, 9, 30))
    assert computed(city, board(city))[EAST_ONE].total == D(100)


def test_a_finding_that_no_item_takes_is_told_and_not_charged(city):
    scheme(city)
    city.finding(category="09005")
    visit, _new = record_visit(
        VisitIn(uid=uuid4(), area=EAST_ONE, kind="ledger"), by=city.actor("Lin"), at=city.now
    )
    city.finding(visit=visit.uid)
    made = board(city)
    assert computed(city, made)[EAST_ONE].total == D(100)
    made.refresh_from_db()
    assert [(line["code"], line["text"]) for line in made.warning_lines] == [
        ("astray", "1 条问题没有扣分：考核办法没有与其类别对应的考核项。"),
        ("astray", "“台账督导”中的 1 条问题没有扣分：考核办法没有把它列为计分来源。"),
    ]


def test_patrols_may_count_with_their_serious_finds_alone(city):
    sources = [
        {"key": "routine", "title": "季度检查", "weight": "100", "always": True, "rounds": ["quarterly"]},
        {"key": "patrol", "title": "巡查", "into": "routine", "rounds": ["routine"], "severities": ["hard"]},
    ]
    scheme(city, sources=sources)
    city.finding(severity="hard")
    city.finding(severity="general")
    made = board(city)
    assert computed(city, made)[EAST_ONE].total == D(98)
    made.refresh_from_db()
    assert made.warning_lines[0]["text"] == "“日常巡查”中的 1 条问题没有扣分：考核办法只计较重的问题。"


def test_the_line_of_the_check_list_decides_before_the_category(city):
    scheme(
        city,
        groups=[
            {
                "number": "一",
                "title": "环境",
                "items": [
                    {"number": "1", "title": "垃圾", "points": "2", "categories": ["06010"]},
                    {
                        "number": "2",
                        "title": "容器",
                        "points": "3",
                        "checklists": {"community-environment": ["3"]},
                    },
                    {"number": "3", "title": "其他", "points": "0.5", "rest": True},
                ],
            }
        ],
    )
    visit, _new = record_visit(
        VisitIn(uid=uuid4(), area=EAST_ONE, checklist="community-environment"),
        by=city.actor("Lin"),
        at=city.now,
    )
    city.finding(visit=visit.uid, item="3")  # 3: by the line, though its category is that of item 1
    city.finding()  # 2: by the category
    city.finding(category="09005")  # 0.5: the rest
    assert computed(city, board(city))[EAST_ONE].total == D("94.5")  # 100 - 3 - 2 - 0.5


def test_ledgers_are_half_of_the_score(city):
    scheme(
        city,
        sources=[
            {"key": "ledger", "title": "台账", "kind": "given", "weight": "50"},
            {"key": "routine", "title": "日常检查", "weight": "50", "always": True, "rounds": ["routine"]},
        ],
    )
    city.finding()
    made = board(city)
    enter(made, EAST_ONE, "source:ledger", "86")
    enter(made, EAST_ONE, "source:ledger", "90", number=2)
    found = computed(city, made)
    assert found[EAST_ONE].total == D(94)  # 90 x 50 % + (100 - 2) x 50 %; the correction holds
    assert found[WEST_ONE].total == D(50)  # no ledger: 0 with a warning, the scheme does not re-normalise
    assert [source["score"] for source in found[EAST_ONE].sources] == ["90.000000", "98.000000"]
    made.refresh_from_db()
    assert made.warning_lines[0]["code"] == "missing-source"
    assert all(adds_up(sheet) for sheet in found.values())


def test_the_scheme_of_the_program_scores_a_month_at_once(city):
    city.finding()  # item 3: 2 points of routine
    made = board(city, key="monthly")
    found = computed(city, made)
    # No ledger and no unannounced check: the routine check carries all the weight.
    assert found[EAST_ONE].total == D(98)
    enter(made, EAST_ONE, "source:ledger", "80")
    # Weights 50 and 30 of 80: 80 x 50/80 + 98 x 30/80 = 50 + 36.75
    assert computed(city, made)[EAST_ONE].total == D("86.75")


def test_late_rework_and_repeats_cost_more_and_a_correction_in_time_gives_back(city):
    scheme(
        city,
        repeats=["1.5", "2"],
        follow_ups=[
            {"kind": "late", "title": "未按期", "levels": {"district": "0.5", "city": "1"}},
            {"kind": "in_time", "title": "按期返还", "give_back": "0.5"},
        ],
    )
    case = city.finding().case
    type(case).objects.filter(pk=case.pk).update(
        repeats=3, linked_at=city.now, due_at=city.now - timedelta(days=1)
    )
    other = city.finding(area=EAST_TWO).case
    type(other).objects.filter(pk=other.pk).update(
        state="closed", open=False, closed_at=city.now, closed_on=city.now.date(), on_time=True,
        responsible=city.units["shop"],
    )  # fmt: skip
    found = computed(city, board(city))
    assert found[EAST_ONE].total == D("95.5")  # 100 - 2 x 2 (third repeat, the last factor holds) - 0.5
    assert found[EAST_TWO].total == D(99)  # 100 - 2 x (1 - 0.5)
    assert all(adds_up(sheet) for sheet in found.values())


def split_board(city, level):
    """A board with one finding that was split to the market and the shop, each with a day to answer."""
    scheme(
        city,
        follow_ups=[
            {"kind": "late", "title": "未按期", "points": "0.5"},
            {"kind": "in_time", "title": "按期返还", "give_back": "0.5"},
        ],
    )
    whole = split(city, city.case(unit=None))
    Case.objects.filter(parent=whole).update(due_at=city.now + timedelta(days=1))
    Case.objects.filter(pk=whole.pk).update(
        due_at=city.now - timedelta(days=1)
    )  # nobody's deadline: not read
    return whole, board(city, level=level)


def closed(part, on_time):
    Case.objects.filter(pk=part.pk).update(
        state="closed", open=False, on_time=on_time, closed_at=part.opened_at, closed_on=part.opened_on
    )


@pytest.mark.parametrize(
    ("market", "shop", "total"),
    [
        (None, None, "98"),  # 100 - 2: one finding, though three rows
        (True, None, "98"),  # the shop has not answered yet
        (True, True, "99"),  # all in time: half is given back
        (True, False, "97.5"),  # 100 - 2 - 0.5: one part was late
        (False, False, "97.5"),  # and two late parts are late once
    ],
)
def test_a_split_case_counts_once_and_its_parts_say_what_became_of_it(city, market, shop, total):
    whole, made = split_board(city, "community")
    for part, on_time in zip(parts_of(whole), (market, shop), strict=True):
        if on_time is not None:
            closed(part, on_time)
    found = compute_later(city, made)
    assert found[EAST_ONE].total == D(total)
    lines = Loss.objects.filter(sheet=found[EAST_ONE], kind="deduction")
    assert [line.record for line in lines] == [str(whole.uid)]
    assert adds_up(found[EAST_ONE])


def test_each_unit_answers_for_its_own_part_of_a_split_case(city):
    whole, made = split_board(city, "unit")
    closed(parts_of(whole)[0], True)
    closed(parts_of(whole)[1], False)
    found = compute_later(city, made)
    market, shop = (found[str(city.units[name].uid)] for name in ("market", "shop"))
    assert (market.total, shop.total) == (D(99), D("97.5"))  # 2 x 0.5; 2 + 0.5
    assert set(Loss.objects.filter(sheet__board=made).values_list("record", flat=True)) == {str(whole.uid)}


def compute_later(city, made):
    """Compute after the parts were made, and before any of them is due."""
    compute.compute_board(made, at=city.now + timedelta(hours=2))
    return sheets(made)


def test_the_last_three_in_household_visits_lose_ten_five_and_three(city):
    for number in range(2, 6):
        Area.objects.create(code=f"32031100200{number}", name=f"西{number}社区", parent_id="320311002")
    scheme(
        city,
        measures=[{"key": "visits", "title": "下户户数"}],
        ranks=[{"key": "visits", "title": "后三名", "points": ["10", "5", "3"], "by": "visits"}],
    )
    made = board(city)
    values = {
        EAST_ONE: 5,
        EAST_TWO: 9,
        WEST_ONE: 7,
        "320311002002": 7,
        "320311002003": 30,
        "320311002004": 40,
    }
    for code, value in values.items():
        enter(made, code, "measure:visits", str(value))
    found = computed(city, made)
    assert {code: 100 - sheet.total for code, sheet in found.items()} == {
        EAST_ONE: 10,
        WEST_ONE: 3,  # second and third from the end are shared: the mildest of -5 and -3
        "320311002002": 3,
        EAST_TWO: 0,
        "320311002003": 0,
        "320311002004": 0,
        "320311002005": 0,  # no number was given: not ranked by it
    }
    assert all(adds_up(sheet) for sheet in found.values())


def test_a_small_group_is_not_punished_and_the_board_says_so(city):
    scheme(city, ranks=[{"key": "last", "title": "后三名", "points": ["10", "5", "3"]}])
    city.finding()
    made = board(city)
    assert computed(city, made)[EAST_ONE].total == D(98)
    made.refresh_from_db()
    assert [line["code"] for line in made.warning_lines] == ["small-group"]
    assert "6 个对象" in made.warning_lines[0]["text"]


def test_ranks_are_given_inside_the_class(city):
    scheme(
        city,
        rank_groups=[
            {"code": "first", "title": "一类", "areas": ["320311001"]},
            {"code": "second", "title": "二类", "areas": [WEST_ONE]},
        ],
    )
    city.finding()
    city.finding(area=WEST_ONE)
    found = computed(city, board(city))
    assert [(s.group_title, s.rank, s.group_size) for s in (found[EAST_ONE], found[EAST_TWO], found[WEST_ONE])] == [
        ("一类", 2, 2), ("一类", 1, 2), ("二类", 1, 1),
    ]  # fmt: skip


def test_all_tied_share_the_first_place(city):
    scheme(city)
    assert {sheet.rank for sheet in computed(city, board(city)).values()} == {1}


def test_a_month_without_data_gives_full_marks_and_no_lines(city):
    scheme(city)
    made = board(city)
    found = computed(city, made)
    assert {sheet.total for sheet in found.values()} == {D(100)}
    assert not Loss.objects.filter(sheet__board=made).exists()


def test_a_source_that_did_not_take_place_leaves_nobody_ranked(city):
    scheme(
        city,
        missing="renormalise",
        sources=[{"key": "dark", "title": "暗访", "weight": "100", "rounds": ["unannounced"]}],
    )
    found = computed(city, board(city))
    assert {(sheet.rank, sheet.grade, sheet.total) for sheet in found.values()} == {(None, "", D(0))}


def test_computing_again_gives_the_same_sheets_with_the_same_identities(city):
    scheme(city)
    city.finding()
    made = board(city)
    before = {sheet.uid: (sheet.total, sheet.summary) for sheet in computed(city, made).values()}
    lines = list(
        Loss.objects.filter(sheet__board=made)
        .order_by("sheet__code", "number")
        .values_list("record", "effect")
    )
    after = {sheet.uid: (sheet.total, sheet.summary) for sheet in computed(city, made).values()}
    assert after == before
    again = (
        Loss.objects.filter(sheet__board=made)
        .order_by("sheet__code", "number")
        .values_list("record", "effect")
    )
    assert list(again) == lines


def test_a_visit_of_the_kind_is_what_makes_a_source_take_place(city):
    sources = [
        {"key": "routine", "title": "日常检查", "weight": "60", "always": True, "rounds": ["routine"]},
        {"key": "dark", "title": "暗访", "weight": "40", "rounds": ["unannounced"]},
    ]
    scheme(city, sources=sources)
    visit, _new = record_visit(
        VisitIn(uid=uuid4(), area=EAST_ONE, kind="unannounced"), by=city.actor("Lin"), at=city.now
    )
    city.finding(visit=visit.uid)
    record_visit(VisitIn(uid=uuid4(), area=EAST_TWO, kind="unannounced"), by=city.actor("Lin"), at=city.now)
    city.finding(area=EAST_TWO)
    found = computed(city, board(city))
    assert found[EAST_ONE].total == D("99.2")  # 100 x 60 % + 98 x 40 %
    assert found[EAST_TWO].total == D("98.8")  # 98 x 60 % + 100 x 40 %: visited, nothing found
    assert found[WEST_ONE].total == D(60)  # never visited unannounced: 0 x 40 %


def test_what_was_found_in_a_community_that_merged_falls_to_its_heir(city):
    scheme(city)
    city.finding(area=EAST_TWO)
    merge_area(code=EAST_TWO, into=EAST_ONE, on=date(2026, 10, 12), by=city.actor("Xi"), at=city.now)
    found = computed(city, board(city))
    assert {code: sheet.total for code, sheet in found.items()} == {EAST_ONE: D(98), WEST_ONE: D(100)}


def test_points_chosen_within_a_range_come_from_the_officer_or_the_least(city):
    line = {
        "number": "1",
        "title": "乱扔",
        "mode": "range",
        "minimum": "2",
        "maximum": "5",
        "categories": ["06010"],
    }
    scheme(city, groups=[{"number": "一", "title": "环境", "items": [line]}])
    uid = city.finding().finding.uid
    made = board(city)
    assert computed(city, made)[EAST_ONE].total == D(98)
    enter(made, EAST_ONE, f"item:1@{uid}", "4.5")
    assert computed(city, made)[EAST_ONE].total == D("95.5")
    enter(made, EAST_ONE, f"item:1@{uid}", "6", number=2)
    with pytest.raises(RuleError) as caught:
        computed(city, made)
    assert caught.value.code == "range-bounds"


@pytest.mark.parametrize(
    ("least", "most", "cost"),
    [
        ("1", "3", "7.5"),  # 3 places x 2.5
        ("0.5", "2", "6"),  # the scheme allows at most 2: 3 x 2
        ("2.8", "5", "8.4"),  # and at least 2.8: 3 x 2.8
    ],
)
def test_points_chosen_at_a_visit_reach_the_sheet_for_each_place(city, least, most, cost):
    publish(city, "ledger-organisation", LEDGER)
    item = {
        "number": "1", "title": "培训记录", "mode": "range", "minimum": least, "maximum": most,
        "checklists": {"ledger-organisation": ["2.1"]},
    }  # fmt: skip
    scheme(city, groups=[{"number": "一", "title": "台账", "items": [item]}])
    one = visit(city, checklist="ledger-organisation")
    failed = said("2.1", "fail", category="06010", count=3, points="2.5")
    record_answer(one.uid, failed, by=city.actor("Lin"), at=city.now)
    found = computed(city, board(city))[EAST_ONE]
    assert found.total == 100 - D(cost)
    loss = Loss.objects.get(sheet=found)
    assert (loss.parts["times"], loss.record) == (3, str(Finding.objects.get().uid))
    assert how(loss)[0] == f"{(D(cost) / 3).normalize():f} 分 × 3 处"
    # The visit's own marks say the same: each place costs what was chosen.
    own = standing(editions.checklist_by_id(one.checklist_edition), one.answers.all(), ())
    assert (own.lost, own.counts) == ({"2.1": D("7.5")}, {"2.1": 3})
    assert str(own.total) == "92.5"


def test_findings_nobody_has_linked_yet_count_as_repeats_on_the_sheet(city):
    scheme(city, repeats=["1.5", "2"])
    for days in (2, 1, 0):
        city.finding(at=city.now - timedelta(days=days), unit=city.units["market"].uid)
    assert not Case.objects.filter(linked_at__isnull=False).exists()
    made = board(city)
    # 100 - 2 - 2 x 1.5 - 2 x 2
    assert computed(city, made)[EAST_ONE].total == D(91)
    assert sorted(Case.objects.values_list("repeats", flat=True)) == [0, 1, 2]
    repeats.link(city.now + timedelta(hours=1))  # the worker, late, changes nothing
    assert computed(city, made)[EAST_ONE].total == D(91)


def test_a_job_computes_the_board_and_says_what_came_of_it(city):
    scheme(city)
    city.finding()
    made = board(city)
    job = jobs.start_compute(made, by=city.actor("Qian"), at=city.now)
    said = jobs.compute.call(board_uid=str(made.uid), job_uid=str(job.uid))
    assert said == {"result_url": made.url, "sentence": "3 个对象已计分，共读取 1 条问题。"}
    made.refresh_from_db()
    assert (made.state, made.records) == ("computed", 1)
    with pytest.raises(ForbiddenError):
        jobs.start_compute(made, by=city.actor("Chen"), at=city.now)
    with pytest.raises(ConflictError):
        jobs.start_compute(confirm(city, made), by=city.actor("Qian"), at=city.now)


# --- refusals ------------------------------------------------------------------------------------------


def test_a_board_is_made_once(city):
    scheme(city)
    board(city)
    with pytest.raises(ConflictError) as caught:
        board(city)
    assert caught.value.code == "board-twice"
    assert Board.objects.count() == 1


@pytest.mark.parametrize("name", ["Lin", "Chen", "Sun", "Li", "Zhao"])
def test_only_the_office_of_the_area_makes_its_board(city, name):
    scheme(city)
    with pytest.raises(ForbiddenError) as caught:
        boards.make_board(
            area="320311",
            level="community",
            period=OCTOBER,
            by=city.actor(name),
            at=city.now,
            scheme_key="test",
        )
    assert caught.value.code == "may-not-assess"


def test_a_gap_between_editions_is_named_by_its_days(city):
    scheme(city, until=date(2026, 10, 10))
    scheme(city, since=date(2026, 10, 15), label="二")
    with pytest.raises(RuleError) as caught:
        board(city)
    assert caught.value.code == "scheme-gap"
    assert "2026-10-11 至 2026-10-14" in caught.value.sentence()


@pytest.mark.parametrize(("level", "code"), [("unit", "scheme-level"), ("street", None), ("community", None)])
def test_a_scheme_scores_only_the_levels_it_names(city, level, code):
    scheme(city, levels=["street", "community"])
    if code is None:
        assert board(city, level=level).level == level
        return
    with pytest.raises(RuleError) as caught:
        board(city, level=level)
    assert caught.value.code == code


def test_weights_that_miss_a_hundred_are_refused_with_their_sum(city):
    with pytest.raises(RuleError) as caught:
        scheme(
            city,
            sources=[
                {"key": "ledger", "title": "台账", "kind": "given", "weight": "50"},
                {"key": "routine", "title": "日常检查", "weight": "40", "always": True},
            ],
        )
    assert "合计 90 %" in caught.value.sentence()


def test_a_ledger_above_its_full_marks_stops_the_computing(city):
    scheme(
        city,
        sources=[
            {"key": "ledger", "title": "台账", "kind": "given", "weight": "50"},
            {"key": "routine", "title": "日常检查", "weight": "50", "always": True},
        ],
    )
    made = board(city)
    enter(made, EAST_ONE, "source:ledger", "101")
    with pytest.raises(RuleError) as caught:
        computed(city, made)
    assert caught.value.code == "marks-range"
    made.refresh_from_db()
    assert made.state == "draft"
    assert not Sheet.objects.exists()


# --- freezing -------------------------------------------------------------------------------------------


def confirm(city, made: Board) -> Board:
    compute.freeze(Board.objects.get(pk=made.pk), by=city.actor("Qian"), at=city.now)
    Board.objects.filter(pk=made.pk).update(
        state="confirmed", confirmed_at=city.now, appeal_until=city.now.date() + timedelta(days=5)
    )
    return Board.objects.get(pk=made.pk)


def appeal(sheet: Sheet, loss: Loss, city) -> Appeal:
    return Appeal.objects.create(
        uid=uuid4(), sheet=sheet, loss=loss, reason="已清理", filed_at=city.now, filed_by_key="user:9",
        filed_by_name="Sun", body_digest="x",
    )  # fmt: skip


def test_a_frozen_board_is_never_computed_again(city):
    scheme(city)
    city.finding()
    made = board(city)
    computed(city, made)
    frozen = confirm(city, made)
    with pytest.raises(ConflictError) as caught:
        compute.compute_board(frozen, at=city.now)
    assert caught.value.code == "board-frozen"
    with pytest.raises(ConflictError):
        compute.freeze(frozen, by=city.actor("Qian"), at=city.now)
    version = SheetVersion.objects.get(sheet__code=EAST_ONE)
    assert version.digest == digest(bytes(version.body)) == version.sheet.digest
    with pytest.raises(AppendOnlyError):
        version.delete()


def test_an_uncomputed_board_cannot_be_frozen(city):
    scheme(city)
    with pytest.raises(RuleError) as caught:
        compute.freeze(board(city), by=city.actor("Qian"), at=city.now)
    assert caught.value.code == "board-not-computed"


def test_a_late_record_is_listed_and_not_counted(city):
    scheme(city)
    counted = city.finding().case
    made = board(city)
    computed(city, made)
    later = city.now + timedelta(days=3)
    late = city.finding(at=later, occurred_on=city.now.date())
    take_step(Step(counted.uid, Move.CANCEL, city.actor("Chen"), note="误报"), at=later)
    made.refresh_from_db()
    found = facts.late_records(made)
    assert {(one.kind, one.finding_uid, one.code) for one in found} == {
        ("arrived", late.finding.uid, EAST_ONE),
        ("cancelled", counted.uid, EAST_ONE),
    }
    assert sheets(made)[EAST_ONE].total == D(98)
    assert facts.late_records(made, city.actor("Wu")) == []  # the west street's officer


def test_a_record_that_was_corrected_since_is_listed_as_changed(city):
    scheme(city)
    finding = city.finding().finding
    made = board(city)
    computed(city, made)
    body = canonical({"note": "改"})
    FindingVersion.objects.create(
        finding=finding, number=2, at=city.now + timedelta(days=1), by_key="user:1", by_name="Lin", body=body,
        digest=digest(body),
    )  # fmt: skip
    made.refresh_from_db()
    assert [(one.kind, one.finding_uid) for one in facts.late_records(made)] == [("changed", finding.uid)]


def test_an_appeal_that_is_granted_strikes_the_line_and_leaves_its_trace(city):
    scheme(
        city,
        groups=[
            {
                "number": "一",
                "title": "环境",
                "items": [
                    {"number": "1", "title": "垃圾", "points": "2", "cap": "5", "categories": ["06010"]}
                ],
            }
        ],
    )
    for _each in range(3):
        city.finding()
    city.finding(area=EAST_TWO)
    city.finding(area=EAST_TWO)
    made = board(city)
    before = computed(city, made)
    assert (before[EAST_ONE].total, before[EAST_TWO].total) == (D(95), D(96))  # 3 x 2 stops at 5; 2 x 2
    frozen = confirm(city, made)
    sheet = sheets(frozen)[EAST_ONE]
    line = Loss.objects.filter(sheet=sheet).order_by("number").first()
    filed = appeal(sheet, line, city)
    after = compute.re_score(filed, restored=D(2), by=city.actor("Qian"), at=city.now)
    # The other two now cost 4 together: one point comes back, not two.
    assert (after.total, after.version) == (D(96), 2)
    assert (filed.total_before, filed.total_after, filed.restored) == (D(95), D(96), D(2))
    line.refresh_from_db()
    assert (line.struck, line.asked, line.lost) == (True, D(2), D(2))
    assert [row.lost for row in Loss.objects.filter(sheet=sheet, struck=False)] == [D(2), D(2)]
    ranks = {code: one.rank for code, one in sheets(frozen).items()}
    assert ranks == {WEST_ONE: 1, EAST_ONE: 2, EAST_TWO: 2}
    # The other sheet kept its rank of 2 and has no further version.
    assert {one.code: one.version for one in sheets(frozen).values()} == {
        EAST_ONE: 2,
        EAST_TWO: 1,
        WEST_ONE: 1,
    }
    versions = SheetVersion.objects.filter(sheet=sheet)
    assert [(v.verb, v.total, v.rank) for v in versions] == [("confirm", D(95), 3), ("appeal", D(96), 2)]
    assert adds_up(sheets(frozen)[EAST_ONE])


@pytest.mark.parametrize("restored", ["0", "-1", "2.01"])
def test_no_more_is_given_back_than_the_line_asked(city, restored):
    scheme(city)
    city.finding()
    made = board(city)
    computed(city, made)
    frozen = confirm(city, made)
    sheet = sheets(frozen)[EAST_ONE]
    filed = appeal(sheet, Loss.objects.get(sheet=sheet), city)
    with pytest.raises(RuleError) as caught:
        compute.re_score(filed, restored=D(restored), by=city.actor("Qian"), at=city.now)
    assert caught.value.code == "restored-range"
    assert sheets(frozen)[EAST_ONE].total == D(98)


def test_points_are_given_back_in_parts_until_the_line_is_struck(city):
    scheme(city)
    city.finding()
    made = board(city)
    computed(city, made)
    frozen = confirm(city, made)
    sheet = sheets(frozen)[EAST_ONE]
    filed = appeal(sheet, Loss.objects.get(sheet=sheet), city)
    assert compute.re_score(filed, restored=D("0.5"), by=city.actor("Qian"), at=city.now).total == D("98.5")
    assert compute.re_score(filed, restored=D("1.5"), by=city.actor("Qian"), at=city.now).total == D(100)
    with pytest.raises(RuleError) as caught:
        compute.re_score(filed, restored=D(1), by=city.actor("Qian"), at=city.now)
    assert caught.value.code == "line-struck"
    assert adds_up(sheets(frozen)[EAST_ONE])


def test_ranks_and_their_penalties_follow_an_appeal(city):
    scheme(city, ranks=[{"key": "last", "title": "末位", "points": ["5"], "min_group": 2}])
    city.finding()
    city.finding()
    city.finding(area=EAST_TWO)
    made = board(city)
    before = computed(city, made)
    assert [before[code].total for code in (EAST_ONE, EAST_TWO, WEST_ONE)] == [D(91), D(98), D(100)]
    frozen = confirm(city, made)
    sheet = sheets(frozen)[EAST_ONE]
    line = Loss.objects.filter(sheet=sheet, kind="deduction").first()
    compute.re_score(appeal(sheet, line, city), restored=D(2), by=city.actor("Qian"), at=city.now)
    after = sheets(frozen)
    # 98 and 98 share the last two places: the mildest of -5 and 0 is 0.
    assert [after[code].total for code in (EAST_ONE, EAST_TWO, WEST_ONE)] == [D(98), D(98), D(100)]
    penalty = Loss.objects.get(sheet=sheet, kind="penalty")
    assert (penalty.struck, penalty.lost) == (True, D(5))
    assert all(adds_up(one) for one in after.values())


# --- beside, before, for others ----------------------------------------------------------------------------


def test_the_same_records_are_scored_beside_under_another_edition(city):
    scheme(city)
    other = scheme(
        city, since=date(2026, 2, 1), label="二",
        groups=[{"number": "一", "title": "环境",
                 "items": [{"number": "1", "title": "垃圾", "points": "3", "categories": ["06010"]}]}],
    )  # fmt: skip
    first = next(
        each for each in other.__class__.objects.filter(kind="scheme", key="test") if each.pk != other.pk
    )
    city.finding()
    made = board(city)
    assert computed(city, made)[EAST_ONE].total == D(97)
    made.refresh_from_db()
    beside = compute.compute_beside(made, first.pk, by=city.actor("Qian"), at=city.now)
    assert sheets(beside)[EAST_ONE].total == D(98)
    assert compute.compute_beside(made, first.pk, by=city.actor("Qian"), at=city.now).pk == beside.pk
    city.finding(
        at=city.now + timedelta(hours=2)
    )  # later: the comparison is of the records that the board saw
    job = jobs.start_beside(made, first.pk, by=city.actor("Qian"), at=city.now)
    jobs.compute.call(board_uid=str(beside.uid), job_uid=str(job.uid))
    assert sheets(beside)[EAST_ONE].total == D(98)
    with pytest.raises(RuleError) as caught:
        compute.compute_beside(made, other.pk, by=city.actor("Qian"), at=city.now)
    assert caught.value.code == "same-edition"
    with pytest.raises(RuleError) as caught:
        compute.freeze(beside, by=city.actor("Qian"), at=city.now)
    assert caught.value.code == "board-beside"


def test_change_of_rank_is_against_the_board_of_the_period_before(city):
    scheme(city)
    september = board(city, period=Period.month("2026-09"), text="2026-09")
    city.finding(occurred_on=date(2026, 9, 30))
    computed(city, september)
    confirm(city, september)
    city.finding(area=EAST_TWO)
    found = computed(city, board(city))
    assert (found[EAST_ONE].previous_rank, found[EAST_ONE].rank, found[EAST_ONE].rank_change) == (3, 1, 2)
    assert found[EAST_ONE].previous_total == D(98)
    assert found[EAST_TWO].rank_change == -2


def test_others_read_the_published_ranking_with_its_reasons(city):
    scheme(city)
    city.finding()
    made = board(city)
    computed(city, made)
    assert ranking.published_board("320311", OCTOBER, "community") is None
    confirm(city, made)
    assert ranking.published_board("320311", OCTOBER, "community") is None
    Board.objects.filter(pk=made.pk).update(state="published", published_at=city.now)
    found = ranking.published_board("320311", OCTOBER, "community")
    assert found == made
    rows = ranking.rows(found)
    assert [(row.rank, row.name, row.total) for row in rows] == [
        (1, "东二社区", D(100)), (1, "西一社区", D(100)), (3, "东一社区", D(98)),
    ]  # fmt: skip
    assert rows[-1].worst == (("垃圾", D(2)),)


def test_a_year_is_composed_of_its_published_months(city):
    scheme(
        city,
        key="year",
        groups=[],
        sources=[
            {"key": "months", "title": "月均", "kind": "boards", "boards": "month", "weight": "40"},
            {"key": "half", "title": "半年", "kind": "given", "weight": "25"},
            {"key": "yearend", "title": "年终", "kind": "given", "weight": "35"},
        ],
    )
    scheme(city)
    for month, count in (("2026-09", 1), ("2026-10", 2)):
        for _each in range(count):
            city.finding(occurred_on=Period.month(month).start if month == "2026-10" else date(2026, 9, 30))
        made = board(city, period=Period.month(month), text=month)
        computed(city, made)
        confirm(city, made)
        Board.objects.filter(pk=made.pk).update(state="published", published_at=city.now)
    year = board(city, key="year", period=Period.year(2026), text="2026")
    enter(year, EAST_ONE, "source:half", "80")
    enter(year, EAST_ONE, "source:yearend", "90")
    # months (98 + 96) / 2 = 97: 97 x 40 % + 80 x 25 % + 90 x 35 % = 38.8 + 20 + 31.5
    assert computed(city, year)[EAST_ONE].total == D("90.3")


# --- what is to be typed, and until when ----------------------------------------------------------------------


def test_the_default_scheme_asks_for_ledgers_and_at_quarters_ends_for_visits(city):
    october = compute.entry_fields(board(city, key="monthly"))
    assert [(one.key, one.maximum) for one in october] == [("source:ledger", D(100))]
    september = compute.entry_fields(board(city, key="monthly", period=Period.month("2026-09")))
    assert [one.key for one in september] == ["source:ledger", "measure:visits"]


def test_the_window_of_appeal_counts_working_days(city):
    scheme(city, appeal_days=3)
    made = board(city)
    # Confirmed on Monday 12 October 2026: Tuesday, Wednesday, Thursday.
    assert boards.appeal_window(made, city.now)[0] == date(2026, 10, 15)
    # Confirmed on Thursday 15 October: Friday, Monday, Tuesday.
    assert boards.appeal_window(made, city.now + timedelta(days=3))[0] == date(2026, 10, 20)


def test_computing_a_board_takes_the_same_statements_for_many_findings(city, django_assert_max_num_queries):
    scheme(city)
    made = board(city)
    for _each in range(5):
        city.finding()
    computed(city, made)
    with django_assert_max_num_queries(30):
        compute.compute_board(made, at=city.now + timedelta(minutes=30))
