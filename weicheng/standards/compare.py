"""What changed between two editions, said in sentences an office can read."""

from collections.abc import Callable, Mapping
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from weicheng.standards import kinds
from weicheng.standards.kinds import Confidence

Lines = Mapping[str, Mapping[str, str]]  # name of a line -> {what it says: its value as text}

_SAYS = {
    "title": gettext_lazy("内容"),
    "name": gettext_lazy("名称"),
    "limit": gettext_lazy("时限"),
    "limits": gettext_lazy("时限"),
    "severities": gettext_lazy("分等级时限"),
    "points": gettext_lazy("扣分"),
    "mode": gettext_lazy("扣分方式"),
    "cap": gettext_lazy("扣分上限"),
    "most": gettext_lazy("最多扣分"),
    "category": gettext_lazy("对应分类"),
    "category_confidence": gettext_lazy("对应分类的可信程度"),
    "confidence": gettext_lazy("可信程度"),
    "source": gettext_lazy("来源"),
    "stated": gettext_lazy("来源原文"),
    "typical": gettext_lazy("常见情形"),
    "severity": gettext_lazy("默认等级"),
    "severity_confidence": gettext_lazy("默认等级的可信程度"),
    "aliases": gettext_lazy("旧版代码"),
    "synonyms": gettext_lazy("同义词"),
    "common": gettext_lazy("常用"),
    "fields": gettext_lazy("字段"),
    "full": gettext_lazy("满分"),
    "full_confidence": gettext_lazy("满分的可信程度"),
    "note": gettext_lazy("说明"),
    "default": gettext_lazy("默认等级"),
    "hours": gettext_lazy("工作时间"),
    "section": gettext_lazy("小标题"),
    "clauses": gettext_lazy("对应条款"),
    "requirement": gettext_lazy("要求"),
    "requirement_confidence": gettext_lazy("要求的可信程度"),
    "evidence": gettext_lazy("证明材料"),
    "steps": gettext_lazy("处置步骤"),
    "asked": gettext_lazy("要求"),
    "numbers": gettext_lazy("数值"),
    "days": gettext_lazy("最多相隔天数"),
    "from_days": gettext_lazy("最少相隔天数"),
    "radius_m": gettext_lazy("同一地点半径（米）"),
    "unit_radius_m": gettext_lazy("同一单位半径（米）"),
    "vague": gettext_lazy("地址中不计的词"),
    "address_least": gettext_lazy("地址最少字数"),
    "threshold": gettext_lazy("列入重点地段的反复次数"),
    "window_days": gettext_lazy("统计天数"),
    "weight": gettext_lazy("权重"),
    "value": gettext_lazy("分值"),
    "levels": gettext_lazy("按发现层级"),
    "minimum": gettext_lazy("最低"),
    "maximum": gettext_lazy("最高"),
    "target": gettext_lazy("目标"),
    "give_back": gettext_lazy("退回比例"),
    "areas": gettext_lazy("区划"),
    "categories": gettext_lazy("问题分类"),
    "checklists": gettext_lazy("检查表项目"),
    "rounds": gettext_lazy("检查类型"),
    "sources": gettext_lazy("分值来源"),
    "since": gettext_lazy("起用日期"),
    "months": gettext_lazy("适用月份"),
    "unit": gettext_lazy("单位"),
    "by": gettext_lazy("依据"),
    "ties": gettext_lazy("并列规则"),
    "min_group": gettext_lazy("最小分组"),
    "bonus_cap": gettext_lazy("加分上限"),
    "appeal_days": gettext_lazy("申诉工作日"),
    "appeal_confidence": gettext_lazy("申诉期的可信程度"),
    "factors_confidence": gettext_lazy("系数的可信程度"),
    "finder": gettext_lazy("发现层级系数"),
    "repeats": gettext_lazy("反复问题系数"),
    "missing": gettext_lazy("来源缺数据时"),
    "decimals": gettext_lazy("小数位"),
    "veto": gettext_lazy("一票否决结果"),
    "hours_confidence": gettext_lazy("工作时间的可信程度"),
    "announced": gettext_lazy("已公布的年份"),
    "day": gettext_lazy("安排"),
}


