"""Rounds (检查任务): planned, drawn, carried out, published. Draws are made in `draws`.

A hidden round is told to nobody but those who carry it out; publishing it opens its visits, files the cases of
what failed, and tells the inspected side, in one transaction (INSP-5).
"""

import json
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.db import transaction
from django.db.models import Count, Q

from weicheng.inspections.actions import Beginning, record_visits
from weicheng.inspections.answers import file_failed
from weicheng.inspections.drafts import VisitIn
from weicheng.inspections.models import Round, RoundKind, RoundPlace, Visit, in_the_know, runs_rounds
from weicheng.journal.actions import Note, record
from weicheng.notices.actions import NoticeDraft, notify_many
from weicheng.places.actor import Actor
from weicheng.places.actors import today
from weicheng.places.roles import Role
from weicheng.rules.areas import Level
from weicheng.rules.digests import canonical
from weicheng.rules.errors import N_, ConflictError, ForbiddenError, RuleError
from weicheng.standards import editions

TITLE_LIMIT, TEXT_LIMIT, OPINION_LIMIT = 120, 200, 2000
MOST_DAYS = 366
MOST_CHECKLISTS = 10
PLACE_ROLES = (Role.STREET.value, Role.COMMUNITY.value)


class Source:
    """What the places of a round are: units of some kinds, or all areas of a level."""

    UNITS, COMMUNITIES, STREETS, GRIDS = "units", "communities", "streets", "grids"
    LEVELS = {STREETS: Level.STREET, COMMUNITIES: Level.COMMUNITY, GRIDS: Level.GRID}
    ALL = (UNITS, *LEVELS)


@dataclass(frozen=True)
class RoundIn:
    """A round as planned. checklists: keys of check lists; unit_kinds: codes, none means every kind."""

    uid: uuid.UUID
    kind: str
    title: str
    starts_on: date
    ends_on: date
    theme: str = ""
    checklists: tuple[str, ...] = ()
    hidden: bool = False
    source: str = Source.UNITS
    unit_kinds: tuple[str, ...] = ()
    departments: tuple[str, ...] = ()
    leader: str = ""
    group: str = ""

    @property
    def facts(self) -> dict[str, Any]:
        """Return what only some kinds have, without what is empty."""
        every = {
            "source": self.source,
            "unit_kinds": list(self.unit_kinds) if self.source == Source.UNITS else [],
            "departments": list(self.departments),
            "leader": self.leader,
            "group": self.group,
        }
        return {name: value for name, value in every.items() if value}


# --- planning ------------------------------------------------------------------------------------


@transaction.atomic
def plan_round(draft: RoundIn, *, by: Actor, at: datetime) -> Round:
    """Plan a round of the actor's own area; sent again with the same content it is the same round."""
    require_office(by)
    made = _filled(Round(uid=draft.uid, made_at=at, by_key=by.key, by_name=by.name), draft, by)
    known = Round.objects.select_for_update().filter(uid=draft.uid).first()
    if known is not None:
        if known.by_key != by.key or _content(known) != _content(made):
            raise ConflictError(
                "round-conflict", N_("编号相同的任务已有不同内容，没有覆盖。请打开原任务核对。")
            )
        return known
    made.save(force_insert=True)
    record(Note("round.plan", "round", str(made.uid), made.area, _told(made)), by=by, at=at)
    return made


@transaction.atomic
def change_round(round: Round, draft: RoundIn, *, version: int, by: Actor, at: datetime) -> Round:
    """Change a round that is not drawn yet; ConflictError when somebody else changed it since `version`."""
    locked = lock(round, by, version)
    if locked.state != Round.State.PLANNED:
        raise RuleError("round-drawn", N_("任务已经抽取，不能再修改。请重新抽取，或另建任务。"))
    _filled(locked, draft, by).version += 1
    locked.save()
    record(Note("round.change", "round", str(locked.uid), locked.area, _told(locked)), by=by, at=at)
    return locked


