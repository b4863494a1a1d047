"""Change one thing at a time in weicheng/rules and see whether the rule's own tests notice.

usage: python tools/mutate_rules.py [--sample N --seed S] [--jobs 2] [--least 80] [MODULE …]

A changed module lives in the memory of one forked process, in which its tests run; the files are never touched.
The same tree gives the same changes in the same order, and the tests draw the same examples. Exit code: 0, 1 when
fewer than --least percent were noticed, 2 when the tests fail without any change.
"""

import argparse
import ast
import copy
import gc
import importlib
import importlib.util
import os
import random
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import hypothesis
import pytest

ROOT = Path(__file__).resolve().parents[1]
RULES = ROOT / "weicheng" / "rules"
TESTS = ROOT / "tests" / "rules"
PATIENCE = 5  # a change that makes the tests this many times slower has made an endless loop

# An operator's neighbour (is the boundary tested?), then its contrary (is the case tested at all?).
COMPARISONS: dict[type[ast.cmpop], list[type[ast.cmpop]]] = {
    ast.Lt: [ast.LtE, ast.GtE],
    ast.LtE: [ast.Lt, ast.Gt],
    ast.Gt: [ast.GtE, ast.LtE],
    ast.GtE: [ast.Gt, ast.Lt],
    ast.Eq: [ast.NotEq],
    ast.NotEq: [ast.Eq],
    ast.Is: [ast.IsNot],
    ast.IsNot: [ast.Is],
    ast.In: [ast.NotIn],
    ast.NotIn: [ast.In],
}
ARITHMETIC: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.FloorDiv,
    ast.Div: ast.Mult,
    ast.FloorDiv: ast.Mult,
    ast.Mod: ast.Mult,
}
# Types and decorators say how a thing is held, not what the rule decides.
NOT_THE_RULE = {"decorator_list", "annotation", "returns"}

Put = Callable[[ast.AST], None]


@dataclass(frozen=True)
class Change:
    """One change of a module. number: which of all its changes, in the order of `changes`; what: how it reads."""

    module: str
    number: int
    line: int
    what: str


@dataclass
class Verdict:
    """What became of a module's changes."""

    noticed: int = 0
    endless: int = 0  # of the noticed ones, those that had to be stopped
    missed: list[Change] = field(default_factory=list)

    @property
    def total(self) -> int:
        return self.noticed + len(self.missed)


def nodes(tree: ast.AST) -> Iterator[tuple[ast.AST, Put]]:
    """Yield each node that may be changed, with the function that puts another in its place."""
    for name, value in ast.iter_fields(tree):
        if name in NOT_THE_RULE:
            continue
        if isinstance(value, ast.AST):
            yield value, lambda new, name=name: setattr(tree, name, new)  # type: ignore[misc]
            yield from nodes(value)
        elif isinstance(value, list):
            for at, item in enumerate(value):
                if isinstance(item, ast.AST):
                    yield item, lambda new, value=value, at=at: value.__setitem__(at, new)  # type: ignore[misc]
                    yield from nodes(item)


def instead_of(node: ast.AST) -> Iterator[ast.AST]:
    """Yield what may stand in the place of a node; strings stay as they are."""
    match node:
        case ast.Compare():
            for at, old in enumerate(node.ops):
                for operator in COMPARISONS[type(old)]:
                    new = copy.deepcopy(node)
                    new.ops[at] = operator()
                    yield new
        case ast.BinOp(op=old) | ast.AugAssign(op=old) if type(old) in ARITHMETIC:
            yield _with(node, op=ARITHMETIC[type(old)]())
        case ast.BoolOp(op=old):
            yield _with(node, op=ast.Or() if isinstance(old, ast.And) else ast.And())
        case ast.UnaryOp(op=ast.Not() | ast.USub()):
            yield node.operand
        case ast.Constant(value=bool(value)):
            yield ast.Constant(not value)
        case ast.Constant(value=int(value)):
            yield from (ast.Constant(value + 1), ast.Constant(value - 1))
        case ast.Return(value=ast.expr()) if not (
            isinstance(node.value, ast.Constant) and node.value.value is None
        ):
            yield _with(node, value=ast.Constant(None))
        case ast.Raise():
            yield ast.Pass()


def _with(node: ast.AST, **parts: ast.AST) -> ast.AST:
    new = copy.deepcopy(node)
    for name, part in parts.items():
        setattr(new, name, part)
    return new


def changes(module: str) -> list[Change]:
    """Return every change of a module, in the order of its text."""
    found: list[Change] = []
    for node, _put in nodes(_tree(module)):
        for new in instead_of(node):
            what = f"{_short(node)}  →  {_short(new)}"
            found.append(Change(module, len(found), getattr(node, "lineno", 0), what))
    return found


def changed(change: Change) -> ast.Module:
    """Return the module's tree with this one change in it."""
    tree = _tree(change.module)
    number = 0
    for node, put in nodes(tree):
        for new in instead_of(node):
            if number == change.number:
                put(ast.copy_location(new, node))
                return ast.fix_missing_locations(tree)
            number += 1
    raise LookupError(change)


def _tree(module: str) -> ast.Module:
    return ast.parse(_text(module))


@cache
def _text(module: str) -> str:
    """Return a module as it was when the run began: somebody may be writing."""
    return (RULES / f"{module}.py").read_text(encoding="utf-8")


def _short(node: ast.AST) -> str:
    text = " ".join(ast.unparse(node).split())
    return text if len(text) <= 60 else f"{text[:57]}…"


