"""Read the YAML that people write: one mapping, nothing twice, nothing that grows when read."""

from collections.abc import Hashable, Iterable
from typing import Any

import yaml
from django.utils.translation import gettext as _

from weicheng.rules.errors import N_, RuleError

# The largest known body, a full catalogue of case categories, is 60 kB.
LIMIT_BYTES = 1_000_000
DEEPEST = 20

_Base: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class _Loader(_Base):
    """A safe loader that refuses a key written twice: YAML would quietly keep the last."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        seen: set[str] = set()
        for key, _value in node.value:
            spelled = getattr(key, "value", None)
            if isinstance(spelled, str):
                if spelled in seen:
                    raise yaml.MarkedYAMLError(
                        problem=_("“{key}”写了两次").format(key=spelled[:30]), problem_mark=key.start_mark
                    )
                seen.add(spelled)
        return super().construct_mapping(node, deep)


def read_yaml(text: str | bytes) -> dict[str, Any]:
    """Return the mapping that the text holds.

    RuleError("yaml"): too large, not UTF-8, broken (naming the line), a key twice, an alias, or no mapping.
    """
    data = text.encode() if isinstance(text, str) else text
    if len(data) > LIMIT_BYTES:
        raise _refusal(N_("内容超过 {limit} KB。请拆分后再试。"), limit=LIMIT_BYTES // 1000)
    try:
        decoded = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise _refusal(N_("文件不是 UTF-8 编码。请另存为 UTF-8 后再试。")) from None
    try:
        _require_tame(yaml.parse(decoded, Loader=_Loader))
        found = yaml.load(decoded, Loader=_Loader)  # noqa: S506 - a subclass of the safe loader
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise _refusal(
            N_("第 {line} 行无法读懂：{problem}。请检查缩进、冒号和引号。"),
            line=line,
            problem=error.problem or _("格式有误"),
        ) from None
    except (yaml.YAMLError, ValueError, TypeError, RecursionError) as error:
        raise _refusal(N_("内容无法读懂：{problem}。请检查格式。"), problem=str(error)[:80]) from None
    if not isinstance(found, dict):
        raise _refusal(N_("内容应是“名称: 值”的列表。请参照现有版本填写。"))
    return found


def _require_tame(events: Iterable[yaml.Event]) -> None:
    """Refuse what grows when it is read: a few lines of aliases can name a billion values; depth eats the stack."""
    depth = 0
    for event in events:
        if isinstance(event, yaml.AliasEvent):
            raise _refusal(N_("内容使用了 YAML 引用（*名称）。请把引用的内容写全。"))
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
            if depth > DEEPEST:
                raise _refusal(N_("内容嵌套超过 {limit} 层。请参照现有版本填写。"), limit=DEEPEST)
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1


def _refusal(message: str, **values: Any) -> RuleError:
    return RuleError("yaml", message, **values)


class _Line(dict[str, Any]):
    """A mapping without anything nested in it: written on one line, as people read tables."""


class _Dumper(yaml.SafeDumper):
    pass


_Dumper.add_representer(
    _Line,
    lambda dumper, value: dumper.represent_mapping("tag:yaml.org,2002:map", value.items(), flow_style=True),
)


def write_yaml(body: dict[str, Any]) -> str:
    """Return a body as YAML to read and edit; what is a line of a table stands on one line."""
    lined = {key: _lined(value) for key, value in body.items()}
    return yaml.dump(lined, Dumper=_Dumper, allow_unicode=True, sort_keys=False, width=200)


def _lined(value: Any) -> Any:
    if isinstance(value, list):
        return [_lined(each) for each in value]
    if not isinstance(value, dict) or len(value) > 20:
        return value
    firsts = (each[0] if isinstance(each, list) and each else each for each in value.values())
    if any(isinstance(each, dict) for each in firsts):
        return {key: _lined(each) for key, each in value.items()}
    # What a line is about comes first, how far it can be relied on last.
    return _Line(sorted(value.items(), key=lambda pair: pair[0] in ("confidence", "source")))
