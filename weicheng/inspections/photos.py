"""Whose photos show a finding: its own, and those of the check-list line it came from."""

from collections.abc import Iterable
from uuid import UUID

from django.db.models import Q

from weicheng.inspections.models import Answer


def owners_of(findings: Iterable[UUID]) -> dict[tuple[str, UUID], UUID]:
    """Return (owner kind, owner uid) → finding, for every owner whose photos show one of these; one statement.

    A line that failed again after its first case was withdrawn has a finding of another identity than its own.
    """
    uids = list(findings)
    owners = {("finding", uid): uid for uid in uids}
    lines = Answer.objects.filter(finding__uid__in=uids).values_list("uid", "finding__uid")
    return owners | {("answer", line): finding for line, finding in lines}


def owned_by(owners: Iterable[tuple[str, UUID]]) -> Q:
    """Return the condition on attachments that hang on one of these owners."""
    of_kind: dict[str, list[UUID]] = {}
    for kind, uid in owners:
        of_kind.setdefault(kind, []).append(uid)
    condition = Q(pk__in=[])
    for kind, uids in of_kind.items():
        condition |= Q(owner_kind=kind, owner_uid__in=uids)
    return condition
