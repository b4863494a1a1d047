"""The bench runs; how fast is said by its report and asserted by no test."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from bench import report

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


@pytest.mark.slow
def test_the_months_end_alone_replaces_its_section_and_nothing_else(tmp_path):
    out = tmp_path / "figures.md"
    out.write_text(
        f"# Benchmarks\n\nkept above\n\n{report.MONTH_END}\nold\n{report.MONTH_END_OVER}\n\nkept below\n",
        encoding="utf-8",
    )
    environment = {name: value for name, value in os.environ.items() if not name.startswith("WEICHENG_")}
    done = subprocess.run(
        [sys.executable, "-m", "bench", "--quick", "--only", "scores", "--out", str(out)],
        cwd=ROOT, env=environment, capture_output=True, text=True, timeout=600,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    written = out.read_text(encoding="utf-8")
    for words in (
        "kept above",
        "| SQLite | the whole job: read, compute, store |",
        "| SQLite: draw places and inspectors, in memory |",
        "kept below",
    ):
        assert words in written
    assert "\nold\n" not in written
    assert str(ROOT) not in written


def test_a_section_that_was_never_written_comes_before_what_is_compared_or_kept():
    section = f"{report.MONTH_END}\nnew\n{report.MONTH_END_OVER}"
    known = f"# Benchmarks\n\n{report.KEPT}\n\nby hand\n"
    written = report.with_month_end(known, section)
    assert written.index("new") < written.index(report.KEPT) < written.index("by hand")
    assert report.with_month_end(written, section.replace("new", "newer")).count(report.MONTH_END) == 1
    assert "newer" in report.with_month_end("", section.replace("new", "newer"))
