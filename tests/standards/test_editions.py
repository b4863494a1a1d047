"""Which edition holds where and when, and what published ones refuse."""

from datetime import date, time, timedelta
from decimal import Decimal

import pytest
from django.db import DatabaseError, connection, transaction

from tests.standards.conftest import AT, DAY, SCALE, head
from weicheng.journal.models import Entry
from weicheng.rules.deadlines import Counting, Limit
from weicheng.rules.errors import ConflictError, ForbiddenError, RuleError
from weicheng.rules.scoring import deduct
from weicheng.standards import actions, editions, kinds
from weicheng.standards.models import Edition, PublishedError

QUAN = "320311001005"


def published(by, *, owner="320311", body=SCALE, kind="severity-scale", **changes):
    row = actions.draft_edition(kind=kind, owner=owner, head=head(**changes), body=body, by=by, at=AT)
    return actions.publish_edition(edition=row, by=by, at=AT)


def scale(general: str) -> dict:
    return {"default": "general", "severities": [{"code": "general", "name": "一般", "limit": general}]}


# --- what comes with the program -----------------------------------------------------------------


def test_the_base_packs_hold_for_any_area_and_say_where_they_come_from(base):
    calendar = editions.calendar(QUAN, DAY)
    assert not calendar.calendar.is_working_day(date(2026, 10, 1))
    assert calendar.calendar.is_working_day(date(2026, 10, 10))  # a Saturday, made up for the National Day
    assert calendar.calendar.hours[0] == (time(9), time(12))
    assert calendar.body.hours_confidence is kinds.Confidence.RECALLED
    assert editions.calendar_by_id(calendar.edition_id).calendar is calendar.calendar

    scale = editions.severities(QUAN, DAY)
    assert [each.name for each in scale.body.severities] == ["立行立改", "一般", "较难", "难", "专项"]
    assert scale.severity(None).code == "general"
    drafts = {row.title for row in base if not row.is_published}
    assert "分类处置时限（示例，须由本地采用）" in drafts
    assert all("样本" in title or "示例" in title for title in drafts)  # a sample is nobody's law


def test_the_catalogue_is_complete_and_finds_what_people_type(base):
    catalogue = editions.categories(QUAN, DAY)
    assert len(catalogue.body.components_by_code) == 153
    assert len(catalogue.body.by_code) == 250
    assert catalogue.category("03001").name == "公共厕所异常"
    assert catalogue.body.components_by_code["03001"].name == "公共厕所"
    assert catalogue.category("01066").name == "紧急报警点异常SOS"
    assert catalogue.body.by_alias["01-10"].code == "06010"
    assert catalogue.body.by_alias["04-05"].name == "店外经营"
    assert [each.code for each in catalogue.body.search("牛皮癣")] == ["07001"]
    assert catalogue.body.search("06010")[0].name == "暴露垃圾"
    assert len(catalogue.body.common) == 17
    scale = editions.severities(QUAN, DAY).body.by_code
    for category in catalogue.body.common:
        assert category.severity in scale
        assert category.severity_confidence is kinds.Confidence.RECALLED


def test_before_the_new_standard_its_codes_are_used_as_inferred(base):
    older = editions.categories(QUAN, date(2026, 6, 30))
    newer = editions.categories(QUAN, date(2026, 7, 1))
    assert older.confidence is kinds.Confidence.INFERRED
    assert newer.label == "GB/T 47678.5-2026"
    assert set(older.body.by_code) < set(newer.body.by_code)
    assert {each.code for each in older.body.common} == {each.code for each in newer.body.common}
    assert Edition.objects.get(pk=newer.edition_id).supersedes_id == older.edition_id


def test_the_check_list_deducts_as_its_source_says(base):
    checklist = editions.checklist("community-environment", QUAN, DAY)
    assert checklist.body.full_confidence is kinds.Confidence.RECALLED
    # 100 - 1 (保洁员) - 3 x 2 (烟头) - 2 x 0.5 (绿地)
    score = deduct(checklist.rule, {"1": 1, "2": 3, "4": 2})
    assert score.total == Decimal("92.0")
    assert editions.by_id(int(score.edition)).digest == checklist.digest
    assert checklist.item("2").category == "06012"
    with pytest.raises(RuleError, match="item-unknown"):
        checklist.item("99")
    keys = {each.key for each in editions.checklists(QUAN, DAY)}
    assert {"community-environment", "ledger-vector", "shop-front"} <= keys


def test_units_learn_their_kinds(base):
    from weicheng.places import kinds as unit_kinds

    market = unit_kinds.kind_of("market", QUAN, DAY)
    assert [field.title for field in market.fields] == ["摊位数", "经营面积", "活禽交易"]
    assert unit_kinds.names(QUAN, DAY)["toilet"] == "公共厕所"


def test_loading_again_does_nothing(base):
    rows, entries = Edition.objects.count(), Entry.objects.count()
    assert actions.load_base(at=AT + timedelta(days=1)) == []
    assert (Edition.objects.count(), Entry.objects.count()) == (rows, entries)


