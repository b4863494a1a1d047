"""Write the packs of clause trees, and of the ledger check lists cut from them, from the field's facts.

    python tools/seed_clauses.py FACTS weicheng/packs/base

FACTS holds hygienic-city-2014.yaml, hygienic-city-2021.yaml, hygienic-town-2021.yaml and ledger-catalogue.yaml.
What this file adds is ours: permanent ids, a theme for each item, by which editions with other numbers can be
compared, and the points of the ledger lines.
"""

import re
import sys
from pathlib import Path
from typing import Any

import yaml

THEMES_2021 = [
    *("纳入议程", "组织机构", "年度工作", "健康影响评估", "建议与投诉", "健康教育网络", "健康知识传播"),
    *("全民健身", "控烟", "市容和绿化", "清扫保洁", "市容和绿化", "垃圾和污水", "垃圾和污水", "厕所和转运站"),
    *("农贸市场", "社区、单位和工地", "社区、单位和工地", "环境安全和大气", "噪声", "水和医疗废物"),
    *("水和医疗废物", "公共场所", "学校卫生", "职业健康", "食品安全", "生活饮用水", "传染病防控"),
    *("免疫、妇幼、慢性病和精神卫生", "医疗卫生资源", "病媒生物防制"),
]
THEMES_2014 = [
    *("纳入议程", "组织机构", "年度工作", "建议与投诉", "健康教育网络", "健康知识传播", "全民健身", "控烟"),
    *("市容和绿化", "清扫保洁", "垃圾和污水", "垃圾和污水", "厕所和转运站", "农贸市场", "农贸市场"),
    *("社区、单位和工地", "环境安全和大气", "环境安全和大气", "噪声", "水和医疗废物", "公共场所", "公共场所"),
    *("学校卫生", "职业健康", "食品安全", "食品安全", "食品安全", "食品安全", "生活饮用水", "传染病防控"),
    *("免疫、妇幼、慢性病和精神卫生", "免疫、妇幼、慢性病和精神卫生", "免疫、妇幼、慢性病和精神卫生"),
    *("医疗卫生资源", "医疗卫生资源", "医疗卫生资源", "免疫、妇幼、慢性病和精神卫生"),
    *("病媒生物防制", "病媒生物防制", "病媒生物防制"),
]
THEMES_TOWN = ["纳入议程", "组织机构", "其余"]
SOURCES_2021 = {
    "A": "jzcdc.cn/jishufuwu/jishubiaozhun/800.html 标准文本页，只读到开头（正文第一至六条）",
    "B": "zyqjg.com/article-16066-4.html 标准文本末页：指标第 33—56 行及数值（大于、小于号已丢失）",
    "C": "国家卫生城市评估数据报送接口的公开代码（2023）：指标的名称、顺序、三年序列和等级代码",
    "D": "m.haomibaba.com/shenghuo/93524.shtm 申报周期",
    "E": "mip.yaozui.com/p541323.html 复审规则",
}
SOURCES_2014 = {
    "1": "max.book118.com/html/2017/0220/92741561.shtm（第 1—3 项）",
    "2": "某省会城市按本版编的公开题库（数值）",
    "3": "fsncp888.com/zt/2325998.html（11 个必备条件）",
    "4": "therockpt.com/html/2025/news/3/411594.html（第七章）",
    "5": "paper.lifeyk.com/html/2015-05/05/content_1430349.htm（原 66 项改为 8 类 40 项）",
    "6": "枣庄市档案局公开页面（2017-06）：按 8 类归档",
}
SOURCES_TOWN = {
    "A": "scholarmate.com/S/smebVu 标准文本开头（第一、二条）",
    "C": "国家报送接口的公开代码：乡镇指标的名称和顺序",
}
# How values are judged, in the words of the office; as many as the table has.
RULES_2021 = [
    "“某值，或持续降低（提高）”：达到该值，或最近三年逐年向好，即为符合。",
    "只看趋势的指标至少要有三年数据；不足三年为“资料不足”，不算符合。",
    "第 38 行：最近一年不高于所列五年的平均值；填报表要求填前五年。",
    "第 49—54 行：实际值不低于同时填报的当地规划值。",
]
NUMBER_CONFIRMED_FROM = 33  # rows 33-56 were seen with their numbers
ITEM_NUMBER_RECALLED_FROM = 10  # items of the 2014 edition
COUNTS = {"c21": (7, 31, 56, 10), "c14": (8, 40, 0, 11), "t21": (2, 3, 24, 0)}
# Three record sheets of ledger supervision: volume of the catalogue -> key and title.
LEDGERS = {
    "01": ("ledger-organisation", "爱国卫生组织管理台账督导表"),
    "02": ("ledger-health-education", "健康教育台账督导表"),
    "08": ("ledger-vector", "病媒生物防制台账督导表"),
}
# What the catalogue's rule for communities asks of single entries; a published list of one city.
COMMUNITY = "舟山社区创卫 40 条"
ASKED = {
    "02-03": f"宣传栏不小于 3 m²，每年更换不少于 6 次，有照片和底稿（{COMMUNITY}）；每两月一期",
    "02-04": f"健康活动每年不少于 8 次，参加率不低于 80 %（{COMMUNITY}）",
    "02-07": f"卫生报刊不少于 4 种（{COMMUNITY}）",
    "08-08": "重点行业和单位防蝇防鼠设施合格率不低于 95 %",
    "08-10": "四害密度达到 C 级",
}
# Indicators of 2021 that single entries prove.
PROVES = {
    "01-14": ["c21-n02"],
    "02-05": ["c21-n03"],
    "02-08": ["c21-n04", "c21-n05", "c21-n06"],
    "02-09": ["c21-n07"],
    "02-10": ["c21-n08", "c21-n09", "c21-n10"],
    "08-08": ["c21-n56"],
    "08-09": ["c21-n55"],
    "08-10": ["c21-n55"],
}
# Volume 08 has but one theme; its record sheet is divided as the 2014 edition divides it.
VECTOR_HEADINGS = {38: "机制和组织", 39: "孳生地治理和科学防制", 40: "监测和密度"}
LINE_POINTS = 10
KEPT = ("alt", "trend", "each_year", "series", "window_years", "target", "per", "parts", "note")
WORDS = {
    "nosmoking_org": "无烟党政机关",
    "nosmoking_medical": "无烟医疗卫生机构",
    "nosmoking_school": "无烟学校",
    "rodent": "鼠",
    "mosquito": "蚊",
    "fly": "蝇",
    "cockroach": "蟑螂",
    "below": "未达 C 级",
    "1/10万": "/10 万",
}
NOTES = {
    "not asked of counties in one form version": "有一版填报表不要求县填报",
    "16 h confirmed for the 2014 edition": "2014 版的 16 h 有来源",
    "12 h confirmed for the 2014 edition": "2014 版的 12 h 有来源",
    "36 in 2014": "2014 版为 36",
    "8.5 in 2014": "2014 版为 8.5",
    "value": "数值存疑",
    "value: 60 in 2014 text, 55 recalled for 2021": "数值存疑：2014 版文本为 60，2021 版的 55 凭记忆",
    "辖区内有国家卫生县(城市填报)": "辖区内有国家卫生县（城市填报）",
    "持续提升(numeric target not found)": "持续提升（未见数值要求）",
}


