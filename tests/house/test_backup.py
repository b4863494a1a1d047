"""Backup and restore, run as an operator runs them, on the database of this test run."""

import json
import random
import shutil
import signal
import sqlite3
import tarfile
import time

import pytest

RECORD = """
from django.utils import timezone
from weicheng.journal.actions import SYSTEM, Note, record, record_all
from weicheng.journal.site import site
site()
text = {"text": "行\\n\\t\\\\列"}
note = lambda n: Note(verb="test.write", object_kind="test", object_key=str(n), detail=text)
record_all([(note(n), SYSTEM) for n in range(%d)], at=timezone.now())
"""
COUNT = "SELECT count(*) FROM journal_entry WHERE verb = 'test.write'"
EPOCH = "SELECT epoch FROM journal_site"


@pytest.fixture(scope="session")
def first(installations, tmp_path_factory):
    """An installation with 300 journal entries and two files, and its backup; only to be copied."""
    made = installations.make(tmp_path_factory.mktemp("first") / "house")
    assert made.weicheng("migrate").returncode == 0
    made.python(RECORD % 300)
    for name, data in {"ab/cdef": b"picture" * 1000, "12/34": b"\0" * 70_000}.items():
        (made.data / "files" / name).parent.mkdir(parents=True)
        (made.data / "files" / name).write_bytes(data)
    (made.data / "files" / "derived").mkdir()
    (made.data / "files" / "derived" / "thumb").write_bytes(b"can be made again")
    ran = made.weicheng("backup", made.data.parent / "backup.tar")
    assert ran.returncode == 0, ran.stderr
    return made


@pytest.fixture
def house(installations, first, tmp_path):
    """A copy of that installation."""
    return installations.copy(first, tmp_path / "house")


@pytest.fixture
def backup(first, tmp_path):
    """A copy of its backup."""
    return shutil.copy(first.data.parent / "backup.tar", tmp_path / "backup.tar")


def manifest_of(path):
    with tarfile.open(path) as tar:
        return json.load(tar.extractfile("manifest.json"))


def with_same_key(house, other):
    shutil.copytree(house.data / "keys", other.data / "keys", dirs_exist_ok=True)
    return other


def test_a_backup_restores_into_an_empty_installation_with_equal_digests_and_another_epoch(
    house, backup, new_installation, tmp_path
):
    other = with_same_key(house, new_installation("other"))
    ran = other.weicheng("restore", backup)
    assert ran.returncode == 0, ran.stderr
    assert "校验值全部相符" in ran.stdout
    assert other.query(COUNT) == "300"
    assert (other.data / "files/ab/cdef").read_bytes() == b"picture" * 1000
    assert other.query(EPOCH) != house.query(EPOCH)
    # Backed up once more, every table but those a restore writes has the digest it had.
    again = tmp_path / "again.tar"
    assert other.weicheng("backup", again).returncode == 0
    was, now = manifest_of(backup), manifest_of(again)
    written = {"journal_site", "journal_entry"}
    assert {n: t["digest"] for n, t in was["tables"].items() if n not in written} == {
        n: t["digest"] for n, t in now["tables"].items() if n not in written
    }
    assert now["tables"]["journal_entry"]["rows"] == was["tables"]["journal_entry"]["rows"] + 1
    assert was["files"] == now["files"]
    assert was["epoch"] != now["epoch"]


def test_a_restored_installation_goes_on_writing_with_fresh_numbers(house, backup, new_installation):
    other = with_same_key(house, new_installation("other"))
    assert other.weicheng("restore", backup).returncode == 0
    other.python(RECORD % 5)
    assert other.query(COUNT) == "305"
    assert other.weicheng("check").returncode == 0


def test_a_restored_table_is_still_append_only(house, backup, new_installation):
    other = with_same_key(house, new_installation("other"))
    assert other.weicheng("restore", backup).returncode == 0
    refused = other.python(
        "from django.db import connection, DatabaseError\n"
        "try: connection.cursor().execute('DELETE FROM journal_entry')\n"
        "except DatabaseError as error: print(error)"
    )
    assert "append-only" in refused


