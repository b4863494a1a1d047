"""The command `weicheng`: fast help, one sentence for every refusal, an installation in a few commands."""

import os
import subprocess
import sys
from importlib import import_module

import pytest

from tests.house.conftest import ROOT
from weicheng.cli import COMMANDS, main, overview


def test_help_names_every_command_in_both_languages_without_importing_django():
    code = "import sys; from weicheng.cli import main; main(['--help']); print('django' in sys.modules)"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT)
    assert ran.stdout.strip().endswith("False")
    for name, command in COMMANDS.items():
        assert name in ran.stdout
        assert command.english in ran.stdout
        assert command.chinese in ran.stdout


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_leads_to_a_function(name):
    module, function = COMMANDS[name].target.split(":")
    assert callable(getattr(import_module(module), function))


def test_an_unknown_command_is_a_wrong_command_line(capsys):
    assert main(["feed-the-cat"]) == 2
    assert "没有“feed-the-cat”这个命令" in capsys.readouterr().err


def test_no_command_shows_the_help(capsys):
    assert main([]) == 2
    assert capsys.readouterr().out.strip() == overview()


@pytest.mark.parametrize(
    ("environment", "arguments", "told"),
    [
        ({"WEICHENG_UPLOAD_LIMIT_MB": "20MB"}, ["check"], "WEICHENG_UPLOAD_LIMIT_MB='20MB' is not a whole number"),
        ({"WEICHENG_PRODUCTION": "1"}, ["run"], "WEICHENG_SECRET_KEY is missing"),
        ({"WEICHENG_PRODUCTION": "1", "WEICHENG_SECRET_KEY": "x" * 60, "WEICHENG_DEBUG": "1"}, ["run"], "DEBUG=1"),
        ({"WEICHENG_PRODUCTION": "1", "WEICHENG_SECRET_KEY": "x" * 60, "WEICHENG_DEMO": "1"}, ["run"], "DEMO=1"),
        ({"WEICHENG_PRODUCTION": "1", "WEICHENG_SECRET_KEY": "x" * 60}, ["init", "--demo"], "不能载入演示数据"),
        ({"WEICHENG_DATABASE_URL": "mysql://there"}, ["check"], "names no database we know"),
        ({"WEICHENG_DATABASE_URL": "postgresql://nobody@127.0.0.1:9/x"}, ["backup", "b.tar"], "PostgreSQL 无法连接"),
    ],
)  # fmt: skip
def test_a_refusal_is_one_sentence_and_exit_code_one(tmp_path, environment, arguments, told):
    kept = {name: value for name, value in os.environ.items() if not name.startswith("WEICHENG_")}
    ran = subprocess.run(
        [sys.executable, "-m", "weicheng", *arguments],
        env=kept | {"WEICHENG_DATA": str(tmp_path)} | environment,
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert ran.returncode == 1
    assert told in ran.stderr
    assert len(ran.stderr.strip().splitlines()) == 1


def test_an_area_code_of_no_level_is_a_wrong_command_line(new_installation):
    ran = new_installation("house").weicheng("init", "--area", "32031")
    assert ran.returncode == 2
    assert "区划代码应为" in ran.stderr


def test_a_real_site_is_ready_after_three_commands(new_installation):
    house = new_installation("house")
    assert house.weicheng("init", "--area", "320311").returncode == 0
    made = house.weicheng("user-create", "an.quan", "安全")
    assert made.returncode == 0, made.stderr
    assert "一次性密码：" in made.stdout
    again = house.weicheng("user-create", "other", "另一人")
    assert again.returncode == 1
    assert "已有安全管理员" in again.stderr
    assert house.query("SELECT count(*) FROM places_user") == "1"
    assert house.weicheng("check").returncode == 0
    # Asked again, `init` changes nothing.
    before = house.query("SELECT count(*) FROM journal_entry")
    (house.data / "ready.json").unlink()
    assert house.weicheng("init", "--area", "320311").returncode == 0
    assert house.query("SELECT count(*) FROM journal_entry") == before


def test_a_changed_row_is_found_by_check(new_installation):
    house = new_installation("house")
    assert house.weicheng("init").returncode == 0
    house.python(
        "from django.utils import timezone\nfrom weicheng.journal.models import Entry\n"
        "Entry(at=timezone.now(), body=b'{}', digest='0' * 64, actor_key='x', verb='x', object_kind='x',"
        " object_key='x').save()"
    )
    ran = house.weicheng("check")
    assert ran.returncode == 1
    assert "与其校验值不符" in ran.stderr
