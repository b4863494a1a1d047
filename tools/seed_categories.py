"""Write the packs of case categories from the table of the field's facts.

    python tools/seed_categories.py urban-management-cases.yaml weicheng/packs/base

The table holds the catalogue, the older codes and one city's limits; what this file adds is ours and is
marked as recalled: which severity is offered for a category, and what people type instead of its name.
"""

import sys
from datetime import date
from pathlib import Path
from typing import Any

import yaml

# Offered, never imposed; read from how long the city's table gives. Recalled: an officer edits it.
SEVERITIES = {
    "immediate": [
        *("06007", "06010", "06012", "06014", "06017", "06018", "06020", "06029", "06037", "06042"),
        *("07002", "08001", "08004", "09001", "09005", "09006", "09009", "09010", "09012"),
    ],
    "general": [
        *(
            "01004",
            "03001",
            "03004",
            "03005",
            "03008",
            "03015",
            "03016",
            "01055",
            "06004",
            "06019",
            "06036",
            "06038",
        ),
        *("07001", "07007", "08002", "08006", "09004", "09011"),
    ],
    "difficult": ["06005", "06025", "06026", "06030", "06034", "06035", "06041", "07006", "08007", "09020"],
    "hard": ["06011", "06013", "06022", "06032", "06048", "07003"],
    "special": ["06001"],
}
SYNONYMS = {
    "06010": ["垃圾", "散落垃圾", "零散垃圾", "暴露生活垃圾"],
    "06011": ["渣土", "建筑垃圾", "陈年垃圾", "垃圾堆", "卫生死角"],
    "06012": ["路面脏", "烟头", "纸屑", "积尘", "积水"],
    "06017": ["绿化带垃圾", "绿地垃圾", "草坪脏"],
    "06025": ["河道漂浮物", "水面垃圾", "水体不洁"],
    "06036": ["乱堆乱放", "乱堆物堆料", "楼道杂物", "杂物"],
    "06041": ["混投", "垃圾分类"],
    "06042": ["垃圾桶满", "满溢", "桶满", "垃圾满溢"],
    "07001": ["小广告", "牛皮癣", "乱贴", "乱写乱画", "乱张贴"],
    "06007": ["乱晾晒", "晾衣服", "乱拉乱挂"],
    "06038": ["养鸡", "养鸭", "家禽", "散养"],
    "09005": ["出店经营", "店外摆", "外摆"],
    "09006": ["占道", "流动摊贩", "摆摊"],
    "09020": ["菜市场", "农贸市场", "市场卫生"],
    "03001": ["公厕", "厕所", "卫生间"],
    "03005": ["果皮箱", "垃圾桶破损", "垃圾桶脏", "桶脏"],
    "01055": ["防蚊", "防蝇闸"],
    "06030": ["污水", "泔水", "倒脏水"],
    "06020": ["烧垃圾", "焚烧", "烧树叶"],
    "09010": ["电动车乱停", "自行车乱停", "乱停"],
    "09009": ["汽车乱停", "违停", "乱停"],
    "06037": ["死猫", "死狗", "死老鼠"],
}
# The table's rule: of the matters in classes 05 and 06 of 2013 only these two remain, found by their names.
KEPT_EVENTS = {"05-07": "10001", "05-08": "10002"}
BIG_CLASSES = {"01": "06", "02": "07", "03": "08", "04": "09"}
# Cities number their own additions downward from 99; what is above here is no national code.
LAST_NATIONAL = 60
COUNTS = {"components": 153, "matters": 250}

SOURCE = "GB/T 47678.5-2026 附录目录，据公开代码库 city-inspection-ai 整理，未见标准正式文本"
ALIASES = "2013 版代码按大类对应规则推得"


