"""Numbers of documents: one running number an office, a 机关代字 and a year; without gaps, and no number twice."""

from django.db import IntegrityError, transaction

from weicheng.documents.models import Sequence


def next_serial(*, owner: str, word: str, year: int) -> int:
    """Return the next number; call it inside the transaction that gives the number to a document.

    The row of the sequence stays locked until that transaction ends: a second issuer waits, and when the first
    is rolled back its number is drawn again, so there is no gap.
    """
    if not transaction.get_connection().in_atomic_block:
        raise RuntimeError("a number is drawn inside the transaction of the document it belongs to")
    row = _locked(owner, word, year)
    if row is None:
        try:
            with transaction.atomic():
                Sequence.objects.create(owner=owner, word=word, year=year)
        except IntegrityError:  # another issuer began the same sequence this moment
            pass
        row = _locked(owner, word, year)
    assert row is not None
    row.last += 1
    row.save(update_fields=["last"])
    return row.last


def _locked(owner: str, word: str, year: int) -> Sequence | None:
    return Sequence.objects.select_for_update().filter(owner=owner, word=word, year=year).first()
