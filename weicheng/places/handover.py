"""Hand-over of open work when a post ends: higher apps say what they carry over."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from weicheng.places.actor import Actor
from weicheng.places.models import Post, Unit

Carry = Callable[[Post, Post, Actor, datetime], int]
Count = Callable[[Post], int]


@dataclass(frozen=True)
class Kind:
    """One kind of open work. carry: moves it, returns how many; count: how many there are."""

    name: str
    carry: Carry
    count: Count | None = None


_kinds: dict[str, Kind] = {}


def register(name: str, fn: Carry, count: Count | None = None) -> None:
    """Say how one kind of open work goes from a post to its successor.

    name: what the page calls it, e.g. "待核查事项"; the same name again replaces it
    fn(from_post, to_post, by, at) -> how many items went over; called inside the verb's transaction
    count(post) -> how many there are, shown before
    """
    _kinds[name] = Kind(name, fn, count)


def open_work(post: Post) -> dict[str, int]:
    """Return name → count of the work that would go over."""
    return {kind.name: kind.count(post) for kind in _kinds.values() if kind.count}


def carry_over(from_post: Post, to_post: Post, by: Actor, at: datetime) -> dict[str, int]:
    """Move all open work; return name → how many."""
    return {kind.name: kind.carry(from_post, to_post, by, at) for kind in _kinds.values()}


Merge = Callable[[Unit, Unit, Actor, datetime], int]
_merges: dict[str, Merge] = {}


def register_merge(name: str, fn: Merge) -> None:
    """Say what follows a unit that is merged into another: fn(unit, into, by, at) -> how many items went over."""
    _merges[name] = fn


def follow_merge(unit: Unit, into: Unit, by: Actor, at: datetime) -> dict[str, int]:
    """Move what hangs on a merged unit; called inside the verb's transaction. Return name → how many."""
    return {name: fn(unit, into, by, at) for name, fn in _merges.items()}
