"""Problems that come back to the same place (反复问题): which finding repeats which, and where that makes a hot spot.

A chain is a function of the set of findings alone: each links to the newest earlier finding at the same place
that is not older than the rule's days. The order in which they arrive has no say, so a phone that was offline
for a week gives the same chains as one that was not.

Source: INSP-4 (重点地段、重点路段反复问题) names the list and its columns; how many days, how far and how often
are numbers of the office and stand in an edition of the kind "repeat-rule".
"""

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from weicheng.rules.coordinates import distance_m

LONGEST_DAYS = (
    92  # no rule looks further back than a quarter; whoever reads findings for a rule reads this far
)


@dataclass(frozen=True)
class RepeatRule:
    """The numbers of an edition.

    from_days, days: a finding this many days after another repeats it, both ends included; from_days of 1 says
        that two reports of one day are one problem seen twice
    radius_m: two findings of no unit are at the same place up to this far apart
    unit_radius_m: two findings of one unit are not the same place further apart; None: a unit is one place
    vague: endings of an address that say nothing (附近, 旁); address_least: characters an address needs to count
    threshold, window_days: a place is a hot spot with this many repeats within this many days
    """

    days: int
    from_days: int
    radius_m: Decimal
    unit_radius_m: Decimal | None
    vague: tuple[str, ...]
    address_least: int
    threshold: int
    window_days: int


@dataclass(frozen=True)
class Sighting:
    """A finding as the rule sees it. All in one group share the place key and the category.

    at_unit: the group is a unit's, and no community's; uid decides between two of one day
    repeats: what was said of it before; only read of sightings that are not judged again
    """

    pk: int
    uid: str
    on: date
    at_unit: bool
    lon: Decimal | None = None
    lat: Decimal | None = None
    address: str = ""
    repeat_of: int | None = None
    repeats: int = 0


@dataclass(frozen=True)
class Linked:
    """What the chain says of one finding: the one before, and how many came before it in all."""

    repeat_of: int | None
    repeats: int


def place_key(unit: int | None, area: str) -> str:
    """Return what groups findings that may be at one place: the unit where there is one, else the community."""
    return f"u:{unit}" if unit is not None else f"a:{area[:12]}"


def plain_address(text: str, rule: RepeatRule) -> str:
    """Return an address without widths, blanks, marks and vague endings; "" where too little is left."""
    found = re.sub(r"[\W_]+", "", unicodedata.normalize("NFKC", text)).casefold()
    shorter = True
    while shorter:
        shorter = False
        for ending in rule.vague:
            if ending and found.endswith(ending):
                found, shorter = found.removesuffix(ending), True
    return found if len(found) >= rule.address_least else ""


def same_place(one: Sighting, other: Sighting, rule: RepeatRule) -> bool:
    """Are two findings of one group at the same place?

    Of one unit: yes, unless both have points that lie too far apart. Of none: the points are near, or, where
    that does not say yes, the addresses are the same.
    """
    apart = _apart_m(one, other)
    if one.at_unit:
        return apart is None or rule.unit_radius_m is None or apart <= rule.unit_radius_m
    if apart is not None and apart <= rule.radius_m:
        return True
    address = plain_address(one.address, rule)
    return bool(address) and address == plain_address(other.address, rule)


def _apart_m(one: Sighting, other: Sighting) -> float | None:
    if one.lon is None or one.lat is None or other.lon is None or other.lat is None:
        return None
    return distance_m((float(one.lon), float(one.lat)), (float(other.lon), float(other.lat)))


def chain(
    sightings: Iterable[Sighting], rules: Mapping[date, RepeatRule], *, since: date
) -> dict[int, Linked]:
    """Return what each finding from `since` on repeats, by pk.

    sightings: every finding of one group (place key and category) from LONGEST_DAYS before `since` on
    rules: for each day from `since` on, the rule in force on it: the later finding's day decides
    """
    ordered = sorted(sightings, key=lambda each: (each.on, each.uid))
    repeats = {each.pk: each.repeats for each in ordered}
    linked: dict[int, Linked] = {}
    for position, one in enumerate(ordered):
        if one.on < since:
            continue
        before = _before(one, ordered[:position], rules[one.on])
        times = repeats[before.pk] + 1 if before is not None else 0
        repeats[one.pk] = times
        linked[one.pk] = Linked(before.pk if before is not None else None, times)
    return linked


def _before(one: Sighting, earlier: Sequence[Sighting], rule: RepeatRule) -> Sighting | None:
    newest, oldest = one.on - timedelta(days=rule.from_days), one.on - timedelta(days=rule.days)
    for other in reversed(earlier):
        if other.on < oldest:
            return None
        if other.on <= newest and same_place(other, one, rule):
            return other
    return None


def places(sightings: Iterable[Sighting], rule: RepeatRule) -> list[list[Sighting]]:
    """Return the repeats of one group by place, each place in order of day; a finding that repeats none is left out.

    Findings of one chain are one place; so are two chains that meet at the same place after a quiet time.
    """
    ordered = sorted((each for each in sightings if each.repeats), key=lambda each: (each.on, each.uid))
    of: dict[int, list[Sighting]] = {}
    found: list[list[Sighting]] = []
    for one in ordered:
        place = of.get(one.repeat_of) if one.repeat_of is not None else None
        if place is None:
            place = next((each for each in found if same_place(each[-1], one, rule)), None)
        if place is None:
            place = []
            found.append(place)
        place.append(one)
        of[one.pk] = place
        if one.repeat_of is not None:
            of.setdefault(one.repeat_of, place)
    return found


def in_window(place: Sequence[Sighting], rule: RepeatRule) -> list[Sighting]:
    """Return the repeats of a place within the rule's window, counted back from the newest of them."""
    if not place:
        return []
    oldest = place[-1].on - timedelta(days=rule.window_days - 1)
    return [each for each in place if each.on >= oldest]


def is_hot(place: Sequence[Sighting], rule: RepeatRule) -> bool:
    """Did the problem come back here often enough for the list (重点地段)?"""
    return len(place) >= rule.threshold
