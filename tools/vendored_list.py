"""weicheng/ui/vendored.yaml, the list of third-party files: written by the tools here, read by a test."""

import hashlib
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parent.parent
LIST = ROOT / "weicheng" / "ui" / "vendored.yaml"
HEAD = """\
# Third-party files served or used by us, unchanged except as said in `changed`.
# Written by tools/vendor.py and tools/subset_font.py; tests/ui/test_vendored.py recomputes every checksum.
# file: from the root of the repository. bytes and sha256: of the file as it lies here, after any change.
"""


def entry(file: Path, package: str, version: str, licence: str, changed: str = "") -> dict[str, Any]:
    """Return the line of one file that already lies in the tree."""
    content = file.read_bytes()
    row = {
        "file": file.relative_to(ROOT).as_posix(),
        "package": package,
        "version": version,
        "licence": licence,
        "sha256": hashlib.sha256(content).hexdigest(),
        "bytes": len(content),
    }
    return row | {"changed": changed} if changed else row


def replace(folders: tuple[str, ...], entries: list[dict[str, Any]]) -> None:
    """Write the list anew: these entries instead of all that stood for files below `folders`."""
    old = yaml.safe_load(LIST.read_text(encoding="utf-8"))["files"] if LIST.exists() else []
    kept = [row for row in old if not row["file"].startswith(folders)]
    rows = sorted(kept + entries, key=lambda row: row["file"])
    body = yaml.safe_dump({"files": rows}, allow_unicode=True, sort_keys=False, width=110)
    LIST.write_text(HEAD + body, encoding="utf-8")
