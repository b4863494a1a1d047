"""What inspections give to the layers below: photos hang on findings and may come before them; visits are contact."""

from uuid import UUID

from django.db.models import QuerySet
from django.urls import reverse

from weicheng.evidence import owners
from weicheng.inspections import contacts
from weicheng.inspections.models import Answer, Finding
from weicheng.places import contacts as contact_record
from weicheng.places.actor import Actor
from weicheng.rules.errors import N_, ForbiddenError, MissingError


def connect() -> None:
    """Register with the layers below; called once when the app is ready."""
    contact_record.register(contacts.NAME, contacts.counted)
    owners.register(
        "finding",
        visible=visible,
        may_attach=may_attach,
        maker_field="by_key",
        label=lambda uid: Finding.objects.select_related("case").get(uid=uid).case.title,
        # A finding and its case share the identity made at capture, so the case's page is the finding's.
        url=lambda uid: reverse("case", args=[uid]),
    )
    owners.register(
        "answer",
        visible=visible_answers,
        may_attach=may_attach_to_answer,
        maker_field="by_key",
        label=lambda uid: Answer.objects.select_related("visit").get(uid=uid).visit.place,
        url=lambda uid: Answer.objects.select_related("visit").get(uid=uid).visit.url,
    )


def visible(actor: Actor) -> QuerySet[Finding]:
    return Finding.objects.visible_to(actor)


def may_attach(actor: Actor, uid: UUID, purpose: str) -> str:
    """Only the finder adds photos of what was found; return the finding's area."""
    finding = Finding.objects.visible_to(actor).filter(uid=uid).first()
    if finding is None:
        raise MissingError("no-finding", N_("没有找到该问题，或您当前的岗位看不到它。请返回列表。"))
    if finding.by_key != actor.key:
        raise ForbiddenError("not-yours", N_("现场照片只能由上报人添加。"))
    return finding.area


def visible_answers(actor: Actor) -> QuerySet[Answer]:
    return Answer.objects.visible_to(actor)


def may_attach_to_answer(actor: Actor, uid: UUID, purpose: str) -> str:
    """Only who answered adds photos of what was seen, while the visit runs; return the visit's area."""
    answer = Answer.objects.visible_to(actor).filter(uid=uid).select_related("visit").first()
    if answer is None:
        raise MissingError("no-answer", N_("没有找到这一项检查，或您当前的岗位看不到它。请返回列表。"))
    if answer.by_key != actor.key:
        raise ForbiddenError("not-yours", N_("现场照片只能由检查人添加。"))
    return answer.visit.area
