"""Who owns an attachment: a registry that the apps above fill in, so that this one need not know them.

    class CasesConfig(AppConfig):
        def ready(self):
            owners.register("case", visible=cases_visible_to, may_attach=may_attach_to_case, ...)

A photo may arrive before the finding it belongs to: phones send what is ready first. Such a photo *waits*:
it carries its owner's uid, and only its sender sees it. Nothing has to be written when the owner appears;
from then on whoever sees the owner sees the photo, provided the owner was made by the photo's sender. A
stranger who hangs a photo on somebody else's uid is therefore answered like one whose owner is still to
come, and is never shown.
"""

from collections.abc import Callable
from dataclasses import dataclass
from uuid import UUID

from django.db.models import Exists, OuterRef, Q, QuerySet

from weicheng.places.actor import Actor


@dataclass(frozen=True)
class OwnerKind:
    """One kind of thing that files can hang on.

    kind: stored with each attachment, at most 20 characters, never changes
    visible: the owners an actor sees, as an unsliced queryset over a model with `uid_field`
    may_attach: refuses with a RuleError, MissingError for an owner absent or foreign; returns its area code
    uid_field: the owner's UUID column, unique
    maker_field: the column with the key of the person who made the owner ("user:7"); empty for kinds whose
        files never come before their owner
    label, url: of an owner, for "this photo was used for …"; called only for owners the reader sees
    """

    kind: str
    visible: Callable[[Actor], QuerySet]
    may_attach: Callable[[Actor, UUID, str], str | None]
    uid_field: str = "uid"
    maker_field: str = ""
    label: Callable[[UUID], str] | None = None
    url: Callable[[UUID], str] | None = None

    @property
    def may_wait(self) -> bool:
        return bool(self.maker_field)


_kinds: dict[str, OwnerKind] = {}


def register(
    kind: str,
    *,
    visible: Callable[[Actor], QuerySet],
    may_attach: Callable[[Actor, UUID, str], str | None],
    uid_field: str = "uid",
    maker_field: str = "",
    label: Callable[[UUID], str] | None = None,
    url: Callable[[UUID], str] | None = None,
) -> None:
    """Make a kind of owner known; called once in the owning app's AppConfig.ready."""
    _kinds[kind] = OwnerKind(kind, visible, may_attach, uid_field, maker_field, label, url)


def forget(kind: str) -> None:
    """Take a kind out again: for tests."""
    _kinds.pop(kind, None)


def kind_of(kind: str) -> OwnerKind | None:
    """Return what was registered, None for a kind unknown here."""
    return _kinds.get(kind)


def reach(actor: Actor) -> Q:
    """Return the condition on attachments "its owner is visible to this actor".

    Correlated EXISTS, not IN: a page asks for the files of one owner or for one uid, and the database then
    looks up that one owner by its unique uid instead of listing every owner of the district first.
    """
    found = Q(pk__in=[])
    for owner in _kinds.values():
        same = owner.visible(actor).filter(**{owner.uid_field: OuterRef("owner_uid")})
        shown = Q(waiting=False) & Q(Exists(same))
        if owner.may_wait:
            shown |= Q(waiting=True) & Q(Exists(same.filter(**{owner.maker_field: OuterRef("by_key")})))
        found |= Q(owner_kind=owner.kind) & shown
    return found
