"""Write docs/map.md from the tree: every folder and module with the first line of its docstring.

usage: python tools/map.py [--check]

The order is that of the import contract (.importlinter), top first. With --check nothing is written; the exit
code is 1 when the page is out of date, a package stands in no layer, or a module does not say what it is.
"""

import ast
import configparser
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "map.md"
# For folders, and for files whose docstring would say the same in every package.
SAID = {
    "ui/__init__.py": "界面: base page, design system, the one list engine, form fields, export.",
    "apps.py": "the app's name for Django, and what it registers below",
    "data": "public data, packed",
    "locale": "translations: 繁體, English",
    "migrations": "how its tables came to be",
    "static": "scripts, styles, pictures",
    "templates": "its pages",
    "templatetags": "what its templates may call",
    "urls.py": "its addresses",
}
OTHERS = {
    "packs": "data only: the base editions that `weicheng init` loads",
    "tests": "mirrors the tree; `tests/rules` needs no database",
    "tools": "what makes generated or vendored files, and the test environment",
    "docs": "this page, settings, glossary, decisions, coverage",
    "bench": "speed, measured against the targets",
}


def layers() -> list[list[str]]:
    """Return the layers of the contract, top first, each the names that stand side by side."""
    contract = configparser.ConfigParser()
    contract.read(ROOT / ".importlinter")
    lines = contract["importlinter:contract:layers"]["layers"].split("\n")
    return [[name.strip() for name in line.replace("|", ":").split(":")] for line in lines if line.strip()]


def subject(path: Path) -> str:
    """Return the first line of a module's docstring, or what SAID says; ValueError when nothing does."""
    if path.is_dir():
        return SAID.get(path.name) or subject(path / "__init__.py")
    text = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8")))
    text = text or SAID.get(path.name) or SAID.get(f"{path.parent.name}/{path.name}")
    if not text:
        raise ValueError(f"{path.relative_to(ROOT)} has no docstring: its first line goes on docs/map.md.")
    return text.splitlines()[0]


def page() -> str:
    """Return the text of docs/map.md."""
    source = ROOT / "weicheng"
    order = layers()
    placed = {name for layer in order for name in layer}
    found = {path.name for path in source.iterdir() if (path / "__init__.py").exists()}
    found |= {path.stem for path in source.glob("*.py")} - {"__init__"}
    if odd := (found - placed) | (placed - found):
        raise ValueError(f".importlinter and the tree do not name the same: {', '.join(sorted(odd))}.")
    lines = [
        "# The map",
        "",
        "Made by `make map` from the tree and checked by `make lint`. Packages stand in the order of dependence: one",
        "imports only what stands below it. What shares a heading's line are siblings: they compose by address.",
        "",
        "## One file each",
        "",
    ]
    for name in (name for layer in order for name in layer if (source / f"{name}.py").exists()):
        lines.append(f"- `weicheng/{name}.py` — {subject(source / f'{name}.py')}")
    for layer in order:
        for name in (name for name in layer if (source / name).is_dir()):
            siblings = [f"`{other}`" for other in layer if other != name]
            beside = f" (beside {', '.join(siblings)})" if siblings else ""
            lines += ["", f"## weicheng/{name}/{beside}", "", subject(source / name / "__init__.py"), ""]
            lines += [
                f"- `{path.relative_to(source / name)}` — {subject(path)}" for path in parts(source / name)
            ]
    lines += ["", "## Besides", ""]
    for name, what in OTHERS.items():
        where = source / name if name == "packs" else ROOT / name
        if where.exists():
            lines.append(f"- `{where.relative_to(ROOT)}/` — {what}")
    return "\n".join(lines) + "\n"


def parts(package: Path) -> list[Path]:
    """Return the modules and folders of a package that the page names."""
    own = sorted(path for path in package.glob("*.py") if path.name != "__init__.py")
    folders = sorted(path for path in package.iterdir() if path.is_dir() and path.name != "__pycache__")
    return own + [path for path in folders if any(path.rglob("*.*"))]


def main(arguments: list[str]) -> int:
    try:
        text = page()
    except ValueError as error:
        print(error)
        return 1
    if arguments == ["--check"]:
        if PAGE.read_text(encoding="utf-8") == text:
            return 0
        print("docs/map.md is out of date. Run: make map")
        return 1
    PAGE.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
