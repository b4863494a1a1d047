"""What a person may type about documents."""

from datetime import date
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from weicheng.documents.actions import WORDS_LIMIT
from weicheng.documents.models import NOTICE_KINDS, Kind
from weicheng.indicators import periods
from weicheng.rules.content import Content
from weicheng.rules.issuing import NEEDS_REASON, Act
from weicheng.standards.kinds import place_title
from weicheng.ui.forms import Pills, UidField

_HELP = {"requirements": _("每行一段。")}


class BulletinForm(forms.Form):
    """Which month."""

    uid = UidField()
    month = forms.ChoiceField(
        label=_("月份"),
        error_messages={"required": _("请选择月份。"), "invalid_choice": _("请从列表中选择月份。")},
        help_text=_("数字按此刻的记录统计，签发前可以重新统计。"),
    )

    def __init__(self, today: date, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        months = next(offers for kind, offers in periods.offers(today) if str(kind) == "月")
        field = self.fields["month"]
        assert isinstance(field, forms.ChoiceField)
        field.choices = [(offer.text, offer.label) for offer in months]
        # The month that has just ended is the one to report on.
        if len(months) > 1:
            field.initial = months[1].text


class WordsForm(forms.Form):
    """The words that are an office's own: title, addressees, reason, requirements; figures are not typed."""

    base = forms.IntegerField(widget=forms.HiddenInput, required=False, min_value=1)

    def __init__(self, content: Content, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["title"] = forms.CharField(
            label=_("标题"), max_length=120, initial=content.title,
            error_messages={"required": _("请填写标题。"), "max_length": _("标题最多 120 字，请精简。")},
        )  # fmt: skip
        self.fields["addressed_to"] = forms.CharField(
            label=_("主送机关"), max_length=300, required=False, initial=content.addressed_to,
            help_text=_("以冒号结尾，例如：各街道办事处，区各有关单位："),
        )  # fmt: skip
        for key, text in content.own_words().items():
            self.fields[key] = forms.CharField(
                label=str(place_title(key)), initial=text, max_length=WORDS_LIMIT, required=False,
                widget=forms.Textarea(attrs={"rows": min(10, max(3, text.count("\n") + 2))}),
                help_text=_HELP.get(key, ""),
                error_messages={"max_length": _("文字最多 %(limit_value)s 字，请精简。")},
            )  # fmt: skip
        self.fields["copies_to"] = forms.CharField(
            label=_("抄送"), max_length=300, required=False, initial=content.copies_to
        )


class ActForm(forms.Form):
    """One act, confirmed; with a reason where it has to say why."""

    base = forms.IntegerField(widget=forms.HiddenInput, required=False, min_value=1)

    def __init__(self, act: Act, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if act in NEEDS_REASON:
            self.fields["reason"] = forms.CharField(
                label=_("理由"), max_length=200, widget=forms.Textarea(attrs={"rows": 3}),
                error_messages={"required": _("请写明理由。"), "max_length": _("理由最多 200 字，请精简。")},
            )  # fmt: skip


class NoticesForm(forms.Form):
    """Which kind of notice."""

    batch = UidField()
    kind = forms.ChoiceField(
        label=_("文书"),
        choices=[(kind.value, kind.label) for kind in NOTICE_KINDS],
        initial=Kind.RECTIFY.value,
        widget=Pills(),
        error_messages={"required": _("请选择文书。"), "invalid_choice": _("请从列表中选择文书。")},
    )