def tests_pass(module: str, tree: ast.Module | None) -> bool:
    """Run the module's tests, in this process, which is good for nothing else afterwards."""
    name = f"weicheng.rules.{module}"
    if tree is not None:
        package = importlib.import_module("weicheng.rules")
        spec = importlib.util.find_spec(name)
        assert spec is not None
        made = sys.modules[name] = importlib.util.module_from_spec(spec)
        try:
            exec(compile(tree, str(RULES / f"{module}.py"), "exec"), made.__dict__)
        except Exception:  # it does not even load
            return False
        setattr(package, module, made)
    hypothesis.settings.register_profile("mutate", derandomize=True, database=None, deadline=None)
    hypothesis.settings.load_profile("mutate")
    where = TESTS / f"test_{module}.py"
    options = [
        "-x",
        "-q",
        "--noconftest",
        "-c",
        os.devnull,
        "--rootdir",
        str(ROOT),
        "--import-mode=importlib",
    ]
    without = ["-p", "no:cacheprovider", "-p", "no:django", "-p", "no:xdist"]
    return pytest.main([str(where), *options, *without]) == 0


def in_a_fork(work: Callable[[], bool], patience_s: float) -> int:
    """Start `work` in a forked process, which exits with 0 when it is true; return its id."""
    pid = os.fork()
    if pid:
        return pid
    code = 1
    try:
        # A loop without an end, or a list without one, dies by the alarm.
        signal.setitimer(signal.ITIMER_REAL, patience_s)
        silent = os.open(os.devnull, os.O_WRONLY)
        os.dup2(silent, 1)
        os.dup2(silent, 2)
        code = 0 if work() else 1
    finally:
        os._exit(code)


def judge(picked: list[Change], patience_s: dict[str, float], jobs: int) -> dict[str, Verdict]:
    """Try every change, `jobs` at a time."""
    verdicts: dict[str, Verdict] = {}
    running: dict[int, Change] = {}
    waiting = list(reversed(picked))
    while waiting or running:
        while waiting and len(running) < jobs:
            change = waiting.pop()
            work = lambda change=change: tests_pass(change.module, changed(change))  # noqa: E731 - one fork, one work
            running[in_a_fork(work, patience_s[change.module])] = change
        pid, status = os.wait()
        change = running.pop(pid)
        verdict = verdicts.setdefault(change.module, Verdict())
        if status == 0:
            verdict.missed.append(change)
        else:
            verdict.noticed += 1
            verdict.endless += os.WIFSIGNALED(status)
    return verdicts


def main(arguments: list[str]) -> int:
    known = sorted(path.stem for path in RULES.glob("*.py") if path.stem != "__init__")
    parser = argparse.ArgumentParser(description="Do the tests of the rules notice when a rule changes?")
    parser.add_argument("modules", nargs="*", metavar="MODULE", help=", ".join(known))
    parser.add_argument(
        "--sample", type=int, metavar="N", help="try N changes, chosen by the seed, instead of all"
    )
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument(
        "--least", type=float, default=80, metavar="PERCENT", help="below it the exit code is 1"
    )
    given = parser.parse_args(arguments)
    if unknown := set(given.modules) - set(known):
        parser.error(f"no such module in weicheng/rules: {', '.join(sorted(unknown))}")
    modules = given.modules or known
    if untested := [module for module in modules if not (TESTS / f"test_{module}.py").exists()]:
        print(f"Without tests of their own in tests/rules: {', '.join(untested)}.")
        return 2
    picked = [change for module in modules for change in changes(module)]
    if given.sample is not None and given.sample < len(picked):
        picked = sorted(
            random.Random(given.seed).sample(picked, given.sample), key=lambda one: (one.module, one.number)
        )
    sys.path.insert(0, str(ROOT))
    patience_s: dict[str, float] = {}
    with tempfile.TemporaryDirectory() as scratch:
        os.chdir(scratch)  # whatever a test leaves behind
        for module in dict.fromkeys(change.module for change in picked):
            began = time.monotonic()
            pid = in_a_fork(lambda module=module: tests_pass(module, None), 300)  # type: ignore[misc]
            if os.waitpid(pid, 0)[1] != 0:
                print(f"tests/rules/test_{module}.py fails as it is. Mend it first.")
                return 2
            patience_s[module] = 10 + PATIENCE * (time.monotonic() - began)
        gc.freeze()
        verdicts = judge(picked, patience_s, given.jobs)
        os.chdir(ROOT)
    return report(verdicts, given.least)


def report(verdicts: dict[str, Verdict], least: float) -> int:
    """Print the table and what was not noticed; return the exit code."""
    counts = [(one.noticed, one.endless, one.total) for one in verdicts.values()]
    noticed, endless, total = (sum(row[at] for row in counts) for at in range(3))
    share = noticed / total if total else 1.0
    print("| module | changes | noticed | of these stopped | share |\n| --- | ---: | ---: | ---: | ---: |")
    for name, one in sorted(verdicts.items()):
        print(f"| {name} | {one.total} | {one.noticed} | {one.endless} | {one.noticed / one.total:.1%} |")
    print(f"| all | {total} | {noticed} | {endless} | {share:.1%} |\n")
    for _module, verdict in sorted(verdicts.items()):
        for change in sorted(verdict.missed, key=lambda one: one.number):
            print(f"weicheng/rules/{change.module}.py:{change.line}: {change.what}")
    if share * 100 < least:
        print(f"\nBelow {least:g} %: write a test for what nobody noticed.")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
