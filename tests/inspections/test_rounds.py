"""Rounds: planned, drawn, carried out, published; what is hidden is hidden everywhere."""

import json
import threading
from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection
from django.urls import URLResolver, get_resolver
from django.utils import timezone

from weicheng.cases.models import Case
from weicheng.cli import main as command
from weicheng.inspections.answers import finish_visit, record_answers
from weicheng.inspections.drafts import AnswerIn
from weicheng.inspections.draws import DrawIn, draw_round, frame_of, may_go, people_for
from weicheng.inspections.models import Draw, Round, RoundPlace, Visit
from weicheng.inspections.rounds import (
    RoundIn,
    assign,
    begin_visit,
    change_round,
    plan_round,
    progress,
    publish_round,
)
from weicheng.notices.models import Notice
from weicheng.places.actions import issue_token
from weicheng.places.models import Unit
from weicheng.rules.draws import differences
from weicheng.rules.errors import ConflictError, ForbiddenError, RuleError

LIST = "community-environment"
SECRET = "东街夜间突击"


def planned(city: Any, by: str = "Qian", **changes: Any) -> Round:
    """Return a round of the district over its units, from today for a week."""
    today = timezone.localdate()
    given: dict[str, Any] = {
        "uid": uuid4(), "kind": "quarterly", "title": "四季度检查", "starts_on": today,
        "ends_on": today + timedelta(days=7), "checklists": (LIST,),
    }  # fmt: skip
    return plan_round(RoundIn(**given | changes), by=city.actor(by), at=timezone.now())


def drawn(city: Any, total: int = 3, by: str = "Qian", inspector: str = "Lin", **changes: Any) -> Round:
    """Return a round of which every place was drawn for one inspector."""
    made = planned(city, by, **changes)
    ask = DrawIn(total=total, inspectors=(city.actor(inspector).key,))
    draw_round(made, ask, version=made.version, by=city.actor(by), at=timezone.now())
    return Round.objects.get(pk=made.pk)


def place_of(round: Round, unit: Any) -> RoundPlace:
    return RoundPlace.objects.get(round=round, unit=unit, current=True)


def refused(code: str, do: Any) -> str:
    with pytest.raises(RuleError) as caught:
        do()
    assert caught.value.code == code
    return caught.value.sentence()


# --- planning ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("code", "changes"),
    [
        ("round-kind", {"kind": "surprise"}),
        ("round-source", {"source": "planets"}),
        ("round-title", {"title": "  "}),
        ("round-title", {"title": "长" * 121}),
        ("round-ends-before-start", {"ends_on": timezone.localdate() - timedelta(days=1)}),
        ("round-too-long", {"ends_on": timezone.localdate() + timedelta(days=400)}),
        ("hidden-without-list", {"kind": "unannounced", "checklists": ()}),
        ("joint-without-departments", {"kind": "joint"}),
        ("round-without-leader", {"kind": "leader"}),
        ("too-many-lists", {"checklists": ("x",) * 11}),
    ],
)
def test_what_makes_no_round_is_refused_and_nothing_is_kept(city, code, changes):
    refused(code, lambda: planned(city, **changes))
    assert not Round.objects.exists()


def test_only_offices_plan_and_an_unannounced_round_is_hidden_whatever_was_said(city):
    for name in ("Lin", "Sun", "Zhao", "Li", "Wei", "Xi"):
        with pytest.raises(ForbiddenError):
            planned(city, name)
    assert planned(city, kind="unannounced", hidden=False).hidden is True
    assert planned(city, "Chen").area == city.east


def test_sent_twice_it_is_one_round_and_other_content_is_a_conflict(city):
    uid = uuid4()
    assert planned(city, uid=uid).pk == planned(city, uid=uid).pk
    with pytest.raises(ConflictError):
        planned(city, uid=uid, title="另一个")
    assert Round.objects.count() == 1


