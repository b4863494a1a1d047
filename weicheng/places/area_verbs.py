"""What may happen to areas. Every change is dated and kept; a code is never used twice."""

from collections.abc import Iterable, Sequence
from datetime import date, datetime
from typing import Any

from django.db import transaction
from django.db.models import Q

from weicheng.journal import site
from weicheng.journal.actions import SYSTEM, Note, Who, record
from weicheng.journal.models import Site
from weicheng.places import charges, divisions, unit_versions
from weicheng.places.actors import today
from weicheng.places.models import Area, AreaChange, Post, Unit
from weicheng.places.rights import require, require_reach
from weicheng.rules import areas as codes
from weicheng.rules.areas import Level
from weicheng.rules.digests import canonical, digest
from weicheng.rules.errors import N_, RuleError

Kind = AreaChange.Kind
MOST_GRIDS = 200  # of one community in one step
LONGEST_NAME = 60


@transaction.atomic
def init_areas(area: str, at: datetime) -> int:
    """Load an area of the public division data, its ancestors and all below it; return how many are new.

    The first one becomes the site's root. Errors as in `divisions.read`.
    """
    wanted = list(divisions.read(area))
    known = set(Area.objects.filter(pk__startswith=area[:2]).values_list("pk", flat=True))
    new = [
        Area(code=one.code, name=one.name, parent_id=codes.parent(one.code) or None)
        for one in wanted
        if one.code not in known
    ]
    Area.objects.bulk_create(new, batch_size=5000)  # parents come first: codes are sorted
    root = site.site()
    if not root.root_area or root.root_area.startswith(area):
        Site.objects.filter(pk=1).update(root_area=area)
    if new:
        site.raise_generation()
        record(_note("area.init", area, areas=len(new)), by=SYSTEM, at=at)
    return len(new)


@transaction.atomic
def open_area(*, code: str, parent: str, name: str, on: date, by: Who, at: datetime) -> Area:
    """Open an area below `parent`, from a day on.

    RuleError: area-code, code-not-below, code-taken, unknown-area, closed-area, area-name, foreign-area.
    """
    require(by, "keeps_areas")
    code = code.strip()
    codes.level_of(code)
    if codes.parent(code) != parent:
        raise RuleError(
            "code-not-below",
            N_("代码“{code}”不是“{parent}”的直接下级代码。请在上级代码后加上下一级的位数。"),
            code=code,
            parent=parent or "（无）",
        )
    require_reach(by, code)
    _require_new(code)
    if parent:
        _require_open(_lock(parent), on)
    opened = Area.objects.create(code=code, name=_name(name), parent_id=parent or None, opened_on=on)
    _change(opened, Kind.OPEN, on, at, new_name=opened.name)
    site.raise_generation()
    record(_note("area.open", code, on=on), by=by, at=at)
    return opened


@transaction.atomic
def rename_area(*, code: str, name: str, on: date, by: Who, at: datetime) -> Area:
    """Give an area another name from a day on; earlier days keep the old one.

    RuleError: unknown-area, area-name, same-name, before-opening, before-last-change, closed-area.
    """
    require(by, "keeps_areas")
    require_reach(by, code)
    area = _lock(code)
    _require_open(area, on)
    name = _name(name)
    if name == area.name:
        raise RuleError("same-name", N_("{name}现在就叫这个名称。请填写新的名称。"), name=name)
    last = area.changes.filter(kind=Kind.RENAME).order_by("-on").first()
    if last and last.on > on:
        raise RuleError(
            "before-last-change",
            N_("{name}在{day}已经更名，新的更名不能早于这一天。请改为{day}或之后。"),
            name=area.name,
            day=last.on,
        )
    _change(area, Kind.RENAME, on, at, old_name=area.name, new_name=name)
    area.name = name
    area.save(update_fields=["name"])
    site.raise_generation()
    record(_note("area.rename", code, on=on), by=by, at=at)
    return area


@transaction.atomic
def close_area(*, code: str, on: date, by: Who, at: datetime) -> Area:
    """Close an area: `on` is the first day it no longer exists; who was in charge of it is until the day before.

    RuleError: unknown-area, before-opening, closed-area, open-children, posts-held.
    """
    require(by, "keeps_areas")
    require_reach(by, code)
    area = _lock(code)
    _require_open(area, on)
    _require_empty(area, on)
    _close(area, on)
    _change(area, Kind.CLOSE, on, at)
    ended = charges.end_with_area(code, on, by=by, at=at)
    site.raise_generation()
    record(_note("area.close", code, on=on, charges=ended), by=by, at=at)
    return area


