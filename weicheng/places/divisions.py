"""The public division data (行政区划): every province down to its communities, read from packed files.

One xz file per province, so an installation decompresses only its own: 0.02 s for Jiangsu, 0.3 s for all.
Lines are code, tab, name, sorted by code, which puts each area before what stands below it. Areas are dated
and change in the database; this is only the seed. Source, licences and counts: data/divisions/SOURCE.md.
"""

import lzma
import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from weicheng.rules.areas import Level, ancestors
from weicheng.rules.errors import N_, RuleError

DATA = Path(__file__).parent / "data" / "divisions"


class Division(NamedTuple):
    """One area as published; `code` has 2, 4, 6, 9 or 12 digits."""

    code: str
    name: str


def provinces() -> list[Division]:
    """Return the 31 provinces, in the order of their codes."""
    return _parse((DATA / "provinces.txt").read_text(encoding="utf-8").splitlines())


def read(area: str) -> Iterator[Division]:
    """Return the area's ancestors from the province down, the area itself, and everything below it.

    area: a code of 2, 4, 6, 9 or 12 digits

    Raises RuleError at once, not when first iterated: "area-code" for a code no level has, "unknown-area"
    for one that is not in the data.
    """
    above = {f"{code}\t" for code in ancestors(area)[1:]}
    # A code is a prefix of its children's, and the tab ends the ancestors' codes.
    lines = [
        line
        for line in _text(area[:2]).splitlines()
        if line.startswith(area) or line[: line.index("\t") + 1] in above
    ]
    if not any(line.startswith(f"{area}\t") for line in lines):
        raise RuleError(
            "unknown-area",
            N_("区划数据（2023-06-30）中没有代码“{area}”。请核对代码，或用名称查找。"),
            area=area[:40],
        )
    return iter(_parse(lines))


def find(name: str, limit: int = 20) -> list[Division]:
    """Return the areas whose name contains `name`, from province to street; communities are not searched.

    Equal names come first, then names that begin with it, then the others; higher levels first, then by
    code. Many names exist more than once (four 鼓楼区): show them with `full_name`.
    """
    wanted = name.strip()
    if not wanted:
        return []
    # One pattern over the whole text: nine in ten lines are communities and need not become objects.
    line = re.compile(rf"^(\d{{2,{Level.STREET}}})\t(.*{re.escape(wanted)}.*)$", re.MULTILINE | re.ASCII)
    found = [
        Division(*match.groups()) for province in provinces() for match in line.finditer(_text(province.code))
    ]
    found.sort(
        key=lambda area: (area.name != wanted, not area.name.startswith(wanted), len(area.code), area.code)
    )
    return found[:limit]


def full_name(code: str) -> str:
    """Return the names from the province down, joined: "江苏省徐州市泉山区". Errors as in `read`."""
    names: list[str] = []
    for area in read(code):
        if len(area.code) > len(code):
            break
        # "北京市东城区" without the pseudo-city between, and 东莞市 once although its district repeats it.
        if (area.code == code or not is_pseudo(area)) and names[-1:] != [area.name]:
            names.append(area.name)
    return "".join(names)


def is_pseudo(area: Division) -> bool:
    """Is this a city level that exists only in the codes, not as a government? (1101 市辖区, 5002 县)"""
    return len(area.code) == Level.CITY and area.name in _PSEUDO_CITIES


# What stands at the city level where a district or county answers to its province directly.
_PSEUDO_CITIES = frozenset({"市辖区", "县", "省直辖县级行政区划", "自治区直辖县级行政区划"})


def _text(province: str) -> str:
    """Return the province's lines, or "" when there is no such province."""
    try:
        packed = (DATA / f"{province}.txt.xz").read_bytes()
    except FileNotFoundError:
        return ""
    return lzma.decompress(packed).decode()


def _parse(lines: list[str]) -> list[Division]:
    return [Division(*line.split("\t")) for line in lines]
