"""Write the figures down: docs/benchmarks.md, made by the run, but for the part below the mark at its end."""

import os
import platform
import sqlite3
from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from statistics import median

from bench.measures import CLIENTS, READERS, STATES

KEPT = "<!-- Below: written by hand, kept by every run. -->"
MONTH_END, MONTH_END_OVER = (
    "<!-- The month's end: `python -m bench --only scores`. -->",
    "<!-- /The month's end. -->",
)
# Source: the targets of the issue this bench was asked for in.
TARGETS = {
    "ratio": 0.25,
    "SQLite": 8.0,
    "PostgreSQL": 12.0,
    "batch": 800.0,
    "list": 12.0,
    "growth": 1.5,
    "photo": 15.0,
    "start": 2.0,
}
# The task names a common and a rare state; the default list is our addition and judged apart.
ASKED, WITH_OPEN = "common and rare", "and all open"
OTHERS = """| What users would pick instead | creates/s, 8 clients | one client, p50 | list | photo | memory |
| --- | --- | --- | --- | --- | --- |
| NocoBase | 95–185 | 7–11 ms | 71–81 ms | 25 ms | 477 MiB |
| Directus | 58–146 | 15–21 ms | | | |
| django-helpdesk | 36–64 | 102 ms | 20 ms | | 110 MiB |
| ODK Central | 106 | | | | |"""

Results = Mapping[str, Mapping[str, Sequence[float]]]


def written(
    results: Results,
    *,
    rounds: int,
    sizes: tuple[int, int],
    loads: Mapping[str, float],
    seconds: float,
    load: tuple[float, float],
    quick: bool,
    why: str,
    month_end: str,
) -> str:
    """Return the whole report; month_end: that section, made by `month_end`."""
    engines = [name for name in ("SQLite", "PostgreSQL") if name in results]
    parts = [
        "# Benchmarks",
        "",
        f"Made by `make bench` on {datetime.now(UTC):%Y-%m-%d}; run it again to replace these figures by your own"
        + (" (this was `--quick`: small tables, one short round, no judgement)." if quick else "."),
        "",
        *_machine(results, load),
        "",
        "## Method",
        "",
        *_method(rounds, sizes, loads, seconds),
        "",
        "## Writing",
        "",
        *_writing(results, engines),
        "",
        "## Lists",
        "",
        *_lists(results, engines, sizes),
        "",
        "## Start and memory",
        "",
        *_starting(results, engines),
        "",
        month_end,
        "",
        "## Beside what users would pick instead",
        "",
        "As given with the task: 2 cores, PostgreSQL, over HTTP. Those create one record; ours also opens a case with its",
        "deadline, its history, an exact version with digest and a journal entry. They were measured on another day, so",
        "compare orders of magnitude, not digits.",
        "",
        OTHERS,
        *_ours(results, engines, sizes[0]),
        "",
        KEPT,
        why.strip(),
        "",
    ]
    return "\n".join(parts).rstrip() + "\n"


def kept_text(path: Path) -> str:
    """Return what stands below the mark in the report that is about to be replaced."""
    if not path.is_file():
        return ""
    return path.read_text(encoding="utf-8").partition(KEPT)[2]


# --- the month's end -----------------------------------------------------------------------------

# (measure, what it is, the asked seconds or None where nothing was asked)
_MONTH_END = (
    ("read", "read the findings of a board and route them", None),
    ("score", "compute the sheets of the board, ranks included", 1.0),
    ("job", "the whole job: read, compute, store", 3.0),
    ("bare", "*reference:* read the same findings, insert as many lines, by cursor", None),
    ("bulletin", "bulletin of a month, as a Word file", 1.0),
    ("empty", "*reference:* bulletin of a month without a record", None),
    ("draw", "draw places and inspectors, in memory", 0.2),
    ("hashes", "*reference:* a lot for each place, sorted", None),
    ("verb", "draw a round from the table of units, stored and told", None),
)
_RATIOS = (
    ("job", "bare", "the whole job ÷ read and insert by cursor"),
    ("bulletin", "empty", "a full month's bulletin ÷ an empty month's"),
    ("draw", "hashes", "the draw ÷ its lots alone"),
)


