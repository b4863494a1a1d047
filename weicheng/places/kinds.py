"""Kinds of units with their own fields: dated data of a layer above, which provides them when it starts."""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any, Protocol

from weicheng.rules.errors import N_, RuleError


class FieldLike(Protocol):
    """One own field of a kind. kind: text, integer, decimal, choice, date or yesno."""

    id: str
    title: str
    kind: str
    unit: str
    required: bool
    choices: Sequence[str]


class KindLike(Protocol):
    code: str
    name: str
    fields: Sequence[Any]


Provider = Callable[[str, date], Iterable[Any]]
_provider: list[Provider] = []


def provide(fn: Provider) -> None:
    """Say who knows the kinds: fn(area, day) -> descriptions with code, name, fields. The last one wins."""
    _provider[:] = [fn]


def of(area: str, on: date) -> list[KindLike]:
    """Return the kinds in force for an area on a day; empty where nobody provides any."""
    return list(_provider[0](area, on)) if _provider else []


def names(area: str, on: date) -> dict[str, str]:
    """Return code → name of the kinds in force."""
    return {kind.code: kind.name for kind in of(area, on)}


def kind_of(code: str, area: str, on: date) -> KindLike | None:
    """Return the kind, None where nobody provides any; RuleError("unknown-kind") when it is not known."""
    known = of(area, on)
    if not known:
        return None
    found = next((kind for kind in known if kind.code == code), None)
    if found is None:
        raise RuleError(
            "unknown-kind", N_("没有“{kind}”这一单位类别。请从类别列表中选择。"), kind=code[:40] or "（空）"
        )
    return found


def attribute(field: Any, name: str, default: Any = "") -> Any:
    """Return a particular of a field described by an object or by a mapping."""
    value = field.get(name, default) if isinstance(field, Mapping) else getattr(field, name, default)
    return default if value is None else value


def options(field: Any) -> list[tuple[str, str]]:
    """Return (value, label) of a field's choices, whichever way they were written."""
    made = []
    for choice in attribute(field, "choices", ()):
        if isinstance(choice, str):
            made.append((choice, choice))
        elif isinstance(choice, (list, tuple)):
            made.append((str(choice[0]), str(choice[1])))
        else:
            code = str(attribute(choice, "code"))
            made.append((code, str(attribute(choice, "name") or attribute(choice, "title") or code)))
    return made


def read_particulars(kind: KindLike | None, given: Mapping[str, Any]) -> dict[str, Any]:
    """Return a kind's own fields as they are stored; fields of another kind are dropped.

    RuleError: "particular-missing", "particular-invalid", naming the field.
    """
    if kind is None:
        return {key: value for key, value in given.items() if value not in (None, "")}
    stored = {}
    for field in kind.fields:
        value = _stored(field, given.get(attribute(field, "id")))
        if value is None:
            if attribute(field, "required", False):
                raise RuleError(
                    "particular-missing",
                    N_("“{kind}”需要填写“{field}”。请补充后再保存。"),
                    kind=kind.name,
                    field=attribute(field, "title"),
                )
            continue
        stored[attribute(field, "id")] = value
    return stored


def _stored(field: Any, value: Any) -> Any:
    if value is None or (isinstance(value, str) and not value.strip()):
        return None
    kind, text = attribute(field, "kind", "text"), str(value).strip()
    try:
        if kind == "integer":
            number = Decimal(text)
            if number != number.to_integral_value():
                raise ValueError
            return int(number)
        if kind == "decimal":
            number = Decimal(text)
            if not number.is_finite():
                raise ValueError
            return f"{number.normalize():f}"
        if kind == "date":
            return (value if isinstance(value, date) else date.fromisoformat(text[:10])).isoformat()
        if kind == "yesno":
            return YES_NO[text.lower()]
        if kind == "choice":
            by_label = {label: code for code, label in options(field)}
            return text if text in dict(options(field)) else by_label[text]
    except (ValueError, KeyError, InvalidOperation, OverflowError):
        raise RuleError(
            "particular-invalid",
            N_("“{field}”的内容“{value}”不符合要求。请填写{wanted}。"),
            field=attribute(field, "title"),
            value=text[:40],
            wanted=_WANTED.get(kind) or "、".join(label for _code, label in options(field)),
        ) from None
    return text[:500]


YES_NO = {
    "是": True,
    "有": True,
    "true": True,
    "1": True,
    "否": False,
    "无": False,
    "false": False,
    "0": False,
}
_WANTED = {
    "integer": N_("整数"),
    "decimal": N_("数字"),
    "date": N_("日期，例如 2026-05-08"),
    "yesno": N_("是或否"),
}


def shown_particulars(kind: KindLike | None, stored: str) -> list[tuple[str, str]]:
    """Return (title, text) of the stored particulars in the order of the kind's fields."""
    values = json.loads(stored or "{}")
    if kind is None:
        return [(key, str(value)) for key, value in values.items()]
    shown = []
    for field in kind.fields:
        value = values.get(attribute(field, "id"))
        if value is not None:
            shown.append((attribute(field, "title"), shown_value(field, value)))
    return shown


def shown_value(field: Any, value: Any) -> str:
    """Return one stored particular as it is read."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "是" if value else "否"
    text = dict(options(field)).get(str(value), str(value))
    unit = attribute(field, "unit")
    return f"{text} {unit}" if unit else text
