"""The pages of docs say what is there: the map, the settings, the glossary, the coverage, the links."""

import json
import os
import re
import subprocess
import sys
import tomllib

import pytest
import yaml

from tests.house.conftest import ROOT

DOCS = ROOT / "docs"


def test_the_map_is_the_tree_and_the_tree_is_in_the_contract():
    ran = subprocess.run(
        [sys.executable, "tools/map.py", "--check"], cwd=ROOT, capture_output=True, text=True
    )
    assert ran.returncode == 0, ran.stdout


@pytest.fixture(scope="module")
def read(tmp_path_factory):
    """The settings that settings.py reads, with their defaults, in an environment without any."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("WEICHENG_")}
    code = "import json; from weicheng import settings; print(json.dumps(settings.READ))"
    scratch = str(tmp_path_factory.mktemp("settings"))
    found = {}
    # Some settings are read only in production, where the folder has no default.
    for extra in ({}, {"WEICHENG_PRODUCTION": "1", "WEICHENG_SECRET_KEY": "x" * 60}):
        ran = subprocess.run(
            [sys.executable, "-c", f"import os; os.chdir({scratch!r}); {code}"],
            env=kept | extra | {"PYTHONPATH": str(ROOT)},
            capture_output=True,
            text=True,
        )
        assert ran.returncode == 0, ran.stderr
        found |= json.loads(ran.stdout)
    return found


def test_every_setting_stands_on_its_page_with_its_default(read):
    rows = re.findall(
        r"^\| `(WEICHENG_\w+)` \| (?:`(.*?)`)? ?\| (\S.*) \|$", (DOCS / "settings.md").read_text(), re.M
    )
    told = {name: default for name, default, _meaning in rows}
    assert len(told) == len(rows), "a setting stands twice on the page"
    assert told == read


def test_every_setting_named_in_the_code_is_read_by_a_typed_reader(read):
    named = set()
    for path in [*(ROOT / "weicheng").rglob("*.py"), *(ROOT / "weicheng").rglob("*.html")]:
        named |= set(re.findall(r"WEICHENG_[A-Z_]+[A-Z]", path.read_text()))
    assert named <= set(read)


def test_every_word_of_the_glossary_is_a_word_of_the_code():
    source = "\n".join(path.read_text() for path in (ROOT / "weicheng").rglob("*.py"))
    folders = {path.name for path in (ROOT / "weicheng").iterdir()}
    words = re.findall(r"^\| \S.*? \| `(\w+)` \|", (DOCS / "glossary.md").read_text(), re.M)
    assert len(words) > 30
    missing = [word for word in words if word not in folders and not re.search(rf"\b{word}\b", source)]
    assert not missing


def coverage():
    return yaml.safe_load((DOCS / "coverage.yaml").read_text())


@pytest.mark.parametrize("entry", coverage())
def test_what_is_covered_exists_and_is_tested(entry):
    about = coverage()[entry]
    assert re.fullmatch(r"[A-Z]+-\d+", entry)
    assert set(about) == {"what", "where", "test"}
    assert (ROOT / about["where"]).is_file()
    path, _, name = about["test"].partition("::")
    assert (ROOT / path).is_file()
    assert f"def {name}" in (ROOT / path).read_text()


@pytest.mark.parametrize("page", sorted(path.relative_to(ROOT).as_posix() for path in ROOT.glob("*.md")))
def test_links_of_the_front_pages_lead_somewhere(page):
    text = (ROOT / page).read_text()
    links = [link for link in re.findall(r"\]\(([^)#]+)\)", text) if "://" not in link]
    assert not [link for link in links if not (ROOT / link).exists()]


def test_the_version_is_the_same_everywhere():
    from weicheng import __version__

    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert project["version"] == __version__
    assert f"## {__version__}" in (ROOT / "CHANGELOG.md").read_text()


@pytest.mark.parametrize("lock", ["requirements.lock", "requirements-dev.lock"])
def test_a_lock_file_names_packages_and_digests_and_nothing_else(lock):
    for line in (ROOT / lock).read_text().splitlines():
        assert re.fullmatch(r"[a-z0-9.-]+==\S+( ; [^\\]+)? \\|    --hash=sha256:[0-9a-f]{64}( \\)?", line), (
            line
        )


def test_what_runs_is_what_is_tested():
    def versions(lock):
        return dict(re.findall(r"^([a-z0-9.-]+)==(\S+)", (ROOT / lock).read_text(), re.M))

    run, dev = versions("requirements.lock"), versions("requirements-dev.lock")
    assert run == {name: version for name, version in dev.items() if name in run}


def test_every_direct_dependency_is_locked():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    locked = (ROOT / "requirements.lock").read_text()
    for line in project["dependencies"]:
        name = re.match(r"[A-Za-z0-9-]+", line)[0].lower()
        assert re.search(rf"^{name}==", locked, re.M), name
