"""What a person may type about who is in charge of an area."""

from datetime import date
from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from weicheng.places.actor import Actor
from weicheng.places.charges import LONGEST_NAME, LONGEST_TEXT, ChargeIn
from weicheng.places.forms import area_choices
from weicheng.places.models import CHARGE_LABELS, Post, User
from weicheng.places.roles import ADMINISTRATORS, LABELS, Role
from weicheng.rules.charges import LEVELS, ChargeKind
from weicheng.ui.forms import AreaSelect, DayField, Pills, UidField

MOST_PEOPLE = 2000  # in the picker; those beyond it are entered by name

CHARGE_FIELDS = {
    "charge-kind": "kind",
    "charge-level": "area",
    "closed-area": "area",
    "unknown-area": "area",
    "foreign-area": "area",
    "charge-name": "name",
    "phone-invalid": "phone",
    "charge-dates": "to_on",
    "charge-overlap": "from_on",
    "charge-ended": "on",
    "charge-text": "targets",
    "reason-missing": "reason",
}


def people_choices(actor: Actor, on: date) -> list[tuple[str, str]]:
    """Return (user id, name and post) of those who hold a post in the reach, administrators left out."""
    held = Post.objects.filter(actor.reach_q(Post)).held_on(on).select_related("user").order_by("user__name")
    rows = held.exclude(role__in=[*ADMINISTRATORS, Role.LIAISON])[:MOST_PEOPLE]
    named = {str(row.user_id): f"{row.user.name}（{row.title or LABELS[Role(row.role)]}）" for row in rows}
    return [("", _("不关联账号")), *named.items()]


def user_of(chosen: str) -> User | None:
    """Return the user that was chosen from `people_choices`, or None."""
    return User.objects.filter(pk=chosen).first() if chosen else None


class _WhoForm(forms.Form):
    user = forms.ChoiceField(
        label=gettext_lazy("系统账号"),
        required=False,
        widget=AreaSelect,
        help_text=gettext_lazy("有账号的请选择，本人登录后能看到自己包抓的区划。"),
    )
    name = forms.CharField(
        label=gettext_lazy("姓名或科室"),
        max_length=LONGEST_NAME,
        required=False,
        help_text=gettext_lazy("选了账号可不填。科室承包填科室名称。"),
    )
    title = forms.CharField(label=gettext_lazy("职务或负责人"), max_length=LONGEST_NAME, required=False)
    phone = forms.CharField(
        label=gettext_lazy("办公电话"),
        max_length=20,
        required=False,
        widget=forms.TextInput({"inputmode": "tel", "autocomplete": "off"}),
        help_text=gettext_lazy("填办公电话，能看到这条登记的人都能看到；领导页面上可直接拨打。"),
    )

    def __init__(self, *args: Any, actor: Actor, on: date, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["user"].choices = people_choices(actor, on)


class ChargeForm(_WhoForm):
    kind = forms.ChoiceField(
        label=gettext_lazy("类别"),
        widget=Pills,
        choices=[(kind.value, label) for kind, label in CHARGE_LABELS.items()],
    )
    area = forms.ChoiceField(
        label=gettext_lazy("区划"),
        widget=AreaSelect,
        help_text=gettext_lazy("领导包抓到街道或社区，干部联络到街道，科室承包到社区。"),
    )
    from_on = DayField(label=gettext_lazy("开始日期"))
    to_on = DayField(
        label=gettext_lazy("结束日期"), required=False, help_text=gettext_lazy("当日仍负责；长期的可留空。")
    )
    targets = forms.CharField(
        label=gettext_lazy("目标任务"),
        max_length=LONGEST_TEXT,
        required=False,
        widget=forms.Textarea({"rows": 3}),
        help_text=gettext_lazy("科室承包写明接手的遗留问题，一行一个。"),
    )
    due_on = DayField(label=gettext_lazy("完成期限"), required=False)
    uid = UidField()
    revision = forms.IntegerField(widget=forms.HiddenInput, min_value=1, initial=1)

    field_order = ("kind", "area", "user", "name", "title", "phone", "from_on", "to_on", "targets", "due_on")

    def __init__(self, *args: Any, actor: Actor, on: date, fixed: bool = False, **kwargs: Any) -> None:
        super().__init__(*args, actor=actor, on=on, **kwargs)
        if fixed:
            # A charge keeps its kind and area: another area is another charge.
            del self.fields["kind"], self.fields["area"], self.fields["uid"]
            return
        below = {each for kind in ChargeKind for each in LEVELS[kind] if actor.level and each > actor.level}
        self.fields["area"].choices = [("", _("请选择")), *area_choices(actor, on, below)]
        self.fields["kind"].choices = [
            (kind.value, CHARGE_LABELS[kind]) for kind in ChargeKind if LEVELS[kind] & below
        ]

    def given(self, kind: str = "", area: str = "") -> ChargeIn:
        said = self.cleaned_data
        return ChargeIn(
            kind=kind or said["kind"],
            area=area or said["area"],
            name=said["name"],
            title=said["title"],
            phone=said["phone"],
            targets=said["targets"],
            from_on=said["from_on"],
            to_on=said["to_on"],
            due_on=said["due_on"],
            user=user_of(said["user"]),
        )


class EndForm(forms.Form):
    on = DayField(label=gettext_lazy("最后一天"))
    result = forms.CharField(
        label=gettext_lazy("结果"),
        max_length=LONGEST_TEXT,
        required=False,
        widget=forms.Textarea({"rows": 3}),
    )
    solved = forms.TypedChoiceField(
        label=gettext_lazy("遗留问题是否解决"),
        required=False,
        choices=[("", gettext_lazy("未评定")), ("1", gettext_lazy("已解决")), ("0", gettext_lazy("未解决"))],
        coerce=lambda text: text == "1",
        empty_value=None,
        widget=Pills,
    )


class HandOverForm(_WhoForm):
    on = DayField(label=gettext_lazy("接任的第一天"), help_text=gettext_lazy("原负责人到前一天为止。"))

    field_order = ("on", "user", "name", "title", "phone")


class CancelForm(forms.Form):
    reason = forms.CharField(label=gettext_lazy("作废原因"), max_length=200)