def main(facts: Path, target: Path) -> None:
    names = ("city-2014", "city-2021", "town-2021")
    read = {name: _read(facts / f"hygienic-{name}.yaml") for name in names}
    _write(
        target / "clauses-city-2021.yaml",
        "c21",
        {
            "kind": "clauses",
            "key": "hygienic-city",
            "owner": "",
            "title": "国家卫生城市和国家卫生县标准",
            "edition": "2021 版",
            "source": f"{read['city-2021']['meta']['document']}，据公开网页和公开代码整理，未见正式文本；逐条注明来源",
            "confidence": "name_confirmed",
            "in_force_from": "2022-01-01",
            "body": _city_2021(read["city-2021"]),
        },
    )
    _write(
        target / "clauses-city-2014.yaml",
        "c14",
        {
            "kind": "clauses",
            "key": "hygienic-city",
            "owner": "",
            "title": "国家卫生城市标准",
            "edition": "2014 版",
            "source": "国家卫生城市标准（2014 版），据公开网页和题库整理；逐条注明来源",
            "confidence": "confirmed",
            "in_force_from": "2015-01-01",
            "body": _city_2014(read["city-2014"]),
        },
    )
    _write(
        target / "clauses-town-2021.yaml",
        "t21",
        {
            "kind": "clauses",
            "key": "hygienic-town",
            "owner": "",
            "title": "国家卫生乡镇标准",
            "edition": "2021 版",
            "source": "随全爱卫发〔2021〕6号发布，据公开网页和公开代码整理，未见正式文本；逐条注明来源",
            "confidence": "name_confirmed",
            "in_force_from": "2022-01-01",
            "body": _town_2021(read["town-2021"]),
        },
    )
    catalogue = _read(facts / "ledger-catalogue.yaml")
    for volume in catalogue["volumes"]:
        if volume["no"] in LEDGERS:
            pack = _ledger(volume, catalogue["evidence_kinds"])
            _put(target / f"checklist-{pack['key']}.yaml", pack)