def test_a_round_is_changed_until_it_is_drawn_and_never_over_somebody_elses_change(city):
    made, qian, now = planned(city), city.actor("Qian"), timezone.now()
    draft = RoundIn(
        uid=made.uid, kind="routine", title="改名", starts_on=made.starts_on, ends_on=made.ends_on
    )
    assert change_round(made, draft, version=1, by=qian, at=now).title == "改名"
    with pytest.raises(ConflictError):
        change_round(made, draft, version=1, by=qian, at=now)
    draw_round(made, DrawIn(total=1), version=2, by=qian, at=now)
    refused("round-drawn", lambda: change_round(made, draft, version=3, by=qian, at=now))


# --- drawing -------------------------------------------------------------------------------------


def test_the_frame_is_the_open_units_of_the_owner_by_kind_and_street(city):
    frame = frame_of(planned(city))
    assert {one.name for one in frame.candidates} == {"解放桥农贸市场", "东街便民店", "西街小学"}
    assert len({one.stratum for one in frame.candidates}) == 3
    assert any("东街道" in one.stratum for one in frame.candidates)
    assert [one.name for one in frame_of(planned(city, unit_kinds=("school",))).candidates] == ["西街小学"]
    assert [one.name for one in frame_of(planned(city, source="communities")).candidates] == [
        "东一社区", "东二社区", "西一社区",
    ]  # fmt: skip
    assert [one.name for one in frame_of(planned(city, source="streets")).candidates] == ["东街道", "西街道"]
    assert frame_of(planned(city, source="grids")).candidates == []
    city.units["shop"].closed_on = timezone.localdate()
    city.units["shop"].save()
    assert len(frame_of(planned(city)).candidates) == 2


def test_a_draw_keeps_its_document_and_its_places_and_tells_who_must_know(city):
    made = drawn(city, 2)
    draw = Draw.objects.get()
    given = json.loads(bytes(draw.body))
    assert made.state == Round.State.DRAWN
    assert len(given["frame"]) == draw.frame_size == 3
    assert len(given["seed"]) == 64
    assert draw.seed_digest == given["seed_digest"]
    assert made.places.count() == draw.drawn == 2
    assert {place.inspector_name for place in made.places.all()} == {"Lin"}
    told = Notice.objects.filter(to_user=city.user("Lin"))
    assert [notice.title for notice in told] == ["检查任务：四季度检查"]
    assert Notice.objects.filter(kind="round.announced").exists()  # no secret: the places know it comes


def test_what_a_round_of_the_quarter_had_is_not_drawn_again_unless_asked(city):
    drawn(city, 2)
    second = planned(city)
    assert len(frame_of(second).candidates) == 1
    assert frame_of(second).left_out == 2
    assert len(frame_of(second, "").candidates) == 3
    refused("draw-period", lambda: frame_of(second, "century"))
    late = planned(city, starts_on=timezone.localdate() + timedelta(days=100),
                   ends_on=timezone.localdate() + timedelta(days=101))  # fmt: skip
    assert len(frame_of(late).candidates) == 3


def test_recommended_places_come_beside_the_drawn_ones(city):
    made = planned(city)
    market = f"unit:{city.units['market'].uid}"
    ask = DrawIn(total=1, recommended=(market,))
    draw_round(made, ask, version=1, by=city.actor("Qian"), at=timezone.now())
    assert sorted(made.places.values_list("origin", flat=True)) == ["drawn", "recommended"]
    assert place_of(made, city.units["market"]).origin == "recommended"


@pytest.mark.parametrize(
    ("code", "ask"),
    [
        ("draw-too-large", DrawIn(total=4)),
        ("draw-nothing", DrawIn(total=0)),
        ("recommended-unknown", DrawIn(total=1, recommended=("unit:x",))),
        ("no-such-inspector", DrawIn(total=1, inspectors=("user:999999",))),
        ("quota-stratum", DrawIn(quotas={"月球": 1})),
    ],
)
def test_a_draw_that_cannot_be_leaves_the_round_as_it_was(city, code, ask):
    made = planned(city)
    refused(code, lambda: draw_round(made, ask, version=1, by=city.actor("Qian"), at=timezone.now()))
    made.refresh_from_db()
    assert (made.state, made.version) == (Round.State.PLANNED, 1)
    assert not Draw.objects.exists()
    assert not RoundPlace.objects.exists()


def test_an_empty_frame_is_refused(city):
    made = planned(city, source="grids")
    refused(
        "frame-empty",
        lambda: draw_round(made, DrawIn(total=1), version=1, by=city.actor("Qian"), at=timezone.now()),
    )


