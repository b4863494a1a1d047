"""Bring an installation to the state this code expects, and look whether it is there.

What `weicheng init` does is idempotent. It leaves `ready.json` in the data folder: a fingerprint of the
migrations and packs it applied. The next start compares that and the number of applied migrations in the
database, which takes milliseconds and no Django, instead of planning the migrations again.
"""

import contextlib
import fcntl
import hashlib
import importlib.util
import json
import os
import re
import sqlite3
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from weicheng import __version__
from weicheng.cli import parser, say, set_up
from weicheng.rules.errors import N_, RuleError

DEMO_AREA = "320311"
SHOWN = 14  # accounts printed at the start; the sign-in page lists all


def init(argv: Sequence[str]) -> int:
    """Migrate, load the base standards, then the area with all below it, then the demo where asked."""
    options = parser("init")
    options.add_argument("--area", default="", metavar="CODE", help="area to load · 要载入的区划代码")
    options.add_argument("--demo", action="store_true", help="fill an empty installation · 载入演示数据")
    options.add_argument("--seed", type=int, default=20261122, help="seed of the demo · 演示数据的随机种子")
    options.add_argument("--months", type=int, default=12, help="months of demo data · 演示数据的月数")
    given = options.parse_args(list(argv))
    area = given.area or (DEMO_AREA if given.demo else "")
    if area and not re.fullmatch(r"\d{2}|\d{4}|\d{6}|\d{9}|\d{12}", area):
        options.error(f"--area {area}: 区划代码应为 2、4、6、9 或 12 位数字，例如 {DEMO_AREA}。")
    if given.months < 1:
        options.error("--months 至少为 1。")
    if is_ready(demo=given.demo, area=area):
        return 0
    from weicheng import settings

    if given.demo and settings.PRODUCTION:
        raise RuleError(
            "demo-in-production", N_("正式环境（WEICHENG_PRODUCTION=1）不能载入演示数据。请去掉 --demo。")
        )
    with only_one("init"):
        set_up()
        _fill(area, demo=given.demo, seed=given.seed, months=given.months)
    return 0


def _fill(area: str, *, demo: bool, seed: int, months: int) -> None:
    from django.core.management import call_command
    from django.utils import timezone

    begun = time.monotonic()
    call_command("migrate", verbosity=0, interactive=False)
    from weicheng.journal.site import site
    from weicheng.standards.actions import load_base

    load_base(at=timezone.now())
    if area:
        from weicheng.places.actions import init_areas

        init_areas(area, at=timezone.now())
    say(f"数据库、标准{'、区划' if area else ''}已就绪（{time.monotonic() - begun:.1f} 秒）。")
    if demo and _is_empty():
        begun = time.monotonic()
        from weicheng.demo.load import load_demo

        load_demo(area=area, seed=seed, at=timezone.now(), months=months, progress=say)
        say(f"演示数据已载入（{time.monotonic() - begun:.1f} 秒）。")
    mark_ready()
    if not site().root_area:
        say("下一步：weicheng init --area 区划代码，然后 weicheng user-create 建立首位安全管理员。")


def _is_empty() -> bool:
    """Nobody is registered: demo data never mix with a real installation's."""
    from weicheng.places.models import User

    return not User.objects.exists()


def migrate(argv: Sequence[str]) -> int:
    """Apply the migrations only."""
    parser("migrate").parse_args(list(argv))
    from django.core.management import call_command

    call_command("migrate", verbosity=1, interactive=False)
    return 0


# --- is it there? ----------------------------------------------------------------------------------