def test_keys_and_derived_pictures_are_not_in_a_backup_and_the_command_says_what_to_keep(house, tmp_path):
    ran = house.weicheng("backup", tmp_path / "b.tar")
    assert "备份不含站点密钥" in ran.stdout
    assert str(house.data / "keys" / "site.key") in ran.stdout
    key = (house.data / "keys" / "site.key").read_bytes()
    assert key not in (tmp_path / "b.tar").read_bytes()
    with tarfile.open(tmp_path / "b.tar") as tar:
        names = tar.getnames()
    assert not [name for name in names if "derived" in name or "key" in name]
    assert names[-1] == "manifest.json"
    assert names[0].startswith("database/")


def test_a_backup_never_overwrites_a_file(house, backup):
    before = backup.read_bytes()
    ran = house.weicheng("backup", backup)
    assert ran.returncode == 1
    assert "已存在，不会覆盖" in ran.stderr
    assert backup.read_bytes() == before


def test_a_backup_needs_an_installation(new_installation, tmp_path):
    ran = new_installation("none").weicheng("backup", tmp_path / "b.tar")
    assert ran.returncode == 1
    assert "weicheng init" in ran.stderr
    assert not (tmp_path / "b.tar").exists()


def test_an_installation_with_data_is_not_restored_over_without_force(house, backup):
    epoch = house.query(EPOCH)
    ran = house.weicheng("restore", backup)
    assert ran.returncode == 1
    assert "--force" in ran.stderr
    assert house.query(EPOCH) == epoch


def test_forced_the_old_data_stand_aside_whole(house, backup):
    house.python(RECORD % 7)
    (house.data / "files/ab/later").write_bytes(b"taken after the backup")
    ran = house.weicheng("restore", backup, "--force")
    assert ran.returncode == 0, ran.stderr
    assert house.query(COUNT) == "300"
    (aside,) = house.data.glob("before-restore-*")
    assert (aside / "files/ab/later").read_bytes() == b"taken after the backup"
    if house.url:
        schema = "before_restore_" + aside.name.removeprefix("before-restore-").replace("-", "_")
        kept = house.query(COUNT.replace("journal_entry", f"{schema}.journal_entry"))
    else:
        kept = str(sqlite3.connect(aside / "weicheng.sqlite3").execute(COUNT).fetchone()[0])
    assert kept == "307"


@pytest.mark.parametrize("where", ["database", "file"])
def test_a_damaged_backup_restores_nothing(house, backup, where):
    with tarfile.open(backup) as tar:
        member = next(m for m in tar if m.name.startswith("database/" if where == "database" else "files/"))
        place = member.offset_data + member.size // 2
    data = bytearray(backup.read_bytes())
    data[place] ^= 0xFF
    backup.write_bytes(data)
    epoch = house.query(EPOCH)
    ran = house.weicheng("restore", backup, "--force")
    assert ran.returncode == 1
    assert "没有恢复任何内容" in ran.stderr
    assert house.query(EPOCH) == epoch
    assert house.query(COUNT) == "300"
    assert not list(house.data.glob("before-restore-*"))
    assert not list(house.data.glob("restoring-*"))


def test_a_backup_cut_short_is_told_from_a_whole_one(house, backup):
    backup.write_bytes(backup.read_bytes()[:-20_000])
    ran = house.weicheng("restore", backup, "--force")
    assert ran.returncode == 1
    assert "不是完整的卫城备份" in ran.stderr


def test_a_missing_file_and_a_picture_are_no_backups(house, tmp_path):
    assert "没有找到文件" in house.weicheng("restore", tmp_path / "nothing.tar").stderr
    (tmp_path / "picture.jpg").write_bytes(b"\xff\xd8\xff\xe0" * 300)
    assert "不是完整的卫城备份" in house.weicheng("restore", tmp_path / "picture.jpg").stderr


