"""Appeals: who may object to what until when, who answers, and what the answer does to the score."""

from datetime import date, timedelta
from decimal import Decimal
from uuid import uuid4

import pytest

from tests.assessments.conftest import Boards, publish_scheme, scheme_body
from weicheng.assessments.actions import publish_board
from weicheng.assessments.appeals import Decision, Objection, decide_appeal, file_appeal, struck_with
from weicheng.assessments.boards import make_board
from weicheng.assessments.models import Appeal, Sheet, SheetVersion
from weicheng.cases.models import Case
from weicheng.journal.models import Entry as JournalEntry
from weicheng.notices.models import Notice
from weicheng.places.models import Post, User
from weicheng.places.roles import Role
from weicheng.rules.errors import ConflictError, ForbiddenError, MissingError, RuleError
from weicheng.rules.figures import Period

ACCEPT = Decision(Appeal.State.ACCEPTED, "经核实不属于该社区")


def refused(code, call, kind=RuleError):
    with pytest.raises(kind) as caught:
        call()
    assert caught.value.code == code
    return caught.value.sentence()


def test_the_board_of_these_tests_scores_as_reckoned(boards):
    boards.compute()
    # routine: 4 findings x 2 = 8, at most 5 -> 95; ledger 90. Half each: 47.5 + 45 = 92.5
    assert boards.sheet(boards.city.east_one).total == Decimal("92.5")
    # nothing found, ledger 100
    assert boards.sheet(boards.city.east_two).total == Decimal(100)
    # routine 98, ledger 80: 49 + 40
    assert boards.sheet(boards.city.west_one).total == Decimal(89)
    assert [
        boards.sheet(code).rank for code in (boards.city.east_two, boards.city.east_one, boards.city.west_one)
    ] == [1, 2, 3]


# --- file --------------------------------------------------------------------------------------------


def test_an_appeal_is_filed_by_the_community_journalled_and_told_to_the_office(boards):
    boards.compute().confirm()
    appeal = boards.appeal()
    assert (appeal.state, appeal.filed_by_name) == ("open", "Sun")
    assert JournalEntry.objects.filter(verb="appeal.file", object_key=str(appeal.uid)).count() == 1
    told = Notice.objects.get(effect_key=f"appeal:{appeal.uid}:filed")
    assert (told.to_area, told.to_roles, told.url) == ("320311", ",district_officer,", appeal.url)


def test_the_window_is_open_on_its_last_day_and_closed_on_the_next_with_the_date_said(boards):
    boards.compute().confirm()
    # Monday 2 November and three working days: 3, 4, 5
    assert boards.board.appeal_until == date(2026, 11, 5)
    boards.now += timedelta(days=4)
    sentence = refused("appeal-late", boards.appeal)
    assert "2026-11-05" in sentence
    assert not Appeal.objects.exists()
    boards.now -= timedelta(days=1)
    assert boards.appeal().state == "open"


def test_before_the_board_is_shown_in_public_nobody_appeals(boards):
    boards.compute()
    refused("appeal-not-open", boards.appeal)


@pytest.mark.parametrize("name", ["Chen", "Qian", "Lin", "Wu"])
def test_only_the_sheets_own_people_appeal(boards, name):
    boards.compute().confirm()
    refused("not-your-sheet", lambda: boards.appeal(by=name), ForbiddenError)


def test_a_line_has_one_open_appeal_and_one_answer(boards):
    boards.compute().confirm()
    first = boards.appeal()
    refused("appeal-twice", boards.appeal)
    decide_appeal(
        Decision(Appeal.State.REJECTED, "照片清楚"), appeal=first, by=boards.city.actor("Qian"), at=boards.now
    )
    refused("appeal-decided", boards.appeal)
    assert Appeal.objects.count() == 1


def test_the_same_appeal_sent_again_is_the_same_and_with_other_words_a_conflict(boards):
    boards.compute().confirm()
    uid, sheet, sun = uuid4(), boards.sheet(boards.city.east_one), boards.city.actor("Sun")
    line = boards.losses(boards.city.east_one, item="1.1")[0].number
    one, new = file_appeal(Objection(uid, line, "理由"), sheet=sheet, by=sun, at=boards.now)
    two, again = file_appeal(
        Objection(uid, line, " 理由 "), sheet=sheet, by=sun, at=boards.now + timedelta(hours=1)
    )
    assert (one.pk, new, again) == (two.pk, True, False)
    refused(
        "appeal-conflict",
        lambda: file_appeal(Objection(uid, line, "别的理由"), sheet=sheet, by=sun, at=boards.now),
        ConflictError,
    )


