"""Units from and to a workbook, through the one importer."""

import copy
import json
import uuid
from collections.abc import Iterable
from datetime import datetime
from functools import partial
from typing import Any

from django.db.models import Q
from django.utils.translation import gettext as _

from weicheng.places import kinds, unit_verbs, unit_versions
from weicheng.places.actor import Actor
from weicheng.places.actors import today
from weicheng.places.models import Area, Unit
from weicheng.places.unit_verbs import Point, UnitFields
from weicheng.rules.errors import RuleError
from weicheng.rules.privacy import check_credit_code, check_phone
from weicheng.ui.imports import Fail, Field, Importer, Plan, Row, Sheet

STAR = "*"
PARTICULAR = "particular."


class UnitImport(Importer):
    """What a row of the unit sheet means to an actor: areas of the reach, kinds in force today."""

    def __init__(self, actor: Actor, at: datetime) -> None:
        self.actor, self.at = actor, at
        on = today(at)
        self.kinds = kinds.of(actor.area, on) if actor.area else []
        self.kind_codes = {kind.name: kind.code for kind in self.kinds}
        self.kind_names = {kind.code: kind.name for kind in self.kinds}
        rows = Area.objects.open_on(on).filter(_below(actor))
        self.area_codes = {code: code for code in rows.values_list("pk", flat=True)}
        names: dict[str, list[str]] = {}
        for code, name in rows.values_list("pk", "name"):
            names.setdefault(name, []).append(code)
        # A name that is used once in the reach may stand for its code.
        self.area_codes.update({name: codes[0] for name, codes in names.items() if len(codes) == 1})
        self.sheet = Sheet("units", _("单位"), self._fields())

    def _fields(self) -> list[Field]:
        own: dict[str, Field] = {}
        taken = set()
        fields = [
            Field(
                "name", _("名称"), required=True, parse=partial(_short, 120), aliases=("单位名称",), width=30
            ),
            Field("kind", _("类别"), required=True, choices=tuple(self.kind_codes), aliases=("单位类别",)),
            Field(
                "area",
                _("所属区划"),
                required=True,
                parse=self._area,
                aliases=("区划", "区划代码", "所属社区"),
                help=_("填写区划代码；名称在本辖区内不重复时也可填名称。"),
            ),
            Field("address", _("地址"), parse=partial(_short, 200), width=36),
            Field("credit_code", _("统一社会信用代码"), parse=_credit_code, aliases=("信用代码",), width=22),
            Field("contact_name", _("联系人"), parse=partial(_short, 40)),
            Field("contact_phone", _("联系电话"), parse=_phone, aliases=("电话", "手机")),
            Field("lon", _("经度"), parse=partial(_number, 180), width=13),
            Field("lat", _("纬度"), parse=partial(_number, 90), width=13),
        ]
        taken = {field.title for field in fields}
        for kind in self.kinds:
            for one in kind.fields:
                title = kinds.attribute(one, "title")
                # Kinds share a column where their fields share a title; one that clashes names its kind.
                if title in taken and f"{PARTICULAR}{title}" not in own:
                    title = f"{kind.name}{title}"
                own.setdefault(f"{PARTICULAR}{title}", Field(f"{PARTICULAR}{title}", title))
        return [*fields, *own.values()]

    def _area(self, text: str) -> str:
        code = self.area_codes.get("".join(text.split()))
        if code is None:
            raise ValueError(
                _("本辖区没有名称或代码为“{value}”的区划，或不止一个。请填写区划代码。").format(
                    value=text[:40]
                )
            )
        return code

    # --- rows in ---------------------------------------------------------------------------------
    def plan(self, rows: list[Row], fail: Fail) -> list[Plan]:
        known = self._known(rows)
        by_key = {str(unit.uid): unit for unit in known}
        by_place = {(unit.area, unit.name): unit for unit in known if unit.closed_on is None}
        plans: list[Plan] = []
        seen: dict[tuple[str, str], int] = {}
        for row in rows:
            place = (row.values["area"], row.values["name"])
            if place in seen:
                fail(row, "name", _("与第{line}行是同一单位。请删去重复的一行。").format(line=seen[place]))
                continue
            seen[place] = row.line
            target = by_key.get(row.key) if row.key else by_place.get(place)
            if row.key and target is None:
                fail(
                    row, "", _("没有系统编号为“{key}”的单位。新单位请清空系统编号。").format(key=row.key[:40])
                )
                continue
            twin = by_place.get(place)
            if target is not None and twin is not None and twin.pk != target.pk:
                fail(row, "name", _("该区划已有同名单位。请换一个名称，或删去这一行。"))
                continue
            try:
                fields = self._read(row, target)
                draft = Unit(opened_on=today(self.at)) if target is None else copy.copy(target)
                before = unit_versions.payload(draft, ()) if target else {}
                contact = unit_verbs.contact_of(draft)
                if target is not None and target.closed_on is not None:
                    fail(row, "name", _("这个单位已停用，不能再修改。请删去这一行。"))
                    continue
                unit_verbs.fill(draft, fields, by=self.actor, at=self.at)
            except RuleError as error:
                fail(row, _field_of(error), error.sentence(_))
                continue
            if target is None:
                plans.append(Plan(row, "new", None, fields))
            elif before == unit_versions.payload(draft, ()) and contact == unit_verbs.contact_of(draft):
                plans.append(Plan(row, "same", target, fields))
            else:
                plans.append(Plan(row, "changed", target, fields))
        return plans

    def commit(self, plans: list[Plan]) -> None:
        for plan in plans:
            if plan.target is None:
                unit_verbs.create_unit(fields=plan.data, by=self.actor, at=self.at)
            else:
                unit_verbs.change_unit(
                    unit=plan.target, fields=plan.data, by=self.actor, at=self.at, verb="import"
                )

    def _known(self, rows: list[Row]) -> list[Unit]:
        """Return every unit of the reach that a row may mean, in a few statements."""
        keys = [row.key for row in rows if _is_uuid(row.key)]
        names = list({row.values["name"] for row in rows})
        found: dict[int, Unit] = {}
        visible = Unit.objects.filter(self.actor.reach_q(Unit))
        for column, values in (("uid", keys), ("name", names)):
            for start in range(0, len(values), 500):
                for unit in visible.filter(**{f"{column}__in": values[start : start + 500]}):
                    found[unit.pk] = unit
        return list(found.values())

    def _read(self, row: Row, target: Unit | None) -> UnitFields:
        values = row.values
        kind = next((kind for kind in self.kinds if kind.name == values["kind"]), None)
        particulars: dict[str, Any] = {}
        for one in kind.fields if kind else ():
            title = kinds.attribute(one, "title")
            for name in (f"{PARTICULAR}{title}", f"{PARTICULAR}{kind.name if kind else ''}{title}"):
                if values.get(name):
                    particulars[kinds.attribute(one, "id")] = values[name]
        point = None
        if values.get("lon") or values.get("lat"):
            point = Point(
                values.get("lon"), values.get("lat"), accuracy_m=target.accuracy_m if target else None
            )
        return UnitFields(
            name=values["name"],
            kind=self.kind_codes.get(values["kind"], values["kind"]),
            area=values["area"],
            address=values.get("address", "") if "address" in values else (target.address if target else ""),
            credit_code=values.get("credit_code", ""),
            particulars=particulars,
            point=point,
            contact=self._contact(values, target),
        )

    def _contact(self, values: dict[str, Any], target: Unit | None) -> dict[str, str] | None:
        """Return the contact as given; None keeps what is known, because the file only showed it masked."""
        name, phone = values.get("contact_name", ""), values.get("contact_phone", "")
        if STAR in name + phone:
            if (
                target is not None
                and " ".join(part for part in (name, phone) if part) == target.contact_masked
            ):
                return None
            raise RuleError("contact-masked", _("联系人或电话含有星号。请填写完整，或保持导出时的样子。"))
        return {"name": name, "phone": phone}

    # --- rows out --------------------------------------------------------------------------------
    def rows_of(self, units: Iterable[Unit]) -> Iterable[tuple[str, dict[str, Any]]]:
        """Return (key, values by field id) as the sheet writes them; contacts masked."""
        titles = {field.id for field in self.sheet.fields}
        by_code = {kind.code: kind for kind in self.kinds}
        for unit in units:
            name, _space, phone = unit.contact_masked.partition(" ")
            if not phone and (name[:1].isdigit() or not unit.contact_masked):
                name, phone = "", name
            values = {
                "name": unit.name,
                "kind": self.kind_names.get(unit.kind, unit.kind),
                "area": unit.area,
                "address": unit.address,
                "credit_code": unit.credit_code,
                "contact_name": name,
                "contact_phone": phone,
                "lon": unit.lon,
                "lat": unit.lat,
            }
            kind = by_code.get(unit.kind)
            stored = json.loads(unit.particulars or "{}")
            for one in kind.fields if kind else ():
                value = stored.get(kinds.attribute(one, "id"))
                if value is None:
                    continue
                title = kinds.attribute(one, "title")
                column = f"{PARTICULAR}{title}"
                if column not in titles:
                    column = f"{PARTICULAR}{kind.name if kind else ''}{title}"
                labels = dict(kinds.options(one))
                shown = {True: "是", False: "否"}.get(value) if isinstance(value, bool) else value
                values[column] = labels.get(str(shown), shown)
            yield str(unit.uid), values


