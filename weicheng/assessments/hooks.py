"""What assessments give to the layers below: material hangs on appeals, and may come before them."""

from uuid import UUID

from django.db.models import QuerySet
from django.urls import reverse

from weicheng.assessments.models import Appeal
from weicheng.evidence import owners
from weicheng.places.actor import Actor
from weicheng.rules.errors import N_, ForbiddenError, MissingError


def connect() -> None:
    """Register with the layers below; called once when the app is ready."""
    owners.register(
        "appeal",
        visible=visible,
        may_attach=may_attach,
        maker_field="filed_by_key",
        label=lambda uid: Appeal.objects.select_related("loss").get(uid=uid).loss.title,
        url=lambda uid: reverse("assessments:appeal", args=[uid]),
    )


def visible(actor: Actor) -> QuerySet[Appeal]:
    return Appeal.objects.visible_to(actor)


def may_attach(actor: Actor, uid: UUID, purpose: str) -> str:
    """Only who filed an appeal adds material, and only while it waits; return the area of the sheet."""
    appeal = Appeal.objects.visible_to(actor).select_related("sheet").filter(uid=uid).first()
    if appeal is None:
        raise MissingError("no-appeal", N_("没有找到该申诉，或您当前的岗位看不到它。请返回评分表。"))
    if appeal.filed_by_key != actor.key:
        raise ForbiddenError("not-yours", N_("申诉材料只能由申诉人添加。"))
    if appeal.state != Appeal.State.OPEN:
        raise ForbiddenError("appeal-over", N_("申诉已答复，不能再添加材料。"))
    return appeal.sheet.area
