"""Draw a round's places and inspectors: what may be drawn, the draw kept as a document, its notices.

The computation itself is `rules.draws`. The seed is made here, at the moment of the draw, and its digest is
kept with it; the document with the seed is open to the public of the site at once, that of a hidden round when
the round is published.
"""

import json
import secrets
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from django.db import transaction
from django.db.models import Q

from weicheng.inspections import rounds
from weicheng.inspections.models import Draw, Round, RoundPlace
from weicheng.inspections.rounds import Source
from weicheng.journal.actions import Note, record
from weicheng.places.actor import Actor
from weicheng.places.areas import name_of, within
from weicheng.places.models import Area, Post, Unit
from weicheng.places.roles import POWERS, Role
from weicheng.rules import draws as rule
from weicheng.rules.areas import Level
from weicheng.rules.digests import canonical, digest
from weicheng.rules.errors import N_, ForbiddenError, RuleError
from weicheng.rules.figures import Period
from weicheng.standards import editions

SEED_BYTES = 32
REASON_LIMIT = 200
NAMED_IN_SENTENCE = 5
SENDABLE = [role.value for role in Role if POWERS[role].records]
STRATA = ("both", "street", "kind")  # units of one kind in one street, of one street, of one kind
AREA_PREFIX, UNIT_PREFIX = "area:", "unit:"


@dataclass(frozen=True)
class Candidate:
    """A place that may be drawn, with what its row needs. unit_id: None where an area is looked at."""

    id: str
    name: str
    area: str
    stratum: str
    unit_id: int | None = None


@dataclass(frozen=True)
class Frame:
    """What may be drawn for a round, and how many were left out because a round of the period had them."""

    candidates: list[Candidate]
    left_out: int = 0

    @property
    def places(self) -> list[rule.Place]:
        return [rule.Place(one.id, one.stratum, one.area) for one in self.candidates]


@dataclass(frozen=True)
class DrawIn:
    """What is asked of a draw.

    total: places drawn at random, shared out by the size of the strata; quotas: stratum → number, instead of it
    recommended: ids of candidates named by the inspected side; they come first and beside the drawn ones
    inspectors: keys of those among whom inspectors are drawn, none for a round without
    apart: "", "month", "quarter" or "year": no place that another round of the period has
    by: what makes a stratum, one of `STRATA`
    reason: why it is drawn again, empty the first time
    """

    total: int = 0
    quotas: Mapping[str, int] = field(default_factory=dict)
    recommended: tuple[str, ...] = ()
    inspectors: tuple[str, ...] = ()
    apart: str = "quarter"
    by: str = "both"
    reason: str = ""


# --- what may be drawn ---------------------------------------------------------------------------


def frame_of(round: Round, apart: str = "quarter", by: str = "both") -> Frame:
    """Return what may be drawn for a round on its first day: open units or areas within the owner's area.

    apart, by: as in `DrawIn`; RuleError("draw-period" | "draw-strata") for others
    """
    if by not in STRATA:
        raise RuleError("draw-strata", N_("不认识分组方式“{by}”。请从列表中选择。"), by=by[:20])
    facts = round.facts
    source = facts.get("source", Source.UNITS)
    made = _units(round, facts.get("unit_kinds", []), by) if source == Source.UNITS else _areas(round, source)
    taken = _taken(round, apart)
    free = [one for one in made if one.id not in taken]
    return Frame(free, len(made) - len(free))


def _units(round: Round, kinds: Sequence[str], by: str) -> list[Candidate]:
    on = round.starts_on
    rows = Unit.objects.filter(_in_owner(round.area), opened_on__lte=on).filter(
        Q(closed_on__isnull=True) | Q(closed_on__gt=on)
    )
    if kinds:
        rows = rows.filter(kind__in=kinds)
    known = {kind.code: kind.name for kind in editions.unit_kinds_or_none(round.area, on)}
    found = list(rows.order_by("pk").values_list("pk", "uid", "name", "kind", "area", "street"))
    stratum = {
        (kind, code): ("" if by == "street" else kind, "" if by == "kind" else code)
        for kind, code in {(kind, street or area) for _pk, _uid, _name, kind, area, street in found}
    }
    labels = _labels(set(stratum.values()), known)
    return [
        Candidate(f"{UNIT_PREFIX}{uid}", name, area, labels[stratum[kind, street or area]], pk)
        for pk, uid, name, kind, area, street in found
    ]


def _labels(pairs: Iterable[tuple[str, str]], kinds: Mapping[str, str]) -> dict[tuple[str, str], str]:
    """Return (kind, street) → the stratum's name, either may be ""; of one name, they are told apart by codes."""
    names = {
        (kind, code): " · ".join(part for part in (kinds.get(kind, kind), code and name_of(code)) if part)
        for kind, code in pairs
    }
    twice = {name for name, count in Counter(names.values()).items() if count > 1}
    return {pair: f"{name} {pair[0]} {pair[1]}" if name in twice else name for pair, name in names.items()}


