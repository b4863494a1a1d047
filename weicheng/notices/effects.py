"""Effects that happen once, however often the task that causes them is run."""

import uuid
from collections.abc import Iterable
from datetime import datetime

from django.db import transaction

from weicheng.notices.models import Effect

_BATCH = 400  # keys in one statement: below the 999 values an older SQLite takes, with three columns a row


def once(key: str, at: datetime) -> bool:
    """Return True the first time this key is seen, False ever after; call it in the effect's own transaction.

    Two transactions with the same key: the second waits for the first, and gets True only if that one rolled
    back. Nothing here reads a clock, so a clock set back repeats nothing. Two statements.
    """
    return bool(once_each([key], at))


def once_each(keys: Iterable[str], at: datetime) -> set[str]:
    """Return the keys that were never seen before; two statements for each 400 keys."""
    if not transaction.get_connection().in_atomic_block:
        raise transaction.TransactionManagementError(
            "once() outside a transaction would remember an effect that then fails: wrap both in atomic()."
        )
    # In one order everywhere: two transactions with the same keys wait for each other, never in a circle.
    ordered = sorted(set(keys))
    token = uuid.uuid4()
    made: set[str] = set()
    for start in range(0, len(ordered), _BATCH):
        batch = ordered[start : start + _BATCH]
        rows = [Effect(key=key, at=at, token=token) for key in batch]
        Effect.objects.bulk_create(rows, ignore_conflicts=True, batch_size=300)
        made.update(Effect.objects.filter(key__in=batch, token=token).values_list("key", flat=True))
    return made


def happened(keys: Iterable[str]) -> set[str]:
    """Return the keys seen before; for effects outside the database, which no transaction can take back."""
    return set(Effect.objects.filter(key__in=list(keys)).values_list("key", flat=True))