def require_office(by: Actor) -> None:
    """ForbiddenError("no-power") for a post that is no office of an area."""
    if not runs_rounds(by):
        raise ForbiddenError("no-power", N_("您当前的岗位不能做这件事。请切换岗位，或请有权限的人员办理。"))


def lock(round: Round, by: Actor, version: int | None = None) -> Round:
    """Return the round's row, locked, for its own office; ConflictError when it is no longer at `version`."""
    require_office(by)
    locked = Round.objects.select_for_update().get(pk=round.pk)
    if locked.area != by.area:
        raise ForbiddenError("foreign-round", N_("这是其他办公室的任务。请由建立任务的办公室办理。"))
    if version is not None and locked.version != version:
        raise ConflictError("round-changed", N_("任务刚刚由他人办理过，本次没有保存。请刷新页面核对后再办。"))
    return locked


def _filled(round: Round, draft: RoundIn, by: Actor) -> Round:
    """Return the round with the draft's content, or raise the first thing that is wrong with it."""
    if draft.kind not in RoundKind.values:
        raise RuleError("round-kind", N_("不认识检查类型“{kind}”。请从列表中选择。"), kind=draft.kind[:20])
    if draft.source not in Source.ALL:
        raise RuleError(
            "round-source", N_("不认识检查对象“{source}”。请从列表中选择。"), source=draft.source[:20]
        )
    title = draft.title.strip()
    if not title or len(title) > TITLE_LIMIT:
        raise RuleError("round-title", N_("任务名称应为 1 至 {limit} 字。请修改后保存。"), limit=TITLE_LIMIT)
    if draft.ends_on < draft.starts_on:
        raise RuleError(
            "round-ends-before-start", N_("结束日期 {ends} 早于开始日期 {starts}。请改为开始当日或之后。"),
            ends=draft.ends_on, starts=draft.starts_on,
        )  # fmt: skip
    if (draft.ends_on - draft.starts_on).days >= MOST_DAYS:
        raise RuleError("round-too-long", N_("任务超过 {days} 天。请分成几次任务。"), days=MOST_DAYS)
    hidden = draft.hidden or draft.kind == RoundKind.UNANNOUNCED
    if hidden and not draft.checklists:
        raise RuleError(
            "hidden-without-list", N_("暗访的问题随公布一并立案，须按检查表作答。请选择至少一张检查表。")
        )
    if draft.kind == RoundKind.JOINT and not draft.departments:
        raise RuleError("joint-without-departments", N_("部门联合检查还没有参加部门。请填写至少一个部门。"))
    if draft.kind == RoundKind.LEADER and not draft.leader.strip():
        raise RuleError("round-without-leader", N_("领导带队检查还没有带队领导。请填写姓名和职务。"))
    if len(draft.checklists) > MOST_CHECKLISTS:
        raise RuleError("too-many-lists", N_("一次任务最多 {most} 张检查表。请减少。"), most=MOST_CHECKLISTS)
    for key in draft.checklists:
        editions.checklist(key, by.area, draft.starts_on)  # refuses one that is not in force
    round.kind, round.title, round.theme = draft.kind, title, draft.theme.strip()[:TEXT_LIMIT]
    round.starts_on, round.ends_on, round.hidden = draft.starts_on, draft.ends_on, hidden
    round.checklists = json.dumps(list(dict.fromkeys(draft.checklists)))
    round.particulars = canonical(draft.facts).decode()
    return round.place_at(by.area)


def _content(round: Round) -> tuple[Any, ...]:
    return (
        round.kind, round.title, round.theme, round.starts_on, round.ends_on, round.hidden, round.checklists,
        round.particulars, round.area,
    )  # fmt: skip


def _told(round: Round) -> dict[str, Any]:
    """Return what the journal says of a round: nothing that would give a hidden one away."""
    return {"kind": round.kind, "hidden": round.hidden} | (
        {} if round.hidden else {"title": round.title, "from": round.starts_on, "to": round.ends_on}
    )


# --- visiting ------------------------------------------------------------------------------------


