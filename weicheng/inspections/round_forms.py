"""What a person fills in to plan, draw and publish a round, and to give or lift a yellow card."""

from collections.abc import Sequence
from datetime import date
from typing import Any
from uuid import UUID

from django import forms
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from weicheng.inspections.draws import REASON_LIMIT, DrawIn, Frame, named
from weicheng.inspections.models import Draw, Finding, Round, RoundKind, RoundPlace, Visit, YellowCard
from weicheng.inspections.rounds import OPINION_LIMIT, TEXT_LIMIT, TITLE_LIMIT, RoundIn, Source
from weicheng.inspections.yellow_cards import TEXT_LIMIT as CARD_LIMIT
from weicheng.inspections.yellow_cards import TO_AREA, TO_UNIT, CardIn
from weicheng.places.actor import Actor
from weicheng.places.areas import name_of
from weicheng.rules.areas import Level
from weicheng.rules.draws import Inspector
from weicheng.rules.errors import RuleError
from weicheng.standards import editions
from weicheng.ui.forms import AreaSelect, CheckPills, DayField, Pills, UidField, with_unit

MOST_PLACES = 5000
SOURCES = {
    Source.UNITS: _("单位"),
    Source.COMMUNITIES: _("社区（村）"),
    Source.STREETS: _("街道（镇）"),
    Source.GRIDS: _("网格（村民小组）"),
}
APART = [("", _("不限")), ("month", _("本月")), ("quarter", _("本季度")), ("year", _("本年"))]
BY = [("both", _("类型和街道")), ("street", _("街道")), ("kind", _("类型"))]


def _offer(form: forms.Form, name: str, choices: Any) -> None:
    """Set what a field offers."""
    field = form.fields[name]
    assert isinstance(field, forms.ChoiceField)
    field.choices = choices


def _area_text(rows: int = 3) -> forms.Textarea:
    return forms.Textarea(attrs={"rows": rows})