def _read(path: Path) -> Any:
    """Return a table; an unquoted key `no`, which YAML reads as false, is a number's name again."""

    def named(value: Any) -> Any:
        if isinstance(value, dict):
            return _whole({"no" if key is False else key: named(each) for key, each in value.items()})
        return [named(each) for each in value] if isinstance(value, list) else value

    return named(yaml.safe_load(path.read_text(encoding="utf-8")))


def _whole(row: dict[Any, Any]) -> dict[Any, Any]:
    """Return a row whose text held commas, which YAML read as more keys without a value, in one piece."""
    made: dict[Any, Any] = {}
    for key, value in row.items():
        if value is None and key != "no":
            last = list(made)[-1]
            made[last] = f"{made[last]}，{key}"
        else:
            made[key] = value
    return made


def _city_2021(table: dict[str, Any]) -> dict[str, Any]:
    chapters = [
        {
            "id": f"c21-c{at}",
            "number": each["no"],
            "title": each["name"],
            "confidence": each["confidence"],
            **({"source": "A"} if each["confidence"] == "confirmed" else {}),
        }
        for at, each in enumerate(table["chapters"], start=1)
    ]
    chapter_of = {each["number"]: each["id"] for each in chapters}
    indicators = [_indicator("c21", row) for row in table["indicators"]]
    id_of = {row["number"]: row["id"] for row in indicators}
    items = []
    for at, (row, theme) in enumerate(zip(table["text_items"], THEMES_2021, strict=True), start=1):
        items.append(
            _without_empty(
                {
                    "id": f"c21-i{at:02}",
                    "chapter": chapter_of[row["chapter"]],
                    "number": row["no"],
                    "theme": theme,
                    "topic": _listed(row["topic"]),
                    "requirement": _listed(row.get("req", "")),
                    "indicators": [id_of[number] for number in row.get("indicators", [])],
                    "confidence": row["confidence"],
                    "source": "A" if row["confidence"] == "confirmed" else "",
                }
            )
        )
    if len(table["evaluation_semantics"]) != len(RULES_2021):
        sys.exit("the rules of evaluation have changed; check RULES_2021 first.")
    vetoes = table["vetoes"]
    cycle = table["cycle"]
    return {
        "sources": SOURCES_2021,
        "note": (
            f"{table['meta']['area']}。指标值随经济社会发展调整。{cycle['years']} 年一个周期，前两年申报，"
            f"第三年第四季度命名；生效日期按 2022—2024 年这一周期推得。第七条起正文编号未核实，不写编号；"
            "指标第 1—32 行的行号按报送接口的顺序推得。"
        ),
        "chapters": chapters,
        "items": items,
        "indicators": indicators,
        "vetoes": [
            {"id": f"c21-v{at:02}", "number": at, "title": _listed(title), "confidence": "recalled"}
            for at, title in enumerate(vetoes["items"], start=1)
        ],
        "rules": RULES_2021,
        "steps": [
            _without_empty(
                {
                    "title": row["step"],
                    "who": row["who"],
                    "detail": _listed(row.get("detail", "")),
                    "confidence": row["confidence"],
                    "source": row.get("source", ""),
                }
            )
            for row in table["process"]
        ],
    }