@pytest.mark.parametrize(
    ("reason", "code"), [("", "appeal-reason"), ("  ", "appeal-reason"), ("长" * 1001, "appeal-reason-long")]
)
def test_a_reason_is_asked_and_has_its_limit(boards, reason, code):
    boards.compute().confirm()
    refused(code, lambda: boards.appeal(reason=reason))
    assert boards.appeal(reason="长" * 1000).state == "open"


def test_a_line_that_is_not_there_is_missing(boards):
    boards.compute().confirm()
    refused("no-line", lambda: boards.appeal(loss=99), MissingError)


# --- decide ------------------------------------------------------------------------------------------


def test_an_accepted_appeal_strikes_the_line_and_the_limit_is_used_up_by_the_others(boards):
    boards.compute().confirm()
    done = decide_appeal(ACCEPT, appeal=boards.appeal(), by=boards.city.actor("Qian"), at=boards.now)
    sheet = boards.sheet(boards.city.east_one)
    # three findings are left: 6, at most 5. The total stays, the line is struck, and that is said.
    assert (done.state, done.restored) == ("accepted", Decimal(2))
    assert (done.total_before, done.total_after, sheet.total) == (
        Decimal("92.5"),
        Decimal("92.5"),
        Decimal("92.5"),
    )
    assert boards.losses(boards.city.east_one, item="1.1")[0].struck


def test_two_struck_lines_raise_the_total_and_leave_their_trace(boards):
    boards.compute().confirm()
    qian, sun = boards.city.actor("Qian"), boards.city.actor("Sun")
    sheet = boards.sheet(boards.city.east_one)
    for line in boards.losses(boards.city.east_one, item="1.1")[:2]:
        appeal, _new = file_appeal(
            Objection(uuid4(), line.number, "理由"), sheet=sheet, by=sun, at=boards.now
        )
        decide_appeal(ACCEPT, appeal=appeal, by=qian, at=boards.now)
    sheet.refresh_from_db()
    # two findings are left: 4 of 5 -> 96; 48 + 45
    assert sheet.total == Decimal(93)
    versions = SheetVersion.objects.filter(sheet=sheet).order_by("number")
    assert [(one.verb, one.total) for one in versions] == [
        ("confirm", Decimal("92.5")), ("appeal", Decimal("92.5")), ("appeal", Decimal(93)),
    ]  # fmt: skip
    assert len(boards.losses(boards.city.east_one)) == 5  # four findings and the ledger: nothing was deleted


def late_ones(city):
    """A board whose first finding is late and has come back a second time; both cost besides."""
    follow_ups = [
        {"kind": "late", "title": "未按期", "points": "0.5"},
        {"kind": "second_notice", "title": "二次督办", "points": "1"},
    ]
    publish_scheme(city, "late", scheme_body(follow_ups=follow_ups, groups=[{"number": "1", "title": "环境", "items": [
        {"number": "1.1", "title": "垃圾未清", "points": "2", "categories": ["06010"]},
    ]}]))  # fmt: skip
    case = city.finding().case
    city.finding(at=city.now + timedelta(days=1))  # the day orders the lines: the late one is the first
    Case.objects.filter(pk=case.pk).update(due_at=city.now + timedelta(minutes=1), rework=1)
    now = city.now.replace(month=11, day=2)
    Case.objects.exclude(pk=case.pk).update(due_at=now + timedelta(days=9))
    made = make_board(
        area="320311", level="community", scheme_key="late", period=Period.month("2026-10"), period_text="2026-10",
        by=city.actor("Qian"), at=now,
    )  # fmt: skip
    return Boards(city, made, now).compute().confirm()


@pytest.mark.parametrize(
    ("follow_ups", "struck", "total"),
    [
        # 100 x 50 % (the ledger is missing): 50 - (2 + 0.5 + 1 + 2) / 2 = 47.25; without all three lines 49
        (True, ["1.1", "follow:late", "follow:second_notice"], "49"),
        # 50 - (0.5 + 1 + 2) / 2
        (False, ["1.1"], "48.25"),
    ],
)
def test_what_became_of_a_finding_falls_with_its_line_unless_the_office_says_no(
    city, follow_ups, struck, total
):
    boards = late_ones(city)
    assert boards.sheet(city.east_one).total == Decimal("47.25")
    sent = Decision(Appeal.State.ACCEPTED, "不属于该社区", follow_ups=follow_ups)
    done = decide_appeal(sent, appeal=boards.appeal(), by=city.actor("Qian"), at=boards.now)
    sheet = boards.sheet(city.east_one)
    assert (sheet.total, done.total_after, done.restored) == (Decimal(total), Decimal(total), Decimal(2))
    lines = boards.losses(city.east_one, struck=True)
    assert sorted(line.item for line in lines) == struck
    assert len(struck_with(done)) == len(struck) - 1
    # one trace: one version, one entry, which name what fell with it
    assert SheetVersion.objects.filter(sheet=sheet, verb="appeal").count() == 1
    assert (
        "连同撤销：未按期、二次督办" in SheetVersion.objects.get(sheet=sheet, verb="appeal").reason
    ) == follow_ups
    entry = JournalEntry.objects.get(verb="appeal.decide")
    assert f'"also":{[line.number for line in lines[1:]]}'.replace(" ", "") in bytes(entry.body).decode()