class RoundForm(forms.Form):
    """A round to plan."""

    uid = UidField()
    version = forms.IntegerField(widget=forms.HiddenInput, required=False)
    kind = forms.ChoiceField(
        label=_("检查类型"), choices=RoundKind.choices, widget=Pills(), initial=RoundKind.ROUTINE
    )
    title = forms.CharField(label=_("任务名称"), max_length=TITLE_LIMIT)
    theme = forms.CharField(label=_("主题"), max_length=TEXT_LIMIT, required=False)
    starts_on = DayField(label=_("开始日期"))
    ends_on = DayField(label=_("结束日期"))
    hidden = forms.BooleanField(
        label=_("公布前对受检方保密"),
        required=False,
        help_text=_("暗访一律保密：公布前，只有本办公室和抽到的检查人看得到。"),
    )
    checklists = forms.MultipleChoiceField(label=_("检查表"), required=False, widget=CheckPills())
    source = forms.ChoiceField(
        label=_("检查对象"), choices=list(SOURCES.items()), widget=Pills(), initial=Source.UNITS
    )
    unit_kinds = forms.MultipleChoiceField(
        label=_("单位类型"),
        required=False,
        widget=CheckPills(),
        help_text=_("检查单位时选择；不选为全部类型。"),
    )
    departments = forms.CharField(
        label=_("参加部门"),
        required=False,
        widget=_area_text(),
        help_text=_("联合检查时填写，每行一个部门。"),
    )
    leader = forms.CharField(
        label=_("带队领导"), required=False, max_length=60, help_text=_("领导带队检查时填写姓名和职务。")
    )
    group = forms.CharField(
        label=_("检查组"),
        required=False,
        max_length=TEXT_LIMIT,
        help_text=_("模拟检查、专家评估时填写组别和成员。"),
    )

    def __init__(self, actor: Actor, on: date, *args: Any, round: Round | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        _offer(self, "checklists", [(one.key, one.title) for one in editions.checklists(actor.area, on)])
        _offer(
            self,
            "unit_kinds",
            [(kind.code, kind.name) for kind in editions.unit_kinds_or_none(actor.area, on)],
        )
        if not self.is_bound and round is None:
            self.initial = dict(self.initial) | {"starts_on": on, "ends_on": on}
        if round is not None:
            facts = round.facts
            self.initial = dict(self.initial) | {
                "uid": round.uid, "version": round.version, "kind": round.kind, "title": round.title,
                "theme": round.theme, "starts_on": round.starts_on, "ends_on": round.ends_on,
                "hidden": round.hidden, "checklists": round.checklist_keys,
                "source": facts.get("source", Source.UNITS), "unit_kinds": facts.get("unit_kinds", []),
                "departments": "\n".join(facts.get("departments", [])), "leader": facts.get("leader", ""),
                "group": facts.get("group", ""),
            }  # fmt: skip

    def draft(self) -> RoundIn:
        """Return what was filled in."""
        data = self.cleaned_data
        departments = [line.strip()[:60] for line in data["departments"].splitlines() if line.strip()]
        return RoundIn(
            uid=data["uid"], kind=data["kind"], title=data["title"], theme=data["theme"],
            starts_on=data["starts_on"], ends_on=data["ends_on"], hidden=data["hidden"],
            checklists=tuple(data["checklists"]), source=data["source"], unit_kinds=tuple(data["unit_kinds"]),
            departments=tuple(dict.fromkeys(departments)), leader=data["leader"], group=data["group"],
        )  # fmt: skip


class FrameForm(forms.Form):
    """What may be drawn, and how it is grouped; sent by itself it only shows the frame anew."""

    apart = forms.ChoiceField(
        label=_("不重复的时段"), choices=APART, required=False, widget=Pills(),
        help_text=_("这段时间里本办公室其他任务已有的地点不再抽取。"),
    )  # fmt: skip
    by = forms.ChoiceField(label=_("分组方式"), choices=BY, required=False, widget=Pills())


class DrawForm(forms.Form):
    """A draw to make: so many at random, these beforehand, among these inspectors, of the frame that is shown."""

    version = forms.IntegerField(widget=forms.HiddenInput)
    apart = forms.CharField(widget=forms.HiddenInput, required=False)
    by = forms.CharField(widget=forms.HiddenInput, required=False)
    total = with_unit(
        forms.IntegerField(
            label=_("随机抽取"), min_value=0, max_value=MOST_PLACES, required=False,
            help_text=_("按各组大小分配；也可在下面逐组填写数量。"),
        ),
        _("处"),
    )  # fmt: skip
    recommended = forms.CharField(
        label=_("推荐的地点"), required=False, widget=_area_text(4), max_length=20_000,
        help_text=_("受检方推荐的，每行一个名称。推荐的必查，不再参加随机抽取。"),
    )  # fmt: skip
    inspectors = forms.MultipleChoiceField(
        label=_("检查人"), required=False, widget=CheckPills(),
        help_text=_("从所选人员中随机确定，本人所在单位、辖区自动回避。不选则不指定检查人。"),
    )  # fmt: skip
    reason = forms.CharField(
        label=_("重新抽取的原因"), max_length=REASON_LIMIT, widget=_area_text(2),
        error_messages={"required": _("请写明为什么重新抽取。原结果会一并保留。")},
    )  # fmt: skip

    def __init__(
        self,
        round: Round,
        frame: Frame,
        people: Sequence[Inspector],
        last: Draw | None,
        *args: Any,
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        self.frame = frame
        self.fields["version"].initial = round.version
        _offer(self, "inspectors", [(one.key, one.name) for one in people])
        if last is None:
            del self.fields["reason"]

    def clean_recommended(self) -> tuple[str, ...]:
        try:
            return named(self.frame, self.cleaned_data["recommended"].splitlines())
        except RuleError as error:
            raise forms.ValidationError(error.sentence(gettext)) from None

    def draft(self, quotas: dict[str, int]) -> DrawIn:
        """Return what was filled in, with the quotas of single strata where there are any."""
        data = self.cleaned_data
        return DrawIn(
            total=data["total"] or 0, quotas=quotas, recommended=data["recommended"],
            inspectors=tuple(data["inspectors"]), apart=data["apart"], by=data["by"] or "both", reason=data.get("reason", ""),
        )  # fmt: skip


class QuotaForm(forms.Form):
    """How many of each stratum; nothing filled in means by size."""

    def __init__(self, strata: dict[str, int], *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **{**kwargs, "prefix": "quota"})
        self.strata = list(strata)
        for number, (name, size) in enumerate(strata.items()):
            self.fields[str(number)] = with_unit(
                forms.IntegerField(
                    label=name or _("全部"), min_value=0, max_value=MOST_PLACES, required=False
                ),
                f"/ {size}",
            )

    def quotas(self) -> dict[str, int]:
        """Return stratum → number of those that were filled in."""
        found = {name: self.cleaned_data.get(str(number)) for number, name in enumerate(self.strata)}
        return {name: number for name, number in found.items() if number is not None}


class BeginForm(forms.Form):
    """A visit of a place of a round to begin."""

    uid = UidField()
    checklist = forms.ChoiceField(label=_("检查表"), widget=Pills(), required=False)

    def __init__(self, round: Round, on: date, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        titles = {one.key: one.title for one in editions.checklists(round.area, on)}
        keys = round.checklist_keys
        _offer(self, "checklist", [(key, titles.get(key, key)) for key in keys])
        self.fields["checklist"].initial = keys[0] if keys else ""
        if not keys:
            del self.fields["checklist"]


class AssignForm(forms.Form):
    """Another inspector for a place."""

    inspector = forms.ChoiceField(label=_("改派给"), widget=AreaSelect())

    def __init__(self, people: dict[str, str], place: RoundPlace, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        _offer(self, "inspector", [("", _("请选择")), *people.items()])
        self.fields["inspector"].initial = place.inspector_key


class PublishForm(forms.Form):
    """What is said of a round when it is published."""

    conclusion = forms.ChoiceField(
        label=_("结论"),
        choices=[("", _("不作结论")), *Round.Conclusion.choices],
        widget=Pills(),
        required=False,
    )
    opinion = forms.CharField(
        label=_("总体意见"), required=False, max_length=OPINION_LIMIT, widget=_area_text(5)
    )


class CardForm(forms.Form):
    """A yellow card to give on the ground of a visit."""

    uid = UidField()
    to = forms.ChoiceField(label=_("发给"), widget=Pills())
    findings = forms.MultipleChoiceField(
        label=_("依据的问题"), widget=CheckPills(), error_messages={"required": _("请至少选一项问题。")}
    )
    reason = forms.CharField(label=_("理由"), max_length=CARD_LIMIT, widget=_area_text())
    plan = forms.CharField(
        label=_("整改要求"), required=False, max_length=CARD_LIMIT, widget=_area_text(),
        help_text=_("整改方案可由整改方之后补充。"),
    )  # fmt: skip
    duty_from = DayField(label=_("值守开始"), required=False)
    duty_to = DayField(label=_("值守结束"), required=False)
    threshold = with_unit(
        forms.DecimalField(
            label=_("摘牌分数"), required=False, min_value=0, max_digits=7, decimal_places=2,
            help_text=_("复查得分不低于此分即可摘牌；留空则须逐项通过。"),
        ),
        _("分"),
    )  # fmt: skip

    def __init__(self, visit: Visit, findings: Sequence[Finding], *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        to = [(TO_UNIT, visit.unit.name)] if visit.unit else []
        if len(visit.area) >= Level.COMMUNITY:
            to.append((TO_AREA, name_of(visit.area[: Level.COMMUNITY])))
        _offer(self, "to", to)
        self.fields["to"].initial = to[0][0] if to else ""
        _offer(self, "findings", [(str(one.uid), f"{one.case.title} {one.case.number}") for one in findings])
        self.fields["findings"].initial = [str(one.uid) for one in findings]

    def draft(self) -> CardIn:
        """Return what was filled in."""
        data = self.cleaned_data
        return CardIn(
            uid=data["uid"], to=data["to"], reason=data["reason"], plan=data["plan"],
            findings=tuple(UUID(uid) for uid in data["findings"]), duty_from=data["duty_from"],
            duty_to=data["duty_to"], threshold=data["threshold"],
        )  # fmt: skip


class PlanForm(forms.Form):
    """How the place will put it right."""

    plan = forms.CharField(label=_("整改方案"), max_length=CARD_LIMIT, widget=_area_text(6))


class LiftForm(forms.Form):
    """The recheck that lifts a card."""

    visit = forms.ChoiceField(label=_("复查"), widget=AreaSelect())

    def __init__(self, card: YellowCard, visits: Sequence[Visit], *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        _offer(
            self, "visit", [(str(one.uid), f"{one.visited_on} {one.by_name} {one.number}") for one in visits]
        )