def _areas(round: Round, source: str) -> list[Candidate]:
    level = Source.LEVELS[source]
    # ":" follows "9": the codes that begin with the owner's.
    rows = Area.objects.open_on(round.starts_on).filter(pk__gte=round.area, pk__lt=f"{round.area}:")
    codes = [(area.pk, area.name) for area in rows.order_by("pk") if len(area.pk) == level]
    return [
        Candidate(
            f"{AREA_PREFIX}{code}", name, code, name_of(code[: Level.STREET]) if level > Level.STREET else ""
        )
        for code, name in codes
    ]


def _in_owner(area: str) -> Q:
    found = Q(pk__in=[])
    for column, code in within(area):
        found |= Q(**{column: code})
    return found


def _taken(round: Round, apart: str) -> set[str]:
    """Return the ids of places that another round of the same office has in the period around this one."""
    if not apart:
        return set()
    period = period_around(round.starts_on, apart)
    rows = RoundPlace.objects.filter(
        current=True, round__area=round.area, round__starts_on__range=(period.start, period.end)
    ).exclude(round=round)
    return {
        f"{UNIT_PREFIX}{uid}" if uid else f"{AREA_PREFIX}{area}"
        for uid, area in rows.values_list("unit__uid", "area")
    }


def period_around(day: date, kind: str) -> Period:
    """Return the month, quarter or year a day lies in; RuleError("draw-period") for another kind."""
    if kind == "month":
        return Period.month(f"{day:%Y-%m}")
    if kind == "quarter":
        return Period.quarter(day.year, (day.month - 1) // 3 + 1)
    if kind == "year":
        return Period.year(day.year)
    raise RuleError("draw-period", N_("不认识不重复的时段“{kind}”。请从列表中选择。"), kind=kind[:20])


def named(frame: Frame, lines: Iterable[str]) -> tuple[str, ...]:
    """Return the ids of the places with these names, one a line; "name（community）" where a name is not enough.

    RuleError("recommended-name"): names that no place of the frame has, or more than one.
    """
    by_name: dict[str, list[str]] = {}
    for one in frame.candidates:
        by_name.setdefault(one.name, []).append(one.id)
        by_name.setdefault(f"{one.name}（{name_of(one.area)}）", []).append(one.id)
    wanted = [line.strip() for line in lines if line.strip()]
    wrong = [line for line in wanted if len(by_name.get(line, [])) != 1]
    if wrong:
        raise RuleError(
            "recommended-name",
            N_("范围内没有或不止一处：{names}。请写全名；重名时写成“名称（社区）”。"),
            names="、".join(wrong[:NAMED_IN_SENTENCE]),
        )
    return tuple(dict.fromkeys(by_name[line][0] for line in wanted))


# --- who may be sent -----------------------------------------------------------------------------


def people_for(round: Round) -> list[rule.Inspector]:
    """Return who may be sent on a round: those who record in posts of the owner's area on its first day.

    Their own are the units and the areas below the owner's in which they hold posts (回避). A hidden round takes
    nobody who holds a post below the owner: it would tell the inspected side.
    """
    posts = (
        Post.objects.held_on(round.starts_on)
        .filter(user__is_active=True)
        .select_related("user", "unit")
        .order_by("user_id", "pk")
    )
    reached = posts.filter(_in_owner(round.area), role__in=SENDABLE).values("user_id")
    own: dict[int, list[str]] = {}
    names: dict[int, str] = {}
    for post in posts.filter(user_id__in=reached):
        names[post.user_id] = post.user.name
        mine = own.setdefault(post.user_id, [])
        if post.unit_id and post.unit:
            mine.append(f"{UNIT_PREFIX}{post.unit.uid}")
        elif len(post.area) > len(round.area):
            mine.append(post.area)
    people = [
        rule.Inspector(f"user:{user_id}", name, tuple(sorted(set(own[user_id]))))
        for user_id, name in names.items()
        if not (round.hidden and own[user_id])
    ]
    # Who has nothing of their own below may go anywhere, so they are offered first.
    return sorted(people, key=lambda one: (bool(one.own), one.name, one.key))


def may_go(round: Round, place: RoundPlace) -> dict[str, str]:
    """Return key → name of those who may be sent to a place instead of whoever was drawn."""
    uid = place.unit.uid if place.unit_id and place.unit else None
    lot = rule.Place(f"{UNIT_PREFIX}{uid}" if uid else f"{AREA_PREFIX}{place.area}", "", place.area)
    return {one.key: one.name for one in people_for(round) if not one.is_own(lot)}


# --- the draw ------------------------------------------------------------------------------------


@transaction.atomic
def draw_round(round: Round, ask: DrawIn, *, version: int, by: Actor, at: datetime, seed: str = "") -> Draw:
    """Draw the places of a round and who goes; an earlier draw is kept beside it and needs a reason.

    version: of the round as the form showed it: of two who draw at once, the second is told
    seed: given only where a draw is told again (the demo); otherwise made here from the system's randomness
    """
    locked = rounds.lock(round, by, version)
    last = _judge(locked, ask)
    frame = frame_of(locked, ask.apart, ask.by)
    quotas = dict(ask.quotas) or rule.proportional(rule.sizes(frame.places, ask.recommended), ask.total)
    known = {one.key: one for one in people_for(locked)}
    strangers = [key for key in ask.inspectors if key not in known]
    if strangers:
        raise RuleError("no-such-inspector", N_("所选检查人已不在岗，或不能参加本次任务。请重新选择。"))
    made = rule.document(
        frame.places, quotas, seed=seed or secrets.token_hex(SEED_BYTES), recommended=ask.recommended,
        inspectors=[known[key] for key in ask.inspectors],
        about={
            "round": str(locked.uid), "title": locked.title, "area": locked.area, "drawn_at": at.isoformat(),
            "drawn_by": by.name, "left_out": str(frame.left_out), "apart": ask.apart, "reason": ask.reason,
        },
    )  # fmt: skip
    body = canonical(made)
    number = last.number + 1 if last else 1
    draw = Draw(
        round=locked, number=number, at=at, body=body, digest=digest(body), seed_digest=made["seed_digest"],
        frame_digest=made["frame_digest"], frame_size=len(frame.candidates), drawn=len(made["result"]),
        reason=ask.reason.strip(), by_key=by.key, by_name=by.name,
    )  # fmt: skip
    draw.save(force_insert=True)
    locked.places.filter(current=True).update(current=False)
    places = _rows(locked, draw, frame, made["result"], {key: one.name for key, one in known.items()})
    RoundPlace.objects.bulk_create(places, batch_size=500)
    locked.state, locked.version = Round.State.DRAWN, locked.version + 1
    locked.save(update_fields=["state", "version"])
    detail = {"draw": number, "seed_digest": draw.seed_digest, "frame_digest": draw.frame_digest,
              "frame": draw.frame_size, "drawn": draw.drawn, "reason": draw.reason}  # fmt: skip
    record(Note("round.draw", "round", str(locked.uid), locked.area, detail), by=by, at=at)
    key = f"draw:{draw.pk}"
    rounds.notify_many(
        [*rounds.sent_notices(locked, places, key=key), *rounds.announced_notices(locked, places, key=key)],
        at,
    )
    return draw


def _judge(round: Round, ask: DrawIn) -> Draw | None:
    """Return the draw that is replaced, if any; refuse where a round can no longer be drawn."""
    last = round.draws.order_by("-number").first()
    if round.state in (Round.State.RUNNING, Round.State.PUBLISHED):
        raise RuleError("round-begun", N_("任务已经开始检查，不能重新抽取。需要补查的，请另建任务。"))
    if last is not None and not ask.reason.strip():
        raise RuleError("draw-without-reason", N_("任务已抽取过。重新抽取须写明原因，原结果会一并保留。"))
    if len(ask.reason) > REASON_LIMIT:
        raise RuleError("draw-reason-long", N_("原因超过 {limit} 字。请精简。"), limit=REASON_LIMIT)
    return last


def _rows(
    round: Round, draw: Draw, frame: Frame, result: Sequence[Mapping[str, Any]], names: Mapping[str, str]
) -> list[RoundPlace]:
    candidates = {one.id: one for one in frame.candidates}
    rows = []
    for picked in result:
        one = candidates[picked["place"]]
        origin = RoundPlace.Origin.RECOMMENDED if picked["recommended"] else RoundPlace.Origin.DRAWN
        row = RoundPlace(
            round=round, draw=draw, unit_id=one.unit_id, name=one.name[:120], origin=origin,
            stratum=one.stratum[:60], inspector_key=picked["inspector"],
            inspector_name=names.get(picked["inspector"], ""),
        )  # fmt: skip
        rows.append(row.place_at(one.area))
    return rows


def published_document(draw: Draw) -> bytes:
    """Return the document of a draw for download: exact bytes; a hidden round's is sealed until publishing."""
    if draw.round.is_hidden:
        raise ForbiddenError("draw-sealed", N_("暗访的抽取文件随结果一起公布。公布后可在本页下载核对。"))
    return bytes(draw.body)


def quotas_of(draw: Draw) -> dict[str, int]:
    """Return stratum → how many were drawn at random."""
    return dict(json.loads(bytes(draw.body))["quotas"])