def month_end(results: Results, *, rounds: int, quick: bool) -> str:
    """Return the section on what a month's end costs: sheet, bulletin, draw."""
    some = next(iter(results.values()))
    size = {
        name: f"{_of(some, name):,.0f}" for name in ("records", "lines", "objects", "cases", "frame", "bytes")
    }
    lines = [
        MONTH_END,
        "## The month's end: sheet, bulletin, draw",
        "",
        f"Made by `python -m bench --only scores` on {datetime.now(UTC):%Y-%m-%d}"
        + (" (this was `--quick`: small tables, no judgement)." if quick else "."),
        "",
        f"- {rounds} rounds in one process, as a worker that is running; figures are medians. A board of {size['objects']} "
        f"communities over {size['records']} findings, {size['lines']} lines stored; a month of {size['cases']} findings, "
        f"without photos, its file {size['bytes']} bytes; 300 places in 40 strata and 12 inspectors from 30,000 places, "
        f"the round from {size['frame']} units.",
        "- *CPU* is the processor time of our own process, without the database server. *Load* is the machine's when the "
        "figure was taken: on two cores, time above CPU time at a load above 2 is waiting for others.",
        "",
        "| Database | What | s | CPU s | load |",
        "| --- | --- | --- | --- | --- |",
    ]
    for engine, figures in results.items():
        lines += [
            f"| {engine} | {label} | {_of(figures, key):.2f} | {_of(figures, key + '-cpu'):.2f} "
            f"| {_of(figures, key + '-load'):.1f} |"
            for key, label, _asked in _MONTH_END
        ]
    lines += ["", "| Database | Ratio, inside each round | |", "| --- | --- | --- |"]
    for engine, figures in results.items():
        for above, below, label in _RATIOS:
            pairs = zip(figures[above], figures[below], strict=True)
            lines.append(f"| {engine} | {label} | {median(one / other for one, other in pairs):.1f} |")
    lines += ["", *_targets_head()]
    for engine, figures in results.items():
        for key, label, asked in _MONTH_END:
            if asked is not None:
                lines.append(_target(f"{engine}: {label}", _of(figures, key), asked, form="{:.2f} s"))
                lines.append(
                    _target(
                        f"{engine}: {label}, CPU alone", _of(figures, f"{key}-cpu"), asked, form="{:.2f} s"
                    )
                )
    return "\n".join([*lines, MONTH_END_OVER])


def with_month_end(known: str, section: str) -> str:
    """Return a report with its section on the month's end replaced, or put before what is compared or kept."""
    if MONTH_END in known and MONTH_END_OVER in known:
        before, _mark, rest = known.partition(MONTH_END)
        return before + section + rest.partition(MONTH_END_OVER)[2]
    for mark in ("## Beside what users would pick instead", KEPT):
        if mark in known:
            before, _mark, rest = known.partition(mark)
            return f"{before}{section}\n\n{mark}{rest}"
    return f"{known or '# Benchmarks'}\n\n{section}\n"


def _machine(results: Results, load: tuple[float, float]) -> list[str]:
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    databases = [f"SQLite {sqlite3.sqlite_version} (WAL, synchronous=FULL)"]
    if "PostgreSQL" in results:
        import psycopg

        from bench.sites import postgres_server

        server = postgres_server()
        if server:
            with psycopg.connect(f"{server}/postgres") as link:
                version = link.info.server_version
            databases.append(
                f"PostgreSQL {version // 10000}.{version % 10000} (its own defaults, same machine)"
            )
    return [
        f"Machine: {os.cpu_count()} cores, {memory:.0f} GiB, Python {platform.python_version()}, "
        f"{', '.join(databases)}.",
        f"Load average of the machine before and after: {load[0]:.1f} and {load[1]:.1f}. "
        "What others run at the same time makes every time longer, CPU times too: read ratios first.",
    ]


