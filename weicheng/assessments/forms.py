"""What a person may type to make a board, to appeal, and to answer an appeal."""

from collections.abc import Sequence
from datetime import date
from typing import Any

from django import forms
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from weicheng.assessments import actions, appeals
from weicheng.assessments.boards import schemes_for
from weicheng.assessments.entries import plain
from weicheng.assessments.models import Appeal, Board, Loss
from weicheng.evidence.forms import PhotosMixin
from weicheng.indicators import periods
from weicheng.places.actor import Actor
from weicheng.rules.areas import Level
from weicheng.rules.figures import Period
from weicheng.ui.forms import Pills, UidField, with_unit

_TOO_LONG = {"max_length": _("最多 %(limit_value)s 字，现在是 %(show_value)s 字。请精简，或作为附件上传。")}


def levels_for(actor: Actor) -> list[tuple[str, Any]]:
    """Return (value, label) of what an office may assess: what lies below it, and units."""
    levels = [Board.Level.COMMUNITY, Board.Level.UNIT]
    if len(actor.area) < Level.STREET:
        levels.insert(0, Board.Level.STREET)
    return [(level.value, level.label) for level in levels]


class BoardForm(forms.Form):
    """A new board: what is scored, for which period, under which scheme."""

    level = forms.ChoiceField(label=_("考评对象"), widget=Pills())
    period = forms.ChoiceField(label=_("时段"), error_messages={"invalid_choice": _("请从列表中选择时段。")})
    scheme = forms.ChoiceField(
        label=_("考核办法"),
        help_text=_("按时段最后一天生效的版本计算。"),
        error_messages={"invalid_choice": _("请从列表中选择考核办法。")},
    )

    def __init__(self, actor: Actor, on: date, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.on = on
        found = {level: schemes_for(actor.area, level, on) for level, _label in levels_for(actor)}
        levels = [(level, label) for level, label in levels_for(actor) if found[level]]
        self.fields["level"].choices = levels
        self.fields["level"].initial = levels[0][0] if levels else None
        self.fields["period"].choices = [
            (str(gettext(kind)), [(one.text, one.label) for one in offers])
            for kind, offers in periods.offers(on)
        ]
        self.fields["period"].initial = f"{Period.month(f'{on:%Y-%m}').previous().start:%Y-%m}"
        schemes = {one.key: one for editions in found.values() for one in editions}
        self.has_schemes = bool(schemes)
        self.fields["scheme"].choices = [(key, f"{one.title}（{one.label}）") for key, one in schemes.items()]

    def chosen_period(self) -> Period:
        """Return the period that the text means."""
        return periods.read(self.cleaned_data["period"], "", "", self.on)[1]


class PublishForm(forms.Form):
    """Why a board is published before its appeal window ends; not asked after it."""

    reason = forms.CharField(
        label=_("提前公布的理由"),
        max_length=actions.REASON_LIMIT,
        required=False,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text=_("公示期内公布要写明理由；申诉期不变，到期前仍可申诉。"),
        error_messages=_TOO_LONG,
    )

    def __init__(self, *args: Any, asks_reason: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not asks_reason:
            del self.fields["reason"]


class AppealForm(PhotosMixin):
    """Why a line is wrong, with what proves it."""

    uid = UidField()
    reason = forms.CharField(
        label=_("申诉理由"),
        max_length=appeals.REASON_LIMIT,
        widget=forms.Textarea(attrs={"rows": 5}),
        help_text=_("写明哪里与事实不符：当时的情况、责任不在本单位的依据等。"),
        error_messages={"required": _("请写明申诉理由：哪里与事实不符，有什么证据。"), **_TOO_LONG},
    )

    field_order = ("reason", "photos")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["photos"].label = _("证据照片")
        self.fields["photos"].help_text = _("可不传；现场照片、值班记录的照片等。")


class MorePhotosForm(PhotosMixin):
    """Further material of an appeal that waits for its answer."""


class DecisionForm(forms.Form):
    """The answer to an appeal."""

    state = forms.ChoiceField(
        label=_("答复"),
        widget=Pills(tones={"accepted": "green", "partly": "yellow", "rejected": "red"}),
        choices=[
            (state.value, state.label)
            for state in (Appeal.State.ACCEPTED, Appeal.State.PARTLY, Appeal.State.REJECTED)
        ],
        error_messages={"required": _("请选择采纳、部分采纳或不采纳。")},
    )
    restored = with_unit(
        forms.DecimalField(
            label=_("还回的分数"),
            required=False,
            max_digits=12,
            decimal_places=4,
            widget=forms.NumberInput(attrs={"step": "any", "inputmode": "decimal"}),
            error_messages={
                "invalid": _("请填写数字，例如 0.5。"),
                "max_decimal_places": _("请最多保留 %(max)s 位小数。"),
            },
        ),
        _("分"),
    )
    follow_ups = forms.BooleanField(
        required=False,
        initial=True,
        help_text=_("这是同一条问题带来的后续扣分；问题不成立，后续扣分通常也不成立。"),
    )
    reason = forms.CharField(
        label=_("答复理由"),
        max_length=appeals.REASON_LIMIT,
        widget=forms.Textarea(attrs={"rows": 4}),
        error_messages={"required": _("请写明答复的理由，申诉方会看到。"), **_TOO_LONG},
    )

    field_order = ("state", "restored", "follow_ups", "reason")

    def __init__(self, loss: Loss, follow_ups: Sequence[Loss], *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if follow_ups:
            said = "、".join(
                gettext("{title} {points} 分").format(
                    title=line.title, points=plain(line.asked - line.restored)
                )
                for line in follow_ups
            )
            self.fields["follow_ups"].label = gettext("采纳时连同撤销：{lines}").format(lines=said)
        else:
            del self.fields["follow_ups"]
        self.fields["restored"].help_text = gettext(
            "只在部分采纳时填写：大于 0、小于该行所扣的 {lost} 分。全部采纳即还回整行。"
        ).format(lost=plain(loss.asked - loss.restored))

    def decision(self) -> appeals.Decision:
        """Return what was answered, as `appeals.decide_appeal` takes it."""
        data = self.cleaned_data
        # Without the question there is nothing to strike, whatever is said.
        return appeals.Decision(
            Appeal.State(data["state"]), data["reason"], data["restored"], data.get("follow_ups", True)
        )
