"""What a person fills in at one line of a visit's check list."""

import re
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from weicheng.evidence.forms import ACCEPT
from weicheng.inspections.answers import TEXT_LIMIT
from weicheng.inspections.drafts import AnswerIn
from weicheng.inspections.models import Answer, Visit
from weicheng.places.actor import Actor
from weicheng.places.models import Unit
from weicheng.rules.answers import COUNT_LIMIT, RESULT_LABELS, Result
from weicheng.standards import editions
from weicheng.standards.editions import Categories
from weicheng.ui.forms import DayField, MomentField, PhotoInput, PhotosField

OFFERED = (Result.PASS, Result.PARTLY, Result.FAIL, Result.NA)
_CODE = re.compile(r"\s*([0-9]{5})(?:\s|$)")
_TOO_LONG = _("最多 %(limit_value)s 字，现在是 %(show_value)s 字。请精简，或作为附件上传。")


class AnswerForm(forms.Form):
    """One line: result under the thumb, the rest only where something is wrong. `prefix` names the line."""

    result = forms.ChoiceField(
        choices=[(each.value, RESULT_LABELS[each]) for each in OFFERED],
        error_messages={
            "required": _("请先选择结论：通过、部分通过、不通过或不适用。"),
            "invalid_choice": _("请选择通过、部分通过、不通过或不适用。"),
        },
    )
    base = forms.IntegerField(required=False, min_value=0)
    count = forms.IntegerField(
        required=False, min_value=1, max_value=COUNT_LIMIT,
        error_messages=dict.fromkeys(
            ("invalid", "min_value", "max_value"), _("问题数请填写 1 到 99 的整数。")
        ),
    )  # fmt: skip
    points = forms.DecimalField(
        required=False, max_digits=8, decimal_places=3, error_messages={"invalid": _("扣分请填写数字，如 1.5。")}
    )  # fmt: skip
    note = forms.CharField(required=False, max_length=TEXT_LIMIT, error_messages={"max_length": _TOO_LONG})
    opinion = forms.CharField(required=False, max_length=TEXT_LIMIT, error_messages={"max_length": _TOO_LONG})
    due_on = DayField(required=False, error_messages={"invalid": _("请选择日期，如 2026-05-08。")})
    category = forms.CharField(required=False, max_length=80)
    unit = forms.CharField(required=False, max_length=120)
    step = forms.CharField(required=False, max_length=12)
    informed_at = MomentField(required=False)
    arrived_at = MomentField(required=False)
    cleared_at = MomentField(required=False)
    photos = PhotosField(required=False, most=9, widget=PhotoInput(attrs={"accept": ACCEPT}))

    def __init__(self, actor: Actor, visit: Visit, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.actor, self.visit = actor, visit

    @property
    def is_said(self) -> bool:
        """Was anything chosen at this line? What was not touched is not an answer."""
        return bool(self.data.get(self.add_prefix("result")) or self.files.getlist(self.add_prefix("photos")))

    @property
    def sentences(self) -> list[str]:
        return [str(sentence) for sentences in self.errors.values() for sentence in sentences]

    def clean_category(self) -> str:
        """Return the code of what was typed or chosen: "06010 暴露垃圾", a code, or a name of the catalogue."""
        text = str(self.cleaned_data["category"]).strip()
        if not text:
            return ""
        catalogue = editions.categories(self.visit.area, self.visit.visited_on)
        code = _CODE.match(text)
        found = code.group(1) if code else _by_name(catalogue, text)
        if found not in catalogue.body.by_code:
            raise forms.ValidationError(_("请从列表中选择问题类别。"))
        return found

    def clean_unit(self) -> Unit | None:
        text = str(self.cleaned_data["unit"]).strip()
        if not text:
            return None
        units = list(Unit.objects.visible_to(self.actor).open().filter(name=text).order_by("id")[:9])
        near = [unit for unit in units if unit.area.startswith(self.visit.area[:9])] or units
        if not near:
            raise forms.ValidationError(
                _("没有名为“%(name)s”的单位。请从列表中选择。"), params={"name": text}
            )
        return near[0]

    def draft(self, answer: Answer) -> AnswerIn:
        """Return what was filled in, as it would have come by the API."""
        data = self.cleaned_data
        wrong = Result(data["result"]).is_wrong
        return AnswerIn(
            uid=answer.uid,
            item=answer.item,
            spot=answer.spot,
            result=data["result"],
            # What stands in a folded part of the page is not meant when the line passes.
            count=data["count"] if wrong else None,
            points=data["points"] if wrong else None,
            note=data["note"],
            opinion=data["opinion"],
            due_on=data["due_on"] if wrong else None,
            category=data["category"] if wrong else "",
            unit=data["unit"].uid if wrong and data["unit"] else None,
            step=data["step"] if wrong else "",
            informed_at=data["informed_at"] if wrong else None,
            arrived_at=data["arrived_at"] if wrong else None,
            cleared_at=data["cleared_at"] if wrong else None,
            base=data["base"] or 0,
        )


def _by_name(catalogue: Categories, text: str) -> str:
    return next((each.code for each in catalogue.body.by_code.values() if each.name == text), "")


class EndForm(forms.Form):
    """The end of a visit: what was not answered is said to be unchecked, or answered first."""

    unchecked = forms.BooleanField(required=False)