def _method(rounds: int, sizes: tuple[int, int], loads: Mapping[str, float], seconds: float) -> list[str]:
    loaded = "; ".join(f"{name} in {took:.0f} s" for name, took in loads.items())
    return [
        f"- {rounds} rounds; in every round each measure runs once on each database and each size. A figure is the median "
        "of the rounds; a ratio is taken inside each round, between runs seconds apart, and then its median.",
        "- Server: the web process as `weicheng run` starts it (granian, one process × 8 threads, loopback). Client: "
        "threads of one other process with kept connections and requests made beforehand; both share the cores. "
        "*CPU* is the server's processor time a request; it waits for nobody, but grows on busy cores.",
        "- `bare` is `POST /bare` of the same server with the same middleware and database settings: read JSON, one "
        "INSERT by cursor, answer. It exists only in the bench.",
        "- A finding is sent as a phone does: note, address, unit, point, device time. It writes a finding, its version, "
        "its case, two steps (filed, dispatched) and a journal entry, in one durable transaction. Writing goes to the "
        f"installation that holds {sizes[0]:,} findings.",
        "- Lists: first page of 20, newest first. The common state holds nine of ten cases, the rare one about one in "
        "2,000 (so that there is something to read, one in five of the small community and one in fifty of the unit). "
        "The unit has 0.1 % of the rows. The list of all open cases is asked for by nobody but is what opens first.",
        "- Start: `weicheng run` on an installed site until the sign-in page has been answered; memory: resident "
        "size of supervisor, web and worker three seconds later (shared pages counted in each).",
        f"- Loaded into the real schema with all indexes: {loaded}. The whole run took {seconds / 60:.1f} minutes.",
    ]


def _writing(results: Results, engines: list[str]) -> list[str]:
    lines = [
        "| Database | What | clients | per second | p50 ms | p95 ms | CPU ms | client, of a core |",
        "| --- | --- | --- | --- | --- | --- | --- | --- |",
    ]
    for engine in engines:
        figures = results[engine]
        for name, label in (
            ("bare", "bare insert"),
            ("create", "finding"),
            ("batch", "findings, 50 a request"),
        ):
            for clients in (1, CLIENTS):
                key = f"{name}-{clients}"
                lines.append(
                    f"| {engine} | {label} | {clients} | {_of(figures, key + '-rate'):,.0f} "
                    f"| {_of(figures, key + '-p50'):.1f} | {_of(figures, key + '-p95'):.1f} "
                    f"| {_of(figures, key + '-cpu'):.2f} | {_of(figures, key + '-client'):.0%} |"
                )
        lines.append(
            f"| {engine} | attach a photo of 300 kB | 1 | | {_of(figures, 'photo-p50'):.1f} "
            f"| {_of(figures, 'photo-p95'):.1f} | {_of(figures, 'photo-cpu'):.2f} | |"
        )
    lines += [
        "",
        "Batches: times are of a request of 50, the CPU is of one finding.",
        "",
        *_targets_head(),
    ]
    for engine in engines:
        figures = results[engine]
        for clients in (1, CLIENTS):
            lines.append(
                _target(
                    f"{engine}: findings/s ÷ bare inserts/s, {clients} client{'s' if clients > 1 else ''}",
                    _of(figures, f"ratio-{clients}"), TARGETS["ratio"], least=True, form="{:.2f}",
                )
            )  # fmt: skip
        limit = TARGETS[engine]
        lines.append(
            _target(f"{engine}: one client, p50", _of(figures, "create-1-p50"), limit, form="{:.1f} ms")
        )
        best = max(_of(figures, f"batch-{clients}-rate") for clients in (1, CLIENTS))
        lines.append(
            _target(
                f"{engine}: findings/s in batches, the better of 1 and 8 clients",
                best,
                TARGETS["batch"],
                least=True,
                form="{:,.0f}",
            )
        )
        lines.append(
            _target(f"{engine}: photo, p50", _of(figures, "photo-p50"), TARGETS["photo"], form="{:.1f} ms")
        )
    return lines