def is_ready(*, demo: bool, area: str = "") -> bool:
    """Has this code's `init` already been done on this database, with what is asked for?"""
    from weicheng import settings

    try:
        stamp = json.loads(_stamp_path().read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    return bool(
        stamp.get("fingerprint") == fingerprint()
        and (stamp.get("demo") or not demo)
        and stamp.get("area", "").startswith(area)
        and stamp.get("migrations") == _applied(settings.DATABASES["default"])
    )


def is_migrated() -> bool:
    """Has the database been migrated at all?"""
    from weicheng import settings

    return bool(_applied(settings.DATABASES["default"]))


def fingerprint() -> str:
    """Return a digest of what `init` would apply: version, names of migrations, bytes of packs."""
    from weicheng import settings

    seen = hashlib.sha256(__version__.encode())
    for app in settings.INSTALLED_APPS:
        for folder in _folders(app):
            for path in sorted((folder / "migrations").glob("[0-9]*.py")):
                seen.update(f"{app}/{path.stem}\n".encode())
    for path in sorted((Path(__file__).parent / "packs").rglob("*.yaml")):
        seen.update(path.name.encode() + hashlib.sha256(path.read_bytes()).digest())
    return seen.hexdigest()


def _folders(app: str) -> list[Path]:
    spec = importlib.util.find_spec(app)  # looks, without running the package
    return [Path(where) for where in (spec.submodule_search_locations or [])] if spec else []


def _applied(database: dict[str, Any]) -> int | None:
    """Return how many migrations the database has; None when it cannot say."""
    query = "SELECT count(*) FROM django_migrations"
    if database["ENGINE"].endswith("sqlite3"):
        try:
            with contextlib.closing(
                sqlite3.connect(f"{Path(database['NAME']).as_uri()}?mode=ro", uri=True)
            ) as link:
                return int(link.execute(query).fetchone()[0])
        except sqlite3.Error:
            return None
    import psycopg

    with postgresql(database) as link:
        try:
            row = link.execute(query).fetchone()
        except psycopg.errors.UndefinedTable:
            return None
        return int(row[0]) if row else None


def postgresql(database: dict[str, Any]) -> Any:
    """Return a connection to the PostgreSQL database of the settings; RuleError("no-database")."""
    import psycopg

    pairs = {"dbname": "NAME", "user": "USER", "password": "PASSWORD", "host": "HOST", "port": "PORT"}
    parameters = {key: database[name] for key, name in pairs.items() if database.get(name)}
    try:
        return psycopg.connect(connect_timeout=5, **parameters)
    except psycopg.OperationalError as error:
        raise RuleError(
            "no-database",
            N_("PostgreSQL 无法连接：{reason}。请检查 WEICHENG_DATABASE_URL，或先启动数据库。"),
            reason=str(error).strip().splitlines()[0],
        ) from None


def _stamp_path() -> Path:
    from weicheng import settings

    return settings.DATA / "ready.json"


def mark_ready() -> None:
    """Write down that `init` of this code is done on this database. Django is set up."""
    from weicheng import settings
    from weicheng.journal.site import site

    root = site()
    stamp = {
        "fingerprint": fingerprint(),
        "migrations": _applied(settings.DATABASES["default"]),
        "area": root.root_area,
        "demo": root.demo,
        "accounts": _accounts() if root.demo else [],
        "password": _password() if root.demo else "",
    }
    path = _stamp_path()
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f"ready.{os.getpid()}")
    draft.write_text(json.dumps(stamp, ensure_ascii=False, indent=1), encoding="utf-8")
    draft.replace(path)


def _accounts() -> list[list[str]]:
    """Return login and post of every demo account, so that the start can print them without Django."""
    from weicheng.demo.accounts import accounts

    return [[one.login, f"{one.name}，{one.label}"] for one in accounts()]


def _password() -> str:
    from weicheng.demo.accounts import password

    return password()


def demo_lines() -> list[str]:
    """Return the demo's accounts as lines to print; empty where there is no demo."""
    try:
        stamp = json.loads(_stamp_path().read_text(encoding="utf-8"))
    except (OSError, ValueError):
        stamp = {}
    accounts = stamp.get("accounts", [])[:SHOWN]
    if not accounts:
        return []
    width = max(len(login) for login, _post in accounts)
    lines = [f"  {login:<{width}}  {post}" for login, post in accounts]
    more = len(stamp["accounts"]) - len(accounts)
    rest = [f"  ……另有 {more} 个，见登录页。"] if more else []
    return [f"演示账号（密码都是 {stamp['password']}）：", *lines, *rest]


