"""Rows of hot tables: made quickly, they are the rows that Django would have made."""

from datetime import UTC, datetime
from uuid import uuid4

import pytest

from weicheng.cases.models import Case, Event
from weicheng.inspections.models import Finding, FindingVersion
from weicheng.journal.models import Entry
from weicheng.journal.rows import insert_all, new_row

NOW = datetime(2026, 11, 22, 4, 0, tzinfo=UTC)


@pytest.mark.parametrize("model", [Case, Event, Finding, FindingVersion, Entry])
def test_a_row_has_the_defaults_that_the_model_gives(model):
    quick, plain = new_row(model), model()
    for one in model._meta.concrete_fields:
        if not callable(one.default):  # an identity is made anew for every row
            assert getattr(quick, one.attname) == getattr(plain, one.attname)
    assert quick._state.adding
    assert quick._state.db is None


def test_two_rows_share_nothing():
    first, second = new_row(Case, uid=uuid4()), new_row(Case, title="门前堆放")
    assert (first.title, second.title) == ("", "门前堆放")
    assert first.uid != second.uid
    assert first._state is not second._state


def test_a_name_that_is_no_column_is_refused():
    with pytest.raises(TypeError, match="Entry has no column actor"):
        new_row(Entry, actor="user:1")
    with pytest.raises(TypeError, match="Event has no column case"):  # the column is case_id
        new_row(Event, case=1)


@pytest.mark.django_db
def test_what_is_inserted_is_read_back_with_its_id_and_its_moment():
    entries = [
        new_row(Entry, at=NOW, body=b"{}", digest="0" * 64, verb="case.close", actor_key=f"user:{number}",
                object_kind="case", object_key=str(number), post_id=number or None)
        for number in range(3)
    ]  # fmt: skip
    insert_all(entries)
    assert [entry.pk for entry in entries] == sorted({entry.pk for entry in entries})
    read = Entry.objects.get(pk=entries[0].pk)
    assert (read.at, bytes(read.body), read.post_id, read.leaf) == (NOW, b"{}", None, "")
    assert not entries[0]._state.adding
