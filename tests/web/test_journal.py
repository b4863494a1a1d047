"""The journal page: for the audit administrator of the area, and nobody else."""

import ast
import re
from pathlib import Path

import pytest
from django.db import connection

from weicheng.journal.models import Entry
from weicheng.web.journal import differing
from weicheng.web.journal_words import KINDS, verbs

PACKAGE = Path(__file__).resolve().parents[2] / "weicheng"


def test_the_audit_administrator_reads_what_was_done_before_the_next_district_reads_nothing(city):
    city.case()
    entry = Entry.objects.filter(verb="finding.record").get()
    client = city.client("Shen")
    assert "上报问题" in client.get("/journal/").content.decode()
    assert client.get(f"/journal/{entry.pk}").status_code == 200
    foreign = city.finding(by="Ne", area=city.neighbour).case
    other = Entry.objects.filter(object_key=str(foreign.uid)).get()
    assert client.get(f"/journal/{other.pk}").status_code == 404
    assert client.get("/journal/999999").status_code == 404


@pytest.mark.parametrize("name", ["Qian", "Lin", "Chen", "Zhao", "Li", "Wei", "Xi", "An"])
def test_nobody_else_reads_the_journal(city, name):
    city.case()
    client = city.client(name)
    assert client.get("/journal/").status_code == 403
    assert client.get(f"/journal/{Entry.objects.first().pk}").status_code == 403


def test_an_entry_says_that_its_digest_agrees_with_the_stored_bytes(city):
    city.case()
    entry = Entry.objects.filter(verb="finding.record").get()
    page = city.client("Shen").get(f"/journal/{entry.pk}").content.decode()
    assert "与存储字节一致" in page
    assert entry.digest in page


@pytest.mark.parametrize(
    ("column", "value", "words"),
    [
        ("body", b'{"verb":"finding.record","detail":{"x":1}}', "校验值不符"),
        ("actor_key", "user:99", "这些列与原始字节不符"),
    ],
)
def test_an_entry_changed_from_outside_is_found_out(city, column, value, words):
    city.case()
    entry = Entry.objects.filter(verb="finding.record").get()
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute("SELECT name FROM sqlite_master WHERE type='trigger' AND tbl_name='journal_entry'")
            for (name,) in cursor.fetchall():
                cursor.execute(f"DROP TRIGGER {name}")
        else:
            cursor.execute("ALTER TABLE journal_entry DISABLE TRIGGER USER")
        cursor.execute(f"UPDATE journal_entry SET {column} = %s WHERE id = %s", [value, entry.pk])
    assert words in city.client("Shen").get(f"/journal/{entry.pk}").content.decode()
    assert differing(Entry.objects.get(pk=entry.pk))


def test_the_list_is_narrowed_by_verb_thing_person_and_day(city):
    city.case()
    client = city.client("Shen")

    def total(query):
        words = client.get(f"/journal/?{query}&count=1").content.decode()
        return int("".join(letter for letter in words if letter.isdigit()))

    assert total("verb=finding.record") == 1
    assert total("kind=finding&q=Lin") == 1
    assert total("kind=finding&q=Chen") == 0
    assert total("verb=finding.record&at_from=2026-10-12&at_to=2026-10-12") == 1
    assert total("verb=finding.record&at_to=2026-10-11") == 0
    assert total(f"person=user:{city.user('Lin').pk}&verb=finding.record") == 1


def test_the_journal_goes_into_a_sheet(city):
    city.case()
    text = b"".join(city.client("Shen").get("/journal/?all=1&export=csv").streaming_content).decode(
        "utf-8-sig"
    )
    assert "上报问题" in text


def test_every_verb_and_thing_written_anywhere_has_a_word():
    """A verb without a word would stand in the journal as code."""
    known, kinds = set(verbs()), set(KINDS)
    missing = set()
    for file in PACKAGE.rglob("*.py"):
        text = file.read_text(encoding="utf-8")
        if "Note(" not in text and "_note(" not in text and "_record(" not in text:
            continue
        for node in ast.walk(ast.parse(text)):
            if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Name):
                continue
            if node.func.id not in {"Note", "_note", "_record"}:
                continue
            given = {one.arg: one.value for one in node.keywords}
            verb = given.get("verb") or (node.args[0] if node.args else None)
            kind = given.get("object_kind") or (
                node.args[1] if node.func.id == "Note" and len(node.args) > 1 else None
            )
            if isinstance(verb, ast.Constant) and re.fullmatch(r"[a-z_]+\.[a-z_]+", str(verb.value)):
                missing |= {verb.value} - known
            if isinstance(kind, ast.Constant):
                missing |= {kind.value} - kinds
    assert not missing
