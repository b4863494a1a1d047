"""What may happen to units. Each change leaves a version; nothing is deleted."""

import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from django.db import transaction
from django.db.models import Q

from weicheng.journal import sealing, site
from weicheng.journal.actions import Note, Who, record
from weicheng.places import areas, handover, kinds, unit_versions
from weicheng.places.actor import Actor
from weicheng.places.actors import today
from weicheng.places.models import Post, Unit, UnitService, UnitVersion
from weicheng.places.rights import require, require_reach
from weicheng.rules import areas as codes
from weicheng.rules.coordinates import Datum, to_cgcs2000
from weicheng.rules.digests import canonical
from weicheng.rules.errors import N_, ConflictError, MissingError, RuleError
from weicheng.rules.privacy import check_credit_code, check_phone, mask_name, mask_phone

LONGEST_NAME = 120
LONGEST_ADDRESS = 200
STORED_DATUM = "CGCS2000"


@dataclass(frozen=True)
class Point:
    """A position in degrees as it was given; accuracy_m: the radius it is sure of, in metres."""

    lon: Any
    lat: Any
    datum: str = STORED_DATUM
    accuracy_m: Any = None


@dataclass(frozen=True)
class UnitFields:
    """Everything a person may say about a unit.

    contact: None keeps what is known; {} takes it away; else {"name": …, "phone": …}
    point: None means no position
    services: area codes the unit serves besides its own
    """

    name: str
    kind: str
    area: str
    address: str = ""
    credit_code: str = ""
    particulars: Mapping[str, Any] = field(default_factory=dict)
    point: Point | None = None
    contact: Mapping[str, str] | None = None
    services: Sequence[str] | None = None


@transaction.atomic
def create_unit(*, fields: UnitFields, by: Who, at: datetime, uid: uuid.UUID | None = None) -> Unit:
    """Register a unit; the same uid again is the same unit.

    RuleError: unit-name, unit-exists, unknown-area, closed-area, foreign-area, unknown-kind, particular-…,
    credit-code-…, phone-invalid, coordinate-out-of-range, address-long; ConflictError("same-uid").
    """
    require(by, "keeps_units")
    if uid is not None and (known := Unit.objects.filter(uid=uid).first()):
        if (known.name, known.area, known.kind) != (_name(fields.name), fields.area, fields.kind):
            raise ConflictError("same-uid", N_("这份登记已经保存，但内容不同。请打开已登记的单位核对。"))
        return known
    unit = Unit(uid=uid or uuid.uuid4(), opened_on=today(at))
    fill(unit, fields, by=by, at=at)
    _require_single(unit)
    unit.save(force_insert=True)
    _set_services(unit, fields.services, by)
    unit_versions.keep([unit], verb="create", by=by, at=at)
    record(_note("unit.create", unit), by=by, at=at)
    return unit


@transaction.atomic
def change_unit(
    *, unit: Unit, fields: UnitFields, by: Who, at: datetime, base: int | None = None, verb: str = "change"
) -> Unit:
    """Change a unit's fields; nothing happens when nothing differs.

    base: the version the change was made from. Errors as `create_unit`, and ConflictError("unit-changed"),
    RuleError("unit-closed").
    """
    require(by, "keeps_units")
    unit = _lock(unit)
    require_reach(by, unit.area)
    _require_open(unit)
    if base is not None and base != newest(unit):
        raise ConflictError(
            "unit-changed",
            N_("{name}在您填写期间已被他人修改。请刷新页面，核对后重新填写。"),
            name=unit.name,
        )
    old_name, old_area = unit.name, unit.area
    before = unit_versions.payload(unit, _service_codes(unit))
    sealed_before = contact_of(unit)
    fill(unit, fields, by=by, at=at)
    _require_single(unit)
    _set_services(unit, fields.services, by)
    if before == unit_versions.payload(unit, _service_codes(unit)) and sealed_before == contact_of(unit):
        return unit
    unit.save()
    if unit.area != old_area:
        Post.objects.filter(unit=unit).update(area=unit.area, **codes.cut(unit.area))
    if (unit.name, unit.area) != (old_name, old_area) and Post.objects.filter(unit=unit).exists():
        site.raise_generation()  # posts are kept with the name of their unit
    unit_versions.keep([unit], verb=verb, by=by, at=at)
    record(_note("unit.change", unit), by=by, at=at)
    return unit


