"""What a person fills in to report a finding or begin a visit."""

from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

from django import forms
from django.utils.translation import gettext_lazy as _

from weicheng.cases.actions import NOTE_LIMIT
from weicheng.evidence.actions import Capture
from weicheng.evidence.forms import ACCEPT
from weicheng.inspections.actions import ADDRESS_LIMIT
from weicheng.inspections.drafts import FindingIn, PointIn, VisitIn
from weicheng.inspections.models import Finding, Visit
from weicheng.places.actor import Actor
from weicheng.places.areas import children, name_of
from weicheng.places.models import Unit
from weicheng.rules.areas import Level
from weicheng.standards import editions
from weicheng.standards.kinds import Category
from weicheng.ui.forms import AreaSelect, DayField, PhotoInput, PhotosField, Pills, PlaceField, UidField

KINDS_OFFERED = 8
RECENT_LOOKED_AT = 40
OTHER = "other"


def places_of(actor: Actor, on: date) -> list[tuple[str, Any]]:
    """Return the streets and communities of the actor's area as grouped choices for a select."""
    if not actor.area:
        return []
    level = Level(len(actor.area))
    if level >= Level.COMMUNITY:
        return [(actor.area, name_of(actor.area))]
    if level is Level.STREET:
        return [
            (actor.area, name_of(actor.area)),
            *((each.code, each.name) for each in children(actor.area, on)),
        ]
    streets = children(actor.area, on)
    if level is Level.CITY:
        streets = [street for district in streets for street in children(district.code, on)]
    return [
        (
            street.name,
            [(street.code, street.name), *((each.code, each.name) for each in children(street.code, on))],
        )
        for street in streets
    ]


def last_findings(actor: Actor) -> list[Finding]:
    """Return the actor's newest findings, from which the form learns what is usual for this person."""
    return list(
        Finding.objects.filter(by_key=actor.key).order_by("-id").only("category", "area")[:RECENT_LOOKED_AT]
    )


def kinds_for(actor: Actor, area: str, on: date, recent: list[Finding]) -> list[Category]:
    """Return the kinds to offer as buttons: the person's own of late first, then the catalogue's common ones."""
    catalogue = editions.categories(area, on).body
    # What people do (classes 06 and up) is met more often than what things lack (01 to 05).
    common = sorted((each.code for each in catalogue.common), key=lambda code: code < "06")
    codes = [*dict.fromkeys(finding.category for finding in recent), *common]
    return [catalogue.by_code[code] for code in dict.fromkeys(codes) if code in catalogue.by_code][
        :KINDS_OFFERED
    ]