def differences(old: kinds.Part, new: kinds.Part) -> list[str]:
    """Return one sentence for each line added, dropped or changed; empty when both say the same."""
    before, after = _lines(old), _lines(new)
    said = [_("取消：{line}。").format(line=line) for line in before if line not in after]
    for line, values in after.items():
        if line not in before:
            said.append(_("新增：{line}{values}。").format(line=line, values=_listed(values)))
            continue
        for name in {**before[line], **values}:
            was, now = before[line].get(name, ""), values.get(name, "")
            if was != now:
                sentence = _("{line}：{name}由“{was}”改为“{now}”。")
                said.append(
                    sentence.format(
                        line=line, name=_SAYS.get(name, name), was=was or _("（无）"), now=now or _("（无）")
                    )
                )
    return said


def kept_confidence(old: kinds.Part, new: kinds.Part) -> list[str]:
    """Return one warning for each number that was changed while it still claims its former source.

    A limit copied from a published source and then edited is the owner's own; nobody else can know that.
    """
    before, after = _lines(old), _lines(new)
    said = []
    for line in before.keys() & after.keys():
        was, now = before[line], after[line]
        for name in _NUMBERS & now.keys() & was.keys():
            marks = f"{name}_confidence" if f"{name}_confidence" in now else "confidence"
            claimed = now.get(marks, "")
            if (
                was[name] != now[name]
                and claimed
                and claimed == was.get(marks) != str(Confidence.LOCAL.label)
            ):
                sentence = _("{line}：{name}已改，可信程度仍是“{claimed}”。如为本地规定，请一并改为 local。")
                said.append(sentence.format(line=line, name=_SAYS.get(name, name), claimed=claimed))
    return sorted(said)


_NUMBERS = {"limit", "limits", "severities", "points", "cap", "most", "category", "severity", "full", "hours"}


def body_lines(body: kinds.Part) -> list[tuple[str, list[tuple[Any, str]]]]:
    """Return (line, [(what it says, its value)]) of any body: the page of a kind without one of its own."""
    return [
        (line, [(_SAYS.get(name, name), text) for name, text in values.items() if text])
        for line, values in _lines(body).items()
    ]


def _lines(body: kinds.Part) -> Lines:
    return _READ.get(type(body), _any)(body)


def _listed(values: Mapping[str, str]) -> str:
    shown = [
        f"{_SAYS.get(name, name)} {text}"
        for name, text in values.items()
        if text and name in ("limit", "points", "day")
    ]
    return f"（{'，'.join(shown)}）" if shown else ""


def _text(value: Any) -> str:
    if value is None or value is False or value == ():
        return ""
    if value is True:
        return _("是")
    if isinstance(value, Confidence):
        return str(value.label)
    if isinstance(value, kinds.CheckStep):
        return str(value.label)
    if isinstance(value, tuple):
        return "、".join(_text(each) for each in value)
    if isinstance(value, dict):
        return "、".join(f"{key} {_text(each)}" for key, each in value.items())
    if isinstance(value, kinds.UnitField):
        return f"{value.title}{f'（{value.unit}）' if value.unit else ''}"
    return str(value)


def _of(part: kinds.Part, *without: str) -> dict[str, str]:
    return {
        name: _text(getattr(part, name))
        for name in type(part).model_fields
        if name not in {"code", "number", *without}
    }


def _calendar(body: Any) -> Lines:
    hours = "、".join(f"{start:%H:%M}—{end:%H:%M}" for start, end in body.hours)
    general = {
        "hours": hours,
        "hours_confidence": _text(body.hours_confidence),
        "announced": "、".join(str(year) for year in sorted(body.announced_years)),
    }
    off = {str(day): {"day": _("放假（{name}）").format(name=name)} for day, name in body.off_days.items()}
    work = {
        str(day): {"day": _("上班（{name}）").format(name=name)} for day, name in body.make_up_days.items()
    }
    return {_("工作日历"): general, **dict(sorted({**off, **work}.items()))}