# --- which one holds -----------------------------------------------------------------------------


def test_the_nearest_owner_wins_and_others_are_not_touched(cast, base):
    published(cast.city.actor, owner="3203", body=scale("3天"), edition="市")
    assert editions.severities(QUAN, DAY).severity("general").limit == "3天"
    published(cast.east.actor, body=scale("2天"), edition="区")
    assert editions.severities(QUAN, DAY).severity("general").limit == "2天"
    assert editions.severities("320312", DAY).severity("general").limit == "3天"
    assert editions.severities("110101", DAY).severity("general").limit == "1天"


@pytest.mark.parametrize(
    ("day", "limit"),
    [
        (date(2025, 12, 31), "1天"),  # before the district had its own: the country's
        (date(2026, 1, 1), "2天"),
        (date(2026, 5, 31), "2天"),
        (date(2026, 6, 1), "4天"),
    ],
)
def test_the_newest_edition_not_after_the_day_wins(cast, base, day, limit):
    published(cast.east.actor, body=scale("4天"), edition="二", in_force_from=date(2026, 6, 1))
    published(
        cast.east.actor, body=scale("2天"), edition="一"
    )  # a correction of earlier months, published later
    assert editions.severities(QUAN, day).severity("general").limit == limit


def test_an_ended_edition_does_not_call_back_an_older_one(cast, base):
    published(cast.east.actor, body=scale("2天"), edition="一")
    published(
        cast.east.actor,
        body=scale("4天"),
        edition="二",
        in_force_from=date(2026, 6, 1),
        in_force_to=date(2026, 6, 30),
    )
    assert editions.severities(QUAN, date(2026, 6, 30)).severity("general").limit == "4天"
    assert editions.severities(QUAN, date(2026, 7, 1)).severity("general").limit == "1天"


def test_a_day_without_any_edition_is_refused_in_words(base):
    with pytest.raises(RuleError, match="no-edition") as refused:
        editions.calendar(QUAN, date(2014, 12, 31))
    assert "2014-12-31 没有生效的“工作日历”" in refused.value.sentence()


def test_reading_again_asks_no_statement(base, django_assert_num_queries):
    editions.limit_of(QUAN, DAY, "06010", "immediate")
    with django_assert_num_queries(0):
        editions.limit_of(QUAN, DAY, "06010", "immediate")
        editions.severities("320312", date(2026, 3, 1))


def test_a_category_limit_lies_over_that_of_the_severity(cast, base):
    found = editions.limit_of(QUAN, DAY, "06010", "immediate")
    assert (found.text, len(found.editions)) == ("2工作时", 1)
    body = {
        "limits": [
            {"category": "06010", "limits": ["4小时"]},
            {"category": "06001", "limits": ["2紧急工作日", "15天"]},
            {"category": "06013", "limits": ["5天", "9天"], "severities": {"hard": "9天"}},
        ]
    }
    published(cast.east.actor, kind="time-limits", body=body, in_force_from=date(2026, 7, 1))
    text, asked = editions.limit_of(QUAN, DAY, "06010", "immediate")
    assert (text, len(asked)) == ("4小时", 2)
    assert editions.limit_of(QUAN, DAY, "06010", "immediate").limit == Limit(Decimal(4), Counting.WORK_HOUR)
    # Two limits that do not say which holds when leave the severity's own.
    assert editions.limit_of(QUAN, DAY, "06001", "special").text == "15天"
    assert editions.limit_of(QUAN, DAY, "06013", "hard").text == "9天"
    assert editions.limit_of(QUAN, DAY, "06013", "general").text == "1天"
    with pytest.raises(RuleError, match="unknown-severity"):
        editions.limit_of(QUAN, DAY, "06010", "grave")


# --- published stays -----------------------------------------------------------------------------


def test_a_published_edition_refuses_the_model_the_queryset_and_raw_sql(cast, draft):
    row = actions.publish_edition(edition=draft, by=cast.east.actor, at=AT)
    row.title = "另一个名称"
    with pytest.raises(PublishedError):
        row.save()
    again = Edition.objects.get(pk=row.pk)
    again.state = "draft"
    with pytest.raises(PublishedError):
        again.save()
    with pytest.raises(PublishedError):
        Edition.objects.filter(pk=row.pk).update(title="另一个名称")
    with pytest.raises(PublishedError):
        row.delete()
    with pytest.raises(PublishedError):
        Edition.objects.filter(pk=row.pk).delete()
    for statement in (
        "UPDATE standards_edition SET body = 'x' WHERE id = %s",
        "UPDATE standards_edition SET in_force_from = '2020-01-01' WHERE id = %s",
        "UPDATE standards_edition SET state = 'draft', published_at = NULL WHERE id = %s",
        "DELETE FROM standards_edition WHERE id = %s",
    ):
        with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(statement, [row.pk])
    kept = Edition.objects.get(pk=row.pk)
    assert (kept.title, kept.state, kept.digest) == ("问题等级与整改时限", "published", draft.digest)
    Edition.objects.filter(pk=row.pk).update(leaf="12")  # what a Merkle batch does


