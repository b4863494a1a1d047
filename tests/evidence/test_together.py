"""Two at once, and the plan of the query behind every page."""

import threading
import uuid

import pytest
from django.db import connection

from tests.evidence.samples import attach, jpeg
from weicheng.evidence import copies
from weicheng.evidence.models import Attachment, StoredFile


def together(*jobs) -> list:
    """Run the jobs in threads that start as one; return results or errors in order."""
    barrier, results = threading.Barrier(len(jobs)), [None] * len(jobs)

    def run(place, job):
        try:
            barrier.wait()
            results[place] = job()
        except Exception as error:
            results[place] = error
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=pair) for pair in enumerate(jobs)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


@pytest.fixture
def _real_waiting():
    """SQLite's shared memory, where tests live, answers "table is locked" at once instead of waiting."""
    if connection.vendor == "sqlite":
        pytest.skip("needs a database whose writers wait for each other: PostgreSQL, or SQLite in a file")


@pytest.mark.usefixtures("_real_waiting")
@pytest.mark.django_db(transaction=True)
def test_the_same_photo_sent_four_times_at_once_is_there_once(town):
    box, uid = town.box(), uuid.uuid4()
    results = together(*[lambda: attach(town, box, uid=uid)] * 4)
    assert sorted(one.created for one in results) == [False, False, False, True]
    assert Attachment.objects.count() == 1


@pytest.mark.usefixtures("_real_waiting")
@pytest.mark.django_db(transaction=True)
def test_the_same_bytes_for_four_owners_at_once_are_stored_once(town):
    boxes = [town.box() for _n in range(4)]
    results = together(*[lambda box=box: attach(town, box) for box in boxes])
    assert [getattr(one, "created", one) for one in results] == [True] * 4
    assert StoredFile.objects.count() == 1
    assert copies.check_digest(StoredFile.objects.get())


@pytest.mark.django_db
def test_a_page_looks_up_its_owner_and_never_lists_the_district(town):
    if connection.vendor != "sqlite":
        pytest.skip("reads SQLite's words")
    box = town.box()
    attach(town, box, jpeg())
    rows = Attachment.objects.visible_to(town.chen)
    for asked in (rows.of("box", box.uid), rows.filter(uid=uuid.uuid4())):
        plan = asked.explain()
        assert "SCAN" not in plan
        assert "evidence_attachment USING INDEX" in plan
