#!/usr/bin/env python3
"""Copy the browser libraries we serve out of a node_modules folder, and list them with their checksums.

    python tools/vendor.py NODE_MODULES

Make NODE_MODULES in a scratch folder with npm, from the packages and versions in weicheng/ui/vendored.yaml
(axe-core is for the tests only and never served). A file whose package has another version than PACKAGES says
is refused, so an upgrade is made here first.
"""

import json
import re
import sys
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

from vendored_list import ROOT, entry, replace

VENDOR = ROOT / "weicheng" / "ui" / "static" / "vendor"
LICENSES = VENDOR / "LICENSES"
TESTS = ROOT / "tests" / "vendor"

PACKAGES = {  # package: (version, SPDX name of its licence)
    "@tabler/core": ("1.6.1", "MIT"),
    "@tabler/icons": ("3.51.0", "MIT"),
    "htmx.org": ("4.0.1", "0BSD"),
    "echarts": ("6.1.0", "Apache-2.0"),
    "leaflet": ("1.9.4", "BSD-2-Clause"),
    "axe-core": ("4.14.1", "MPL-2.0"),
}

FILES = [  # package, file in it, where it goes
    ("@tabler/core", "dist/css/tabler.min.css", VENDOR / "tabler.min.css"),
    ("@tabler/core", "dist/js/tabler.min.js", VENDOR / "tabler.min.js"),
    ("htmx.org", "dist/htmx.min.js", VENDOR / "htmx.min.js"),
    ("echarts", "dist/echarts.simple.min.js", VENDOR / "echarts.simple.min.js"),
    ("leaflet", "dist/leaflet.js", VENDOR / "leaflet.js"),
    ("leaflet", "dist/leaflet.css", VENDOR / "leaflet.css"),
    ("leaflet", "dist/images/layers.png", VENDOR / "images" / "layers.png"),
    ("leaflet", "dist/images/layers-2x.png", VENDOR / "images" / "layers-2x.png"),
    ("leaflet", "dist/images/marker-icon.png", VENDOR / "images" / "marker-icon.png"),
    ("leaflet", "dist/images/marker-icon-2x.png", VENDOR / "images" / "marker-icon-2x.png"),
    ("leaflet", "dist/images/marker-shadow.png", VENDOR / "images" / "marker-shadow.png"),
    ("@tabler/icons", "LICENSE", LICENSES / "tabler-icons.txt"),
    ("htmx.org", "LICENSE", LICENSES / "htmx.txt"),
    ("echarts", "LICENSE", LICENSES / "echarts.txt"),
    ("echarts", "NOTICE", LICENSES / "echarts-NOTICE.txt"),
    ("echarts", "licenses/LICENSE-d3", LICENSES / "echarts-d3.txt"),
    ("leaflet", "LICENSE", LICENSES / "leaflet.txt"),
    ("axe-core", "axe.min.js", TESTS / "axe.min.js"),
    ("axe-core", "LICENSE", TESTS / "axe-core-LICENSE.txt"),
]
# Libraries inside the bundles above, each with its own licence file; the version is the one npm resolved.
BUNDLED = [
    ("zrender", "LICENSE", LICENSES / "zrender.txt", "BSD-3-Clause"),
    ("tslib", "LICENSE.txt", LICENSES / "tslib.txt", "0BSD"),
    ("@popperjs/core", "LICENSE.md", LICENSES / "popper.txt", "MIT"),
]

ICONS = """
    home list search filter plus minus camera photo map-pin map check circle-check x arrow-left
    arrow-right arrow-back-up chevron-down chevron-up chevron-left chevron-right user users building
    building-community calendar clock alert-triangle alert-circle info-circle bell download upload
    printer settings logout login language moon sun qrcode link refresh history chart-bar clipboard-list
    clipboard-check send shield-lock lock eye dots device-mobile briefcase route flag trash edit columns
    star menu-2 file-spreadsheet file-text database current-location keyboard bookmark arrows-exchange
"""

