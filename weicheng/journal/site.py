"""The site's row, and caches that live as long as its generation.

Areas, posts and editions are read on every request and change rarely. What is computed from them is kept per
process under the generation it was read in; a verb that changes them raises the generation in its own
transaction. A request learns the generation with the query that finds its actor, so a cache costs no statement.
"""

import threading
import uuid
from collections.abc import Callable, Hashable
from typing import Any, TypeVar

from django.db.models import F

from weicheng.journal.models import Site

T = TypeVar("T")
_known = threading.local()
_cache: dict[Hashable, Any] = {}
_lock = threading.Lock()
_LIMIT = 20_000


def site() -> Site:
    """Return the site's row, made on first use."""
    row = Site.objects.filter(pk=1).first()
    return row or Site.objects.get_or_create(pk=1)[0]


def generation() -> int:
    """Return the generation this request works in; asks the database once where no request has learned it."""
    known = getattr(_known, "generation", None)
    if known is None:
        known = site().generation
        _known.generation = known
    return known


def learn(value: int | None) -> None:
    """Tell this thread the generation of the request at hand; None forgets it (a request ends, a job begins)."""
    _known.generation = value


def raise_generation() -> None:
    """Say that dated data changed; call it inside the transaction that changes them."""
    site()
    Site.objects.filter(pk=1).update(generation=F("generation") + 1)
    learn(None)


def new_epoch() -> uuid.UUID:
    """Give the site another epoch: a restore happened, and clients must offer their captures again."""
    fresh = uuid.uuid4()
    raise_generation()
    Site.objects.filter(pk=1).update(epoch=fresh)
    return fresh


def epoch() -> str:
    """Return the site's epoch, which every reply of the API carries."""
    return cached(("epoch",), lambda: str(site().epoch))


def cached(key: tuple[Hashable, ...], compute: Callable[[], T]) -> T:
    """Return compute(), kept while the generation lasts.

    Two threads may compute the same thing at once; both get a right answer, and no lock is held meanwhile.
    """
    full = (generation(), *key)
    if full in _cache:
        return _cache[full]
    value = compute()
    with _lock:
        if len(_cache) >= _LIMIT:
            _cache.clear()
        _cache[full] = value
    return value


def forget() -> None:
    """Drop every cached value of this process: for tests, whose databases share one process."""
    with _lock:
        _cache.clear()
    learn(None)