def test_publishing_is_journalled_once_and_told_to_every_cache(cast, draft):
    assert editions.severities(QUAN, DAY).label == "通行做法 2026"
    row = actions.publish_edition(edition=draft, by=cast.east.actor, at=AT)
    assert editions.severities(QUAN, DAY).label == "本区 2026"
    entry = Entry.objects.get(verb="edition.publish")
    assert (entry.object_key, entry.district, entry.actor_name) == (str(row.uid), "320311", "陈明远")


def test_an_edition_is_published_once(cast, draft):
    actions.publish_edition(edition=draft, by=cast.east.actor, at=AT)
    for again in (
        lambda: actions.publish_edition(edition=draft, by=cast.east.actor, at=AT),
        lambda: actions.change_draft(
            edition=draft, revision=1, head=head(), body=SCALE, by=cast.east.actor, at=AT
        ),
    ):
        with pytest.raises(RuleError, match="already-published"):
            again()
    assert Entry.objects.filter(verb="edition.publish").count() == 1


def test_two_editions_of_one_owner_never_begin_on_the_same_day(cast, base):
    published(cast.east.actor)
    with pytest.raises(RuleError, match="edition-day-taken"):
        published(cast.east.actor, edition="另一版")
    with pytest.raises(RuleError, match="edition-label"):
        published(cast.east.actor, in_force_from=date(2026, 2, 1))
    assert Edition.objects.published().filter(owner="320311").count() == 1


def test_only_the_keeper_of_the_area_writes(cast, draft):
    for other in (cast.west, cast.city, cast.community, cast.liaison):
        with pytest.raises(ForbiddenError, match="not-keeper"):
            actions.publish_edition(edition=draft, by=other.actor, at=AT)
        with pytest.raises(ForbiddenError, match="not-keeper"):
            actions.draft_edition(
                kind="severity-scale", owner="320311", head=head("乙"), body=SCALE, by=other.actor, at=AT
            )
    with pytest.raises(ForbiddenError, match="not-keeper"):
        actions.draft_edition(
            kind="severity-scale", owner="", head=head("丙"), body=SCALE, by=cast.east.actor, at=AT
        )
    assert Edition.objects.filter(owner="320311").count() == 1


def test_two_editors_of_a_draft_do_not_overwrite_each_other(cast, draft):
    changed = actions.change_draft(
        edition=draft, revision=1, head=head("甲"), body=scale("3天"), by=cast.east.actor, at=AT
    )
    assert changed.revision == 2
    with pytest.raises(ConflictError, match="draft-changed"):
        actions.change_draft(
            edition=draft, revision=1, head=head("乙"), body=SCALE, by=cast.east.actor, at=AT
        )
    assert Edition.objects.get(pk=draft.pk).edition == "甲"


def test_a_gap_is_told_before_publishing_and_does_not_hinder(cast, base):
    published(cast.east.actor, edition="一", in_force_to=date(2026, 3, 31))
    row = actions.draft_edition(
        kind="severity-scale",
        owner="320311",
        head=head("二", in_force_from=date(2026, 6, 1)),
        body=SCALE,
        by=cast.east.actor,
        at=AT,
    )
    assert actions.gap_warnings(row) == [
        "上一版“一”到 2026-03-31 止，本版从 2026-06-01 起，中间的日子没有本级标准。"
    ]
    actions.publish_edition(edition=row, by=cast.east.actor, at=AT)
    # In the gap the next owner above holds.
    assert editions.severities(QUAN, date(2026, 4, 15)).owner == ""


# --- scope ---------------------------------------------------------------------------------------


def test_drafts_are_seen_by_their_keeper_and_published_ones_by_all_below_and_above(cast, draft):
    def sees(person) -> bool:
        return Edition.objects.visible_to(person.actor).filter(pk=draft.pk).exists()

    assert sees(cast.east)
    assert not any(sees(other) for other in (cast.city, cast.west, cast.community, cast.liaison))
    actions.publish_edition(edition=draft, by=cast.east.actor, at=AT)
    assert all(sees(person) for person in (cast.east, cast.city, cast.community, cast.liaison))
    assert not sees(cast.west)


def test_a_sample_is_a_draft_that_every_keeper_may_copy_and_nobody_else_sees(cast, base):
    sample = Edition.objects.get(kind="time-limits")
    assert not sample.is_published
    for person, sees in [(cast.east, True), (cast.west, True), (cast.community, False)]:
        assert Edition.objects.visible_to(person.actor).filter(pk=sample.pk).exists() is sees
    with pytest.raises(ForbiddenError):
        actions.publish_edition(edition=sample, by=cast.east.actor, at=AT)
