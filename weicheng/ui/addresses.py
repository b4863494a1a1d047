"""Addresses that are asked for on every page and in every row: resolved once, then put together."""

from functools import cache
from uuid import UUID

from django.urls import reverse

_NONE = UUID(int=0)


@cache
def address(name: str) -> str:
    """Return the address with this name, which takes no arguments."""
    return reverse(name)


def address_of(name: str, uid: UUID) -> str:
    """Return the address with this name of the object with this uid, its only argument."""
    before, after = _around(name)
    return f"{before}{uid}{after}"


@cache
def _around(name: str) -> tuple[str, str]:
    before, _uid, after = reverse(name, args=[_NONE]).partition(str(_NONE))
    return before, after
