"""What stands within what, on a day: the only answer to "within", predecessors included."""

from collections.abc import Iterable
from datetime import date

from django.db.models import Q

from weicheng.journal.site import cached
from weicheng.places.models import Area, AreaChange
from weicheng.rules.areas import Level, level_of
from weicheng.rules.errors import N_, RuleError


def area(code: str) -> Area:
    """Return the area with this code; RuleError("unknown-area") when the installation has none."""
    found = _area(code)
    if found is None:
        raise RuleError(
            "unknown-area",
            N_("没有代码为“{code}”的区划。请从区划列表中选择，或请管理员先设立。"),
            code=code[:40],
        )
    return found


def _area(code: str) -> Area | None:
    if len(code) < Level.DISTRICT:
        return cached(("area", code), lambda: Area.objects.filter(pk=code).first())
    # A whole district at once: a list of any length asks for its names in one statement.
    return cached(("areas", code[: Level.DISTRICT]), lambda: _district(code[: Level.DISTRICT])).get(code)


def _district(code: str) -> dict[str, Area]:
    # ":" follows "9", so this is the range of codes that begin with the district's.
    return {area.pk: area for area in Area.objects.filter(pk__gte=code, pk__lt=f"{code}:")}


def open_area(code: str, on: date) -> Area:
    """Return the area if it exists on the day; RuleError("closed-area") when it is closed or not yet opened."""
    found = area(code)
    if found.opened_on > on:
        raise RuleError(
            "closed-area",
            N_("{name}自{day}起设立，{on}尚不存在。请改选当日存在的区划。"),
            name=found.name,
            day=found.opened_on,
            on=on,
        )
    if found.closed_on is not None and found.closed_on <= on:
        heir = successor(code)
        raise RuleError(
            "closed-area",
            N_("{name}已于{day}撤销{heir}。请改选现有区划。"),
            name=found.name,
            day=found.closed_on,
            heir=f"（现为{heir.name}）" if heir else "",
        )
    return found


def successor(code: str) -> Area | None:
    """Return the area that took this one over, through any number of mergers and moves."""
    seen = {code}
    current: Area | None = None
    while (heir := _heirs().get(code)) and heir not in seen:
        seen.add(heir)
        code = heir
        current = _area(heir)
    return current


def _heirs() -> dict[str, str]:
    """Return old code → new code of every merger and move."""

    def read() -> dict[str, str]:
        kinds = (AreaChange.Kind.MERGE, AreaChange.Kind.MOVE)
        rows = AreaChange.objects.filter(kind__in=kinds, to__isnull=False).order_by("on", "id")
        return dict(rows.values_list("area_id", "to_id"))

    return cached(("heirs",), read)


def within(code: str, on: date | None = None) -> tuple[tuple[str, str], ...]:
    """Return the pairs (level column, code) that together mean "within this area".

    The first pair is the area itself; the others are predecessors that lie elsewhere in the tree of codes: a
    community that moved here keeps its old code in old records, and a merged one keeps its own.
    on: mergers that happen later than this day are left out; None takes them all
    """
    return cached(("within", code, on), lambda: _within(code, on))


def _within(code: str, on: date | None) -> tuple[tuple[str, str], ...]:
    kinds = (AreaChange.Kind.MERGE, AreaChange.Kind.MOVE)
    changes = AreaChange.objects.filter(kind__in=kinds, to__isnull=False)
    if on is not None:
        changes = changes.filter(on__lte=on)
    moved = list(changes.values_list("area_id", "to_id"))
    codes = [code]
    for known in codes:  # grows while it is walked: a predecessor may have predecessors
        for old, new in moved:
            if new.startswith(known) and not any(old.startswith(have) for have in codes):
                codes.append(old)
    return tuple((level_of(found).column, found) for found in codes)


def inside(code: str) -> Q:
    """Return the condition "within this area", predecessors included, on a table with a column per level."""
    found = Q(pk__in=[])
    for column, known in within(code):
        found |= Q(**{column: known})
    return found


def name_of(code: str, on: date | None = None) -> str:
    """Return the area's name as it was on the day (None: now); the code itself where it is unknown."""
    found = _area(code)
    if found is None:
        return code
    if on is None:
        return found.name
    renames = cached(("renames", code), lambda: _renames(code))
    for day, old_name in renames:
        if on < day:
            return old_name
    return found.name


def _renames(code: str) -> list[tuple[date, str]]:
    rows = AreaChange.objects.filter(area_id=code, kind=AreaChange.Kind.RENAME).order_by("on", "id")
    return list(rows.values_list("on", "old_name"))


def path_name(code: str, *, top: str = "") -> str:
    """Return the names from below `top` down to the area: 泰山街道 · 民富园社区."""
    steps = [code[:n] for n in (2, 4, 6, 9, 12, 15) if n <= len(code) and n > len(top)]
    return " · ".join(name_of(step) for step in steps) or name_of(code)


def children(code: str, on: date) -> list[Area]:
    """Return the areas one level below that exist on the day, by code."""
    return cached(("children", code, on), lambda: list(Area.objects.filter(parent_id=code).open_on(on)))


def names(codes: Iterable[str]) -> dict[str, str]:
    """Return code → name for many codes."""
    return {code: name_of(code) for code in set(codes) if code}