@transaction.atomic
def close_unit(*, unit: Unit, on: date, by: Who, at: datetime) -> Unit:
    """Close a unit: `on` is the first day it no longer exists.

    RuleError: unit-closed, before-opening, unit-has-posts, foreign-area.
    """
    require(by, "keeps_units")
    unit = _lock(unit)
    require_reach(by, unit.area)
    _require_open(unit)
    if on < unit.opened_on:
        raise RuleError(
            "before-opening",
            N_("{on}早于{name}的启用日期{day}。请改为{day}或之后。"),
            on=on,
            name=unit.name,
            day=unit.opened_on,
        )
    held = unit.posts.filter(Q(to_on__isnull=True) | Q(to_on__gte=on)).count()
    if held:
        raise RuleError(
            "unit-has-posts",
            N_("{name}仍有 {held} 名在任联络员。请先请安全管理员结束其岗位，或并入其他单位。"),
            name=unit.name,
            held=held,
        )
    unit.closed_on = on
    unit.save(update_fields=["closed_on"])
    unit_versions.keep([unit], verb="close", by=by, at=at)
    record(_note("unit.close", unit, on=on), by=by, at=at)
    return unit


@transaction.atomic
def merge_units(*, unit: Unit, into: Unit, by: Actor, at: datetime) -> Unit:
    """Close a unit into another; its liaisons, its services and its open work go along.

    RuleError: merge-into-itself, unit-closed, foreign-area.
    """
    require(by, "keeps_units")
    if unit.pk == into.pk:
        raise RuleError("merge-into-itself", N_("{name}不能并入自己。请选择另一个单位。"), name=unit.name)
    # Locked in one order, so that two opposite mergers wait for each other instead of for ever.
    locked = {
        row.pk: row
        for row in Unit.objects.select_for_update().filter(pk__in=[unit.pk, into.pk]).order_by("pk")
    }
    unit, into = locked[unit.pk], locked[into.pk]
    for one in (unit, into):
        require_reach(by, one.area)
        _require_open(one)
    on = today(at)
    unit.merged_into, unit.closed_on = into, max(on, unit.opened_on)
    unit.save(update_fields=["merged_into", "closed_on"])
    posts = Post.objects.filter(unit=unit).filter(Q(to_on__isnull=True) | Q(to_on__gte=on))
    moved = posts.update(unit=into, area=into.area, **codes.cut(into.area))
    _set_services(into, sorted({*_service_codes(into), *_service_codes(unit)}), by, check=False)
    unit_versions.keep([unit], verb="merge", by=by, at=at)
    unit_versions.keep([into], verb="serve", by=by, at=at)
    site.raise_generation()
    handover.follow_merge(unit, into, by, at)
    record(_note("unit.merge", unit, into=str(into.uid), posts=moved), by=by, at=at)
    return into


@transaction.atomic
def read_contact(*, unit: Unit, by: Any, at: datetime) -> dict[str, str]:
    """Return the contact in full; each reading is journalled. Refuses: no-power, unit, sealed."""
    require(by, "reads_personal")
    if not Unit.objects.visible_to(by).filter(pk=unit.pk).exists():
        raise MissingError("unit", N_("没有找到这个单位。请从单位列表进入。"))
    contact = contact_of(unit)
    record(_note("unit.read_contact", unit), by=by, at=at)
    return contact


# --- readers -------------------------------------------------------------------------------------


def canonical_of(unit: Unit) -> Unit:
    """Return the unit that answers now: the end of the chain of mergers."""
    seen = {unit.pk}
    while unit.merged_into_id and unit.merged_into_id not in seen:
        seen.add(unit.merged_into_id)
        unit = Unit.objects.get(pk=unit.merged_into_id)
    return unit


def newest(unit: Unit) -> int:
    """Return the number of the newest version, 0 where there is none."""
    rows = UnitVersion.objects.filter(unit=unit).order_by("-number")
    return rows.values_list("number", flat=True).first() or 0


def contact_of(unit: Unit) -> dict[str, str]:
    """Return the contact in full, without a journal entry: only for verbs that compare it."""
    return sealing.unseal(unit.contact_sealed, unit.contact_key)


def masked(contact: Mapping[str, str]) -> str:
    """Return 张* 138****5678."""
    parts = [mask_name(contact["name"]) if contact.get("name") else ""]
    parts.append(mask_phone(contact["phone"]) if contact.get("phone") else "")
    return " ".join(part for part in parts if part)


# --- what the verbs ask and do -------------------------------------------------------------------


