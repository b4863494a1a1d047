"""联络记录: how often somebody in charge was in the area, counted by the layers above and shown beside each charge."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from weicheng.places.actor import Actor
from weicheng.places.models import Charge


@dataclass(frozen=True)
class Contact:
    """What one layer knows of one charge. last_on: None where there was none; url: the list behind the count, "" for none."""

    name: Any
    count: int
    last_on: date | None
    url: str


Count = Callable[[Sequence[Charge], Actor, date], Mapping[int, Contact]]
_kinds: dict[str, Count] = {}


def register(name: str, count: Count) -> None:
    """Say how one kind of contact is counted; the same name again replaces it.

    count(charges, reader, day) -> charge's key -> contact up to the day, of what the reader sees; few statements
    """
    _kinds[name] = count


def attach(charges: Sequence[Charge], reader: Actor, on: date) -> None:
    """Give each charge its `contacts`, a list with one entry for each kind that is registered."""
    found = [count(charges, reader, on) for count in _kinds.values()] if charges else []
    for charge in charges:
        charge.contacts = [kind[charge.pk] for kind in found if charge.pk in kind]  # type: ignore[attr-defined]
