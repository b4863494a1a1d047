"""What the apps above offer for cases: buttons on a case's page, actions on a selection of the list.

Filled in by their `AppConfig.ready`, so that this app need not know them.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.urls import reverse

from weicheng.cases.models import Case
from weicheng.places.actor import Actor


@dataclass(frozen=True)
class PageDoor:
    """A button on the page of a case. name: of an address that takes `?case=<uid>`; when: who is shown it."""

    label: Any
    icon: str
    name: str
    when: Callable[[Actor, Case], bool]

    def url(self, case: Case) -> str:
        return f"{reverse(self.name)}?case={case.uid}"


@dataclass(frozen=True)
class BatchDoor:
    """An action on the cases chosen in the list: their ids are posted as `ids`. name: of the address."""

    key: str
    label: Any
    name: str
    when: Callable[[Actor], bool]


_pages: dict[str, PageDoor] = {}
_batches: dict[str, BatchDoor] = {}


def register_page(door: PageDoor) -> None:
    """Make a button known; called once when the owning app is ready."""
    _pages[door.name] = door


def register_batch(door: BatchDoor) -> None:
    """Make an action known; called once when the owning app is ready."""
    _batches[door.key] = door


def on_page(case: Case, actor: Actor) -> list[dict[str, Any]]:
    """Return the buttons for this reader and case."""
    return [
        {"label": door.label, "icon": door.icon, "url": door.url(case)}
        for door in _pages.values()
        if door.when(actor, case)
    ]


def on_list(actor: Actor) -> list[BatchDoor]:
    """Return the actions for this reader."""
    return [door for door in _batches.values() if door.when(actor)]