def test_the_answer_asks_about_follow_ups_and_says_yes_unless_unticked(city):
    boards = late_ones(city)
    appeal, qian = boards.appeal(), city.client("Qian")
    page = qian.get(appeal.url).content.decode()
    assert "采纳时连同撤销：未按期 0.5 分、二次督办 1 分" in page
    assert 'name="follow_ups"' in page
    assert "checked" in page[page.index('name="follow_ups"') - 80 :][:260]
    sent = {"state": "accepted", "reason": "属实", "follow_ups": "on"}
    assert qian.post(f"{appeal.url}/decide", sent).status_code == 303
    assert "连同撤销" in qian.get(appeal.url).content.decode()
    sheet = city.client("Sun").get(boards.sheet(city.east_one).url).content.decode()
    assert "名次变动后撤销" not in sheet
    assert sheet.count("as-struck") == 3


def test_a_part_given_back_leaves_the_follow_ups(city):
    boards = late_ones(city)
    sent = Decision(Appeal.State.PARTLY, "部分属实", Decimal(1))
    decide_appeal(sent, appeal=boards.appeal(), by=city.actor("Qian"), at=boards.now)
    assert not boards.losses(city.east_one, struck=True)


def test_a_part_is_given_back_within_its_bounds(boards):
    boards.compute().confirm()
    line = boards.losses(boards.city.west_one, item="1.1")[0]
    wu = boards.city.posts["Wu"]
    community = Post(user=wu.user, role=Role.COMMUNITY.value, from_on=date(2020, 1, 1)).place_at(
        boards.city.west_one
    )
    community.save()
    boards.city.posts["West"] = community
    sheet = boards.sheet(boards.city.west_one)
    appeal, _new = file_appeal(
        Objection(uuid4(), line.number, "只有一小堆"),
        sheet=sheet,
        by=boards.city.actor("West"),
        at=boards.now,
    )
    qian = boards.city.actor("Qian")
    for points in (None, Decimal(0), Decimal(-1), Decimal(2), Decimal(3)):
        sent = Decision(Appeal.State.PARTLY, "部分属实", points)
        refused(
            "decision-points", lambda sent=sent: decide_appeal(sent, appeal=appeal, by=qian, at=boards.now)
        )
    done = decide_appeal(
        Decision(Appeal.State.PARTLY, "部分属实", Decimal("0.5")), appeal=appeal, by=qian, at=boards.now
    )
    # 1.5 is left of 2: 98.5 / 2 + 80 / 2 = 49.25 + 40
    assert (done.total_before, done.total_after) == (Decimal(89), Decimal("89.25"))
    line.refresh_from_db()
    assert (line.struck, line.lost) == (False, Decimal("1.5"))


def test_a_rejected_appeal_changes_no_score(boards):
    boards.compute().confirm()
    done = decide_appeal(
        Decision(Appeal.State.REJECTED, "照片清楚"),
        appeal=boards.appeal(),
        by=boards.city.actor("Qian"),
        at=boards.now,
    )
    assert (done.restored, done.total_before, done.total_after) == (
        Decimal(0),
        Decimal("92.5"),
        Decimal("92.5"),
    )
    assert SheetVersion.objects.filter(sheet=done.sheet).count() == 1


def test_both_sides_are_told_the_answer(boards):
    boards.compute().confirm()
    appeal = boards.appeal()
    decide_appeal(ACCEPT, appeal=appeal, by=boards.city.actor("Qian"), at=boards.now)
    told = Notice.objects.filter(effect_key__startswith=f"appeal:{appeal.uid}:answered")
    assert {(one.to_area, one.to_user_id) for one in told} == {
        (boards.city.east_one, None),
        ("", boards.city.user("Lin").pk),  # who found it
    }


@pytest.mark.parametrize("name", ["Chen", "Sun", "Lin", "Li"])
def test_only_the_office_of_the_board_answers(boards, name):
    boards.compute().confirm()
    appeal = boards.appeal()
    refused(
        "may-not-decide",
        lambda: decide_appeal(ACCEPT, appeal=appeal, by=boards.city.actor(name), at=boards.now),
        ForbiddenError,
    )
    appeal.refresh_from_db()
    assert appeal.state == "open"


