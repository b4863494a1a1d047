#!/usr/bin/env python3
"""Cut Noto Sans SC down to the characters our pages can show, as woff2, and list the files with checksums.

    python tools/subset_font.py NOTO_PACKAGE OPENCC_DICTIONARIES

NOTO_PACKAGE: the unpacked npm package @expo-google-fonts/noto-sans-sc, of the version below.
OPENCC_DICTIONARIES: the folder dictionary/ of OpenCC's Python package, simplified -> traditional.
Needs fonttools, brotli and pyyaml; they are not dependencies of the project.

Two families, so that nobody loads what they do not read:
  noto-sans-sc-WEIGHT.woff2   ASCII, punctuation, GB2312 and every character of a division name
  noto-sans-tc-WEIGHT.woff2   the traditional forms of those that are not among them
A page names both in font-family; a browser fetches the second only when the first lacks a character.
"""

import json
import lzma
import sys
from pathlib import Path

from fontTools.subset import Options, Subsetter, load_font, save_font
from vendored_list import ROOT, entry, replace

PACKAGE, VERSION = "@expo-google-fonts/noto-sans-sc", "0.4.3"
FACES = {400: "400Regular/NotoSansSC_400Regular.ttf", 600: "600SemiBold/NotoSansSC_600SemiBold.ttf"}
FONTS = ROOT / "weicheng" / "ui" / "static" / "fonts"
DIVISIONS = ROOT / "weicheng" / "places" / "data" / "divisions"
# The digits of this face are all of one width without a feature; the vertical and kana features stay out.
FEATURES = ["kern", "liga", "locl", "ccmp"]


def gb2312() -> set[str]:
    """Return the characters of GB2312: its symbols, Greek, Cyrillic, kana and 6,763 hanzi."""
    found = set()
    for row in range(0xA1, 0xF8):
        for cell in range(0xA1, 0xFF):
            found.update(bytes([row, cell]).decode("gb2312", errors="ignore"))
    return found


def division_names() -> set[str]:
    """Return every character of a division name."""
    found: set[str] = set()
    for file in DIVISIONS.glob("*.xz"):
        found.update(lzma.decompress(file.read_bytes()).decode())
    return found - set("\t\n")


def simplified() -> set[str]:
    """Return what the first family covers."""
    ranges = [
        (0x20, 0x7F),
        (0xA0, 0x100),
        (0x2010, 0x2040),
        (0x2190, 0x2194),
        (0x3000, 0x3020),
        (0xFF01, 0xFF5F),
    ]
    extra = "€￥…‰′″※℃№①②③④⑤⑥⑦⑧⑨⑩≤≥≠≈±×÷√✓✕■□▲△▼▽◆◇○●★☆"
    return (
        {chr(code) for first, end in ranges for code in range(first, end)}
        | set(extra)
        | gb2312()
        | division_names()
    )


def traditional(dictionaries: Path, covered: set[str]) -> set[str]:
    """Return the traditional forms (all that the dictionaries give) of `covered` that are not in it."""
    found: set[str] = set()
    # The variants turn what the first gives into the forms of Taiwan and Hong Kong: 爲 -> 為, 衆 -> 眾.
    for name in ("STCharacters", "TWVariants", "HKVariants"):
        for line in (dictionaries / f"{name}.txt").read_text(encoding="utf-8").splitlines():
            source, _, forms = line.partition("\t")
            if source in covered or source in found:
                found.update(form for form in forms.split() if len(form) == 1)
    return found - covered


def subset(source: Path, target: Path, characters: set[str]) -> set[str]:
    """Write the subset as woff2; return the characters the face does not have."""
    options = Options(flavor="woff2", layout_features=FEATURES, hinting=False, notdef_outline=True)
    options.drop_tables += ["vhea", "vmtx", "VORG", "BASE"]  # vertical writing
    font = load_font(str(source), options)
    missing = {character for character in characters if ord(character) not in font.getBestCmap()}
    subsetter = Subsetter(options)
    subsetter.populate(unicodes=[ord(character) for character in characters])
    subsetter.subset(font)
    target.parent.mkdir(parents=True, exist_ok=True)
    save_font(font, str(target), options)
    return missing


def main(package: Path, dictionaries: Path) -> None:
    """Make every file and the entries of the list."""
    found = json.loads((package / "package.json").read_text(encoding="utf-8"))["version"]
    if found != VERSION:
        raise ValueError(f"{PACKAGE} is {found}, but tools/subset_font.py says {VERSION}")
    families = {"sc": simplified()}
    families["tc"] = traditional(dictionaries, families["sc"])
    entries = []
    for weight, face in FACES.items():
        for family, characters in families.items():
            target = FONTS / f"noto-sans-{family}-{weight}.woff2"
            missing = subset(package / face, target, characters)
            changed = f"subset to {len(characters) - len(missing)} characters, without hints, as woff2"
            entries.append(entry(target, PACKAGE, VERSION, "OFL-1.1", changed))
            print(target.name, target.stat().st_size, "bytes; not in the face:", "".join(sorted(missing)))
    licence = FONTS / "OFL.txt"
    licence.write_bytes((package / "LICENSE_FONT").read_bytes())
    entries.append(entry(licence, PACKAGE, VERSION, "OFL-1.1"))
    replace(("weicheng/ui/static/fonts/",), entries)


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    main(Path(sys.argv[1]), Path(sys.argv[2]))
