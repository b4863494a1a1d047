"""What the notices of cases say, gathered for many cases at once: a constant number of statements for a batch."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from django.utils import timezone

from weicheng.cases import links
from weicheng.cases.lists import severity_names
from weicheng.cases.models import Case, Event, Link
from weicheng.documents.notices import CaseFacts
from weicheng.evidence.models import Attachment, Purpose
from weicheng.inspections.models import Finding
from weicheng.inspections.photos import owned_by, owners_of
from weicheng.places.actor import Actor
from weicheng.places.areas import path_name
from weicheng.rules.cases import Move
from weicheng.rules.content import Picture
from weicheng.rules.errors import RuleError
from weicheng.rules.privacy import hide_numbers
from weicheng.standards import editions

_SOURCES = {"finding": "督查发现", "report": "群众反映"}
PHOTOS_EACH = 4


def facts_of(cases: Sequence[Case], *, reader: Actor, at: datetime) -> dict[UUID, CaseFacts]:
    """Return the facts of each case by its uid, as `reader` sees it."""
    findings = {
        finding.case_id: finding
        for finding in Finding.objects.visible_to(reader)
        .filter(case__in=[case.pk for case in cases])
        .select_related("visit")
    }
    photos = _photos(cases, reader)
    steps = _steps(cases)
    addresses = _links(cases, reader, at)
    return {
        case.uid: _facts(
            case,
            findings.get(case.pk),
            photos.get(case.uid, {}),
            steps.get(case.pk, {}),
            addresses.get(case.pk, ""),
        )
        for case in cases
    }


def _facts(
    case: Case,
    finding: Finding | None,
    photos: dict[str, tuple[Picture, ...]],
    steps: dict[str, Event],
    link: str,
) -> CaseFacts:
    handed, sent = steps.get(Move.HAND_IN.value), steps.get(Move.DISPATCH.value)
    place = path_name(case.area, top=case.district[:6])
    # What was seen in a community as a whole has the community's name as its address: it is said once.
    if case.address and not place.endswith(case.address):
        place = f"{place}，{case.address}" if place else case.address
    return CaseFacts(
        number=case.number,
        path=case.url,
        title=case.title,
        note=hide_numbers(finding.note) if finding else "",
        place=hide_numbers(place),
        unit=case.responsible.name if case.responsible else "",
        found_on=case.occurred_on,
        source=_SOURCES.get(case.source_kind, "督查发现"),
        clause=_clause(finding),
        severity=dict(severity_names(case.area)).get(case.severity, case.severity),
        due_at=timezone.localtime(case.due_at) if case.due_at else None,
        dispatched_on=timezone.localtime(sent.at).date() if sent else None,
        replied=hide_numbers(handed.note) if handed else "",
        replied_on=timezone.localtime(handed.at).date() if handed else None,
        rework=case.rework,
        photos=photos.get(Purpose.BEFORE.value, ()),
        after=photos.get(Purpose.AFTER.value, ()),
        link=link,
    )


def _clause(finding: Finding | None) -> str:
    """Return the line of the check list that was not met, "" for a finding without one."""
    if finding is None or not finding.item or finding.visit is None or not finding.visit.checklist_edition:
        return ""
    try:
        item = editions.checklist_by_id(finding.visit.checklist_edition).item(finding.item)
    except RuleError:
        return ""
    return f"{item.number} {item.title}"


def _steps(cases: Sequence[Case]) -> dict[int, dict[str, Event]]:
    """Return the last dispatch and the last hand-in of each case."""
    moves = (Move.DISPATCH.value, Move.HAND_IN.value)
    found: dict[int, dict[str, Event]] = {}
    for event in Event.objects.filter(case__in=[case.pk for case in cases], move__in=moves).order_by("id"):
        found.setdefault(event.case_id, {})[event.move] = event
    return found


def _links(cases: Sequence[Case], reader: Actor, at: datetime) -> dict[int, str]:
    rows = Link.objects.visible_to(reader).filter(
        case__in=[case.pk for case in cases], revoked_at__isnull=True, expires_at__gt=at
    )
    return {link.case_id: links.address_of(link) for link in rows.order_by("id")}


def _photos(cases: Sequence[Case], reader: Actor) -> dict[UUID, dict[str, tuple[Picture, ...]]]:
    """Return the photos of each case by purpose; sealed, void and waiting ones are left out."""
    by_uid = {case.uid: case for case in cases}
    owners = owners_of(by_uid) | {("case", uid): uid for uid in by_uid}
    rows = (
        Attachment.objects.visible_to(reader)
        .standing()
        .filter(
            owned_by(owners), waiting=False,
            stored__sensitive=False, stored__broken_at__isnull=True, stored__media_type__startswith="image/",
        )
        .order_by("id")
        .values_list("owner_kind", "owner_uid", "purpose", "stored__sha256")
    )  # fmt: skip
    found: dict[UUID, dict[str, tuple[Picture, ...]]] = {}
    for kind, uid, purpose, sha256 in rows:
        owner = owners[kind, uid]
        mine = found.setdefault(owner, {}).get(purpose, ())
        if len(mine) == PHOTOS_EACH or any(picture.sha256 == sha256 for picture in mine):
            continue
        words = "整改后" if purpose == Purpose.AFTER.value else "整改前"
        caption = f"{words}（{len(mine) + 1}）"
        alt = f"{by_uid[owner].title}，{words}照片"
        found[owner][purpose] = (*mine, Picture(sha256, caption, alt))
    return found