def test_who_found_it_does_not_answer_in_whatever_post(boards):
    boards.compute().confirm()
    appeal = boards.appeal()
    officer = Post(user=boards.city.user("Lin"), role=Role.DISTRICT_OFFICER.value, from_on=date(2020, 1, 1))
    officer.place_at("320311").save()
    boards.city.posts["Lin as officer"] = officer
    refused(
        "own-record",
        lambda: decide_appeal(ACCEPT, appeal=appeal, by=boards.city.actor("Lin as officer"), at=boards.now),
        ForbiddenError,
    )


def test_who_typed_the_mark_does_not_answer_about_it(boards):
    boards.compute().confirm()
    line = next(one for one in boards.losses(boards.city.east_one) if one.source == "ledger")
    appeal = boards.appeal(loss=line.number, reason="台账齐全")
    refused(
        "own-record",
        lambda: decide_appeal(ACCEPT, appeal=appeal, by=boards.city.actor("Qian"), at=boards.now),
        ForbiddenError,
    )
    other = User.objects.create(
        login="han", name="Han", password="x", must_change_password=False, created_at=boards.now
    )
    officer = Post(user=other, role=Role.DISTRICT_OFFICER.value, from_on=date(2020, 1, 1)).place_at("320311")
    officer.save()
    boards.city.posts["Han"] = officer
    done = decide_appeal(ACCEPT, appeal=appeal, by=boards.city.actor("Han"), at=boards.now)
    # ledger 100 now: 47.5 + 50
    assert done.total_after == Decimal("97.5")


def test_an_answer_is_given_once_with_a_reason(boards):
    boards.compute().confirm()
    appeal, qian = boards.appeal(), boards.city.actor("Qian")
    refused(
        "decision-reason",
        lambda: decide_appeal(Decision(Appeal.State.REJECTED, " "), appeal=appeal, by=qian, at=boards.now),
    )
    refused(
        "decision-reason-long",
        lambda: decide_appeal(
            Decision(Appeal.State.REJECTED, "长" * 1001), appeal=appeal, by=qian, at=boards.now
        ),
    )
    refused(
        "decision-state",
        lambda: decide_appeal(Decision(Appeal.State.OPEN, "理由"), appeal=appeal, by=qian, at=boards.now),
    )
    decide_appeal(ACCEPT, appeal=appeal, by=qian, at=boards.now)
    refused(
        "appeal-answered", lambda: decide_appeal(ACCEPT, appeal=appeal, by=qian, at=boards.now), ConflictError
    )


# --- publishing --------------------------------------------------------------------------------------


def test_a_board_is_published_when_its_window_is_over_and_its_appeals_are_answered(boards):
    boards.compute().confirm()
    appeal, qian = boards.appeal(), boards.city.actor("Qian")
    refused("appeals-open", lambda: publish_board(boards.board, by=qian, at=boards.now))
    decide_appeal(ACCEPT, appeal=appeal, by=qian, at=boards.now)
    sentence = refused("appeal-window-open", lambda: publish_board(boards.board, by=qian, at=boards.now))
    assert "2026-11-05" in sentence
    done = publish_board(boards.board, by=qian, at=boards.now + timedelta(days=4))
    assert (done.state, done.published_reason) == ("published", "")
    refused("board-published", lambda: publish_board(boards.board, by=qian, at=boards.now), ConflictError)


def test_published_early_with_a_reason_the_window_stays_open(boards):
    boards.compute().confirm()
    boards.board = publish_board(boards.board, reason="市里要求", by=boards.city.actor("Qian"), at=boards.now)
    assert boards.appeal().state == "open"
    entry = JournalEntry.objects.get(verb="board.publish")
    assert "市里要求" in bytes(entry.body).decode()
    # Everybody who reads the ranking reads why it came before its time.
    assert "理由：市里要求" in boards.city.client("Wu").get(boards.board.url).content.decode()


def test_every_object_is_told_when_its_sheet_is_shown(boards):
    boards.compute().confirm()
    told = Notice.objects.filter(kind="board.confirmed")
    assert {one.to_area for one in told} == set(
        Sheet.objects.filter(board=boards.board).values_list("code", flat=True)
    )
    assert all("11月05日" in one.title for one in told)


def test_a_board_is_confirmed_once_by_its_own_office_as_it_was_seen(boards):
    city = boards.city
    refused("board-not-computed", boards.confirm)
    boards.compute()
    refused("may-not-assess", lambda: boards.confirm(by="Chen"), ForbiddenError)
    refused("may-not-assess", lambda: boards.confirm(by="Lin"), ForbiddenError)
    from weicheng.assessments.actions import confirm_board

    seen = boards.now - timedelta(hours=1)
    refused(
        "board-recomputed",
        lambda: confirm_board(boards.board, base=seen, by=city.actor("Qian"), at=boards.now),
        ConflictError,
    )
    boards.confirm()
    sentence = refused("board-confirmed", boards.confirm, ConflictError)
    assert "Qian" in sentence
    refused("board-frozen", boards.compute, ConflictError)
