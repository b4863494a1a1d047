"""Two who issue at once: each gets a number of its own, none is left out."""

import threading

import pytest
from django.db import connection, transaction

from weicheng.documents.models import Sequence
from weicheng.documents.numbering import next_serial


@pytest.mark.django_db(transaction=True)
def test_numbers_drawn_at_once_are_all_different_and_without_gaps():
    if connection.vendor == "sqlite":
        pytest.skip("SQLite's shared memory, where tests live, answers at once that the table is locked")
    drawn: list[int] = []
    barrier = threading.Barrier(4)

    def draw() -> None:
        try:
            barrier.wait()
            for _each in range(5):
                with transaction.atomic():
                    drawn.append(next_serial(owner="320311", word="甲", year=2026))
        finally:
            connection.close()

    threads = [threading.Thread(target=draw) for _each in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(drawn) == list(range(1, 21))
    assert Sequence.objects.get().last == 20


@pytest.mark.django_db(transaction=True)
def test_a_number_is_drawn_inside_a_transaction_or_not_at_all():
    with pytest.raises(RuntimeError):
        next_serial(owner="320311", word="甲", year=2026)
    assert not Sequence.objects.exists()