def rewritten(backup, target, change):
    """Copy a backup with another manifest."""
    import io

    with tarfile.open(backup) as old, tarfile.open(target, "w") as new:
        for member in old:
            data = old.extractfile(member).read()
            if member.name == "manifest.json":
                manifest = json.loads(data)
                change(manifest)
                data = json.dumps(manifest).encode()
                member.size = len(data)
            new.addfile(member, io.BytesIO(data))
    return target


def test_a_backup_of_the_other_database_is_refused_in_words(house, backup, tmp_path):
    other = rewritten(backup, tmp_path / "x.tar", lambda m: m.update(engine="elsewhere"))
    ran = house.weicheng("restore", other, "--force")
    assert ran.returncode == 1
    assert "两者不能互换" in ran.stderr


def test_a_backup_of_a_newer_program_is_refused_in_words(house, backup, tmp_path):
    newer = rewritten(
        backup, tmp_path / "x.tar", lambda m: m["migrations"].append(["journal", "9999_not_written_yet"])
    )
    ran = house.weicheng("restore", newer, "--force")
    assert ran.returncode == 1
    assert "journal.9999_not_written_yet" in ran.stderr
    assert house.query(COUNT) == "300"


def test_a_member_name_cannot_leave_the_folder(house, backup, tmp_path):
    def escape(manifest):
        manifest["files"]["../../escaped"] = manifest["files"].pop("ab/cdef")

    ran = house.weicheng("restore", rewritten(backup, tmp_path / "x.tar", escape), "--force")
    assert ran.returncode == 1
    assert not list(tmp_path.rglob("escaped"))


def test_another_site_key_is_asked_for_before_anything_is_restored(backup, new_installation):
    other = new_installation("other")
    ran = other.weicheng("restore", backup)
    assert ran.returncode == 1
    assert "site.key" in ran.stderr
    assert other.weicheng("restore", backup, "--without-key").returncode == 0


def test_a_running_system_is_not_restored_over(house, backup):
    import fcntl

    with (house.data / "run.lock").open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        ran = house.weicheng("restore", backup, "--force")
    assert ran.returncode == 1
    assert "正在使用数据目录" in ran.stderr


def test_a_backup_holds_what_was_committed_while_others_wrote(house, tmp_path, new_installation):
    writer = house.start_python(RECORD.replace("%d", "20") + "\n" + _WRITE_ON)
    try:
        deadline = time.monotonic() + 20
        while "writing" not in writer.printed():
            assert time.monotonic() < deadline, writer.printed()
            time.sleep(0.05)
        ran = house.weicheng("backup", tmp_path / "busy.tar")
        assert ran.returncode == 0, ran.stderr
    finally:
        writer.kill()
        writer.wait()
    other = with_same_key(house, new_installation("other"))
    assert other.weicheng("restore", tmp_path / "busy.tar").returncode == 0
    # Each transaction wrote ten rows: a torn snapshot would hold a part of one.
    assert int(other.query(COUNT)) % 10 == 0
    assert other.weicheng("check").returncode == 0


_WRITE_ON = """
from django.db import transaction
print("writing", flush=True)
while True:
    with transaction.atomic():
        for n in range(10):
            record(note(n), by=SYSTEM, at=timezone.now())
"""


@pytest.mark.slow
def test_a_restore_killed_at_any_moment_leaves_a_working_installation(house, backup):
    house.python(RECORD % 7)
    begun = time.monotonic()
    dice = random.Random(2026)
    # How long a whole one takes here; the kills fall anywhere in it.
    assert house.weicheng("restore", backup, "--force").returncode == 0
    whole_s = time.monotonic() - begun
    epoch = house.query(EPOCH)
    for _ in range(4):
        process = house.start("restore", backup, "--force")
        time.sleep(dice.uniform(0.15, 1.0) * whole_s)
        process.send_signal(signal.SIGKILL)
        process.wait()
        assert house.query(COUNT) == "300"
        assert house.weicheng("check").returncode == 0
        assert (house.data / "files/ab/cdef").read_bytes() == b"picture" * 1000
    assert house.weicheng("restore", backup, "--force").returncode == 0
    assert house.query(EPOCH) != epoch
    assert not list(house.data.glob("restoring-*"))