@transaction.atomic
def merge_area(*, code: str, into: str, on: date, by: Who, at: datetime) -> Area:
    """Close an area into another of the same level; its open units go along, old records keep their code.

    Who was in charge of it is until the day before: the heir has its own.

    RuleError: unknown-area, merge-into-itself, merge-into-child, merge-level, closed-area, before-opening,
    open-children, posts-held, future-change.
    """
    require(by, "keeps_areas")
    require_reach(by, code)
    if code == into:
        raise RuleError("merge-into-itself", N_("区划不能并入自己。请选择另一个区划。"))
    area, heir = _lock(code), _lock(into)
    require_reach(by, into)
    if heir.code.startswith(area.code):
        raise RuleError(
            "merge-into-child",
            N_("{name}不能并入自己的下级{child}。请选择同级的区划。"),
            name=area.name,
            child=heir.name,
        )
    if heir.level != area.level:
        raise RuleError(
            "merge-level",
            N_("{name}与{heir}不是同一级。请选择同级的区划。"),
            name=area.name,
            heir=heir.name,
        )
    _require_past(on, at)
    _require_open(area, on)
    _require_open(heir, on)
    _require_empty(area, on)
    _close(area, on)
    _change(area, Kind.MERGE, on, at, to=heir)
    units = _carry_units(area.code, heir.code, by, at)
    ended = charges.end_with_area(code, on, by=by, at=at)
    site.raise_generation()
    record(_note("area.merge", code, to=into, on=on, units=units, charges=ended), by=by, at=at)
    return heir


@transaction.atomic
def move_area(*, code: str, to_code: str, on: date, by: Who, at: datetime) -> Area:
    """Put an area and all below it under another parent, which gives it another code.

    Open units and posts go along; old records keep the old code and are found through `areas.within`.
    RuleError: unknown-area, area-code, merge-level, code-not-below, code-taken, move-into-itself,
    closed-area, before-opening, future-change.
    """
    require(by, "keeps_areas")
    require_reach(by, code)
    area, to_code = _lock(code), to_code.strip()
    if codes.level_of(to_code) != area.level:
        raise RuleError(
            "merge-level",
            N_("新代码“{code}”与{name}不是同一级。请填写同级的代码。"),
            code=to_code,
            name=area.name,
        )
    if codes.parent(to_code) == codes.parent(code):
        raise RuleError(
            "move-into-itself",
            N_("{name}已经属于这个上级。请填写另一个上级之下的代码。"),
            name=area.name,
        )
    require_reach(by, to_code)
    _require_new(to_code)
    _require_past(on, at)
    _require_open(area, on)
    if codes.parent(to_code):
        _require_open(_lock(codes.parent(to_code)), on)
    below = Area.objects.select_for_update().filter(pk__startswith=code).open_on(on).order_by("code")
    moved = [(one, to_code + one.code[len(code) :]) for one in below]
    heirs = [
        Area(code=new, name=one.name, parent_id=codes.parent(new) or None, opened_on=on) for one, new in moved
    ]
    Area.objects.bulk_create(heirs)
    for (one, _new), heir in zip(moved, heirs, strict=True):
        _close(one, on)
        _change(one, Kind.MOVE, on, at, to=heir, old_name=one.name, new_name=heir.name)
    units = sum(_carry_units(one.code, new, by, at) for one, new in moved)
    posts = sum(_carry_posts(one.code, new, on) for one, new in moved)
    carried = sum(charges.carry_to(one.code, new, on) for one, new in moved)
    site.raise_generation()
    record(
        _note(
            "area.move", code, to=to_code, on=on, areas=len(moved), units=units, posts=posts, charges=carried
        ),
        by=by,
        at=at,
    )
    return heirs[0]


@transaction.atomic
def create_grids(*, community: str, names: Sequence[str], on: date, by: Who, at: datetime) -> list[Area]:
    """Open grids below a community, numbered after the last one that ever was.

    RuleError: unknown-area, grid-parent, closed-area, area-name, same-name, too-many-grids.
    """
    require(by, "keeps_areas")
    require_reach(by, community)
    parent = _lock(community)
    if parent.level != Level.COMMUNITY:
        raise RuleError(
            "grid-parent", N_("网格只能设在社区之下，{name}不是社区。请选择社区。"), name=parent.name
        )
    _require_open(parent, on)
    wanted = [_name(name) for name in names if name.strip()]
    taken = set(Area.objects.filter(parent=parent).open_on(on).values_list("name", flat=True))
    for name in wanted:
        if name in taken:
            raise RuleError("same-name", N_("{name}已经存在。请换一个名称。"), name=name)
        taken.add(name)
    last = Area.objects.filter(parent=parent).order_by("-code").values_list("code", flat=True).first()
    number = int(last[Level.COMMUNITY :]) if last else 0
    if not wanted or len(wanted) > MOST_GRIDS or number + len(wanted) > 999:
        raise RuleError(
            "too-many-grids",
            N_("一次可设 1 至 {most} 个网格，一个社区最多 999 个；现在填了 {count} 个。请调整数量。"),
            most=MOST_GRIDS,
            count=len(wanted),
        )
    made = [
        Area(code=f"{community}{number + at_index:03d}", name=name, parent=parent, opened_on=on)
        for at_index, name in enumerate(wanted, 1)
    ]
    Area.objects.bulk_create(made)
    AreaChange.objects.bulk_create([_made(one, Kind.OPEN, on, at, new_name=one.name) for one in made])
    site.raise_generation()
    record(_note("area.create_grids", community, grids=len(made), on=on), by=by, at=at)
    return made