@contextlib.contextmanager
def only_one(name: str) -> Iterator[None]:
    """Hold the data folder's lock `name`; RuleError("busy") when another process has it."""
    from weicheng import settings

    settings.DATA.mkdir(parents=True, exist_ok=True)
    with open(settings.DATA / f"{name}.lock", "a", encoding="utf-8") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise RuleError(
                "busy",
                N_("另一个“weicheng {name}”正在使用数据目录 {data}。请等它结束，或先停止它。"),
                name=name,
                data=settings.DATA,
            ) from None
        yield


# --- people and checks ----------------------------------------------------------------------------------------


def user_create(argv: Sequence[str]) -> int:
    """Create the first security administrator, who then registers everybody else on the pages."""
    options = parser("user-create")
    options.add_argument("login", help="sign-in name · 登录名")
    options.add_argument("name", help="the person's name · 姓名")
    options.add_argument(
        "--area", default="", metavar="CODE", help="default: the site's area · 默认为本站区划"
    )
    given = options.parse_args(list(argv))
    from django.db import transaction
    from django.utils import timezone

    from weicheng.journal.actions import SYSTEM
    from weicheng.journal.site import site
    from weicheng.places.actions import create_user, give_post
    from weicheng.places.areas import open_area
    from weicheng.places.models import Post
    from weicheng.places.roles import Role

    now = timezone.now()
    day = timezone.localtime(now).date()
    code = given.area or site().root_area
    if not code:
        raise RuleError("no-area", N_("系统还没有载入区划。请先运行 weicheng init --area 区划代码。"))
    area = open_area(code, day)
    if Post.objects.held_on(day).filter(role=Role.SECURITY_ADMIN.value, area=code).exists():
        raise RuleError(
            "has-administrator",
            N_("{area}已有安全管理员。请由其在“人员”页面登记其他人员。"),
            area=area.name,
        )
    with transaction.atomic():
        user, password = create_user(login=given.login, name=given.name, by=SYSTEM, at=now)
        give_post(user=user, role=Role.SECURITY_ADMIN, area=code, from_on=day, by=SYSTEM, at=now)
    say(f"已建立{area.name}的安全管理员 {user.login}（{user.name}）。")
    say(f"一次性密码：{password}　只显示这一次，首次登录时必须修改。")
    return 0


def check(argv: Sequence[str]) -> int:
    """Run Django's checks, look for migrations not applied, and compute every stored digest again."""
    parser("check").parse_args(list(argv))
    from django.conf import settings
    from django.core.management import call_command
    from django.core.management.base import CommandError

    try:
        call_command("check", deploy=settings.PRODUCTION, fail_level="ERROR")
        call_command("migrate", check_unapplied=True, verbosity=0)
    except CommandError as error:
        raise RuleError("check", "{reason}", reason=str(error).strip()) from None
    except SystemExit:
        raise RuleError("behind", N_("数据库结构落后于程序。请运行 weicheng init。")) from None
    wrong = 0
    for name, rows, bad in stored_digests():
        say(f"{name}: {rows} 条，{'全部相符' if not bad else f'{bad} 条不符'}")
        wrong += bad
    if wrong:
        raise RuleError(
            "digests",
            N_("有 {wrong} 条记录与其校验值不符：数据在系统之外被改动过。请从备份核对。"),
            wrong=wrong,
        )
    return 0


def stored_digests() -> Iterator[tuple[str, int, int]]:
    """Return (table, rows, rows whose digest is wrong) of every append-only table."""
    from django.apps import apps

    from weicheng.journal.models import AppendOnly
    from weicheng.rules.digests import digest

    for model in apps.get_models():
        if not issubclass(model, AppendOnly):
            continue
        rows = bad = 0
        for body, stored in model._base_manager.values_list("body", "digest").iterator(chunk_size=2000):
            rows += 1
            bad += digest(bytes(body)) != stored
        yield model._meta.label, rows, bad
