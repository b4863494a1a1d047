"""What a person may type about areas, units and people. What is allowed, the verbs decide."""

from collections.abc import Callable, Iterable
from datetime import date
from typing import Any, TypeVar

from django import forms
from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from weicheng.places import areas, kinds
from weicheng.places.actor import Actor
from weicheng.places.models import Area, Post, Unit
from weicheng.places.roles import LABELS, LEVEL_NAMES, POWERS, Role
from weicheng.places.unit_verbs import Point, UnitFields
from weicheng.rules.areas import Level
from weicheng.rules.coordinates import Datum
from weicheng.rules.errors import ForbiddenError, MissingError, RuleError
from weicheng.ui.forms import AreaSelect, DayField, Pills, UidField, with_unit

T = TypeVar("T")
MOST_UNITS = 3000  # in a picker; beyond it one goes through the unit's own page


def attempt(form: forms.Form, do: Callable[[], T], fields: dict[str, str] | None = None) -> T | None:
    """Return do(), or None with the refusal's sentence at the form: at `fields[code]` or above all fields.

    Absent and forbidden are pages of their own and pass.
    """
    try:
        return do()
    except (MissingError, ForbiddenError):
        raise
    except RuleError as error:
        name = (fields or {}).get(error.code)
        form.add_error(name if name in form.fields else None, error.sentence(_))
        return None


def typed(request: HttpRequest) -> Any:
    """Return what was sent, even when it is nothing at all; None where nothing was."""
    return request.POST if request.method == "POST" else None


def area_choices(actor: Actor, on: date, levels: Iterable[Level] | None = None) -> list[tuple[str, str]]:
    """Return (code, name from below the actor's own area) of the areas in reach that exist on the day."""
    wanted = None if levels is None else {int(level) for level in levels}
    top = actor.area[:-1] if actor.area else ""
    made = []
    for _column, code in actor.reach:
        rows = Area.objects.filter(pk__gte=code, pk__lt=f"{code}:").open_on(on).order_by("pk")
        made += [
            (one, areas.path_name(one, top=top))
            for one in rows.values_list("pk", flat=True)
            if wanted is None or len(one) in wanted
        ]
    return made


# --- signing in ----------------------------------------------------------------------------------


class SignInForm(forms.Form):
    login = forms.CharField(
        label=gettext_lazy("登录名"),
        max_length=40,
        widget=forms.TextInput({"autocomplete": "username", "autocapitalize": "none", "autofocus": True}),
        error_messages={"required": gettext_lazy("请填写登录名。")},
    )
    password = forms.CharField(
        label=gettext_lazy("密码"),
        max_length=128,
        strip=False,
        widget=forms.PasswordInput({"autocomplete": "current-password"}),
        error_messages={"required": gettext_lazy("请填写密码。")},
    )
    next = forms.CharField(required=False, widget=forms.HiddenInput)


class PasswordForm(forms.Form):
    old = forms.CharField(
        label=gettext_lazy("原密码"),
        max_length=128,
        strip=False,
        widget=forms.PasswordInput({"autocomplete": "current-password"}),
    )
    new = forms.CharField(
        label=gettext_lazy("新密码"),
        max_length=128,
        strip=False,
        widget=forms.PasswordInput({"autocomplete": "new-password"}),
    )
    again = forms.CharField(
        label=gettext_lazy("再次填写新密码"),
        max_length=128,
        strip=False,
        widget=forms.PasswordInput({"autocomplete": "new-password"}),
    )

    def clean(self) -> dict[str, Any]:
        given = super().clean() or {}
        if given.get("new") and given.get("again") and given["new"] != given["again"]:
            self.add_error("again", _("两次填写的新密码不同。请重新填写。"))
        return given


class TokenForm(forms.Form):
    label = forms.CharField(
        label=gettext_lazy("用途"),
        max_length=60,
        help_text=gettext_lazy("例如：大屏、数据对接。便于日后辨认。"),
    )
    days = with_unit(forms.IntegerField(label=gettext_lazy("有效期"), min_value=1), gettext_lazy("天"))


# --- areas ---------------------------------------------------------------------------------------