def _city_2014(table: dict[str, Any]) -> dict[str, Any]:
    chapters = [
        {
            "id": f"c14-c{each['no']}",
            "number": str(each["no"]),
            "title": each["name"],
            "confidence": "confirmed",
            "source": "6",
        }
        for each in table["chapters"]
    ]
    items = []
    for row, theme in zip(table["items"], THEMES_2014, strict=True):
        number = row["no"]
        sources = ["1"] * (number <= 3) + ["2"] * ("threshold" in row) + ["4"] * (row["ch"] == 7)
        items.append(
            _without_empty(
                {
                    "id": f"c14-i{number:02}",
                    "chapter": f"c14-c{row['ch']}",
                    "number": str(number),
                    "number_confidence": "recalled" if number >= ITEM_NUMBER_RECALLED_FROM else "confirmed",
                    "theme": theme,
                    "topic": _listed(row["topic"]),
                    "threshold": _neat(row.get("threshold", "")),
                    "definition": _neat(row.get("definition", "")),
                    "confidence": row.get("confidence", "confirmed"),
                    "source": "" if row.get("confidence") == "recalled" else " ".join(sources),
                }
            )
        )
    extras = {name: text for name, text in table["older_community_numbers"].items()
              if name not in ("source", "confidence")}  # fmt: skip
    review = table["review"]
    return {
        "sources": SOURCES_2014,
        "note": (
            "8 章 40 项，2015 年 1 月起施行，至 2021 版施行为止；许多城市的台账仍按本版编排。"
            f"{review['cycle_years']} 年一个周期，{review['apply_before']}前申报，{review['naming']}，"
            f"命名后 {review['recheck_years']} 年复审。第 10—40 项的项号凭记忆，总数 40 有来源。"
        ),
        "chapters": chapters,
        "items": items,
        "vetoes": [
            {
                "id": f"c14-v{at:02}",
                "number": at,
                "title": _listed(title),
                "confidence": "confirmed",
                "source": "3",
            }
            for at, title in enumerate(table["necessary_conditions"], start=1)
        ],
        "rules": [f"社区常用数值（公开题库）：{name} {_neat(str(text))}" for name, text in extras.items()],
    }


def _town_2021(table: dict[str, Any]) -> dict[str, Any]:
    names = list(dict.fromkeys(row["chapter"] for row in table["text_items"]))
    sure = {row["chapter"] for row in table["text_items"] if row["confidence"] == "confirmed"}
    chapters = [
        _without_empty(
            {
                "id": f"t21-c{at}",
                "number": "一" if name in sure else None,
                "title": name if name in sure else "其余各章",
                "confidence": "confirmed" if name in sure else "recalled",
                "source": "A" if name in sure else "",
            }
        )
        for at, name in enumerate(names, start=1)
    ]
    items = []
    for at, (row, theme) in enumerate(zip(table["text_items"], THEMES_TOWN, strict=True), start=1):
        items.append(
            _without_empty(
                {
                    "id": f"t21-i{at:02}",
                    "chapter": chapters[names.index(row["chapter"])]["id"],
                    "number": row["no"],
                    "theme": theme,
                    "topic": theme if row["no"] else "其余各章（未见正文）",
                    "requirement": _listed(row["req"].replace(" (text not found)", "")),
                    "confidence": row["confidence"],
                    "source": "A" if row["confidence"] == "confirmed" else "",
                }
            )
        )
    return {
        "sources": SOURCES_TOWN,
        "note": f"适用于{table['meta']['applies_to']}，{table['meta']['area']}。指标的行号推得，数值多凭记忆。",
        "chapters": chapters,
        "items": items,
        "indicators": [_indicator("t21", row) for row in table["indicators"]],
    }


def _ledger(volume: dict[str, Any], kinds: dict[str, str]) -> dict[str, Any]:
    """Return one record sheet: a line for each entry of a volume, with the clauses of both editions."""
    key, title = LEDGERS[volume["no"]]
    lines = []
    for row in volume["items"]:
        code, old = row["code"], row["std2014"]
        theme = THEMES_2014[old - 1]
        new = [f"c21-i{at:02}" for at, each in enumerate(THEMES_2021, start=1) if each == theme]
        lines.append(
            _without_empty(
                {
                    "number": code,
                    "title": _listed(row["name"]),
                    "section": VECTOR_HEADINGS.get(old, theme),
                    "requirement": ASKED.get(code, ""),
                    "requirement_confidence": "confirmed" if code in ASKED else "",
                    "evidence": "、".join(kinds[each] for each in row["evidence"]),
                    "clauses": [*new, *PROVES.get(code, []), f"c14-i{old:02}"],
                    "points": str(LINE_POINTS),
                    "mode": "once",
                }
            )
        )
    return {
        "kind": "checklist",
        "key": key,
        "owner": "",
        "title": title,
        "edition": "按 2021 版和 2014 版条款",
        "source": f"台账目录第 {volume['no']} 卷（公开的创卫档案资料建档清单 yuntihai.com），逐条对照国家卫生城市标准；"
        "分值为本系统所加",
        "confidence": "local",
        "in_force_from": "2022-01-01",
        "body": {
            "full": str(LINE_POINTS * len(lines)),
            "full_confidence": "local",
            "note": "逐条逐项检查，不符合的提出整改意见并限期。收集近 3 个完整年度和当年的资料，先按项目、"
            "同一项目按年度先后排列。目录条目有公开来源；每项 10 分、对应条款由本系统按主题所加，可修改。",
            "items": lines,
        },
    }