def _scale(body: Any) -> Lines:
    lines = {_("等级“{name}”").format(name=each.name): _of(each, "name") for each in body.severities}
    return {_("等级表"): {"default": body.default}, **lines}


def _limits(body: Any) -> Lines:
    return {f"{each.category} {each.name}".strip(): _of(each, "category", "name") for each in body.limits}


def _categories(body: Any) -> Lines:
    named = ((_("部件"), body.components_by_code), (_("事项"), body.by_code))
    return {f"{word} {code}": _of(item) for word, items in named for code, item in items.items()}


def _checklist(body: Any) -> Lines:
    general = {name: _text(getattr(body, name)) for name in ("full", "full_confidence", "note", "steps")}
    lines = {_("第 {number} 项").format(number=item.number): _of(item) for item in body.items}
    return {_("检查表"): general, **lines}


def _clauses(body: Any) -> Lines:
    """By theme: numbers and wording of items differ from edition to edition, what they are about does not."""
    themes: dict[str, list[Any]] = {}
    for item in body.items:
        themes.setdefault(item.theme, []).append(item)
    lines = {}
    for theme, items in themes.items():
        rows = [each for item in items for each in body.indicators_of(item)]
        numbers = [item.threshold for item in items if item.threshold]
        lines[_("主题“{theme}”").format(theme=theme)] = {
            "asked": "；".join(item.requirement or item.topic for item in items),
            "numbers": "；".join([*numbers, *(f"{each.name} {each.words}" for each in rows)]),
        }
    for each in body.loose:
        lines[_("指标“{name}”").format(name=each.name)] = {"numbers": each.words}
    vetoes = "；".join(veto.title for veto in body.vetoes)
    return {**lines, _("必备条件（一票否决）"): {"asked": vetoes}}


def _scheme(body: Any) -> Lines:
    """Each source, item, follow-up, grade and rule of ranks is a line; what holds for all of them is the first."""
    parts: dict[str, Any] = {
        _("来源"): body.sources,
        _("考核项"): [item for group in body.groups for item in group.items],
        _("追加扣分"): body.follow_ups,
        _("等次"): body.grades,
        _("名次奖惩"): body.ranks,
        _("分组"): body.rank_groups,
    }
    nested = {"sources", "groups", "follow_ups", "grades", "measures", "ranks", "rank_groups"}
    lines = {_("考核办法"): _of(body, *nested)}
    for word, each_of in parts.items():
        lines |= {f"{word}“{each.title}”": _of(each, "title", "key") for each in each_of}
    return lines


def _any(body: kinds.Part) -> Lines:
    """A kind without a reader of its own: its own fields as one line, each part of it as one more."""
    general: dict[str, str] = {}
    lines: dict[str, dict[str, str]] = {}
    for name in type(body).model_fields:
        value = getattr(body, name)
        said = str(_SAYS.get(name, name))
        if isinstance(value, kinds.Part):
            lines[said] = _of(value)
        elif isinstance(value, tuple) and value and all(isinstance(each, kinds.Part) for each in value):
            for at, each in enumerate(value, start=1):
                called = getattr(each, "title", None) or getattr(each, "name", None) or at
                lines[f"{said} {called}"] = _of(each)
        else:
            general[name] = _text(value)
    return {_("本版"): general, **lines}


def _kinds(body: Any) -> Lines:
    return {_("单位类型 {code}").format(code=each.code): _of(each) for each in body.kinds}


def _repeat_rule(body: Any) -> Lines:
    return {_("反复问题规则"): _of(body)}


_READ: dict[type, Callable[[Any], Lines]] = {
    kinds.Calendar: _calendar,
    kinds.SeverityScale: _scale,
    kinds.TimeLimits: _limits,
    kinds.CaseCategories: _categories,
    kinds.Clauses: _clauses,
    kinds.CheckListBody: _checklist,
    kinds.SchemeBody: _scheme,
    kinds.UnitKinds: _kinds,
    kinds.RepeatRuleBody: _repeat_rule,
}