def test_who_works_in_a_place_is_not_sent_there_and_is_refused_by_name_where_there_is_no_other(city):
    own = {one.name: one.own for one in people_for(planned(city))}
    assert own["Chen"] == (city.east,)
    assert own["Lin"] == ()
    assert "Zhao" not in own  # a liaison records nothing
    made = planned(city, unit_kinds=("market", "shop"))
    ask = DrawIn(total=1, inspectors=(city.actor("Chen").key, city.actor("Lin").key))
    said = refused(
        "inspector-own", lambda: draw_round(made, ask, version=1, by=city.actor("Qian"), at=timezone.now())
    )
    assert "Chen" in said


def test_a_hidden_round_is_carried_out_by_nobody_from_below(city):
    names = {one.name for one in people_for(planned(city, kind="unannounced"))}
    assert names == {"Qian", "Lin", "Ding"}


def test_drawn_again_only_with_a_reason_and_the_old_draw_stays(city):
    made, qian, now = drawn(city, 2), city.actor("Qian"), timezone.now()
    refused("draw-without-reason", lambda: draw_round(made, DrawIn(total=1), version=2, by=qian, at=now))
    draw_round(made, DrawIn(total=1, reason="两处正在拆迁"), version=2, by=qian, at=now)
    assert [draw.number for draw in Draw.objects.order_by("number")] == [1, 2]
    assert made.places.filter(current=True).count() == 1
    assert made.places.filter(current=False).count() == 2


def test_a_large_frame_is_drawn_in_as_few_statements_as_a_small_one(city, django_assert_max_num_queries):
    streets = (city.east_one, city.east_two, city.west_one)
    Unit.objects.bulk_create(
        [
            Unit(name=f"店 {n}", kind="shop", opened_on=date(2020, 1, 1)).place_at(streets[n % 3])
            for n in range(3_000)
        ],
        batch_size=2000,
    )
    made, qian = planned(city, unit_kinds=("shop",)), city.actor("Qian")
    ask = DrawIn(total=300, inspectors=(city.actor("Lin").key, qian.key))
    with django_assert_max_num_queries(30):
        draw = draw_round(made, ask, version=1, by=qian, at=timezone.now())
    assert (draw.frame_size, draw.drawn, made.places.count()) == (3_001, 300, 300)
    assert differences(json.loads(bytes(draw.body))) == []
    assert city.client("Qian").get(f"{made.url}/draw").status_code == 200


def test_the_second_of_two_who_draw_at_once_is_told(city):
    made, qian, now = planned(city), city.actor("Qian"), timezone.now()
    draw_round(made, DrawIn(total=1), version=1, by=qian, at=now)
    with pytest.raises(ConflictError):
        draw_round(made, DrawIn(total=1), version=1, by=qian, at=now)
    assert Draw.objects.count() == 1


