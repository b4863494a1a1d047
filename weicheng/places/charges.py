"""包抓联络: who is in charge of which area; the verbs that set it, and the readings of it for other apps."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import F, Q

from weicheng.journal.actions import SYSTEM, Note, Who, record, record_all
from weicheng.places import areas
from weicheng.places.models import CHARGE_LABELS, Area, Charge, User
from weicheng.places.rights import require, require_reach
from weicheng.places.roles import LEVEL_NAMES
from weicheng.rules.areas import ancestors, cut, level_of
from weicheng.rules.charges import LEVELS, ONE_AT_A_TIME, ChargeKind, Span, gaps, overlapping
from weicheng.rules.errors import N_, ConflictError, ForbiddenError, RuleError
from weicheng.rules.privacy import check_phone

LONGEST_NAME = 60
LONGEST_TEXT = 1000
AHEAD_DAYS = 90  # how far a table looks for days without a liaison


@dataclass(frozen=True)
class ChargeIn:
    """What a person says about a charge; see `models.Charge` for what the fields mean."""

    kind: str
    area: str
    name: str
    from_on: date
    title: str = ""
    phone: str = ""
    targets: str = ""
    to_on: date | None = None
    due_on: date | None = None
    user: User | None = None


@transaction.atomic
def set_charge(
    *, given: ChargeIn, by: Who, at: datetime, uid: UUID | None = None, follows: Charge | None = None
) -> Charge:
    """Put somebody in charge of an area. The same `uid` again returns the charge there is.

    RuleError: charge-level, charge-name, charge-dates, closed-area, foreign-area, "charge-overlap" naming who is
    in charge on those days. ForbiddenError: no-power, charge-from-above.
    """
    require(by, "keeps_units")
    if uid is not None and (there := Charge.objects.filter(uid=uid).first()):
        require_reach(by, there.area)
        return there
    row = Charge(owner=getattr(by, "area", ""), follows=follows)
    if uid is not None:
        row.uid = uid
    _fill(row, given, by)
    row.save(force_insert=True)
    record(_note("charge.set", row), by=by, at=at)
    return row


@transaction.atomic
def change_charge(*, charge: Charge, revision: int, given: ChargeIn, by: Who, at: datetime) -> Charge:
    """Correct what was entered; kind and area stay.

    revision: the one the editor started from; ConflictError("charge-changed") when it is no longer the last
    """
    row = _locked(charge, by)
    if row.revision != revision:
        raise ConflictError(
            "charge-changed", N_("在您编辑期间，“{name}”已被他人修改。请刷新后再改一次。"), name=row.name
        )
    before = _said(row)
    _fill(row, given, by)
    row.revision += 1
    row.save()
    record(_note("charge.change", row, before=before), by=by, at=at)
    return row


@transaction.atomic
def end_charge(
    *, charge: Charge, on: date, by: Who, at: datetime, result: str = "", solved: bool | None = None
) -> Charge:
    """End a charge; `on` is its last day. result, solved: what came of it. RuleError("charge-dates")."""
    row = _locked(charge, by)
    _require_dates(row.from_on, on)
    # A later end is more days: they may not be another's.
    _require_free(row, Span(row.from_on, on, row.who))
    row.to_on, row.result, row.solved = on, _text(result), solved
    row.revision += 1
    row.save()
    record(_note("charge.end", row), by=by, at=at)
    return row


@transaction.atomic
def hand_over(
    *,
    charge: Charge,
    on: date,
    name: str,
    by: Who,
    at: datetime,
    title: str = "",
    phone: str = "",
    user: User | None = None,
) -> Charge:
    """Hand an area over: `on` is the first day of the successor, the day before it the last of the old one."""
    old = _locked(charge, by)
    if old.to_on is not None and old.to_on < on - timedelta(days=1):
        raise RuleError(
            "charge-ended", N_("{name}已于 {day} 结束。请直接登记接任人。"), name=old.who, day=old.to_on
        )
    _require_dates(old.from_on, on - timedelta(days=1))
    rest = old.to_on
    old.to_on = on - timedelta(days=1)
    old.revision += 1
    old.save()
    record(_note("charge.end", old), by=by, at=at)
    given = ChargeIn(
        kind=old.kind, area=old.area, name=name, title=title, phone=phone, targets=old.targets, from_on=on,
        to_on=rest if rest and rest >= on else None, due_on=old.due_on, user=user,
    )  # fmt: skip
    return set_charge(given=given, by=by, at=at, follows=old)


@transaction.atomic
def cancel_charge(*, charge: Charge, reason: str, by: Who, at: datetime) -> Charge:
    """Call off what was entered by mistake: it is kept, and in force on no day. RuleError("reason-missing")."""
    row = _locked(charge, by)
    reason = " ".join(reason.split())[:200]
    if not reason:
        raise RuleError("reason-missing", N_("没有填写原因。请写明为什么作废这条登记。"))
    row.cancelled_at, row.cancelled_for = at, reason
    row.revision += 1
    row.save()
    record(_note("charge.cancel", row), by=by, at=at)
    return row


# --- what follows a change of the area -----------------------------------------------------------


def end_with_area(code: str, on: date, *, by: Who, at: datetime) -> int:
    """End what is in charge of an area that is gone from `on`; called inside the verb that closes or merges it.

    The day before is the last of each; what had not begun by then is called off. Return how many, each journalled.
    """
    notes = []
    rows = Charge.objects.select_for_update().valid().filter(area=code).order_by("id")
    for row in rows:
        if row.to_on is not None and row.to_on < on:
            continue
        before = _said(row)
        if row.from_on < on:
            row.to_on, verb = on - timedelta(days=1), "charge.end"
        else:
            row.cancelled_at, row.cancelled_for, verb = at, _AREA_GONE, "charge.cancel"
        row.revision += 1
        row.save(update_fields=["to_on", "cancelled_at", "cancelled_for", "revision"])
        notes.append((_note(verb, row, before=before, area_gone_on=on), by))
    record_all(notes, at=at)
    return len(notes)


_AREA_GONE = "区划已撤销或并入其他区划"


def carry_to(old: str, new: str, on: date) -> int:
    """Let what is in charge of a moved area go on at its new code: the street and its people are the same."""
    rows = Charge.objects.valid().filter(Q(to_on__isnull=True) | Q(to_on__gte=on), area=old)
    return rows.update(area=new, revision=F("revision") + 1, **cut(new))


# --- readings ------------------------------------------------------------------------------------


def in_charge(area: str, on: date, *, above: bool = False) -> list[Charge]:
    """Return who is in charge of exactly this area on the day: leaders, the liaison, sections.

    above: those of the areas above it too, the nearest first. For the leader's page and the bulletin.
    """
    codes = ancestors(area) if above else (area,)
    held = in_charge_of(codes, on)
    return [row for code in codes for row in held[code]]


def in_charge_of(codes: Sequence[str], on: date) -> dict[str, list[Charge]]:
    """Return area -> who is in charge of it on the day, in one statement: leaders, the liaison, sections."""
    order = list(ChargeKind)
    held: dict[str, list[Charge]] = {code: [] for code in codes}
    rows = Charge.objects.held_on(on).filter(area__in=codes)
    for row in sorted(rows, key=lambda row: (order.index(ChargeKind(row.kind)), row.pk)):
        held[row.area].append(row)
    return held


@dataclass
class Line:
    """One area of the table. gap: the next days without a liaison, None where there is one all the time."""

    area: Area
    leaders: list[Charge] = field(default_factory=list)
    liaison: Charge | None = None
    sections: list[Charge] = field(default_factory=list)
    gap: tuple[date, date] | None = None
    wants_liaison: bool = False
    missing: bool = False  # nobody today


def table(area: str, on: date) -> list[Line]:
    """Return one line for each area below, in two statements."""
    children = areas.children(area, on)
    until = on + timedelta(days=AHEAD_DAYS)
    rows = Charge.objects.valid().filter(area__in=[child.code for child in children], from_on__lte=until)
    by_area: dict[str, list[Charge]] = {}
    for row in rows.order_by("from_on", "id"):
        if row.to_on is None or row.to_on >= on:
            by_area.setdefault(row.area, []).append(row)
    lines = []
    for child in children:
        own = by_area.get(child.code, [])
        held = [row for row in own if row.span.holds(on)]
        line = Line(child, wants_liaison=child.level in LEVELS[ChargeKind.LIAISON])
        line.leaders = [row for row in held if row.kind == ChargeKind.LEADER]
        line.sections = [row for row in held if row.kind == ChargeKind.SECTION]
        liaisons = [row for row in own if row.kind == ChargeKind.LIAISON]
        line.liaison = next((row for row in liaisons if row.span.holds(on)), None)
        if line.wants_liaison:
            free = gaps([row.span for row in liaisons], on, until)
            line.gap = free[0] if free else None
            line.missing = line.liaison is None
        lines.append(line)
    return lines


def by_person(rows: Iterable[Charge]) -> list[tuple[str, list[Charge]]]:
    """Return (name and post, what they are in charge of), by name."""
    people: dict[str, list[Charge]] = {}
    for row in rows:
        people.setdefault(row.who, []).append(row)
    return sorted(people.items())


# --- shared steps --------------------------------------------------------------------------------


def _locked(charge: Charge, by: Who) -> Charge:
    require(by, "keeps_units")
    row = Charge.objects.select_for_update().get(pk=charge.pk)
    require_above(by, row.area)
    if row.cancelled_at is not None:
        raise RuleError(
            "charge-cancelled", N_("“{name}”的这条登记已作废，不能再改。请重新登记。"), name=row.name
        )
    # One area at a time: two liaisons entered at once must see each other.
    list(Area.objects.select_for_update().filter(pk=row.area))
    return row


def require_above(by: Who, code: str) -> None:
    """Refuse who does not stand above this area: ForbiddenError("charge-from-above"), RuleError("foreign-area")."""
    own = "" if by is SYSTEM else getattr(by, "area", "")
    if own.startswith(code):
        raise ForbiddenError(
            "charge-from-above", N_("包抓联络由上一级安排。请由上级单位登记，或切换到上级岗位。")
        )
    require_reach(by, code)


def check(given: ChargeIn, *, by: Who) -> tuple[ChargeKind, str, str]:
    """Return kind, name and targets as they are stored; refuse what no charge may say, other charges left aside."""
    kind = _kind(given.kind)
    require_above(by, given.area)
    if level_of(given.area) not in LEVELS[kind]:
        raise RuleError(
            "charge-level",
            N_("{kind}只登记到{levels}。请改选区划。"),
            kind=CHARGE_LABELS[kind],
            levels="、".join(str(LEVEL_NAMES[each]) for each in sorted(LEVELS[kind])),
        )
    name = " ".join(given.name.split()) or (given.user.name if given.user else "")
    if not 0 < len(name) <= LONGEST_NAME or len(given.title) > LONGEST_NAME:
        raise RuleError(
            "charge-name", N_("姓名或科室名称、职务应填写，最多 {most} 个字。请改正。"), most=LONGEST_NAME
        )
    _require_dates(given.from_on, given.to_on)
    areas.open_area(given.area, given.from_on)
    return kind, name, _text(given.targets)


def _fill(row: Charge, given: ChargeIn, by: Who) -> None:
    kind, name, targets = check(given, by=by)
    list(Area.objects.select_for_update().filter(pk=given.area))
    row.place_at(given.area)
    row.kind, row.user, row.name, row.title = kind.value, given.user, name, given.title.strip()
    row.phone = check_phone(given.phone) if given.phone.strip() else ""
    row.targets, row.due_on = targets, given.due_on
    row.from_on, row.to_on = given.from_on, given.to_on
    _require_free(row, row.span)


def _require_free(row: Charge, wanted: Span) -> None:
    """Refuse days on which the area has another of which there is but one, or this person already."""
    others = Charge.objects.valid().filter(area=row.area, kind=row.kind).exclude(pk=row.pk)
    if ChargeKind(row.kind) not in ONE_AT_A_TIME:
        others = others.filter(name=row.name)
    other = overlapping([each.span for each in others], wanted)
    if other is not None:
        raise RuleError(
            "charge-overlap",
            N_("{area}从 {begin} 到 {end} 已由{who}负责（{kind}）。请先办理交接，或改填不重叠的日期。"),
            area=areas.name_of(row.area),
            begin=other.begin,
            end=other.end or N_("今后"),
            who=other.who,
            kind=CHARGE_LABELS[ChargeKind(row.kind)],
        )


def _require_dates(begin: date, end: date | None) -> None:
    if end is not None and end < begin:
        raise RuleError(
            "charge-dates",
            N_("结束日期 {end} 早于开始日期 {begin}。请改为开始当日或之后。"),
            begin=begin,
            end=end,
        )


def _kind(text: str) -> ChargeKind:
    if text not in set(ChargeKind):
        names = "、".join(str(label) for label in CHARGE_LABELS.values())
        raise RuleError(
            "charge-kind", N_("没有“{kind}”这一类别。可选：{kinds}。"), kind=text[:20], kinds=names
        )
    return ChargeKind(text)


def _text(text: str) -> str:
    text = text.strip()
    if len(text) > LONGEST_TEXT:
        raise RuleError("charge-text", N_("文字超过 {most} 个字。请缩短。"), most=LONGEST_TEXT)
    return text


def _said(row: Charge) -> dict[str, Any]:
    return {"name": row.name, "title": row.title, "from_on": row.from_on, "to_on": row.to_on}


def _note(verb: str, row: Charge, **detail: Any) -> Note:
    said = {"kind": row.kind, **_said(row), "solved": row.solved, **detail}
    return Note(verb, "charge", str(row.uid), row.area, said)