def may_visit(place: RoundPlace, by: Actor) -> bool:
    """May this person look at this place for its round: the one who was drawn, or whoever, where nobody was?"""
    if not by.powers.records:
        return False
    if place.inspector_key:
        return place.inspector_key == by.key
    return by.covers(place.area)


@dataclass(frozen=True)
class Start:
    """The begin of one visit of a place of a round. uid: made by the client; checklist: one of the round's"""

    place: RoundPlace
    uid: uuid.UUID
    checklist: str
    by: Actor
    at: datetime


def begin_visit(place: RoundPlace, *, uid: uuid.UUID, checklist: str, by: Actor, at: datetime) -> Visit:
    """Begin the visit of a place of a round, by one of the round's check lists; sent again it is the same visit."""
    return begin_visits([Start(place, uid, checklist, by, at)])[0]


@transaction.atomic
def begin_visits(starts: Sequence[Start]) -> list[Visit]:
    """Begin many visits, as `begin_visit` one; what is refused is raised, and none of them begins."""
    # The rounds first, then the places, as everywhere: two that begin at once wait in one order.
    wanted = {start.place.round_id for start in starts}
    rounds = {row.pk: row for row in Round.objects.select_for_update().filter(pk__in=wanted).order_by("pk")}
    keys = {start.place.pk for start in starts}
    rows = RoundPlace.objects.select_for_update(of=("self",)).select_related("unit").filter(pk__in=keys)
    places = {row.pk: row for row in rows.order_by("pk")}
    uids = [start.uid for start in starts]
    known = {visit.uid: visit for visit in Visit.objects.filter(uid__in=uids, round_place__in=keys)}
    begun = {
        (visit.round_place_id, visit.checklist_edition): visit.by_name
        for visit in Visit.objects.filter(round_place__in=keys).order_by("-pk")
    }
    new: list[Beginning] = []
    for start in starts:
        place, by = places[start.place.pk], start.by
        there = known.get(start.uid)
        if there is not None and (there.round_place_id, there.by_key) == (place.pk, by.key):
            continue
        round = rounds[place.round_id]
        _judge_begin(round, place, start.checklist, by, today(start.at))
        edition = (
            editions.checklist(start.checklist, place.area, today(start.at)).edition_id
            if start.checklist
            else None
        )
        if (place.pk, edition) in begun:
            raise ConflictError(
                "place-visited", N_("“{place}”已由{name}开始检查。请打开原检查继续。"),
                place=place.name, name=begun[place.pk, edition],
            )  # fmt: skip
        begun[place.pk, edition] = by.name
        draft = VisitIn(
            uid=start.uid,
            area=place.area,
            kind=round.kind,
            unit=place.unit.uid if place.unit else None,
            place=place.name,
            checklist=start.checklist,
        )
        part = {
            "round": round,
            "round_place": place,
            "hidden": round.is_hidden,
            "leader": round.facts.get("leader", ""),
            "participants": "、".join(round.facts.get("departments", [])),
        }
        new.append(Beginning(draft, by, start.at, part))
    made = {visit.uid: visit for visit, _new in record_visits(new)} if new else {}
    for round in {rounds[visit.round_id].pk: rounds[visit.round_id] for visit in made.values()}.values():  # type: ignore[index]
        if round.state == Round.State.DRAWN:
            round.state, round.version = Round.State.RUNNING, round.version + 1
            round.save(update_fields=["state", "version"])
    return [made.get(start.uid) or known[start.uid] for start in starts]