class FindingForm(forms.Form):
    """A finding in four taps: kind, photo, send; place and severity are already there."""

    uid = UidField()
    visit = forms.UUIDField(widget=forms.HiddenInput, required=False)
    item = forms.CharField(widget=forms.HiddenInput, required=False, max_length=20)
    device_at = forms.DateTimeField(widget=forms.HiddenInput, required=False)
    kind = forms.ChoiceField(
        label=_("什么问题"),
        widget=Pills(),
        error_messages={"required": _("请点选一类问题。"), "invalid_choice": _("请从列表中点选一类问题。")},
    )
    category = forms.ChoiceField(
        label=_("其他类别"),
        required=False,
        widget=AreaSelect(),
        help_text=_("上面没有时，在这里输入几个字查找。"),
        error_messages={"invalid_choice": _("请从列表中选择类别。")},
    )
    photos = PhotosField(
        label=_("现场照片"), required=False, most=9, widget=PhotoInput(attrs={"accept": ACCEPT})
    )
    area = forms.ChoiceField(
        label=_("在哪里"),
        widget=AreaSelect(),
        error_messages={
            "required": _("请选择街道或社区。"),
            "invalid_choice": _("该区划不在您的辖区内。请从列表中选择。"),
        },
    )
    place = PlaceField(required=False)
    address = forms.CharField(
        label=_("具体地点"),
        required=False,
        max_length=ADDRESS_LIMIT,
        help_text=_("如：民主路 12 号门前。可不填。"),
    )
    unit = forms.ChoiceField(
        label=_("责任单位"),
        required=False,
        widget=AreaSelect(),
        help_text=_("不清楚可不选，由辖区派遣。"),
        error_messages={"invalid_choice": _("请从列表中选择责任单位。")},
    )
    severity = forms.ChoiceField(label=_("程度"), required=False, widget=Pills())
    note = forms.CharField(
        label=_("情况说明"), required=False, max_length=NOTE_LIMIT, widget=forms.Textarea(attrs={"rows": 2}),
        error_messages={"max_length": _("情况说明最多 %(limit_value)s 字，现在是 %(show_value)s 字。请精简，或作为附件上传。")},
    )  # fmt: skip
    occurred_on = DayField(
        label=_("发现日期"), required=False, error_messages={"invalid": _("请选择日期，如 2026-05-08。")}
    )

    def __init__(
        self,
        actor: Actor,
        on: date,
        *args: Any,
        unit: Unit | None = None,
        visit: Visit | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        recent = last_findings(actor)
        where = (
            (visit.area if visit else "") or (unit.area if unit else "") or self._usual_area(actor, recent)
        )
        if self.is_bound:
            # What was chosen decides what is offered, or the choice itself would not be on offer.
            where = str(self.data.get("area", "")) or where
        catalogue = editions.categories(where or actor.area, on).body
        offered = kinds_for(actor, where or actor.area, on, recent)
        self.offered = {each.code: each.severity or "" for each in offered}
        self.fields["kind"].choices = [(each.code, each.name) for each in offered] + [(OTHER, _("其他…"))]
        self.fields["category"].choices = [
            ("", _("请选择")),
            *((group.name, [(each.code, each.name) for each in group.items]) for group in catalogue.matters),
        ]
        scale = editions.severities(where or actor.area, on).body
        self.fields["severity"].choices = [
            ("", _("按类别默认")),
            *((s.code, f"{s.name} · {s.limit}") for s in scale.severities),
        ]
        self.fields["area"].choices = [("", _("请选择")), *places_of(actor, on)]
        self.fields["area"].initial = where
        units = units_near(actor, where, unit)
        self.fields["unit"].choices = [("", _("不指定")), *((str(each.uid), each.name) for each in units)]
        self.fields["occurred_on"].initial = on
        if unit is not None:
            self.fields["unit"].initial = str(unit.uid)
            self.fields["address"].initial = unit.address or unit.name
        if visit is not None:
            self.fields["visit"].initial = visit.uid
            self.fields["address"].initial = visit.place

    @staticmethod
    def _usual_area(actor: Actor, recent: list[Finding]) -> str:
        if actor.area and len(actor.area) >= Level.STREET:
            return actor.area
        return recent[0].area if recent else ""

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        kind = data.get("kind")
        if kind == OTHER and not data.get("category"):
            self.add_error("category", _("请选择具体类别。"))
        elif kind and kind != OTHER:
            data["category"] = kind
        return data

    def draft(self) -> FindingIn:
        """Return what was filled in, as it would have come by the API."""
        data = self.cleaned_data
        place = data["place"]
        point = None
        if place is not None:
            point = PointIn(
                lon=Decimal(str(place.lon)),
                lat=Decimal(str(place.lat)),
                accuracy_m=_decimal(place.accuracy_m),
                datum=place.datum,
                at=data["device_at"],
            )
        return FindingIn(
            uid=data["uid"],
            area=data["area"],
            category=data["category"],
            severity=data["severity"],
            note=data["note"],
            address=data["address"],
            unit=UUID(data["unit"]) if data["unit"] else None,
            visit=data["visit"],
            item=data["item"],
            occurred_on=data["occurred_on"],
            device_at=data["device_at"],
            point=point,
        )

    def capture(self) -> Capture:
        """Return what the device said of the moment and place, for the photos sent along."""
        data, place = self.cleaned_data, self.cleaned_data["place"]
        if place is None:
            return Capture(device_at=data["device_at"])
        return Capture(
            device_at=data["device_at"],
            lon=_decimal(place.lon),
            lat=_decimal(place.lat),
            accuracy_m=_decimal(place.accuracy_m),
            datum=place.datum,
        )


def _decimal(value: float | None) -> Decimal | None:
    return None if value is None else Decimal(str(value))


def units_near(actor: Actor, area: str, chosen: Unit | None = None, limit: int = 200) -> list[Unit]:
    """Return units to offer: the chosen one, then those of the community, then of the street."""
    rows = Unit.objects.visible_to(actor).open().only("id", "uid", "name", "area", "address", "lon", "lat")
    found = [chosen] if chosen else []
    if len(area) >= Level.COMMUNITY:
        found += rows.filter(community=area[: Level.COMMUNITY]).order_by("id")[:limit]
    if len(area) >= Level.STREET:
        found += rows.filter(street=area[: Level.STREET]).order_by("id")[:limit]
    return list({unit.pk: unit for unit in found}.values())[:limit]


# What is begun by itself; the others come of a round, which says who goes where.
OWN_KINDS = [
    (kind.value, kind.label)
    for kind in (
        Visit.Kind.ROUTINE, Visit.Kind.LEDGER, Visit.Kind.SHOP_FRONT, Visit.Kind.UNIT_CHECK, Visit.Kind.ROAD,
        Visit.Kind.SPECIAL, Visit.Kind.JOINT, Visit.Kind.LEADER,
    )
]  # fmt: skip


class VisitForm(forms.Form):
    """A visit to begin."""

    uid = UidField()
    kind = forms.ChoiceField(
        label=_("检查类型"), choices=OWN_KINDS, widget=Pills(), initial=Visit.Kind.ROUTINE,
        help_text=_("月评、暗访、模拟检查等从检查任务里开始。"),
    )  # fmt: skip
    area = forms.ChoiceField(
        label=_("在哪里"),
        widget=AreaSelect(),
        error_messages={
            "required": _("请选择街道或社区。"),
            "invalid_choice": _("该区划不在您的辖区内。请从列表中选择。"),
        },
    )
    unit = forms.ChoiceField(
        label=_("受检单位"),
        required=False,
        widget=AreaSelect(),
        error_messages={"invalid_choice": _("请从列表中选择受检单位。")},
    )
    place = forms.CharField(
        label=_("检查地点"), required=False, max_length=200, help_text=_("不填则用单位或区划名称。")
    )
    checklist = forms.ChoiceField(label=_("检查表"), required=False)
    leader = forms.CharField(
        label=_("带队领导"), required=False, max_length=60, help_text=_("领导带队检查时填写。")
    )
    participants = forms.CharField(
        label=_("参加部门"), required=False, max_length=300, help_text=_("部门联合检查时填写，用顿号分开。")
    )
    note = forms.CharField(
        label=_("备注"), required=False, max_length=1000, widget=forms.Textarea(attrs={"rows": 2})
    )

    def __init__(self, actor: Actor, on: date, *args: Any, unit: Unit | None = None, **kwargs: Any) -> None:
        """unit: known from the link one came by; it is offered wherever it lies."""
        super().__init__(*args, **kwargs)
        where = str(self.data.get("area", "")) if self.is_bound else str(self.initial.get("area", ""))
        where = where or (unit.area if unit else "") or FindingForm._usual_area(actor, last_findings(actor))
        self.fields["area"].choices = [("", _("请选择")), *places_of(actor, on)]
        self.fields["area"].initial = where
        self.fields["unit"].choices = [
            ("", _("不指定")),
            *((str(u.uid), u.name) for u in units_near(actor, where, unit)),
        ]
        self.fields["unit"].initial = str(unit.uid) if unit else ""
        self.fields["checklist"].choices = [
            ("", _("不用检查表（自由巡查）")),
            *((each.key, each.title) for each in editions.checklists(actor.area, on)),
        ]

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if data.get("kind") == Visit.Kind.LEADER and not data.get("leader"):
            self.add_error("leader", _("领导带队检查要写明带队领导。请填写姓名和职务。"))
        if data.get("kind") == Visit.Kind.JOINT and not data.get("participants"):
            self.add_error("participants", _("部门联合检查要写明参加部门。请至少填写一个。"))
        return data

    def draft(self) -> VisitIn:
        """Return what was filled in, as it would have come by the API."""
        data = self.cleaned_data
        return VisitIn(
            uid=data["uid"], area=data["area"], kind=data["kind"], unit=UUID(data["unit"]) if data["unit"] else None,
            place=data["place"], checklist=data["checklist"], note=data["note"], leader=data["leader"],
            participants=data["participants"],
        )  # fmt: skip