def main(source: Path, target: Path) -> None:
    table = yaml.safe_load(source.read_text(encoding="utf-8"))
    catalogue = table["catalogue_gbt47678_5_2026"]
    common = {line.split()[0] for line in table["sanitation_relevant_2026"]}
    events, things = (part["rows"] for part in table["city_example_time_limits"]["tables"])

    components = [_class(part["code"], part["name"], part["items"]) for part in catalogue["components"]]
    matters = [
        *_derived(catalogue["components"], catalogue["matters_derived_from_components"]["classes"]),
        *(_class(part["code"], part["name"], part["items"]) for part in catalogue["matters"]),
    ]
    for name, classes in (("components", components), ("matters", matters)):
        count = sum(len(part["items"]) for part in classes)
        if count != COUNTS[name]:
            sys.exit(f"{count} {name} instead of {COUNTS[name]}: the table has changed; check it first.")

    matter_of = {item["code"]: item for part in matters for item in part["items"]}
    component_of = {item["code"]: item for part in components for item in part["items"]}
    # 04-09 is in the table's evidence but has no limit in the city's table.
    for old in (*(row["code"] for row in events), "04-09"):
        if code := _event_2026(old, matter_of):
            matter_of[code].setdefault("aliases", []).append(old)
    for row in things:
        if code := _thing_2026(row["code"], component_of):
            component_of[code].setdefault("aliases", []).append(row["code"])
    _add_ours(matter_of, common)

    head = {"kind": "case-categories", "key": "categories", "owner": ""}
    _write(
        target / "case-categories-2026.yaml",
        {
            **head,
            "title": "城市管理部件和事项分类",
            "edition": "GB/T 47678.5-2026",
            "source": f"{SOURCE}；{ALIASES}；默认等级和俗称为经验值，可修改",
            "confidence": "confirmed",
            "in_force_from": "2026-07-01",
            "body": {"components": components, "matters": matters},
        },
    )
    older = [
        {**part, "items": kept}
        for part in matters
        if (kept := [item for item in part["items"] if item.get("aliases") or item.get("severity")])
    ]
    _write(
        target / "case-categories-before-2026.yaml",
        {
            **head,
            "title": "城市管理部件和事项分类（新国标施行前的记录用）",
            "edition": "2026-07 前",
            "source": "GB/T 47678.5-2026 施行前的记录也用其代码登记，便于前后比较；"
            "只收有 2013 版代码对应的和常见的事项，"
            f"对应关系由规则推得。{SOURCE}",
            "confidence": "inferred",
            "in_force_from": "2015-01-01",
            "in_force_to": "2026-06-30",
            "body": {"components": [], "matters": older},
        },
    )
    _write(target / "time-limits-sample.yaml", _limits(table, events, things, matter_of))


def _class(code: Any, name: str, items: dict[Any, str]) -> dict[str, Any]:
    return {
        "code": str(code),
        "name": name,
        "items": [{"code": str(code), "name": name} for code, name in items.items()],
    }


def _derived(components: list[Any], classes: list[Any]) -> list[dict[str, Any]]:
    """Return the matters that stand for a component out of order: same digits, name + 异常."""
    named = {str(part["code"]): part for part in classes}
    derived = []
    for part in components:
        items = {code: f"{name}异常" for code, name in part["items"].items()}
        if "01066" in items:
            items["01066"] = "紧急报警点异常SOS"
        found = _class(part["code"], named[str(part["code"])]["name"], items)
        if len(items) != named[found["code"]]["count"]:
            sys.exit(f"class {found['code']}: {len(items)} components, the table says otherwise")
        derived.append(found)
    return derived


def _event_2026(code: str, known: dict[str, Any]) -> str:
    """Return the 2026 code of a 2013 matter ("01-10" -> "06010"), "" where there is none."""
    if code in KEPT_EVENTS:
        return KEPT_EVENTS[code]
    big, small = code.split("-")
    mapped = f"{BIG_CLASSES.get(big, '')}0{small}"
    return mapped if int(small) <= LAST_NATIONAL and mapped in known else ""