def _judge_begin(round: Round, place: RoundPlace, checklist: str, by: Actor, on: date) -> None:
    if not may_visit(place, by):
        raise ForbiddenError(
            "not-sent", N_("“{place}”由{name}检查。请由其本人开始，或请办公室改派。"),
            place=place.name, name=place.inspector_name or "—",
        )  # fmt: skip
    if not place.current:
        raise RuleError(
            "place-replaced", N_("“{place}”已被重新抽取替换。请按最新名单检查。"), place=place.name
        )
    if round.state not in (Round.State.DRAWN, Round.State.RUNNING):
        raise RuleError(
            "round-over", N_("任务“{title}”已公布，不能再开始检查。请另建任务。"), title=round.title
        )
    if on < round.starts_on:
        raise RuleError("round-not-begun", N_("任务自 {day} 开始。请到时再检查。"), day=round.starts_on)
    if place.unit is not None and place.unit.closed_on is not None:
        raise RuleError(
            "place-closed", N_("“{place}”已于 {day} 停用，不必检查。公布时会列为未检查。"),
            place=place.name, day=place.unit.closed_on,
        )  # fmt: skip
    keys = round.checklist_keys
    if checklist not in (keys or [""]):
        raise RuleError("not-the-list", N_("本次任务没有用这张检查表。请从任务的检查表中选择。"))


@transaction.atomic
def assign(
    place: RoundPlace, *, inspector_key: str, people: Mapping[str, str], by: Actor, at: datetime
) -> RoundPlace:
    """Send another inspector to a place, of those in `people` (key → name) who may be sent there (回避)."""
    round = lock(Round(pk=place.round_id), by)
    place = RoundPlace.objects.select_for_update().get(pk=place.pk)
    if round.state == Round.State.PUBLISHED or not place.current:
        raise RuleError(
            "round-over", N_("任务“{title}”已公布，不能再开始检查。请另建任务。"), title=round.title
        )
    if place.visits.exists():
        raise RuleError("place-begun", N_("“{place}”已经开始检查，不能改派。"), place=place.name)
    if inspector_key not in people:
        raise RuleError(
            "no-inspector", N_("此人不能检查“{place}”：不在岗，或须回避。请另选。"), place=place.name
        )
    before = place.inspector_key
    place.inspector_key, place.inspector_name = inspector_key, people[inspector_key]
    place.save(update_fields=["inspector_key", "inspector_name"])
    detail = {"place": str(place.uid), "before": before, "after": inspector_key}
    record(Note("round.assign", "round", str(round.uid), round.area, detail), by=by, at=at)
    notify_many(sent_notices(round, [place], key=f"assign:{place.pk}:{at.isoformat()}"), at)
    return place


# --- publishing ----------------------------------------------------------------------------------


@transaction.atomic
def publish_round(round: Round, *, conclusion: str = "", opinion: str = "", by: Actor, at: datetime) -> Round:
    """Publish what a round found: its visits are open from now, what failed becomes cases, the places are told.

    The deadlines of the cases of a hidden round run from now: nobody could have settled them before.
    """
    locked = lock(round, by)
    if locked.state == Round.State.PUBLISHED:
        raise ConflictError("round-published", N_("任务已于 {at} 公布。请刷新页面。"), at=locked.published_at)
    if locked.state == Round.State.PLANNED:
        raise RuleError("round-not-drawn", N_("任务还没有抽取地点，没有可公布的内容。请先抽取。"))
    going_on = list(locked.visits.filter(ended_at__isnull=True).values_list("place", flat=True)[:5])
    if going_on:
        raise RuleError(
            "visits-going-on", N_("还有检查没有结束：{places}。请先结束这些检查，再公布。"),
            places="、".join(going_on),
        )  # fmt: skip
    if locked.kind == RoundKind.MOCK and conclusion not in Round.Conclusion.values:
        raise RuleError("round-conclusion", N_("模拟检查还没有结论。请选择达到、基本达到或未达到。"))
    if conclusion and conclusion not in Round.Conclusion.values:
        raise RuleError("round-conclusion", N_("模拟检查还没有结论。请选择达到、基本达到或未达到。"))
    if len(opinion) > OPINION_LIMIT:
        raise RuleError(
            "round-opinion", N_("总体意见超过 {limit} 字。请精简，或作为附件上传。"), limit=OPINION_LIMIT
        )
    locked.state, locked.published_at, locked.published_by = Round.State.PUBLISHED, at, by.name
    locked.conclusion, locked.opinion, locked.version = conclusion, opinion.strip(), locked.version + 1
    locked.save()
    hidden = list(locked.visits.select_for_update(of=("self",)).filter(hidden=True).order_by("pk"))
    Visit.objects.filter(pk__in=[visit.pk for visit in hidden]).update(hidden=False)
    for visit in hidden:
        visit.hidden = False
        file_failed(visit, by=by, at=at)
    detail = {"visits": locked.visits.count(), "opened": len(hidden), "title": locked.title}
    record(Note("round.publish", "round", str(locked.uid), locked.area, detail), by=by, at=at)
    notify_many(published_notices(locked), at)
    return locked


