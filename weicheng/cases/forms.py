"""What a person may type to make a move."""

from typing import Any
from uuid import UUID

from django import forms
from django.utils import timezone
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from weicheng.cases.actions import NOTE_LIMIT
from weicheng.cases.models import Case
from weicheng.cases.split import Piece
from weicheng.evidence.forms import ACCEPT
from weicheng.places.actor import Actor
from weicheng.places.models import Unit, UnitService
from weicheng.rules.areas import ancestors
from weicheng.rules.cases import NEEDS, PARTS_LEAST, PARTS_MOST, TASK_LIMIT, Move
from weicheng.ui.forms import AreaSelect, MomentField, PhotoInput, PhotosField, UidField

UNITS_OFFERED = 300

_NOTE_HELP = {
    Move.HAND_IN: _("做了什么、做到什么程度，一句话即可。"),
    Move.DECLINE: _("说明为什么不属于本单位，便于改派。"),
    Move.FAIL: _("说明哪里还不到位，责任单位会看到。"),
    Move.ASK_EXTENSION: _("说明为什么不能按期完成。"),
    Move.CANCEL: _("说明撤销的理由，会留在记录中。"),
    Move.SUPERVISE: _("督办要求，责任单位和辖区会看到。"),
}


def chargeable_units(case_area: str, actor: Actor) -> list[Unit]:
    """Return units to offer for a case: those of its community, its street, and those serving the place.

    At most 300; a unit further away is charged by typing its name.
    """
    place = case_area[:9] if len(case_area) >= 9 else case_area
    serving = UnitService.objects.filter(area__in=ancestors(actor.area or place)).values("unit_id")
    near = list(
        Unit.objects.visible_to(actor).open().filter(**{"street" if len(place) == 9 else "district": place[:9]})
        .only("id", "uid", "name", "area", "street", "community")[:UNITS_OFFERED]
    )  # fmt: skip
    far = list(Unit.objects.open().filter(pk__in=serving).only("id", "uid", "name", "area")[:UNITS_OFFERED])
    own = [unit for unit in near if unit.area.startswith(case_area)]
    ordered = [*own, *far, *near]
    return list({unit.pk: unit for unit in ordered}.values())[:UNITS_OFFERED]


class MoveForm(forms.Form):
    """One form for every move: it has the fields that the move needs, and a note."""

    uid = UidField()
    base = forms.IntegerField(widget=forms.HiddenInput, required=False, min_value=1)

    def __init__(self, move: Move, case: Case | None, actor: Actor, *args: Any, **kwargs: Any) -> None:
        kwargs.setdefault("prefix", None)
        super().__init__(*args, **kwargs)
        self.move = move
        # Twelve forms may stand on one page; an id may not stand there twice.
        self.auto_id = f"{move}_%s"
        needs = NEEDS.get(move, frozenset())
        if case is not None:
            self.fields["base"].initial = case.version
        if "unit" in needs:
            units = chargeable_units(case.area if case else actor.area, actor)
            self.fields["unit"] = forms.ChoiceField(
                label=_("责任单位"),
                choices=[("", _("请选择")), *((str(unit.uid), unit.name) for unit in units)],
                widget=AreaSelect(),
                error_messages={
                    "required": _("请选择责任单位。"),
                    "invalid_choice": _("请从列表中选择责任单位。"),
                },
            )
        if "until" in needs:
            self.fields["until"] = MomentField(
                label=_("申请延至"),
                error_messages={"required": _("请选择延至何时。"), "invalid": _("请选择日期和时间。")},
            )
        self.fields["note"] = forms.CharField(
            label=_("说明"),
            required="note" in needs,
            max_length=NOTE_LIMIT,
            widget=forms.Textarea(attrs={"rows": 3}),
            help_text=_NOTE_HELP.get(move, ""),
            error_messages={
                "required": _("请用一句话写明情况。"),
                "max_length": _(
                    "说明最多 %(limit_value)s 字，现在是 %(show_value)s 字。请精简，或作为附件上传。"
                ),
            },
        )
        if "photo" in needs:
            self.fields["photos"] = PhotosField(
                label=_("整改后照片"), required=False, most=9, widget=PhotoInput(attrs={"accept": ACCEPT})
            )

    def clean_until(self) -> Any:
        until = self.cleaned_data["until"]
        if until <= timezone.now():
            raise forms.ValidationError(_("申请的期限已经过去。请选择今后的时间。"))
        return until


class SplitForm(forms.Form):
    """Several units, each with its part; empty rows at the end are left out."""

    uid = UidField()
    base = forms.IntegerField(widget=forms.HiddenInput, required=False, min_value=1)
    rows = forms.IntegerField(widget=forms.HiddenInput, required=False, min_value=1, max_value=PARTS_MOST)

    def __init__(self, case: Case, actor: Actor, rows: int, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["base"].initial = case.version
        self.fields["rows"].initial = self.count = min(max(rows, PARTS_LEAST), PARTS_MOST)
        units = [
            ("", _("请选择")),
            *((str(unit.uid), unit.name) for unit in chargeable_units(case.area, actor)),
        ]
        for number in range(1, self.count + 1):
            self.fields[f"unit_{number}"] = forms.ChoiceField(
                label=format_lazy(_("单位 {number}"), number=number),
                choices=units,
                required=False,
                widget=AreaSelect(),
                error_messages={"invalid_choice": _("请从列表中选择责任单位。")},
            )
            self.fields[f"task_{number}"] = forms.CharField(
                label=format_lazy(_("单位 {number} 的任务"), number=number),
                required=False,
                max_length=TASK_LIMIT,
                help_text=_("这个单位做什么，一句话。") if number == 1 else "",
                error_messages={
                    "max_length": _("任务最多 %(limit_value)s 字，现在是 %(show_value)s 字。请精简。")
                },
            )
        self.fields["note"] = forms.CharField(
            label=_("说明"), required=False, max_length=NOTE_LIMIT, widget=forms.Textarea(attrs={"rows": 2})
        )

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        for number in range(1, self.count + 1):
            unit, task = data.get(f"unit_{number}", ""), data.get(f"task_{number}", "")
            if unit and not task and f"task_{number}" not in self.errors:
                self.add_error(f"task_{number}", _("请写明这个单位的任务。"))
            if task and not unit and f"unit_{number}" not in self.errors:
                self.add_error(f"unit_{number}", _("请选择承担这项任务的单位。"))
        return data

    def pieces(self) -> list[Piece]:
        """Return the filled rows; call it on a valid form."""
        data = self.cleaned_data
        return [
            Piece(UUID(data[f"unit_{number}"]), data[f"task_{number}"])
            for number in range(1, self.count + 1)
            if data.get(f"unit_{number}")
        ]