def _thing_2026(code: str, known: dict[str, Any]) -> str:
    """Return the 2026 code of a 2013 component ("03-01" -> "03001"), "" where there is none."""
    big, small = code.split("-")
    return f"{big}0{small}" if int(small) <= LAST_NATIONAL and f"{big}0{small}" in known else ""


def _add_ours(matter_of: dict[str, Any], common: set[str]) -> None:
    for code in common:
        matter_of[code]["common"] = True
    for severity, codes in SEVERITIES.items():
        for code in codes:
            matter_of[code] |= {"severity": severity, "severity_confidence": "recalled"}
    for code, words in SYNONYMS.items():
        matter_of[code]["synonyms"] = words
    if missing := sorted(code for code in common if "severity" not in matter_of[code]):
        sys.exit(f"common categories without a severity: {missing}")


def _limits(table: Any, events: list[Any], things: list[Any], matter_of: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, dict[str, Any]] = {}
    by_name = {item["name"]: code for code, item in matter_of.items()}
    for row in events:
        # A city's own number has no national counterpart; a matter of exactly that name has.
        code = _event_2026(row["code"], matter_of) or by_name.get(row["name"], "")
        if code and code not in found:
            found[code] = {"category": code, "name": matter_of[code]["name"], "limits": row["limits"]}
    for row in things:
        code = _thing_2026(row["code"], matter_of)
        if code and code not in found:
            found[code] = {"category": code, "name": matter_of[code]["name"], "limits": row["limits"]}
    city = table["city_example_time_limits"]["city"]
    return {
        "kind": "time-limits",
        "key": "limits",
        "owner": "",
        "title": "分类处置时限（示例，须由本地采用）",
        "edition": "示例",
        "source": f"{city}（公开模板）；2013 版代码按规则换成 2026 版，系推得。"
        "一类多条的按立案条件分列，须自行对应到等级",
        "confidence": "inferred",
        "in_force_from": "2026-07-01",
        "load_as": "draft",
        "body": {"limits": [found[code] for code in sorted(found)]},
    }


class _Dumper(yaml.SafeDumper):
    """One item to a line, as people read tables; codes quoted, so that no reader takes them for numbers."""


class _Line(dict):
    pass


def _quoted(dumper: yaml.SafeDumper, value: str) -> yaml.Node:
    style = '"' if value[:1].isdigit() and value.replace("-", "").isdigit() and len(value) != 10 else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", value, style=style)


def _on_one_line(dumper: yaml.SafeDumper, value: _Line) -> yaml.Node:
    return dumper.represent_mapping("tag:yaml.org,2002:map", value.items(), flow_style=True)


_Dumper.add_representer(str, _quoted)
_Dumper.add_representer(
    _Line,
    lambda dumper, value: dumper.represent_mapping("tag:yaml.org,2002:map", value.items(), flow_style=True),
)


def _write(path: Path, pack: dict[str, Any]) -> None:
    """Write a pack; leaves of the tables stand on one line."""

    def lined(value: Any) -> Any:
        if isinstance(value, list):
            return [lined(inner) for inner in value]
        if not isinstance(value, dict):
            return value
        nested = (inner[0] if isinstance(inner, list) and inner else inner for inner in value.values())
        if any(isinstance(inner, dict) for inner in nested):
            return {key: lined(inner) for key, inner in value.items()}
        return _Line(value)

    days = {key: date.fromisoformat(value) for key, value in pack.items() if key.startswith("in_force_")}
    text = yaml.dump(lined({**pack, **days}), Dumper=_Dumper, allow_unicode=True, sort_keys=False, width=1000)
    path.write_text(f"# Written by tools/seed_categories.py; change it there.\n{text}", encoding="utf-8")


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit("Write: python tools/seed_categories.py TABLE.yaml TARGET_DIRECTORY")
    main(Path(sys.argv[1]), Path(sys.argv[2]))
