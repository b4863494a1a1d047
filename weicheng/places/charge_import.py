"""The table of charges from and to a workbook, through the one importer."""

from collections.abc import Iterable
from datetime import date, datetime
from typing import Any

from django.utils.translation import gettext as _

from weicheng.places import areas, charges
from weicheng.places.actor import Actor
from weicheng.places.actors import today
from weicheng.places.charges import ChargeIn
from weicheng.places.forms import area_choices
from weicheng.places.models import CHARGE_LABELS, Charge
from weicheng.rules.charges import LEVELS, ChargeKind, Span, overlapping
from weicheng.rules.errors import RuleError
from weicheng.rules.privacy import check_phone
from weicheng.ui.imports import Fail, Field, Importer, Plan, Row, Sheet


class ChargeImport(Importer):
    """A row is one person or section over one area; the same kind, area, name and first day is the same charge."""

    def __init__(self, actor: Actor, at: datetime) -> None:
        self.actor, self.at = actor, at
        on = today(at)
        self.kinds = {str(label): kind for kind, label in CHARGE_LABELS.items()}
        levels = {each for kind in ChargeKind for each in LEVELS[kind] if actor.level and each > actor.level}
        names: dict[str, list[str]] = {}
        for code, _name in area_choices(actor, on, levels):
            names.setdefault(areas.name_of(code), []).append(code)
            names[code] = [code]
        # A name that is used once in the reach may stand for its code.
        self.codes = {name: found[0] for name, found in names.items() if len(found) == 1}
        self.sheet = Sheet("charges", _("包抓联络"), self._fields())

    def _fields(self) -> list[Field]:
        return [
            Field("kind", _("类别"), required=True, choices=tuple(self.kinds)),
            Field(
                "area",
                _("区划"),
                required=True,
                parse=self._area,
                aliases=("街道", "社区", "区划代码"),
                width=24,
            ),
            Field("name", _("姓名或科室"), required=True, aliases=("姓名", "科室", "联络员", "包抓领导")),
            Field("title", _("职务或负责人"), aliases=("职务", "负责人")),
            Field("phone", _("办公电话"), parse=_phone, aliases=("电话", "联系电话"), width=16),
            Field(
                "from_on", _("开始日期"), required=True, parse=_day, aliases=("开始", "起始日期"), width=13
            ),
            Field("to_on", _("结束日期"), parse=_day, aliases=("结束", "截止日期"), width=13),
            Field("targets", _("目标任务"), aliases=("任务", "遗留问题"), width=40),
            Field("due_on", _("完成期限"), parse=_day, aliases=("期限",), width=13),
        ]

    def _area(self, text: str) -> str:
        code = self.codes.get("".join(text.split()))
        if code is None:
            message = _("没有可登记的区划“{value}”，或不止一个。请填写本辖区下级区划的代码。")
            raise ValueError(message.format(value=text[:40]))
        return code

    # --- rows in ---------------------------------------------------------------------------------
    def plan(self, rows: list[Row], fail: Fail) -> list[Plan]:
        known = list(Charge.objects.valid().filter(self.actor.reach_q(Charge)))
        by_uid = {str(row.uid): row for row in known}
        by_what = {(row.kind, row.area, row.name, row.from_on): row for row in known}
        plans: list[Plan] = []
        taken: dict[int | str, int] = {}
        for row in rows:
            given = self._given(row)
            target = by_uid.get(row.key) if row.key else by_what.get(
                (given.kind, given.area, given.name, given.from_on)
            )  # fmt: skip
            if row.key and target is None:
                message = _("没有系统编号为“{key}”的登记。新登记请清空系统编号。")
                fail(row, "", message.format(key=row.key[:40]))
                continue
            if target and (target.kind, target.area) != (given.kind, given.area):
                fail(row, "area", _("已有登记的类别和区划不能改。请结束原登记，另加一行。"))
                continue
            mark = target.pk if target else f"line {row.line}"
            if mark in taken:
                fail(row, "name", _("与第{line}行是同一条登记。请删去重复的一行。").format(line=taken[mark]))
                continue
            taken[mark] = row.line
            plans.append(Plan(row, self._verdict(given, target), target, given))
        self._check(plans, known, fail)
        return plans

    def _check(self, plans: list[Plan], known: list[Charge], fail: Fail) -> None:
        """Ask each row what its verb would ask, the rest of the file taken into account."""
        replaced = {plan.target.pk for plan in plans if plan.target}
        spans: dict[tuple[str, str], list[tuple[str, Span]]] = {}
        for row in known:
            if row.pk not in replaced:
                spans.setdefault((row.kind, row.area), []).append((row.name, row.span))
        for plan in plans:
            given: ChargeIn = plan.data
            try:
                charges.check(given, by=self.actor)
            except RuleError as error:
                fail(plan.row, _FIELDS.get(error.code, "name"), error.sentence(_))
                continue
            others = spans.setdefault((given.kind, given.area), [])
            wanted = Span(given.from_on, given.to_on, given.name)
            alone = given.kind in charges.ONE_AT_A_TIME
            other = overlapping([span for name, span in others if alone or name == given.name], wanted)
            if other is not None:
                message = _("与{who}（{begin} 至 {end}）的日期重叠。请改填不重叠的日期。")
                end = other.end or _("今后")
                fail(plan.row, "from_on", message.format(who=other.who, begin=other.begin, end=end))
                continue
            others.append((given.name, wanted))

    def _given(self, row: Row) -> ChargeIn:
        values = row.values
        return ChargeIn(
            kind=self.kinds[values["kind"]].value,
            area=values["area"],
            name=" ".join(values["name"].split()),
            title=values.get("title") or "",
            phone=values.get("phone") or "",
            targets=(values.get("targets") or "").strip(),
            from_on=values["from_on"],
            to_on=values.get("to_on") or None,
            due_on=values.get("due_on") or None,
        )

    @staticmethod
    def _verdict(given: ChargeIn, target: Charge | None) -> Any:
        if target is None:
            return "new"
        names = ("name", "title", "phone", "targets", "from_on", "to_on", "due_on")
        same = all(getattr(given, name) == getattr(target, name) for name in names)
        return "same" if same else "changed"

    def commit(self, plans: list[Plan]) -> None:
        # Changes first, those that end sooner before others: what is freed may be taken by another row.
        last = date.max
        order = sorted(plans, key=lambda plan: (plan.target is None, plan.data.to_on or last))
        for plan in order:
            given: ChargeIn = plan.data
            if plan.target is None:
                charges.set_charge(given=given, by=self.actor, at=self.at)
            elif plan.verdict == "changed":
                kept = plan.target.user
                given = ChargeIn(**{**given.__dict__, "user": kept})
                charges.change_charge(
                    charge=plan.target, revision=plan.target.revision, given=given, by=self.actor, at=self.at
                )

    # --- rows out --------------------------------------------------------------------------------
    def rows_of(self, rows: Iterable[Charge]) -> Iterable[tuple[str, dict[str, Any]]]:
        """Return (key, values by field id) as the sheet writes them."""
        for row in rows:
            yield (
                str(row.uid),
                {
                    "kind": str(row.kind_label),
                    "area": row.area,
                    "name": row.name,
                    "title": row.title,
                    "phone": row.phone,
                    "from_on": row.from_on.isoformat(),
                    "to_on": row.to_on.isoformat() if row.to_on else "",
                    "targets": row.targets,
                    "due_on": row.due_on.isoformat() if row.due_on else "",
                },
            )


_FIELDS = {
    "charge-level": "area",
    "closed-area": "area",
    "charge-name": "name",
    "charge-dates": "to_on",
    "charge-text": "targets",
}


def _phone(text: str) -> str:
    return check_phone(text) if text.strip() else ""


def _day(text: str) -> date | None:
    if not text:
        return None
    cleaned = text.strip().split(" ")[0].replace("/", "-").replace(".", "-")
    cleaned = cleaned.replace("年", "-").replace("月", "-").replace("日", "")
    try:
        year, month, day = (int(part) for part in cleaned.split("-"))
        return date(year, month, day)
    except ValueError:
        raise ValueError(_("“{value}”无法识别。请写成 2026-05-08。").format(value=text[:40])) from None
