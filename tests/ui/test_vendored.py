"""Third-party files lie here as listed: nothing altered, nothing unlisted, nothing that asks another host."""

import hashlib
import re
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
STATIC = ROOT / "weicheng" / "ui" / "static"
FILES = yaml.safe_load((ROOT / "weicheng" / "ui" / "vendored.yaml").read_text(encoding="utf-8"))["files"]
FOLDERS = (STATIC / "vendor", STATIC / "fonts", ROOT / "tests" / "vendor")
FORBIDDEN_LICENCES = ("GPL", "AGPL", "SSPL")


@pytest.mark.parametrize("row", FILES, ids=lambda row: Path(row["file"]).name)
def test_a_listed_file_is_byte_for_byte_the_one_that_was_listed(row):
    content = (ROOT / row["file"]).read_bytes()
    assert len(content) == row["bytes"]
    assert hashlib.sha256(content).hexdigest() == row["sha256"]


@pytest.mark.parametrize("row", FILES, ids=lambda row: Path(row["file"]).name)
def test_every_listed_file_names_its_package_version_and_a_permissive_licence(row):
    assert row["package"]
    assert re.fullmatch(r"\d+\.\d+\.\d+", row["version"])
    assert row["licence"]
    assert not row["licence"].startswith(FORBIDDEN_LICENCES)


def test_no_vendored_file_is_missing_from_the_list():
    present = {
        file.relative_to(ROOT).as_posix()
        for folder in FOLDERS
        for file in folder.rglob("*")
        if file.is_file()
    }
    assert present == {row["file"] for row in FILES}


@pytest.mark.parametrize("file", [*STATIC.glob("vendor/**/*.css")], ids=lambda file: file.name)
def test_a_vendored_style_sheet_asks_nothing_of_another_host(file):
    text = re.sub(r"/\*.*?\*/", "", file.read_text(encoding="utf-8"), flags=re.DOTALL)
    text = re.sub(r"""url\((["']?)data:.*?\1\)""", "", text)
    assert "@import" not in text
    assert re.findall(r"(?:https?:)?//[^\s\"')]+", text) == []


@pytest.mark.parametrize("file", [*STATIC.glob("vendor/**/*.css")], ids=lambda file: file.name)
def test_what_a_vendored_style_sheet_points_to_is_here(file):
    text = re.sub(r"""url\((["']?)data:.*?\1\)""", "", file.read_text(encoding="utf-8"))
    targets = re.findall(r"url\([\"']?([^\"')#]+)", text)
    assert [target for target in targets if not (file.parent / target).is_file()] == []


def test_no_vendored_script_or_style_sheet_names_a_source_map():
    named = [file.name for file in STATIC.glob("vendor/**/*.*s") if b"sourceMappingURL" in file.read_bytes()]
    assert named == []


def test_the_sprite_has_one_symbol_per_icon_without_colours_of_its_own():
    symbols = ET.parse(STATIC / "vendor" / "icons.svg").getroot()
    names = [symbol.get("id", "").removeprefix("tabler-") for symbol in symbols]
    assert len(names) == len(set(names)) >= 45
    assert {"home", "camera", "map-pin", "clipboard-check", "bell", "qrcode"} <= set(names)
    assert all(len(symbol) > 0 and symbol.get("stroke") == "currentColor" for symbol in symbols)


def test_the_fonts_are_woff2_small_enough_for_a_phone():
    fonts = [*STATIC.glob("fonts/*.woff2")]
    assert {font.name for font in fonts} >= {"noto-sans-sc-400.woff2", "noto-sans-sc-600.woff2"}
    for font in fonts:
        assert font.read_bytes()[:4] == b"wOF2"
        assert font.stat().st_size <= 1_200_000