def _below(actor: Actor) -> Q:
    reached = Q(pk__in=[])
    for _column, code in actor.reach:
        reached |= Q(pk__startswith=code)
    return reached


def _short(most: int, text: str) -> str:
    text = " ".join(text.split())
    if len(text) > most:
        raise ValueError(_("有 {length} 个字，最多 {most} 个。请缩短。").format(length=len(text), most=most))
    return text


def _credit_code(text: str) -> str:
    return check_credit_code(text) if text else ""


def _phone(text: str) -> str:
    return text if not text or STAR in text else check_phone(text)


def _number(most: int, text: str) -> str:
    if not text:
        return ""
    try:
        right = abs(float(text)) <= most
    except ValueError:
        right = False
    if not right:
        raise ValueError(
            _("“{value}”应为 -{most} 至 {most} 之间的数字。请改正或留空。").format(value=text[:40], most=most)
        )
    return text


def _is_uuid(text: str) -> bool:
    try:
        return str(uuid.UUID(text)) == text.lower()
    except ValueError:
        return False


_FIELDS = {
    "unit-name": "name",
    "unit-exists": "name",
    "unknown-kind": "kind",
    "particular-missing": "kind",
    "particular-invalid": "kind",
    "unknown-area": "area",
    "closed-area": "area",
    "foreign-area": "area",
    "address-long": "address",
    "credit-code-form": "credit_code",
    "credit-code-check": "credit_code",
    "contact-masked": "contact_phone",
    "contact-name": "contact_name",
    "phone-invalid": "contact_phone",
    "point-incomplete": "lon",
    "coordinate-out-of-range": "lon",
}


def _field_of(error: RuleError) -> str:
    return _FIELDS.get(error.code, "name")