class OpenAreaForm(forms.Form):
    code = forms.CharField(label=gettext_lazy("区划代码"), max_length=15)
    name = forms.CharField(label=gettext_lazy("名称"), max_length=60)
    on = DayField(label=gettext_lazy("设立日期"))


class RenameAreaForm(forms.Form):
    name = forms.CharField(label=gettext_lazy("新名称"), max_length=60)
    on = DayField(
        label=gettext_lazy("更名日期"), help_text=gettext_lazy("这一天起用新名称，此前的记录仍显示原名称。")
    )


class CloseForm(forms.Form):
    on = DayField(label=gettext_lazy("撤销日期"), help_text=gettext_lazy("这一天起不再存在。"))


class MergeAreaForm(forms.Form):
    into = forms.ChoiceField(label=gettext_lazy("并入"), widget=AreaSelect)
    on = DayField(label=gettext_lazy("生效日期"))

    def __init__(self, *args: Any, choices: list[tuple[str, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["into"].choices = choices


class MoveAreaForm(forms.Form):
    to_code = forms.CharField(
        label=gettext_lazy("新代码"),
        max_length=15,
        help_text=gettext_lazy("新上级的代码加上本级的位数。下级区划、在用单位和岗位一并改用新代码。"),
    )
    on = DayField(label=gettext_lazy("生效日期"))


class GridsForm(forms.Form):
    names = forms.CharField(
        label=gettext_lazy("网格名称"),
        widget=forms.Textarea({"rows": 6}),
        help_text=gettext_lazy("一行一个。代码按顺序自动编排。"),
    )
    on = DayField(label=gettext_lazy("设立日期"))


# --- units ---------------------------------------------------------------------------------------

DATUMS = [
    (Datum.CGCS2000.value, gettext_lazy("CGCS2000 / 天地图")),
    (Datum.WGS84.value, gettext_lazy("WGS84 / 手机定位")),
    (Datum.GCJ02.value, gettext_lazy("GCJ-02 / 高德、腾讯地图")),
    (Datum.BD09.value, gettext_lazy("BD-09 / 百度地图")),
]
UNIT_FIELDS = {
    "unit-name": "name",
    "unit-exists": "name",
    "unknown-area": "area",
    "closed-area": "area",
    "foreign-area": "area",
    "address-long": "address",
    "credit-code-form": "credit_code",
    "credit-code-check": "credit_code",
    "phone-invalid": "contact_phone",
    "contact-name": "contact_name",
    "point-incomplete": "lon",
    "coordinate-out-of-range": "lon",
}


class UnitForm(forms.Form):
    """A unit of one kind, with the kind's own fields.

    unit: the one being changed, None for a new one
    """

    uid = UidField(required=False)
    base = forms.IntegerField(required=False, widget=forms.HiddenInput)
    name = forms.CharField(label=gettext_lazy("名称"), max_length=120)
    area = forms.ChoiceField(label=gettext_lazy("所属区划"), widget=AreaSelect)
    address = forms.CharField(label=gettext_lazy("地址"), max_length=200, required=False)
    credit_code = forms.CharField(
        label=gettext_lazy("统一社会信用代码"),
        max_length=30,
        required=False,
        help_text=gettext_lazy("18 位。没有可留空。"),
    )
    contact_name = forms.CharField(label=gettext_lazy("联系人"), max_length=40, required=False)
    contact_phone = forms.CharField(
        label=gettext_lazy("联系电话"),
        max_length=30,
        required=False,
        widget=forms.TextInput({"inputmode": "tel"}),
    )
    contact_clear = forms.BooleanField(label=gettext_lazy("清除已登记的联系人"), required=False)
    lon = forms.DecimalField(label=gettext_lazy("经度"), required=False, max_digits=12, decimal_places=9)
    lat = forms.DecimalField(label=gettext_lazy("纬度"), required=False, max_digits=12, decimal_places=9)
    datum = forms.ChoiceField(
        label=gettext_lazy("坐标系"),
        choices=DATUMS,
        required=False,
        help_text=gettext_lazy("从哪种地图上读到的经纬度。保存时统一换算为 CGCS2000。"),
    )
    accuracy_m = with_unit(
        forms.DecimalField(
            label=gettext_lazy("定位精度"), required=False, min_value=0, max_digits=8, decimal_places=1
        ),
        gettext_lazy("米"),
    )
    services = forms.MultipleChoiceField(
        label=gettext_lazy("另外服务的区划"),
        required=False,
        widget=forms.SelectMultiple({"size": 6}),
        help_text=gettext_lazy("单位不在这些区划内、但承担其事项时选择。可多选。"),
    )

    def __init__(
        self, *args: Any, actor: Actor, kind: Any, on: date, unit: Unit | None = None, **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self.kind, self.unit = kind, unit
        choices = area_choices(actor, on)
        self.fields["area"].choices = [("", _("请选择")), *choices]
        known = dict(choices)
        extra = [code for code in self.initial.get("services", []) if code not in known]
        self.fields["services"].choices = [*choices, *((code, areas.path_name(code)) for code in extra)]
        for one in kind.fields if kind else ():
            self.fields[f"p_{kinds.attribute(one, 'id')}"] = _own_field(one)
        if unit is None or not unit.contact_masked:
            del self.fields["contact_clear"]
        else:
            hint = _("已登记：{contact}。留空表示不变。").format(contact=unit.contact_masked)
            self.fields["contact_name"].help_text = hint
        order = ["name", "area", "address", *(name for name in self.fields if name.startswith("p_"))]
        self.order_fields(order)

    def values(self) -> UnitFields:
        given = self.cleaned_data
        contact: dict[str, str] | None = None
        if given.get("contact_clear"):
            contact = {}
        elif given["contact_name"] or given["contact_phone"]:
            contact = {"name": given["contact_name"], "phone": given["contact_phone"]}
        point = None
        if given["lon"] is not None or given["lat"] is not None:
            datum = given["datum"] or Datum.CGCS2000.value
            point = Point(given["lon"], given["lat"], datum, given["accuracy_m"])
        return UnitFields(
            name=given["name"],
            kind=self.kind.code if self.kind else (self.unit.kind if self.unit else "other"),
            area=given["area"],
            address=given["address"],
            credit_code=given["credit_code"],
            particulars={name[2:]: value for name, value in given.items() if name.startswith("p_")},
            point=point,
            contact=contact,
            services=given["services"],
        )


def _own_field(one: Any) -> forms.Field:
    """Return the form field of one of a kind's own fields."""
    kind, title = kinds.attribute(one, "kind", "text"), kinds.attribute(one, "title")
    common: dict[str, Any] = {"label": title, "required": bool(kinds.attribute(one, "required", False))}
    made: forms.Field
    if kind == "integer":
        made = forms.IntegerField(**common)
    elif kind == "decimal":
        made = forms.DecimalField(**common)
    elif kind == "date":
        made = DayField(**common)
    elif kind == "yesno":
        made = forms.ChoiceField(choices=[("是", _("是")), ("否", _("否"))], widget=Pills, **common)
    elif kind == "choice":
        made = forms.ChoiceField(choices=[("", _("请选择")), *kinds.options(one)], **common)
    else:
        made = forms.CharField(max_length=500, **common)
    unit = kinds.attribute(one, "unit")
    return with_unit(made, unit) if unit else made


class MergeUnitForm(forms.Form):
    into = forms.ModelChoiceField(
        Unit.objects.none(),
        label=gettext_lazy("并入"),
        widget=AreaSelect,
        empty_label=gettext_lazy("请选择"),
        help_text=gettext_lazy("本单位停用，联络员、服务范围和未办结事项归入所选单位。"),
    )

    def __init__(self, *args: Any, units: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["into"].queryset = units


class FileForm(forms.Form):
    file = forms.FileField(
        label=gettext_lazy("表格文件"),
        widget=forms.FileInput({"accept": ".xlsx,.xls,.ods,.csv"}),
        help_text=gettext_lazy("支持 .xlsx、.xls、.ods、.csv，一次最多 5000 行。"),
        error_messages={
            "required": gettext_lazy("还没有选择文件。请选择填好的表格。"),
            "empty": gettext_lazy("文件是空的。请选择填好的表格。"),
        },
    )


# --- people --------------------------------------------------------------------------------------


class UserForm(forms.Form):
    login = forms.CharField(
        label=gettext_lazy("登录名"),
        max_length=40,
        help_text=gettext_lazy("3 至 40 个字符，不含空格。"),
        widget=forms.TextInput({"autocomplete": "off", "autocapitalize": "none"}),
    )
    name = forms.CharField(label=gettext_lazy("姓名"), max_length=40)
    email = forms.CharField(label=gettext_lazy("邮箱"), max_length=120, required=False)


class PersonForm(forms.Form):
    name = forms.CharField(label=gettext_lazy("姓名"), max_length=40)
    email = forms.CharField(label=gettext_lazy("邮箱"), max_length=120, required=False)


POST_FIELDS = {
    "unknown-role": "role",
    "administrators-apart": "role",
    "post-needs-unit": "unit",
    "unit-closed": "unit",
    "post-needs-area": "area",
    "post-level": "area",
    "unknown-area": "area",
    "closed-area": "area",
    "foreign-area": "area",
    "post-dates": "to_on",
}


class PostForm(forms.Form):
    role = forms.ChoiceField(
        label=gettext_lazy("角色"), choices=[(role.value, LABELS[role]) for role in Role]
    )
    area = forms.ChoiceField(
        label=gettext_lazy("区划"),
        required=False,
        widget=AreaSelect,
        help_text=gettext_lazy("单位联络员不填，其他角色必填。"),
    )
    unit = forms.ModelChoiceField(
        Unit.objects.none(),
        label=gettext_lazy("单位"),
        required=False,
        widget=AreaSelect,
        empty_label=gettext_lazy("请选择"),
        help_text=gettext_lazy("只有单位联络员填写。"),
    )
    title = forms.CharField(label=gettext_lazy("职务"), max_length=60, required=False)
    from_on = DayField(label=gettext_lazy("任职开始"))
    to_on = DayField(
        label=gettext_lazy("任职结束"), required=False, help_text=gettext_lazy("当日仍在任。长期任职可留空。")
    )

    def __init__(self, *args: Any, actor: Actor, on: date, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        within = {level for level in Level if actor.level and level >= actor.level}
        reachable = [role for role in Role if POWERS[role].at_unit or POWERS[role].levels & within]
        self.fields["role"].choices = [(role.value, LABELS[role]) for role in reachable]
        levels = set().union(*(POWERS[role].levels for role in reachable)) & within
        self.fields["area"].choices = [("", _("请选择")), *area_choices(actor, on, levels)]
        units = Unit.objects.filter(actor.reach_q(Unit)).open().order_by("name")
        self.fields["unit"].queryset = units
        shown = list(units[:MOST_UNITS])
        self.fields["unit"].widget.choices = [
            ("", _("请选择")),
            *((unit.pk, f"{unit.name}（{areas.name_of(unit.area)}）") for unit in shown),
        ]


def role_help() -> list[tuple[str, str]]:
    """Return (role, where it may be) for the page beside the form."""
    made = []
    for role in Role:
        powers = POWERS[role]
        where = (
            _("单位")
            if powers.at_unit
            else "、".join(str(LEVEL_NAMES[level]) for level in sorted(powers.levels))
        )
        made.append((str(LABELS[role]), where))
    return made


class EndPostForm(forms.Form):
    on = DayField(
        label=gettext_lazy("最后在任日"),
        help_text=gettext_lazy("当日仍在任。选昨天或更早，登录和令牌立即失效。"),
    )
    to_post = forms.ModelChoiceField(
        Post.objects.none(),
        label=gettext_lazy("未办结工作移交给"),
        required=False,
        widget=AreaSelect,
        empty_label=gettext_lazy("不移交"),
    )

    def __init__(self, *args: Any, posts: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["to_post"].queryset = posts
        self.fields["to_post"].label_from_instance = post_label


def post_label(post: Post) -> str:
    """Return 张三 · 泰山街道 · 街道."""
    where = post.unit.name if post.unit else areas.name_of(post.area)
    return f"{post.user.name} · {where} · {post.title or LABELS[Role(post.role)]}"
