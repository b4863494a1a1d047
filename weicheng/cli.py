"""The command `weicheng`: which subcommand runs which function.

Nothing of Django is imported before a subcommand asks for it, so that `weicheng --help` answers at once. A
refusal is one sentence on stderr. Exit codes: 0 done, 1 refused or failed, 2 the command line is wrong.
"""

import argparse
import os
import sys
from collections.abc import Sequence
from importlib import import_module
from typing import NamedTuple

from weicheng.rules.errors import RuleError


class Command(NamedTuple):
    """One subcommand.

    target: "module:function", imported only when called; takes the remaining arguments, returns the exit code
    django: set Django up first; commands that must choose the database themselves do it on their own
    """

    target: str
    english: str
    chinese: str
    django: bool = True


COMMANDS = {
    "init": Command(
        "weicheng.install:init",
        "create or update an installation",
        "建立或更新本系统",
        django=False,
    ),
    "run": Command("weicheng.serve:run", "start web and worker process", "启动网页与后台进程", django=False),
    "worker": Command("weicheng.notices.worker:main", "run background jobs only", "只运行后台任务"),
    "migrate": Command("weicheng.install:migrate", "migrate the database", "升级数据库结构"),
    "backup": Command("weicheng.backup:backup", "write database and files to one file", "备份数据库与文件"),
    "restore": Command("weicheng.backup:restore", "bring a backup back", "从备份恢复", django=False),
    "figures": Command("weicheng.indicators.cli:main", "print figures of an area and year", "输出统计数字"),
    "casestats": Command(
        "weicheng.indicators.casestats:main",
        "work out case rates from counts in a file",
        "由文件中的数量计算各项案件指标",
        django=False,
    ),
    "bulletin": Command(
        "weicheng.documents.cli:main", "write a monthly bulletin as a Word file", "生成督查通报（Word）"
    ),
    "draw": Command(
        "weicheng.inspections.cli:draw",
        "draw places, or compute a published draw again",
        "抽取检查地点，或核对已公布的抽取",
        django=False,
    ),
    "user-create": Command(
        "weicheng.install:user_create",
        "create the first security administrator",
        "建立首位安全管理员",
    ),
    "check": Command("weicheng.install:check", "check settings and every digest", "检查设置与校验值"),
}


def main(argv: Sequence[str] | None = None) -> int:
    """Run one subcommand and return its exit code."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    if not arguments or arguments[0] in {"-h", "--help"}:
        say(overview())
        return 0 if arguments else 2
    if arguments[0] in {"-V", "--version"}:
        from weicheng import __version__

        say(f"weicheng {__version__}")
        return 0
    command = COMMANDS.get(arguments[0])
    if command is None:
        complain(f"没有“{arguments[0]}”这个命令。用 weicheng --help 查看全部命令。")
        return 2
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "weicheng.settings")
    try:
        if command.django:
            set_up()
        module, function = command.target.split(":")
        return int(getattr(import_module(module), function)(arguments[1:]) or 0)
    except KeyboardInterrupt:
        complain("已中断。")
        return 1
    except Exception as error:
        sentence = sentence_of(error)
        if sentence is None:
            raise  # a mistake of ours: the traceback is what helps
        complain(sentence)
        return 1


def set_up() -> None:
    """Load the settings and the apps."""
    import django

    django.setup()


def sentence_of(error: Exception) -> str | None:
    """Return what to tell the operator, or None for an error that is no refusal."""
    if isinstance(error, RuleError):
        return error.sentence()
    # Both names live in modules that are loaded by now, if the error is one of theirs.
    name = type(error).__name__
    if name == "ImproperlyConfigured":
        return str(error)
    if type(error).__module__ == "django.db.utils" and type(error).__name__ in {
        "OperationalError",
        "InterfaceError",
    }:
        reason = str(error).strip().splitlines()[0] if str(error).strip() else name
        return f"数据库无法使用：{reason}。请检查 WEICHENG_DATABASE_URL 和磁盘空间后重试。"
    return None


def overview() -> str:
    """Return the text of `weicheng --help`."""
    width = max(map(len, COMMANDS))
    lines = [
        f"  {name:<{width}}  {command.english} · {command.chinese}" for name, command in COMMANDS.items()
    ]
    return "\n".join(
        [
            "Weicheng 卫城",
            "",
            "usage: weicheng COMMAND [options]     weicheng COMMAND --help",
            "",
            *lines,
            "",
            "Settings are environment variables WEICHENG_*: see docs/settings.md. 设置见 docs/settings.md。",
        ]
    )


def parser(name: str) -> argparse.ArgumentParser:
    """Return an argument parser that introduces itself with the subcommand's two lines of help."""
    command = COMMANDS[name]
    return argparse.ArgumentParser(
        prog=f"weicheng {name}", description=f"{command.english} · {command.chinese}"
    )


def say(line: str) -> None:
    """Print a line for the operator at once: a supervisor's output is often a pipe."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def complain(line: str) -> None:
    """Print a sentence to stderr."""
    sys.stderr.write(f"{line}\n")
    sys.stderr.flush()