def fill(unit: Unit, fields: UnitFields, *, by: Who, at: datetime) -> None:
    """Check the fields and set them on the unit, without saving it."""
    on = today(at)
    unit.name = _name(fields.name)
    if fields.area != unit.area:
        areas.open_area(fields.area, on)
        require_reach(by, fields.area)
        unit.place_at(fields.area)
    kind = kinds.kind_of(fields.kind.strip(), fields.area, on)
    unit.kind = kind.code if kind else fields.kind.strip()[:20]
    unit.particulars = canonical(kinds.read_particulars(kind, fields.particulars)).decode()
    unit.credit_code = check_credit_code(fields.credit_code) if fields.credit_code.strip() else ""
    unit.address = " ".join(fields.address.split())
    if len(unit.address) > LONGEST_ADDRESS:
        raise RuleError(
            "address-long", N_("地址有 {length} 个字，最多 {most} 个。请缩短后再保存。"),
            length=len(unit.address), most=LONGEST_ADDRESS,
        )  # fmt: skip
    _set_point(unit, fields.point)
    if fields.contact is not None:
        _set_contact(unit, fields.contact)


def _set_point(unit: Unit, point: Point | None) -> None:
    if point is None or (point.lon in (None, "") and point.lat in (None, "")):
        unit.lon = unit.lat = unit.accuracy_m = None
        unit.datum = STORED_DATUM
        return
    try:
        datum = Datum(str(point.datum).lower())
        lon, lat = Decimal(str(point.lon)), Decimal(str(point.lat))
        accuracy = None if point.accuracy_m in (None, "") else Decimal(str(point.accuracy_m))
    except (ValueError, InvalidOperation):
        raise RuleError(
            "point-incomplete", N_("位置不完整或无法识别。请同时填写经度、纬度，并选择坐标系。")
        ) from None
    if datum not in (Datum.CGCS2000, Datum.WGS84):  # the other two are drawn elsewhere than they are
        lon, lat = (Decimal(str(value)) for value in to_cgcs2000(float(lon), float(lat), datum))
    else:
        to_cgcs2000(float(lon), float(lat), datum)  # refuses what is no place on earth
    unit.lon, unit.lat = lon.quantize(Decimal("1.0000000")), lat.quantize(Decimal("1.0000000"))
    if accuracy is not None and not (accuracy.is_finite() and 0 <= accuracy < 10**7):
        raise RuleError("point-incomplete", N_("定位精度应为不小于 0 的米数。请改正或留空。"))
    unit.accuracy_m = None if accuracy is None else accuracy.quantize(Decimal("1.0"))
    unit.datum = STORED_DATUM


def _set_contact(unit: Unit, contact: Mapping[str, str]) -> None:
    given = {key: " ".join(str(value).split()) for key, value in contact.items() if str(value).strip()}
    if "phone" in given:
        given["phone"] = check_phone(given["phone"])
    if len(given.get("name", "")) > 40:
        raise RuleError("contact-name", N_("联系人姓名最多 40 个字。请缩短后再保存。"))
    if given == contact_of(unit):
        return
    unit.contact_masked = masked(given)
    unit.contact_sealed, unit.contact_key = sealing.seal(given) if given else (None, None)


def _set_services(unit: Unit, wanted: Sequence[str] | None, by: Who, *, check: bool = True) -> None:
    if wanted is None:
        return
    known, wanted_set = set(_service_codes(unit)), set(wanted)
    for code in sorted(wanted_set - known):
        if check:
            areas.area(code)
            require_reach(by, code)
    UnitService.objects.filter(unit=unit, area__in=known - wanted_set).delete()
    UnitService.objects.bulk_create(
        [UnitService(unit=unit, area=code) for code in sorted(wanted_set - known)]
    )


def _service_codes(unit: Unit) -> list[str]:
    return list(UnitService.objects.filter(unit=unit).order_by("area").values_list("area", flat=True))


def _lock(unit: Unit) -> Unit:
    return Unit.objects.select_for_update().get(pk=unit.pk)


def _name(name: str) -> str:
    text = " ".join(name.split())
    if not text or len(text) > LONGEST_NAME:
        raise RuleError("unit-name", N_("单位名称应为 1 至 {most} 个字。请重新填写名称。"), most=LONGEST_NAME)
    return text


def _require_single(unit: Unit) -> None:
    twins: Iterable[Unit] = Unit.objects.filter(area=unit.area, name=unit.name, closed_on__isnull=True)
    if any(twin.pk != unit.pk for twin in twins):
        raise RuleError(
            "unit-exists",
            N_("{area}已有名为“{name}”的单位。请打开原有单位修改，或换一个名称。"),
            area=areas.name_of(unit.area),
            name=unit.name,
        )


def _require_open(unit: Unit) -> None:
    if unit.closed_on is not None:
        raise RuleError(
            "unit-closed",
            N_("{name}已于{day}停用，不能再变更。请改选在用的单位。"),
            name=unit.name,
            day=unit.closed_on,
        )


def _note(verb: str, unit: Unit, **detail: Any) -> Note:
    return Note(verb=verb, object_kind="unit", object_key=str(unit.uid), area=unit.area, detail=detail)