# --- what the verbs ask and do -------------------------------------------------------------------


def _lock(code: str) -> Area:
    found = Area.objects.select_for_update().filter(pk=code).first()
    if found is None:
        raise RuleError(
            "unknown-area",
            N_("没有代码为“{code}”的区划。请从区划列表中选择，或请管理员先设立。"),
            code=code[:40],
        )
    return found


def _name(name: str) -> str:
    text = " ".join(name.split())
    if not text or len(text) > LONGEST_NAME:
        raise RuleError("area-name", N_("区划名称应为 1 至 {most} 个字。请重新填写名称。"), most=LONGEST_NAME)
    return text


def _require_new(code: str) -> None:
    taken = Area.objects.filter(pk=code).first()
    if taken:
        raise RuleError(
            "code-taken",
            N_("代码“{code}”已属于{name}，撤销后也不再启用。请换一个代码。"),
            code=code,
            name=taken.name,
        )


def _require_open(area: Area, on: date) -> None:
    if on < area.opened_on:
        raise RuleError(
            "before-opening",
            N_("{on}早于{name}的设立日期{day}。请改为{day}或之后。"),
            on=on,
            name=area.name,
            day=area.opened_on,
        )
    if area.closed_on is not None:
        raise RuleError(
            "closed-area",
            N_("{name}已于{day}撤销，不能再变更。请改选现有区划。"),
            name=area.name,
            day=area.closed_on,
        )


def _require_past(on: date, at: datetime) -> None:
    if on > today(at):
        raise RuleError("future-change", N_("并入和改隶从{on}起才生效。请在生效当日或之后办理。"), on=on)


def _require_empty(area: Area, on: date) -> None:
    child = area.children.filter(Q(closed_on__isnull=True) | Q(closed_on__gt=on)).first()
    if child:
        raise RuleError(
            "open-children",
            N_("{name}之下还有{child}等区划。请先撤销、并入或改隶这些下级。"),
            name=area.name,
            child=child.name,
        )
    posts = _held(area.code, on).count()
    if posts:
        raise RuleError(
            "posts-held",
            N_("{name}在{on}仍有 {posts} 个在任岗位。请先结束这些岗位，或改设到其他区划。"),
            name=area.name,
            on=on,
            posts=posts,
        )


def _held(code: str, on: date) -> Any:
    """Return posts at exactly this area that last to the day or longer; a liaison goes with the unit."""
    rows = Post.objects.filter(area=code, unit__isnull=True)
    return rows.filter(Q(to_on__isnull=True) | Q(to_on__gte=on))


def _close(area: Area, on: date) -> None:
    area.closed_on = on
    area.save(update_fields=["closed_on"])


def _made(
    area: Area,
    kind: str,
    on: date,
    at: datetime,
    to: Area | None = None,
    old_name: str = "",
    new_name: str = "",
) -> AreaChange:
    body = canonical(
        {
            "area": area.code,
            "kind": str(kind),
            "on": on,
            "to": to.code if to else "",
            "old_name": old_name,
            "new_name": new_name,
        }
    )
    return AreaChange(
        area=area, kind=kind, on=on, to=to, old_name=old_name, new_name=new_name, at=at, body=body,
        digest=digest(body),
    )  # fmt: skip


def _change(area: Area, kind: str, on: date, at: datetime, **more: Any) -> None:
    _made(area, kind, on, at, **more).save(force_insert=True)


def _carry_units(old: str, new: str, by: Who, at: datetime) -> int:
    """Place the open units of an area in its heir: a unit is what it is now, unlike a record of it."""
    units: Iterable[Unit] = Unit.objects.select_for_update().filter(area=old, closed_on__isnull=True)
    placed = [unit.place_at(new) for unit in units]
    Unit.objects.bulk_update(placed, ["area", *codes.COLUMNS], batch_size=200)
    unit_versions.keep(placed, verb="move", by=by, at=at)
    # Posts at the units stand where the units stand.
    Post.objects.filter(unit__in=placed).update(area=new, **codes.cut(new))
    return len(placed)


def _carry_posts(old: str, new: str, on: date) -> int:
    """Let posts at a moved area go on at its new code: the office and its people are the same."""
    return _held(old, on).update(area=new, **codes.cut(new))


def _note(verb: str, code: str, **detail: Any) -> Note:
    return Note(verb=verb, object_kind="area", object_key=code, area=code, detail=detail)


__all__ = ["close_area", "create_grids", "init_areas", "merge_area", "move_area", "open_area", "rename_area"]
