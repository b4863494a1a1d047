"""What is declared is used, what is used is declared, and everything may be handed on."""

import ast
import re
import sys
import tomllib
from functools import cache
from importlib import metadata

import pytest

from tests.house.conftest import ROOT

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
EXTRAS = PROJECT["optional-dependencies"]
# Run as commands or plugins, never imported by name.
TOOLS = {"ruff", "mypy", "django-stubs", "types-pyyaml", "import-linter", "pytest-django", "pytest-xdist"}
# Not dependencies of the project: the tool that needs them says so.
ASKED_FOR = {"tools/subset_font.py": {"fontTools"}, "tools/word_pages.py": {"fontTools"}}
BROUGHT = metadata.packages_distributions()
OURS = {"weicheng", "tests", "tools", "bench"}


def name_of(line):
    return re.match(r"[A-Za-z0-9._-]+", line)[0].lower().replace("_", "-")


def named(lines):
    return {name_of(line) for line in lines} - {"weicheng"}


@cache
def modules_of(distribution):
    """The top names that a distribution brings, under its own or another name."""
    return {top for top, whose in BROUGHT.items() if distribution in map(name_of, whose)}


@cache
def imported(folder):
    """Every top name that the Python files below a folder import, and where."""
    found = {}
    for path in sorted((ROOT / folder).rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = []
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                names = [node.module]
            for name in names:
                found.setdefault(name.partition(".")[0], set()).add(path.relative_to(ROOT).as_posix())
    return found


def foreign(folder):
    beside = {path.stem for path in (ROOT / folder).glob("*.py")}
    return {
        top: where
        for top, where in imported(folder).items()
        if top not in sys.stdlib_module_names | OURS | beside
    }


def test_what_the_site_imports_is_declared_to_run():
    declared = named([*PROJECT["dependencies"], *EXTRAS["postgres"], *EXTRAS["pdf"], *EXTRAS["cluster"]])
    known = set().union(*(modules_of(one) for one in declared))
    assert {top: where for top, where in foreign("weicheng").items() if top not in known} == {}


@pytest.mark.parametrize("folder", ["tools", "tests", "bench"])
def test_what_the_workshop_imports_is_declared_to_develop(folder):
    known = set().union(
        *(modules_of(one) for one in named([*PROJECT["dependencies"], *EXTRAS["postgres"], *EXTRAS["dev"]]))
    )
    asked = {top: where for top, where in foreign(folder).items() if top not in known}
    assert {
        top: where
        for top, where in asked.items()
        if not all(top in ASKED_FOR.get(file, ()) for file in where)
    } == {}


def test_what_is_declared_to_run_is_used_by_the_site():
    # Not the extras `pdf` and `cluster`: they are named for those who install, their engines come later.
    settings = (ROOT / "weicheng" / "settings.py").read_text()
    used = set(foreign("weicheng")) | set(re.findall(r'"([a-z_]+)[."]', settings))
    assert [one for one in sorted(named(PROJECT["dependencies"])) if not modules_of(one) & used] == []
    assert [
        one for one in sorted(named(EXTRAS["postgres"])) if not modules_of(one) & set(foreign("tests"))
    ] == []


def test_what_is_declared_to_develop_is_used_or_a_tool():
    used = set().union(*(foreign(folder) for folder in ("tools", "tests", "bench")))
    assert [one for one in sorted(named(EXTRAS["dev"]) - TOOLS) if not modules_of(one) & used] == []


def told():
    """The page's rows: package -> (from, licence)."""
    rows = re.findall(
        r"^\| ([a-z0-9-]+) \| (\S.*?) \| (\S.*?) \| \S.* \|$",
        (ROOT / "docs" / "licences.md").read_text(),
        re.M,
    )
    return {name: (least, licence) for name, least, licence in rows if name not in ("package", "---")}


def test_every_direct_dependency_stands_on_the_page_with_its_oldest_version():
    declared = {}
    for line in [*PROJECT["dependencies"], *(line for extra in EXTRAS.values() for line in extra)]:
        least = re.search(r">=([\d.]+)", line)
        below = re.search(r"<([\d.]+)", line)
        declared[name_of(line)] = least[1] if least else f"below {below[1]}" if below else "any"
    declared.pop("weicheng")
    assert {name: least for name, (least, _licence) in told().items()} == declared


def test_nothing_is_under_a_licence_that_binds_the_whole():
    for name, (_least, licence) in told().items():
        assert not re.search(r"(?<!L)GPL", licence), f"{name} is under {licence}"


@pytest.mark.parametrize("lock", ["requirements.lock", "requirements-dev.lock"])
def test_nothing_that_comes_along_says_that_it_is_under_such_a_licence(lock):
    for name in re.findall(r"^([a-z0-9.-]+)==", (ROOT / lock).read_text(), re.M):
        try:
            about = metadata.metadata(name)
        except metadata.PackageNotFoundError:  # of another system or Python
            continue
        says = [about.get("License-Expression") or "", *(about.get_all("Classifier") or [])]
        licences = [one for one in says if "GPL" in one or "General Public" in one]
        bound = [one for one in licences if not re.search(r"LGPL|Lesser|Library", one)]
        # With a choice of licences it is ours to take the other.
        assert not bound or any(" OR " in one for one in says), f"{name}: {bound}"
