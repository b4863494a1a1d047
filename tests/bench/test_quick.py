"""The bench runs; how fast is said by its report and asserted by no test."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.once
ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.slow
def test_a_quick_bench_writes_its_figures_into_the_file_it_is_given(tmp_path):
    out = tmp_path / "figures.md"
    environment = {name: value for name, value in os.environ.items() if not name.startswith("WEICHENG_")}
    done = subprocess.run(
        [sys.executable, "-m", "bench", "--quick", "--out", str(out)],
        cwd=ROOT, env=environment, capture_output=True, text=True, timeout=600,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    written = out.read_text(encoding="utf-8")
    for words in (
        "| SQLite | bare insert | 8 |",
        "| SQLite | finding | 1 |",
        "| SQLite | unit liaison |",
        "MiB",
    ):
        assert words in written
    assert str(ROOT) not in written