def _lists(results: Results, engines: list[str], sizes: tuple[int, int]) -> list[str]:
    small, large = sizes
    lines: list[str] = []
    worst: list[str] = []
    for door, title in (("api", "`GET /api/cases`"), ("page", "the page `/cases/`")):
        lines += [
            f"### {title}",
            "",
            f"| Database | reader | state | rows shown | p50 ms at {small:,} | CPU ms | p50 ms at {large:,} | CPU ms | ratio |",
            "| --- | --- | --- | --- | --- | --- | --- | --- | --- |",
        ]
        for engine in engines:
            at_small, at_large = results[f"{engine} {small}"], results.get(f"{engine} {large}", {})
            slowest: dict[str, float] = defaultdict(float)
            growth: dict[str, float] = defaultdict(float)
            for who, reader in READERS.items():
                for state in (*STATES, "open"):
                    key = f"{door}-{who}-{state}"
                    p50 = _of(at_small, f"{key}-p50")
                    judged = [WITH_OPEN] if state == "open" else [ASKED, WITH_OPEN]
                    for scope in judged:
                        slowest[scope] = max(slowest[scope], p50)
                    label = STATES.get(state, "all open (the default)")
                    shown = f"{_of(at_small, key + '-rows'):.0f}"
                    far = ["", "", ""]
                    if at_large:
                        ratios = [
                            big / little
                            for big, little in zip(
                                at_large[f"{key}-p50"], at_small[f"{key}-p50"], strict=True
                            )
                        ]
                        for scope in judged:
                            growth[scope] = max(growth[scope], median(ratios))
                        shown += f" / {_of(at_large, key + '-rows'):.0f}"
                        far = [
                            f"{_of(at_large, key + '-p50'):.1f}",
                            f"{_of(at_large, key + '-cpu'):.1f}",
                            f"{median(ratios):.2f}",
                        ]
                    lines.append(
                        f"| {engine} | {reader} | {label} | {shown} | {p50:.1f} "
                        f"| {_of(at_small, key + '-cpu'):.1f} | {' | '.join(far)} |"
                    )
            for scope in (ASKED, WITH_OPEN):
                name = f"{engine}: {title}, {scope}"
                worst.append(
                    _target(
                        f"{name}, slowest p50 at {small:,}", slowest[scope], TARGETS["list"], form="{:.1f} ms"
                    )
                )
                if growth:
                    worst.append(
                        _target(
                            f"{name}, {large:,} ÷ {small:,}, worst",
                            growth[scope],
                            TARGETS["growth"],
                            form="{:.2f}",
                        )
                    )
        lines.append("")
    return [*lines, "Rows shown: at the smaller and at the larger size.", "", *_targets_head(), *worst]


def _starting(results: Results, engines: list[str]) -> list[str]:
    lines = [
        "| Database | until the first page, s | memory at rest, MiB | web | worker | supervisor |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    for engine in engines:
        figures = results[engine]
        names = ("memory", "memory-web", "memory-worker", "memory-supervisor")
        sizes = " | ".join(f"{_of(figures, name):.0f}" for name in names)
        lines.append(f"| {engine} | {_of(figures, 'start'):.1f} | {sizes} |")
    lines += ["", *_targets_head()]
    for engine in engines:
        took = _of(results[engine], "start")
        lines.append(_target(f"{engine}: cold start", took, TARGETS["start"], form="{:.2f} s"))
    return lines


def _ours(results: Results, engines: list[str], small: int) -> list[str]:
    lines = []
    for engine in engines:
        figures = results[engine]
        listed = _of(results[f"{engine} {small}"], "api-officer-closed-p50")
        lines.append(
            f"| **Weicheng, {engine}** | {_of(figures, f'create-{CLIENTS}-rate'):.0f} "
            f"| {_of(figures, 'create-1-p50'):.1f} ms | {listed:.1f} ms | {_of(figures, 'photo-p50'):.1f} ms "
            f"| {_of(figures, 'memory'):.0f} MiB |"
        )
    return lines


def _targets_head() -> list[str]:
    return ["| Target | measured | asked | |", "| --- | --- | --- | --- |"]


def _target(name: str, value: float, limit: float, *, form: str, least: bool = False) -> str:
    met = value >= limit if least else value <= limit
    return (
        f"| {name} | {form.format(value)} | {'≥' if least else '≤'} {form.format(limit)} | "
        f"{'met' if met else '**missed**'} |"
    )


def _of(figures: Mapping[str, Sequence[float]], name: str) -> float:
    return median(figures[name]) if figures.get(name) else 0.0