@pytest.mark.skipif(connection.vendor == "sqlite", reason="shared memory answers at once and does not wait")
@pytest.mark.django_db(transaction=True)
def test_two_who_draw_in_the_same_moment_make_one_draw(city):
    made, qian, now, ended = planned(city), city.actor("Qian"), timezone.now(), []

    def draw() -> None:
        try:
            draw_round(made, DrawIn(total=1), version=1, by=qian, at=now)
            ended.append("drawn")
        except ConflictError:
            ended.append("told")
        finally:
            connection.close()

    threads = [threading.Thread(target=draw) for _n in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(ended) == ["drawn", "told"]
    assert Draw.objects.count() == 1


def test_the_downloaded_file_verifies_without_a_database_and_an_altered_one_does_not(city, tmp_path, capsys):
    made = drawn(city, 2)
    answer = city.client("Qian").get(f"/visits/rounds/{made.uid}/draws/1.json")
    assert answer["Content-Type"].startswith("application/json")
    path = tmp_path / "draw.json"
    path.write_bytes(answer.content)
    assert command(["draw", "--verify", str(path)]) == 0
    assert "一致" in capsys.readouterr().out
    given = json.loads(answer.content)
    given["result"].pop()
    path.write_text(json.dumps(given))
    assert command(["draw", "--verify", str(path)]) == 1
    assert "重算应抽到" in capsys.readouterr().out


# --- visiting ------------------------------------------------------------------------------------


def begun(city: Any, round: Round, unit: str = "market", by: str = "Lin", **changes: Any) -> Visit:
    given: dict[str, Any] = {"uid": uuid4(), "checklist": LIST, "by": city.actor(by), "at": timezone.now()}
    return begin_visit(place_of(round, city.units[unit]), **given | changes)


def failed(city: Any, visit: Visit) -> None:
    """Answer the list: the first line fails, the others pass; and end the visit."""
    from weicheng.standards import editions

    items = editions.checklist_by_id(visit.checklist_edition).body.items
    lin, now = city.actor("Lin"), timezone.now()
    given = [
        AnswerIn(uid=uuid4(), item=item.number, result="fail" if n == 0 else "pass",
                 category="" if item.category else "06010", note=SECRET if n == 0 else "")
        for n, item in enumerate(items)
    ]  # fmt: skip
    for said in record_answers(visit.uid, given, by=lin, at=now):
        assert said.error is None, said.error
    finish_visit(visit.uid, unchecked=False, by=lin, at=now)


def test_a_visit_begins_from_its_place_with_everything_filled_in(city):
    made = drawn(city)
    visit = begun(city, made)
    made.refresh_from_db()
    assert (visit.round_id, visit.kind, visit.unit, visit.place) == (
        made.pk, "quarterly", city.units["market"], "解放桥农贸市场",
    )  # fmt: skip
    assert visit.checklist_edition
    assert not visit.hidden
    assert made.state == Round.State.RUNNING
    assert progress(made, city.actor("Qian")).visited == 1


def test_leader_and_departments_stand_on_the_visit(city):
    made = drawn(city, kind="joint", departments=("卫健委", "城管局"), leader="王副区长")
    visit = begun(city, made)
    assert (visit.leader, visit.participants) == ("王副区长", "卫健委、城管局")


def test_begun_twice_it_is_one_visit_and_another_is_told_who_is_there(city):
    made, uid = drawn(city), uuid4()
    assert begun(city, made, uid=uid).pk == begun(city, made, uid=uid).pk
    assert "Lin" in refused("place-visited", lambda: begun(city, made))
    assert Visit.objects.count() == 1


def test_only_who_was_drawn_begins_by_one_of_the_lists_in_time(city):
    made = drawn(city)
    refused("not-sent", lambda: begun(city, made, by="Chen"))
    refused("not-sent", lambda: begun(city, made, by="Qian"))
    refused("not-the-list", lambda: begun(city, made, checklist="other"))
    refused("not-the-list", lambda: begun(city, made, checklist=""))
    refused("round-not-begun", lambda: begun(city, made, at=timezone.now() - timedelta(days=2)))
    assert not Visit.objects.exists()


def test_a_place_that_closed_since_is_told_and_does_not_keep_the_round_from_being_published(city):
    made = drawn(city)
    city.units["market"].closed_on = timezone.localdate()
    city.units["market"].save()
    assert "停用" in refused("place-closed", lambda: begun(city, made))
    publish_round(made, by=city.actor("Qian"), at=timezone.now())


def test_a_round_that_has_begun_is_not_drawn_again_and_a_replaced_place_is_not_visited(city):
    made, qian, now = drawn(city), city.actor("Qian"), timezone.now()
    old = place_of(made, city.units["market"])
    draw_round(
        made, DrawIn(total=3, reason="重来", inspectors=(city.actor("Lin").key,)), version=2, by=qian, at=now
    )
    refused(
        "place-replaced", lambda: begin_visit(old, uid=uuid4(), checklist=LIST, by=city.actor("Lin"), at=now)
    )
    begun(city, made)
    made.refresh_from_db()
    refused(
        "round-begun",
        lambda: draw_round(made, DrawIn(total=1, reason="x"), version=made.version, by=qian, at=now),
    )


def test_who_is_no_longer_sent_to_a_hidden_round_no_longer_knows_of_it(city):
    made, qian, now = drawn(city, kind="unannounced"), city.actor("Qian"), timezone.now()
    ask = DrawIn(total=3, reason="换人", inspectors=(city.actor("Ding").key,))
    draw_round(made, ask, version=2, by=qian, at=now)
    for model in (Round, RoundPlace, Draw):
        assert not model.objects.visible_to(city.actor("Lin")).exists()
        assert model.objects.visible_to(city.actor("Ding")).exists()


def test_strata_are_kinds_and_streets_or_one_of_them(city):
    made = planned(city)
    assert {one.stratum for one in frame_of(made, by="street").candidates} == {"东街道", "西街道"}
    assert len({one.stratum for one in frame_of(made, by="kind").candidates}) == 3
    refused("draw-strata", lambda: frame_of(made, by="colour"))


def test_a_place_is_given_to_another_who_may_go_there(city):
    made, qian, now = drawn(city), city.actor("Qian"), timezone.now()
    place = place_of(made, city.units["market"])
    people = may_go(made, place)
    assert city.actor("Chen").key not in people  # the market lies in Chen's own street
    refused(
        "no-inspector",
        lambda: assign(place, inspector_key=city.actor("Chen").key, people=people, by=qian, at=now),
    )
    assign(place, inspector_key=city.actor("Wu").key, people=people, by=qian, at=now)
    assert place_of(made, city.units["market"]).inspector_name == "Wu"
    refused("not-sent", lambda: begun(city, made))


# --- publishing ----------------------------------------------------------------------------------


def test_publishing_needs_a_draw_ended_visits_and_the_conclusion_of_a_mock_inspection(city):
    qian, now = city.actor("Qian"), timezone.now()
    refused("round-not-drawn", lambda: publish_round(planned(city), by=qian, at=now))
    made = drawn(city, kind="mock", group="第一组")
    visit = begun(city, made)
    assert "解放桥" in refused("visits-going-on", lambda: publish_round(made, by=qian, at=now))
    failed(city, visit)
    refused("round-conclusion", lambda: publish_round(made, by=qian, at=now))
    refused("round-conclusion", lambda: publish_round(made, conclusion="great", by=qian, at=now))
    refused(
        "round-opinion", lambda: publish_round(made, conclusion="met", opinion="长" * 2001, by=qian, at=now)
    )
    done = publish_round(made, conclusion="partly", opinion="基本达到", by=qian, at=now)
    assert (done.state, done.conclusion) == (Round.State.PUBLISHED, "partly")


def test_published_twice_is_told_and_files_nothing_twice(city):
    made, qian = drawn(city, kind="unannounced"), city.actor("Qian")
    failed(city, begun(city, made))
    publish_round(made, by=qian, at=timezone.now())
    with pytest.raises(ConflictError):
        publish_round(made, by=qian, at=timezone.now())
    assert Case.objects.count() == 1


def test_another_office_does_not_publish(city):
    made = drawn(city)
    with pytest.raises(ForbiddenError):
        publish_round(made, by=city.actor("Chen"), at=timezone.now())


def test_the_cases_of_a_hidden_round_open_when_it_is_published_and_run_from_then(city):
    made = drawn(city, kind="unannounced")
    failed(city, begun(city, made))
    assert not Case.objects.exists()
    later = timezone.now() + timedelta(days=3)
    publish_round(made, by=city.actor("Qian"), at=later)
    case = Case.objects.get()
    assert case.opened_at == later
    assert case.due_at > later
    assert case.responsible == city.units["market"]
    assert case.filed_by_key == city.actor("Lin").key
    assert not Visit.objects.filter(hidden=True).exists()
    assert Notice.objects.filter(kind="round.published", to_unit=city.units["market"]).count() == 1


# --- the secret ----------------------------------------------------------------------------------

INSPECTED = ("Chen", "Wu", "Sun", "Zhao", "Li", "Wei")
WORDS = ("/search?q=突击", "/search?q=东街", "/visits/?all=1", "/visits/?count=1", "/visits/?export=csv",
         "/visits/rounds/?export=csv", "/visits/rounds/?count=1", "/visits/mine?all=1", "/cases/?export=csv")  # fmt: skip


def pages() -> list[str]:
    """Return every address of the site without an object in it, whoever adds one, and some with words."""

    def walk(patterns: list[Any], prefix: str) -> Iterator[str]:
        for pattern in patterns:
            route = prefix + str(pattern.pattern)
            if isinstance(pattern, URLResolver):
                yield from walk(pattern.url_patterns, route)
            elif "<" not in route and "^" not in route:
                yield f"/{route}"

    return [*walk(get_resolver().url_patterns, ""), *WORDS]


def said_to(city: Any, name: str, paths: list[str]) -> dict[str, str]:
    """Return page → what it says to somebody, on the site and by the API."""
    client, said = city.client(name), {}
    _token, secret = issue_token(post=city.posts[name], by=city.actor(name), at=timezone.now())
    for path in paths:
        headers = {"Authorization": f"Bearer {secret}"} if path.startswith("/api/") else {}
        answer = client.get(path, headers=headers)
        said[path] = b"".join(answer.streaming_content if answer.streaming else [answer.content]).decode(
            errors="replace"
        )
    return said


def test_no_page_tells_the_inspected_side_of_a_hidden_round_before_it_is_published(city):
    title = "暗访甲乙丙"
    made = drawn(city, kind="unannounced", title=title, theme=SECRET)
    visit = begun(city, made)
    failed(city, visit)
    place = place_of(made, city.units["market"])
    marks = (title, SECRET, str(made.uid), str(visit.uid), str(place.uid), visit.number, made.number)
    every = pages()
    assert {"/visits/calendar", "/map/cases.json", "/today/figures", "/api/cases"} <= set(every)
    for name in INSPECTED:
        for path, said in said_to(city, name, every).items():
            for mark in marks:
                assert mark not in said, f"{path} tells {name}: {mark}"
        for path in (
            f"/visits/{visit.uid}", f"/visits/rounds/{made.uid}", f"/visits/places/{place.uid}",
            f"/visits/rounds/{made.uid}/draws/1.json", f"/visits/rounds/{made.uid}/draw",
        ):  # fmt: skip
            assert city.client(name).get(path).status_code == 404, f"{path} {name}"
        actor = city.actor(name)
        for model in (Round, RoundPlace, Draw, Visit):
            assert not model.objects.visible_to(actor).exists()
    publish_round(made, by=city.actor("Qian"), at=timezone.now())
    for name in ("Chen", "Sun", "Zhao", "Li"):
        assert title in city.client(name).get("/visits/rounds/").content.decode()
        assert city.client(name).get(f"/visits/{visit.uid}").status_code == 200


def test_a_finding_beside_the_check_list_would_tell_and_is_refused(city):
    visit = begun(city, drawn(city, kind="unannounced"))
    refused("visit-hidden", lambda: city.finding(visit=visit.uid, at=timezone.now()))
    assert not Case.objects.exists()


def test_the_journal_names_neither_title_nor_place_of_a_hidden_round(city):
    from weicheng.journal.models import Entry

    title = "暗访甲乙丙"
    made = drawn(city, kind="unannounced", title=title)
    begun(city, made)
    bodies = b"".join(bytes(entry.body) for entry in Entry.objects.all()).decode()
    assert title not in bodies
    assert "解放桥" not in bodies
    assert city.east not in json.dumps(
        [json.loads(bytes(e.body))["detail"] for e in Entry.objects.filter(object_kind="round")]
    )


def test_who_carries_it_out_sees_it_and_its_seed_stays_sealed(city):
    made = drawn(city, kind="unannounced", title="暗访甲乙丙")
    visit = begun(city, made)
    for name in ("Qian", "Lin"):
        client = city.client(name)
        page = client.get(f"/visits/rounds/{made.uid}").content.decode()
        assert "暗访甲乙丙" in page
        assert Draw.objects.get().seed_digest in page
        assert client.get(f"/visits/{visit.uid}").status_code == 200
        assert "暗访甲乙丙" in client.get("/visits/calendar").content.decode()
        assert client.get(f"/visits/rounds/{made.uid}/draws/1.json").status_code == 403
    assert "解放桥" in city.client("Lin").get("/visits/mine?all=1").content.decode()
    seed = json.loads(bytes(Draw.objects.get().body))["seed"]
    for notice in Notice.objects.all():
        assert "暗访" not in notice.title
        assert seed not in notice.body
