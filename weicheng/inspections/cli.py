"""`weicheng draw`: draw from a table of places, or compute a published draw again. Needs no database."""

import argparse
import csv
import json
import sys
from collections.abc import Sequence
from pathlib import Path

from weicheng.rules.draws import Place, differences, document, proportional, sizes
from weicheng.rules.errors import N_, RuleError

MOST_BYTES = 100_000_000
COLUMNS = ("id", "stratum", "area")


def draw(argv: Sequence[str]) -> int:
    """Run `weicheng draw`; 0 done or the same, 1 different or refused."""
    options = argparse.ArgumentParser(
        prog="weicheng draw",
        description="draw places, or compute a published draw again · 抽取检查地点，或核对已公布的抽取",
    )
    what = options.add_mutually_exclusive_group(required=True)
    what.add_argument("--verify", metavar="FILE", help="a draw as downloaded, JSON · 核对下载的抽取文件")
    what.add_argument(
        "--frame", metavar="FILE", help="places as CSV with the columns id,stratum,area · 抽取范围"
    )
    options.add_argument(
        "--quota", action="append", default=[], metavar="N | STRATUM=N",
        help="how many, shared out by size, or of one stratum (repeatable) · 抽取数量，或某组的数量",
    )  # fmt: skip
    options.add_argument("--seed", default="", help="any text nobody could choose · 种子")
    options.add_argument(
        "--recommend", action="append", default=[], metavar="ID", help="named beforehand · 推荐的地点"
    )
    given = options.parse_args(list(argv))
    if given.verify:
        return _verify(Path(given.verify))
    if not given.quota or not given.seed:
        options.error("--frame needs --quota and --seed · 须同时给出 --quota 和 --seed")
    return _draw(given, options)


def _verify(path: Path) -> int:
    try:
        read = json.loads(_read(path))
    except ValueError:
        raise RuleError(
            "draw-file", N_("“{path}”不是 JSON 文件。请使用页面下载的原文件。"), path=path.name
        ) from None
    found = differences(read)
    if not found:
        _say(f"一致 · the same: {len(read['result'])} / {len(read['frame'])}  {read['seed_digest']}")
        return 0
    for each in found:
        _say(each.sentence())
    _say(f"不一致 · {len(found)} differences")
    return 1


def _draw(given: argparse.Namespace, options: argparse.ArgumentParser) -> int:
    frame = _frame(Path(given.frame))
    quotas: dict[str, int] = {}
    for text in given.quota:
        stratum, _sign, number = text.rpartition("=")
        if not number.isascii() or not number.isdigit() or ("=" not in text and len(given.quota) > 1):
            options.error("--quota takes one number, or STRATUM=NUMBER once for each · 数量无法识别")
        if "=" in text:
            quotas[stratum] = int(number)
        else:
            quotas = proportional(sizes(frame, given.recommend), int(number))
    made = document(frame, quotas, seed=given.seed, recommended=given.recommend)
    sys.stdout.write(json.dumps(made, ensure_ascii=False, indent=1) + "\n")
    return 0


def _frame(path: Path) -> list[Place]:
    lines = csv.DictReader(_read(path).splitlines())
    if "id" not in (lines.fieldnames or ()):
        raise RuleError("frame-columns", N_("“{path}”没有 id 列。表头应为 id,stratum,area。"), path=path.name)
    return [Place(*((line.get(name) or "").strip() for name in COLUMNS)) for line in lines]


def _read(path: Path) -> str:
    try:
        if path.stat().st_size > MOST_BYTES:
            raise RuleError("file-too-large", N_("“{path}”太大，不会是抽取文件。请核对。"), path=path.name)
        return path.read_text("utf-8-sig")
    except (OSError, UnicodeDecodeError):
        raise RuleError(
            "file-unreadable", N_("无法读取“{path}”。请核对文件是否存在、是否为 UTF-8。"), path=path.name
        ) from None


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
