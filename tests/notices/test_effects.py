"""An effect happens once, whoever asks, whenever, at whatever time of the clock."""

import threading
from datetime import timedelta

import pytest
from django.db import connection, transaction

from tests.notices.conftest import NOW
from weicheng.notices.effects import happened, once, once_each
from weicheng.notices.models import Effect


@pytest.mark.django_db
def test_the_second_time_is_told_apart_from_the_first():
    assert once("case:1:reminder", NOW)
    assert not once("case:1:reminder", NOW)
    assert happened(["case:1:reminder", "case:2:reminder"]) == {"case:1:reminder"}


@pytest.mark.django_db
def test_a_clock_set_back_an_hour_repeats_nothing():
    assert once("case:1:overdue", NOW)
    assert not once("case:1:overdue", NOW - timedelta(hours=1))


@pytest.mark.django_db
def test_of_many_keys_only_the_new_ones_come_back():
    once_each([f"k{n:04}" for n in range(0, 1000, 2)], NOW)
    new = once_each([f"k{n:04}" for n in range(1000)], NOW)
    assert new == {f"k{n:04}" for n in range(1, 1000, 2)}
    assert once_each([], NOW) == set()


@pytest.mark.django_db
def test_it_costs_two_statements(django_assert_num_queries):
    with django_assert_num_queries(2):
        once("two", NOW)
    with django_assert_num_queries(2):
        once_each([f"two:{n}" for n in range(200)], NOW)


@pytest.mark.django_db(transaction=True)
def test_an_effect_that_rolled_back_may_happen_again():
    with transaction.atomic():
        assert once("fails", NOW)
        transaction.set_rollback(True)
    with transaction.atomic():
        assert once("fails", NOW)


@pytest.mark.django_db(transaction=True)
def test_outside_a_transaction_it_is_refused():
    with pytest.raises(transaction.TransactionManagementError):
        once("nobody guards this", NOW)
    assert not Effect.objects.exists()


# The SQLite of a test lives in memory, where a second writer is refused at once instead of waiting;
# test_workers does the same with two processes on a file.
@pytest.mark.skipif(connection.vendor == "sqlite", reason="an SQLite in memory has one writer")
@pytest.mark.django_db(transaction=True)
def test_two_transactions_at_the_same_time_get_one_yes_between_them():
    answers: list[int] = []
    gate = threading.Barrier(4)

    def ask(order: int) -> None:
        keys = [f"race:{n}" for n in range(50)]
        gate.wait()
        try:
            with transaction.atomic():
                answers.append(len(once_each(keys if order % 2 else keys[::-1], NOW)))
        finally:
            connection.close()

    threads = [threading.Thread(target=ask, args=(n,)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(answers) == [0, 0, 0, 50]
