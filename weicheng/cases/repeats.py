"""Link findings that come back to the same place, and keep the list of hot spots (重点地段, INSP-4).

Recording must stay quick, so the worker links: each case that was not linked yet, and whatever later case of its
place that changes. What is written here follows from the cases alone and can be made again, so it has no entry in
the journal; that a place comes on the list or off it has one.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import Q

from weicheng.cases.models import Case, HotSpot
from weicheng.journal.actions import SYSTEM, Note, record, record_all
from weicheng.places.actor import Actor
from weicheng.places.actors import today
from weicheng.places.areas import name_of, within
from weicheng.places.models import Unit
from weicheng.rules.cases import Part, State
from weicheng.rules.errors import N_, ConflictError, ForbiddenError, RuleError
from weicheng.rules.figures import Period
from weicheng.rules.repeats import (
    LONGEST_DAYS,
    RepeatRule,
    Sighting,
    chain,
    in_window,
    is_hot,
    place_key,
    places,
    same_place,
)
from weicheng.standards import editions

BATCH = 200
_WINDOW_DAYS = 366  # the longest window a rule may have
_FIELDS = (
    "pk", "uid", "occurred_on", "place_key", "category", "lon", "lat", "address", "repeat_of_id", "repeats",
    "opened_at", "area",
)  # fmt: skip
MEASURE_LIMIT, OWNER_LIMIT = 300, 60

Group = tuple[str, str]  # place key, category
Row = dict[str, Any]


def rule_of(area: str, on: date) -> RepeatRule:
    """Return the rule in force; RuleError("no-edition") where none is."""
    return editions.repeats(area, on).body.rule


# --- linking ---------------------------------------------------------------------------------------


def link(now: datetime, *, wait: bool = False) -> int:
    """Link every case that was not linked yet; return how many. Called by the worker; again does nothing.

    wait: for what another process is linking at this moment, for who counts on the links right after
    """
    done = 0
    while batch := link_batch(now, wait=wait):
        done += batch
    return done


@transaction.atomic
def link_batch(now: datetime, *, wait: bool = False) -> int:
    """Link up to 200 cases, oldest row first; statements: four, one for each link that changes, and some for each place
    where problems come back."""
    waiting = Case.objects.filter(linked_at__isnull=True).order_by("id")
    cases = list(waiting.select_for_update(of=("self",), skip_locked=not wait)[:BATCH])
    if not cases:
        return 0
    _name_places(cases)
    changed: dict[Group, list[Case]] = defaultdict(list)
    for case in cases:
        if case.parent_id is None:  # a part is a unit's work on a finding, not another finding
            changed[case.place_key or "", case.category].append(case)
    # What is cancelled stands in no chain; whoever repeated it is linked anew with its group below.
    gone = [case.pk for case in cases if case.state == State.CANCELLED.value and case.repeat_of_id]
    if gone:
        Case.objects.filter(pk__in=gone).update(repeat_of=None, repeats=0)
    Case.objects.filter(pk__in=[case.pk for case in cases]).update(linked_at=now)
    rows = _rows_of(changed)
    for group, members in sorted(changed.items()):
        since, area = min(case.occurred_on for case in members), members[0].area
        if _link_group(rows[group], since, area) or any(case.pk in gone for case in members):
            _keep_spots(group, since, area, now)
    return len(cases)


def _name_places(cases: Iterable[Case]) -> None:
    """Give rows from before this column their place: the unit now charged stands for the one charged then."""
    for case in cases:
        if case.place_key is None:
            case.place_key = place_key(case.responsible_id, case.area)
            Case.objects.filter(pk=case.pk).update(place_key=case.place_key)


def _rows(group: Group, since: date) -> list[Row]:
    """Return the findings of a group from a day on."""
    rows = Case.objects.filter(place_key=group[0], category=group[1], occurred_on__gte=since)
    return list(rows.filter(parent__isnull=True).exclude(state=State.CANCELLED.value).values(*_FIELDS))


def _sighting(row: Row) -> Sighting:
    return Sighting(
        row["pk"], str(row["uid"]), row["occurred_on"], row["place_key"].startswith("u:"), row["lon"], row["lat"],
        row["address"], row["repeat_of_id"], row["repeats"],
    )  # fmt: skip


def _rows_of(changed: Mapping[Group, Sequence[Case]]) -> dict[Group, list[Row]]:
    """Return the findings of each of these groups that can matter to the changed ones; one statement for all."""
    found: dict[Group, list[Row]] = {group: [] for group in changed}
    if not found:
        return found
    since = min(case.occurred_on for members in changed.values() for case in members)
    rows = Case.objects.filter(
        place_key__in={place for place, _category in found},
        category__in={category for _place, category in found},
        occurred_on__gte=since - timedelta(days=LONGEST_DAYS),
        parent__isnull=True,
    ).exclude(state=State.CANCELLED.value)
    for row in rows.values(*_FIELDS):
        group = (row["place_key"], row["category"])
        if group in found:
            found[group].append(row)
    return found


def _link_group(rows: Sequence[Row], since: date, area: str) -> bool:
    """Judge the findings of a group from a day on; return whether any of them repeats another, or did."""
    rules = {
        row["occurred_on"]: rule_of(area, row["occurred_on"]) for row in rows if row["occurred_on"] >= since
    }
    linked = chain(map(_sighting, rows), rules, since=since)
    before = {row["pk"]: (row["repeat_of_id"], row["repeats"]) for row in rows}
    for pk, found in linked.items():
        if before[pk] != (found.repeat_of, found.repeats):
            Case.objects.filter(pk=pk).update(repeat_of=found.repeat_of, repeats=found.repeats)
    return any(found.repeats for found in linked.values()) or any(times for _of, times in before.values())


def _keep_spots(group: Group, since: date, area: str, now: datetime) -> None:
    """Put the hot places of a group on the list, bring them back, or take off what its findings no longer bear."""
    rows = {row["pk"]: row for row in _rows(group, since - timedelta(days=_WINDOW_DAYS)) if row["repeats"]}
    known = list(
        HotSpot.objects.select_for_update(of=("self",))
        .filter(place_key=group[0], category=group[1])
        .order_by("pk")
    )
    sightings = [_sighting(row) for row in rows.values()]
    rule = rule_of(area, max((each.on for each in sightings), default=since))
    entries = []
    for place in places(sightings, rule):
        newest, counted = rows[place[-1].pk], in_window(place, rule)
        spot = next((each for each in known if _is_at(each, place[-1], rule)), None)
        if spot is not None:
            known.remove(spot)
        verb = _update(spot, newest, len(counted), is_hot(counted, rule), now)
        if spot is None and is_hot(counted, rule):
            spot, verb = _new_spot(group, newest, len(counted), now), "hotspot.list"
        if spot is not None and verb:
            spot.save()
        if spot is not None and verb.startswith("hotspot."):
            entries.append((Note(verb, "hotspot", str(spot.uid), spot.area, {"times": spot.times}), SYSTEM))
    for spot in known:
        # All its repeats of this time were cancelled; one that is only old keeps its place until somebody decides.
        if spot.listed and spot.last_on >= since - timedelta(days=_WINDOW_DAYS):
            _take_off(spot, _NO_LONGER, "", now)
            spot.save()
            entries.append((Note("hotspot.fade", "hotspot", str(spot.uid), spot.area, {}), SYSTEM))
    record_all(entries, at=now)


_NO_LONGER = "有关问题已撤销，反复次数不再达到标准"


def _is_at(spot: HotSpot, newest: Sighting, rule: RepeatRule) -> bool:
    if spot.last_case_id == newest.pk:
        return True
    place = Sighting(0, "", spot.last_on, newest.at_unit, spot.lon, spot.lat, spot.address)
    return same_place(place, newest, rule)


def _update(spot: HotSpot | None, newest: Row, times: int, hot: bool, now: datetime) -> str:
    """Bring a known spot up to date; return the verb to enter in the journal, "save" for none, "" for no change."""
    if spot is None:
        return ""
    before = (spot.times, spot.last_case_id)
    came_back = (
        not spot.listed and hot and spot.off_at is not None and spot.last_case_id != newest["pk"]
        and newest["opened_at"] > spot.off_at and newest["occurred_on"] >= today(spot.off_at)
    )  # fmt: skip
    spot.times, spot.last_on, spot.last_case_id = times, newest["occurred_on"], newest["pk"]
    if came_back:
        spot.listed, spot.off_at, spot.off_reason, spot.off_by_name = True, None, "", ""
        spot.listed_at = now
        spot.version += 1
        return "hotspot.back"
    if spot.listed and not hot:
        _take_off(spot, _NO_LONGER, "", now)
        return "hotspot.fade"
    return "save" if before != (spot.times, spot.last_case_id) else ""


def _new_spot(group: Group, newest: Row, times: int, now: datetime) -> HotSpot:
    unit = int(group[0][2:]) if group[0].startswith("u:") else None
    return HotSpot(
        place_key=group[0], category=group[1], unit_id=unit, address=newest["address"], lon=newest["lon"],
        lat=newest["lat"], times=times, last_on=newest["occurred_on"], last_case_id=newest["pk"], listed_at=now,
    ).place_at(newest["area"])  # fmt: skip


def _take_off(spot: HotSpot, reason: str, by_name: str, at: datetime) -> None:
    spot.listed, spot.off_at, spot.off_reason, spot.off_by_name = False, at, reason, by_name
    spot.version += 1


# --- verbs of people -------------------------------------------------------------------------------


def may_guard(spot: HotSpot, by: Actor) -> bool:
    """May the actor set the guard of this spot and take it off the list? Who dispatches in its area may."""
    return by.unit_id is None and Part.DISPATCHER in by.powers.parts and by.covers(spot.area)


@transaction.atomic
def guard(*, spot: HotSpot, measure: str, owner: str, base: int | None, by: Actor, at: datetime) -> HotSpot:
    """Say what is done to keep the place in order (防控措施) and who answers for it."""
    measure, owner = measure.strip(), owner.strip()
    spot = _locked(spot, base, by)
    if not measure or not owner:
        raise RuleError("guard-empty", N_("请写明防控措施和责任人，两项都要填写。"))
    if len(measure) > MEASURE_LIMIT or len(owner) > OWNER_LIMIT:
        raise RuleError(
            "guard-too-long",
            N_("防控措施最多{measure}字，责任人最多{owner}字。请精简。"),
            measure=MEASURE_LIMIT,
            owner=OWNER_LIMIT,
        )
    spot.measure, spot.owner = measure, owner
    spot.version += 1
    spot.save()
    detail = {"measure": measure, "owner": owner}
    record(Note("hotspot.guard", "hotspot", str(spot.uid), spot.area, detail), by=by, at=at)
    return spot


@transaction.atomic
def take_off(*, spot: HotSpot, reason: str, base: int | None, by: Actor, at: datetime) -> HotSpot:
    """Take a place off the list; a new repeat brings it back by itself."""
    spot = _locked(spot, base, by)
    if not spot.listed:
        raise RuleError("spot-off", N_("该地段已不在重点地段名单上。请刷新页面。"))
    if not reason.strip():
        raise RuleError("spot-needs-reason", N_("移出名单需要写明理由。请用一句话说明。"))
    if len(reason.strip()) > MEASURE_LIMIT:
        raise RuleError("spot-reason-too-long", N_("理由最多{limit}字。请精简。"), limit=MEASURE_LIMIT)
    _take_off(spot, reason.strip(), by.name, at)
    spot.save()
    record(
        Note("hotspot.take_off", "hotspot", str(spot.uid), spot.area, {"reason": reason.strip()}),
        by=by,
        at=at,
    )
    return spot


def _locked(spot: HotSpot, base: int | None, by: Actor) -> HotSpot:
    spot = HotSpot.objects.select_for_update(of=("self",)).select_related("unit").get(pk=spot.pk)
    if not may_guard(spot, by):
        raise ForbiddenError("may-not-guard", N_("您当前的岗位不能管理该地段。请由辖区的派遣人员办理。"))
    if base is not None and base != spot.version:
        raise ConflictError("spot-changed", N_("您打开页面后，该地段已有变化。请刷新后再办。"))
    return spot


def findings_at(spot: HotSpot) -> list[int]:
    """Return the ids of the findings that made a place a hot spot: its repeats in the window, and what they repeat."""
    since = spot.last_on - timedelta(days=_WINDOW_DAYS)
    rows = [row for row in _rows((spot.place_key, spot.category), since) if row["repeats"]]
    rule = rule_of(spot.area, spot.last_on)
    for place in places(map(_sighting, rows), rule):
        if any(each.pk == spot.last_case_id for each in place):
            counted = in_window(place, rule)
            return sorted({pk for each in counted for pk in (each.pk, each.repeat_of) if pk is not None})
    return [spot.last_case_id]


# --- for the bulletin ------------------------------------------------------------------------------


@dataclass(frozen=True)
class Spot:
    """A place where one kind of problem came back in a period, counted from the cases themselves.

    times: repeats in the period, which `case_uids` lists in order of day
    measure, owner: the guard as it stands now, "" where none was set
    """

    place: str
    area: str
    category: str
    category_title: str
    times: int
    last_on: date
    case_uids: tuple[UUID, ...]
    measure: str = ""
    owner: str = ""
    url: str = ""


def hot_spots(area: str, period: Period) -> list[Spot]:
    """Return the places in the area with at least the rule's threshold of repeats in the period, most first.

    The rule is the one in force on the last day of the period. At most three statements, whatever the number.
    """
    inside = Q()
    for column, code in within(area):
        inside |= Q(**{column: code})
    repeats = Case.objects.filter(inside, repeats__gt=0, occurred_on__range=(period.start, period.end))
    groups: dict[Group, list[Row]] = defaultdict(list)
    for row in repeats.values(*_FIELDS):
        groups[row["place_key"] or "", row["category"]].append(row)
    rule = rule_of(area, period.end)
    found: list[tuple[Row, Sequence[Sighting], list[Row]]] = []
    for rows in groups.values():
        by_pk = {row["pk"]: row for row in rows}
        for place in places(map(_sighting, rows), rule):
            if is_hot(place, rule):
                found.append((by_pk[place[-1].pk], place, [by_pk[each.pk] for each in place]))
    if not found:
        return []
    keys = {newest["place_key"] for newest, _place, _rows_ in found}
    known = HotSpot.objects.filter(inside, place_key__in=sorted(keys)[:500]).order_by("-listed", "-pk")
    spots: dict[Group, list[HotSpot]] = defaultdict(list)
    for spot in known:
        spots[spot.place_key, spot.category].append(spot)
    units = Unit.objects.in_bulk([int(key[2:]) for key in keys if key.startswith("u:")])
    made = []
    for newest, times, rows in found:
        group = (newest["place_key"], newest["category"])
        kept = next((each for each in spots[group] if _is_at(each, times[-1], rule)), None)
        unit = units.get(int(group[0][2:])) if group[0].startswith("u:") else None
        made.append(
            Spot(
                unit.name if unit else newest["address"] or name_of(newest["area"]),
                newest["area"], newest["category"],
                category_title(newest["area"], newest["category"], newest["occurred_on"]),
                len(times), newest["occurred_on"], tuple(row["uid"] for row in rows),
                kept.measure if kept else "", kept.owner if kept else "", kept.url if kept else "",
            )
        )  # fmt: skip
    return sorted(
        made, key=lambda each: (-each.times, -each.last_on.toordinal(), each.area, each.place, each.category)
    )


def category_title(area: str, category: str, on: date) -> str:
    """Return what a category is called in the catalogue of the day, the code itself where none knows it."""
    try:
        return editions.categories(area, on).category(category).name
    except RuleError:
        return category
