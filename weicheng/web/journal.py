"""The journal (日志) for the audit administrator: who did what to what, and do the bytes still say so."""

import json
from typing import Any

from django.db.models import Q, QuerySet
from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from weicheng.journal.models import Entry
from weicheng.places.decorators import power_required
from weicheng.places.http import HttpRequest
from weicheng.rules.digests import digest
from weicheng.ui.lists import Choices, Column, Dates, Exact, ListPage, Search
from weicheng.web.journal_words import KINDS, particulars, thing_of, verb_of, verbs


def _person(rows: QuerySet[Entry], words: str) -> QuerySet[Entry]:
    """Narrow to a person by name or key, or to an address the requests came from."""
    return rows.filter(Q(actor_name__contains=words) | Q(actor_key=words) | Q(origin=words))


class JournalList(ListPage):
    """Entries of the actor's area, newest first."""

    key = "journal"
    title = _("日志")
    columns = [
        Column("at", _("时间"), kind="moment", href=lambda entry: reverse("journal_entry", args=[entry.pk]),
               phone="meta"),
        Column("verb", _("做了什么"), verb_of, phone="title",
               href=lambda entry: reverse("journal_entry", args=[entry.pk])),
        Column("kind", _("对象"), thing_of, phone="badge"),
        Column("actor_name", _("人员"), phone="meta"),
        Column("post_label", _("岗位"), phone="meta"),
        Column("origin", _("来源地址"), phone="rest"),
        Column("object_key", _("对象编号"), default=False),
        Column("digest", _("校验值"), default=False),
    ]  # fmt: skip
    filters = [
        Search("q", _("人员"), apply=_person, placeholder=_("姓名、账号编号或来源地址")),
        Choices("verb", _("做了什么"), options=lambda _request: list(verbs().items())),
        Choices("kind", _("对象"), options=list(KINDS.items()), field="object_kind"),
        Dates("at", _("日期")),
        Exact("object", _("对象编号"), show=lambda key, _request: key, field="object_key"),
        Exact("person", _("人员编号"), show=lambda key, _request: key, field="actor_key"),
    ]
    empty = _("还没有日志。每次办理、登录和管理操作都会记在这里，只增不改。")

    def queryset(self, rows: QuerySet[Entry]) -> QuerySet[Entry]:
        return rows.defer("body")


@power_required("reads_journal")
def journal(request: HttpRequest) -> HttpResponseBase:
    """The list, its export and its total."""
    return JournalList(request, Entry.objects.visible_to(request.actor)).response(
        "web/journal.html", {"menu_key": "journal"}
    )


@power_required("reads_journal")
def entry(request: HttpRequest, pk: int) -> HttpResponse:
    """One entry with its particulars, and whether columns, bytes and digest still agree."""
    found = get_object_or_404(Entry.objects.visible_to(request.actor), pk=pk)
    stored = bytes(found.body)
    context: dict[str, Any] = {
        "entry": found,
        "particulars": particulars(found),
        "intact": digest(stored) == found.digest,
        "differing": differing(found),
        "stored": stored.decode("utf-8", "replace"),
        "same_object": f"{reverse('journal')}?object={found.object_key}&kind={found.object_kind}",
        "same_person": f"{reverse('journal')}?person={found.actor_key}",
        "menu_key": "journal",
    }
    return render(request, "web/journal_entry.html", context)


def differing(found: Entry) -> list[str]:
    """Return the columns that say something else than the stored bytes: somebody changed them from outside."""
    said = json.loads(bytes(found.body))
    columns = {
        "verb": found.verb,
        "kind": found.object_kind,
        "key": found.object_key,
        "by": found.actor_key,
        "post": found.post_id,
    }
    return [name for name, value in columns.items() if said.get(name) != value]
