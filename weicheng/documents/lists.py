"""The list of documents."""

from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from django.urls import reverse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from weicheng.documents.models import Document, Kind
from weicheng.places.areas import name_of
from weicheng.places.http import HttpRequest
from weicheng.rules.issuing import STATE_LABELS, DocumentState
from weicheng.ui.lists import BatchAction, Choices, Column, Dates, Exact, ListPage, Search

STATE_TONES = {
    DocumentState.DRAFT: "orange",
    DocumentState.CHECKED: "yellow",
    DocumentState.ISSUED: "green",
    DocumentState.WITHDRAWN: "red",
    DocumentState.DROPPED: "grey",
}


def _batch_name(text: str, request: HttpRequest) -> str | None:
    known = Document.objects.visible_to(request.actor).filter(batch=UUID(text))
    return gettext("同批 {count} 份").format(count=known.count()) if known.exists() else None


def _case_name(text: str, request: HttpRequest) -> str | None:
    found = Document.objects.visible_to(request.actor).filter(case__uid=UUID(text)).select_related("case")
    first = found.first()
    return first.case.number if first and first.case else None


def _find(rows: QuerySet[Document], words: str) -> QuerySet[Document]:
    for word in words.split():
        rows = rows.filter(title__contains=word)
    return rows


class DocumentList(ListPage):
    """Documents, newest first."""

    key = "documents"
    title = _("文书")
    columns = [
        Column("title", _("标题"), phone="title", href=lambda document: document.url),
        Column("number", _("发文字号"), phone="meta"),
        Column("kind", _("文种"), lambda document: document.kind_label, phone="meta"),
        Column("state", _("状态"), lambda document: document.state_label, kind="state",
               tone=lambda document: STATE_TONES[DocumentState(document.state)]),
        Column("owner", _("发文机关所在地"), lambda document: document.owner_name, default=False),
        Column("place", _("区划"), lambda document: name_of(document.area), phone="rest"),
        Column("unit", _("责任单位"), lambda document: document.unit.name if document.unit else "", phone="meta"),
        Column("drafter_name", _("拟稿"), phone="rest"),
        Column("checker_name", _("审核"), phone="rest"),
        Column("issuer_name", _("签发"), phone="rest"),
        Column("issued_on", _("成文日期"), kind="date", phone="rest"),
        Column("drafted_at", _("起草时间"), kind="moment", default=False),
    ]  # fmt: skip
    filters = [
        Choices("kind", _("文种"), options=Kind.choices),
        Choices(
            "state", _("状态"), options=[(s.value, _(STATE_LABELS[s])) for s in DocumentState], multiple=True
        ),
        Search("q", _("查找"), apply=_find, placeholder=_("标题")),
        Dates("issued_on", _("成文日期")),
        Exact("batch", _("批次"), show=_batch_name),
        Exact("case", _("事项"), show=_case_name, field="case__uid"),
    ]
    default = {"state": [s.value for s in DocumentState if s is not DocumentState.DROPPED]}
    empty = _("这里是通报、整改通知书、督办单和复查单。先起草本月的督查通报，或在事项列表勾选后起草通知书。")

    def __init__(self, request: HttpRequest) -> None:
        actor = request.actor
        if actor.powers.drafts:
            self.empty_action = (_("起草通报"), reverse("bulletin_new"))
        self.batch = self._batch(actor)
        super().__init__(request, Document.objects.visible_to(actor))

    @staticmethod
    def _batch(actor: Any) -> list[BatchAction]:
        offered = []
        if actor.powers.signs:
            offered += [
                BatchAction("check", _("批量审核"), reverse("document_batch_check"),
                            confirm=_("审核通过选中的草稿？本人起草的不会办。")),
                BatchAction("issue", _("批量签发"), reverse("document_batch_issue"),
                            confirm=_("签发选中的文书？签发后不能再改。")),
            ]  # fmt: skip
        if actor.area:
            offered += [
                BatchAction("word", _("合订为一个 Word"), reverse("document_batch_word")),
                BatchAction("zip", _("打包下载"), reverse("document_batch_zip")),
            ]
        return offered

    def queryset(self, rows: QuerySet[Document]) -> QuerySet[Document]:
        return rows.select_related("unit")