# @tabler/core ships no licence file; this is what the heads of its bundles say.
TABLER_LICENCE = """\
@tabler/core 1.6.1
Copyright 2018-2026 The Tabler Authors
Copyright 2018-2026 codecalm.net Paweł Kuna

and inside its bundles
Bootstrap, Copyright 2011-2025 The Bootstrap Authors
autosize, Copyright (c) 2015 Jack Moore
countUp.js, Copyright (c) 2019 Jamie Perkins

all under the MIT License:

Permission is hereby granted, free of charge, to any person obtaining a copy of this software and
associated documentation files (the "Software"), to deal in the Software without restriction, including
without limitation the rights to use, copy, modify, merge, publish, distribute, sublicense, and/or sell
copies of the Software, and to permit persons to whom the Software is furnished to do so, subject to the
following conditions:

The above copyright notice and this permission notice shall be included in all copies or substantial
portions of the Software.

THE SOFTWARE IS PROVIDED "AS IS", WITHOUT WARRANTY OF ANY KIND, EXPRESS OR IMPLIED, INCLUDING BUT NOT
LIMITED TO THE WARRANTIES OF MERCHANTABILITY, FITNESS FOR A PARTICULAR PURPOSE AND NONINFRINGEMENT. IN
NO EVENT SHALL THE AUTHORS OR COPYRIGHT HOLDERS BE LIABLE FOR ANY CLAIM, DAMAGES OR OTHER LIABILITY,
WHETHER IN AN ACTION OF CONTRACT, TORT OR OTHERWISE, ARISING FROM, OUT OF OR IN CONNECTION WITH THE
SOFTWARE OR THE USE OR OTHER DEALINGS IN THE SOFTWARE.
"""

SVG = "{http://www.w3.org/2000/svg}"
# A map comment names a file we do not ship: browsers ask for it and hashed static files refuse to build.
SOURCE_MAP = re.compile(rb"\n?(//# sourceMappingURL=[^\n]*|/\*# sourceMappingURL=[^*]*\*/)\s*$")


def version_of(modules: Path, package: str) -> str:
    """Return the version of a package in node_modules."""
    return str(json.loads((modules / package / "package.json").read_text(encoding="utf-8"))["version"])


def copy(source: Path, target: Path) -> str:
    """Copy one file without its source map comment; return what was changed, "" when nothing."""
    content = source.read_bytes()
    stripped = SOURCE_MAP.sub(b"\n", content) if target.suffix in {".js", ".css"} else content
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(stripped)
    return "" if stripped == content else "the sourceMappingURL comment at its end is removed"


def sprite(folder: Path, names: list[str]) -> str:
    """Return one SVG with a <symbol> per outline icon; stroke and size come from the page's .icon class."""
    symbols = []
    for name in names:
        drawing = ET.parse(folder / f"{name}.svg").getroot()
        paths = [path for path in drawing if path.get("stroke") != "none"]  # without the empty 24 x 24 frame
        shapes = []
        for path in paths:
            attributes = "".join(f' {key}="{value}"' for key, value in path.attrib.items())
            shapes.append(f"<{path.tag.removeprefix(SVG)}{attributes}/>")
        symbols.append(
            f'<symbol id="tabler-{name}" viewBox="0 0 24 24" fill="none" stroke="currentColor" '
            f'stroke-width="2" stroke-linecap="round" stroke-linejoin="round">{"".join(shapes)}</symbol>'
        )
    return '<svg xmlns="http://www.w3.org/2000/svg">\n' + "\n".join(symbols) + "\n</svg>\n"


def vendor(modules: Path) -> list[dict[str, Any]]:
    """Copy every file and return its entries; ValueError when a version is not the pinned one."""
    for package, (version, _) in PACKAGES.items():
        if (found := version_of(modules, package)) != version:
            raise ValueError(
                f"{package} is {found} in {modules}, but PACKAGES in tools/vendor.py says {version}"
            )
    entries = []
    for package, file, target in FILES:
        changed = copy(modules / package / file, target)
        entries.append(entry(target, package, *PACKAGES[package], changed))
    for package, file, target, licence in BUNDLED:
        copy(modules / package / file, target)
        entries.append(entry(target, package, version_of(modules, package), licence))
    (LICENSES / "tabler-core.txt").write_text(TABLER_LICENCE, encoding="utf-8")
    entries.append(entry(LICENSES / "tabler-core.txt", "@tabler/core", *PACKAGES["@tabler/core"]))
    icons, names = VENDOR / "icons.svg", ICONS.split()
    icons.write_text(sprite(modules / "@tabler/icons/icons/outline", names), encoding="utf-8")
    changed = f"{len(names)} outline icons joined in one file, each a <symbol> with the id tabler-NAME"
    entries.append(entry(icons, "@tabler/icons", *PACKAGES["@tabler/icons"], changed))
    return entries


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    replace(("weicheng/ui/static/vendor/", "tests/vendor/"), vendor(Path(sys.argv[1])))
