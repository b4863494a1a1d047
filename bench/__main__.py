"""usage: python -m bench [--quick] [--full] [--only scores] [--rounds N] [--out FILE]

Makes its own installations in a scratch folder and, where a server is there, in databases of its own; measures;
writes the report; removes all it made.
"""

import argparse
import contextlib
import json
import os
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path

from bench import measures, report, scores
from bench.measures import Effort
from bench.sites import DISTRICT, ROOT, Site, postgres_server

SMALL, LARGE = 100_000, 1_000_000
Results = dict[str, dict[str, list[float]]]


def main() -> int:
    """Measure and write the report; 0 also when targets are missed: the report says so."""
    options = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    options.add_argument("--quick", action="store_true", help="one short round on small tables, SQLite only")
    options.add_argument("--full", action="store_true", help="the million on PostgreSQL too")
    options.add_argument(
        "--only",
        choices=["scores"],
        help="just sheet, bulletin and draw: replaces their section of the report",
    )
    options.add_argument("--rounds", type=int, default=0, help="runs of each measure, 5 if not given")
    options.add_argument("--out", type=Path, default=ROOT / "docs" / "benchmarks.md")
    given = options.parse_args()
    if given.only:
        return _only_scores(given.out, given.rounds or (1 if given.quick else 3), quick=given.quick)
    rounds = given.rounds or (1 if given.quick else 5)
    effort = Effort(0.4, 5, 3) if given.quick else Effort(1.5, 25, 20)
    small, large = (300, 3000) if given.quick else (SMALL, LARGE)

    begun = time.monotonic()
    load_before = os.getloadavg()[0]
    server = None if given.quick else postgres_server()
    if server is None and not given.quick:
        say(
            "No PostgreSQL lets us in at 127.0.0.1:5432 (or WEICHENG_TEST_DATABASE_URL): measuring SQLite only."
        )
    results: Results = defaultdict(lambda: defaultdict(list))
    loads: dict[str, float] = {}
    with contextlib.ExitStack() as stack:
        folder = tempfile.TemporaryDirectory(prefix="weicheng-bench-", ignore_cleanup_errors=True)
        scratch = Path(stack.enter_context(folder))
        engines = {"SQLite": ""} | ({"PostgreSQL": server} if server else {})
        for engine, address in engines.items():
            sizes = [0, small] + ([large] if engine == "SQLite" or given.full else [])
            sites: dict[int, Site] = {}
            for rows in sizes:
                site = sites[rows] = Site(engine, rows, scratch, address)
                stack.callback(site.remove)
                seconds = site.make()
                if rows:
                    loads[f"{engine} {rows:,}"] = seconds
                    say(f"{engine}: {rows:,} findings loaded in {seconds:.0f} s")
            engines[engine] = sites  # type: ignore[assignment]
        made: dict[str, dict[int, Site]] = engines  # type: ignore[assignment]
        _measure(made, rounds, effort, (small, large), results)
        for sites in made.values():
            for site in sites.values():
                site.remove()  # room on the disk and in memory for what comes
        month_end = _scores(server, rounds=min(rounds, 3), quick=given.quick)
    took = time.monotonic() - begun
    text = report.written(
        results, rounds=rounds, sizes=(small, large), loads=loads,
        seconds=took, load=(load_before, os.getloadavg()[0]), quick=given.quick,
        why=report.kept_text(given.out), month_end=month_end,
    )  # fmt: skip
    given.out.parent.mkdir(parents=True, exist_ok=True)
    given.out.write_text(text, encoding="utf-8")
    say(f"Written to {given.out.name} after {took / 60:.1f} minutes.")
    return 0


def _only_scores(out: Path, rounds: int, *, quick: bool) -> int:
    """Measure sheet, bulletin and draw, and replace their section of the report."""
    begun = time.monotonic()
    section = _scores(None if quick else postgres_server(), rounds=rounds, quick=quick)
    out.parent.mkdir(parents=True, exist_ok=True)
    known = out.read_text(encoding="utf-8") if out.is_file() else ""
    out.write_text(report.with_month_end(known, section), encoding="utf-8")
    say(f"Written to {out.name} after {(time.monotonic() - begun) / 60:.1f} minutes.")
    return 0


def _scores(server: str | None, *, rounds: int, quick: bool) -> str:
    """Return the section on the month's end, measured on an installation of its own for each database."""
    findings, frame = (2_000, 1_000) if quick else (scores.ROWS, scores.FRAME)
    results: Results = {}
    with contextlib.ExitStack() as stack:
        folder = tempfile.TemporaryDirectory(prefix="weicheng-bench-", ignore_cleanup_errors=True)
        scratch = Path(stack.enter_context(folder))
        for engine, address in ({"SQLite": ""} | ({"PostgreSQL": server} if server else {})).items():
            site = Site(engine, findings, scratch, address)
            stack.callback(site.remove)
            seconds = site.make()
            say(f"{engine}: {findings:,} findings loaded in {seconds:.0f} s")
            begun = time.monotonic()
            said = site.run("-m", "bench.scores", DISTRICT, str(rounds), str(frame))
            results[engine] = json.loads(said.splitlines()[-1])
            site.remove()
            say(f"  sheet, bulletin and draw, {engine}: {time.monotonic() - begun:.0f} s")
    return report.month_end(results, rounds=rounds, quick=quick)


def _measure(
    engines: dict[str, dict[int, Site]],
    rounds: int,
    effort: Effort,
    sizes: tuple[int, int],
    results: Results,
) -> None:
    """Take turns: in every round each measure runs once on each database and size, seconds apart."""
    small, large = sizes

    def once(label: str, measure: Callable[[Site, Effort], measures.Figures], site: Site, key: str) -> None:
        begun = time.monotonic()
        for name, value in measure(site, effort).items():
            results[key][name].append(value)
        say(f"  {label}, {key}: {time.monotonic() - begun:.0f} s")

    for round_number in range(1, rounds + 1):
        say(f"round {round_number} of {rounds}")
        for engine, sites in engines.items():
            once("start", measures.starting, sites[0], engine)
        for size in (small, large):
            for engine, sites in engines.items():
                if size in sites:
                    sites[size].start()
                    once("lists", measures.lists, sites[size], f"{engine} {size}")
                    sites[size].stop()
        for engine, sites in engines.items():
            sites[small].start()
            once("photos", measures.photos, sites[small], engine)
            once("writing", measures.writing, sites[small], engine)
            sites[small].stop()


def say(line: str) -> None:
    """Print a line at once."""
    print(line, flush=True)


if __name__ == "__main__":
    sys.exit(main())