# --- telling -------------------------------------------------------------------------------------


def sent_notices(round: Round, places: Sequence[RoundPlace], *, key: str) -> list[NoticeDraft]:
    """Return one notice for each inspector who is sent somewhere. A hidden round is not named in it."""
    by_person: dict[str, int] = {}
    for place in places:
        if place.inspector_key.startswith("user:"):
            by_person[place.inspector_key] = by_person.get(place.inspector_key, 0) + 1
    # The title also goes by mail, where anybody may look over the shoulder.
    title = "检查任务" if round.hidden else f"检查任务：{round.title}"
    return [
        NoticeDraft(
            key=f"{key}:{person}", kind="round.sent", title=title[:120],
            body=f"请检查 {count} 处，{round.starts_on:%m月%d日}至{round.ends_on:%m月%d日}。", url=round.url,
            to_user_id=int(person.removeprefix("user:")),
        )
        for person, count in sorted(by_person.items())
    ]  # fmt: skip


def announced_notices(round: Round, places: Sequence[RoundPlace], *, key: str) -> list[NoticeDraft]:
    """Return the notices to the inspected side that a round is coming; none for a hidden one."""
    if round.hidden:
        return []
    body = f"{round.starts_on:%m月%d日}至{round.ends_on:%m月%d日}，{round.get_kind_display()}。"
    return _to_places(
        places, key=key, kind="round.announced", title=f"将接受检查：{round.title}", body=body, url=round.url
    )


def published_notices(round: Round) -> list[NoticeDraft]:
    """Return the notices to the inspected side that a round is published."""
    visited = round.places.filter(current=True, visits__isnull=False).distinct()
    body = f"{round.get_kind_display()}结果已公布，请查看检查记录和要整改的事项。"
    return _to_places(
        list(visited), key=f"round:{round.pk}:published", kind="round.published",
        title=f"检查结果：{round.title}", body=body, url=round.url,
    )  # fmt: skip


def _to_places(places: Sequence[RoundPlace], *, key: str, **told: Any) -> list[NoticeDraft]:
    told["title"] = told["title"][:120]
    drafts: dict[str, dict[str, Any]] = {}
    for place in places:
        if place.unit_id is not None:
            drafts[f"{key}:unit:{place.unit_id}"] = {"to_unit_id": place.unit_id}
        for code in (place.street, place.community):
            if code:
                drafts[f"{key}:area:{code}"] = {"to_area": code, "to_roles": PLACE_ROLES}
    return [NoticeDraft(key=name, **told, **audience) for name, audience in drafts.items()]


# --- reading -------------------------------------------------------------------------------------


@dataclass
class Progress:
    """How far a round is. places: of the newest draw; visited: with at least one visit; found: findings."""

    places: int
    visited: int
    found: int

    @property
    def left(self) -> int:
        return self.places - self.visited

    @property
    def per_cent(self) -> int:
        return self.visited * 100 // self.places if self.places else 0


def progress(round: Round, by: Actor) -> Progress:
    """Return the progress of the part of a round that the reader sees, in one statement."""
    counted = (
        RoundPlace.objects.visible_to(by)
        .filter(round=round, current=True)
        .aggregate(
            places=Count("pk", distinct=True),
            visited=Count("pk", distinct=True, filter=Q(visits__isnull=False)),
            found=Count("visits__findings", distinct=True),
        )
    )
    return Progress(**counted)


def knows(round: Round, by: Actor) -> bool:
    """Does the reader carry out this round: its office, or an inspector it names?"""
    return Round.objects.filter(in_the_know(by), pk=round.pk).exists()
