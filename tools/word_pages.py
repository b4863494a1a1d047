"""Turn a Word file into one picture a page, to be looked at: `tools/word_pages.py FILE.docx FOLDER`.

LibreOffice, pdftoppm, fonttools and brotli must be there; they are no dependencies of the project. The faces that GB/T 9704 asks for are rarely there, so a font
configuration of this run alone lets each of them be drawn with the font that comes with the program; its Chinese
characters are as wide as those of any other face, so lines and pages break where they would.
"""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

from fontTools.ttLib import TTFont

HOUSE = Path(__file__).resolve().parent.parent / "weicheng" / "ui" / "static" / "fonts"
FACES = ("仿宋_GB2312", "仿宋", "楷体_GB2312", "楷体", "宋体", "SimSun")
HEAVY_FACES = ("方正小标宋简体", "小标宋", "黑体", "SimHei")


def fonts(folder: Path) -> Path:
    """Write the fonts as TTF and a configuration with the aliases; return the configuration's path."""
    for weight in (400, 600):
        face = TTFont(HOUSE / f"noto-sans-sc-{weight}.woff2")
        face.flavor = None
        face.save(folder / f"noto-{weight}.ttf")
    names = [(face, "Noto Sans SC") for face in FACES]
    names += [(face, "Noto Sans SC SemiBold") for face in HEAVY_FACES]
    aliases = "".join(
        f'<match target="pattern"><test name="family"><string>{face}</string></test>'
        f'<edit name="family" mode="assign" binding="strong"><string>{drawn}</string></edit></match>'
        for face, drawn in names
    )
    made = folder / "fonts.conf"
    made.write_text(
        '<?xml version="1.0"?><!DOCTYPE fontconfig SYSTEM "fonts.dtd"><fontconfig>'
        f"<dir>{folder}</dir><dir>/usr/share/fonts</dir><cachedir>{folder}/cache</cachedir>{aliases}</fontconfig>"
    )
    return made


def pages(word: Path, folder: Path) -> list[Path]:
    """Return the pictures of the pages, in order."""
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as scratch:
        given = os.environ | {"FONTCONFIG_FILE": str(fonts(Path(scratch)))}
        profile = f"-env:UserInstallation=file://{scratch}/profile"
        subprocess.run(
            ["soffice", profile, "--headless", "--convert-to", "pdf", "--outdir", str(folder), str(word)],
            check=True, env=given, capture_output=True,
        )  # fmt: skip
    pdf = folder / f"{word.stem}.pdf"
    subprocess.run(["pdftoppm", "-r", "80", "-png", str(pdf), str(folder / word.stem)], check=True)
    return sorted(folder.glob(f"{word.stem}-*.png"))


if __name__ == "__main__":
    for page in pages(Path(sys.argv[1]), Path(sys.argv[2])):
        print(page)