def _indicator(prefix: str, row: dict[str, Any]) -> dict[str, Any]:
    """Return one row as the kind's model reads it; town rows carry the confidence of their whole table."""
    number, value, town = row["no"], row.get("value"), prefix == "t21"
    numeric = isinstance(value, int | float)
    confidence = row.get("confidence", row.get("confidence_rule", "name_confirmed"))
    made = {
        "id": f"{prefix}-n{number:02}",
        "number": number,
        "number_confidence": "confirmed" if not town and number >= NUMBER_CONFIRMED_FROM else "inferred",
        "name": row["name"],
        "op": row.get("op", "limits"),
        "value": str(value) if numeric else None,
        "state": "" if numeric or value is None else value,
        "unit": WORDS.get(row.get("unit", ""), _neat(row.get("unit", ""))),
        "reference": row.get("ref", ""),
        **{name: row.get(name) for name in KEPT},
        "county": NOTES[row["county"]] if "county" in row else "",
        "doubt": NOTES[row["doubt"]] if "doubt" in row else "",
        "sign_confidence": row.get("sign"),
        "codes": {WORDS.get(key, str(key)): str(code) for key, code in row.get("codes", {}).items()}
        or {str(word): str(code) for code, word in row.get("enum", {}).items()},
        "confidence": confidence,
        "source": "B C" if confidence == "confirmed" and number >= NUMBER_CONFIRMED_FROM else "C",
    }
    if "limits_ug_m3" in row:
        made |= {"limits": {k: str(v) for k, v in row["limits_ug_m3"].items()}, "unit": "μg/m³"}
    made["parts"] = [WORDS.get(part, part) for part in made["parts"] or ()]
    for name in ("target", "note"):
        made[name] = NOTES.get(made[name] or "", made[name])
    return _without_empty(made)


def _without_empty(row: dict[str, Any]) -> dict[str, Any]:
    return {
        name: value
        for name, value in row.items()
        if value not in ("", None, [], {}, False) or (name == "number" and value is None)
    }


def _listed(text: str) -> str:
    """Return words that the table sets apart by blanks as a list, as it is written in Chinese."""
    return re.sub(r"(?<=[\u4e00-\u9fff）]) (?=[\u4e00-\u9fff（])", "、", _neat(text))


def _neat(text: str) -> str:
    for old, new in ((">=", "≥"), ("<=", "≤"), ("m2", "m²"), ("; ", "；"), ("(", "（"), (")", "）")):
        text = text.replace(old, new)
    # A unit keeps its round brackets.
    return text.replace("dB（A）", "dB(A)")


class _Lines(yaml.SafeDumper):
    """One row of a table on one line, as the other packs are written."""


def _write(path: Path, prefix: str, pack: dict[str, Any]) -> None:
    body = pack["body"]
    found = tuple(len(body.get(name, [])) for name in ("chapters", "items", "indicators", "vetoes"))
    if found != COUNTS[prefix]:
        sys.exit(f"{path.name}: {found} rows instead of {COUNTS[prefix]}: check the table first.")
    _put(path, pack)


def _put(path: Path, pack: dict[str, Any]) -> None:
    body = pack["body"]
    out = ["# Written by tools/seed_clauses.py; change the facts there, not here."]
    for name, value in pack.items():
        if name != "body":
            out.append(f"{name}: {_flow(value)}")
    out.append("body:")
    for name, value in body.items():
        if isinstance(value, list):
            out.append(f"  {name}:")
            out += [f"    - {_flow(row)}" for row in value]
        elif isinstance(value, dict):
            out.append(f"  {name}:")
            out += [f"    {_flow(key)}: {_flow(text)}" for key, text in value.items()]
        else:
            out.append(f"  {name}: {_flow(value)}")
    path.write_text("\n".join(out) + "\n", encoding="utf-8")


def _flow(value: Any) -> str:
    text = yaml.dump(
        value, Dumper=_Lines, allow_unicode=True, default_flow_style=True, sort_keys=False, width=10**6
    )
    return text.removesuffix("...\n").strip()


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
