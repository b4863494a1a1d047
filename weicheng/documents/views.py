"""Pages of documents: the list, drafting, one document with its text, its acts, its file."""

import io
import re
import zipfile
from typing import Any
from urllib.parse import quote
from uuid import UUID

from django.contrib import messages
from django.db.models import Q
from django.http import Http404, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from weicheng.cases.models import Case
from weicheng.documents import actions, files
from weicheng.documents.forms import ActForm, BulletinForm, NoticesForm, WordsForm
from weicheng.documents.lists import STATE_TONES, DocumentList
from weicheng.documents.models import Document, DocumentVersion
from weicheng.documents.preview import Preview
from weicheng.documents.word import MEDIA_TYPE
from weicheng.places.decorators import actor_required, power_required
from weicheng.places.http import HttpRequest
from weicheng.rules.content import Chart, Code, Content, read
from weicheng.rules.errors import RuleError
from weicheng.rules.figures import Period
from weicheng.rules.issuing import ACT_LABELS, Act, DocumentState, acts_in
from weicheng.ui.replies import form_page, go_on, status_of

BATCH_ACTS = ("check", "issue", "word", "zip")
_TONES = {Act.ISSUE: "green", Act.CHECK: "teal", Act.RETURN: "orange", Act.WITHDRAW: "red", Act.DROP: "grey"}
_ICONS = {Act.ISSUE: "check", Act.CHECK: "check", Act.RETURN: "arrow-left", Act.WITHDRAW: "x", Act.DROP: "x"}


@power_required("sees_cases")
def documents(request: HttpRequest) -> HttpResponseBase:
    """The list of documents in the reader's reach."""
    return DocumentList(request).response("documents/documents.html")


def _visible(request: HttpRequest, uid: UUID) -> Document:
    rows = Document.objects.visible_to(request.actor).select_related("case", "unit", "file", "replaces")
    return get_object_or_404(rows, uid=uid)


# --- drafting --------------------------------------------------------------------------------------------


@power_required("drafts")
def bulletin_new(request: HttpRequest) -> HttpResponse:
    """Draft the bulletin of a month."""
    form = BulletinForm(timezone.localdate(), request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            made = actions.draft_bulletin(
                period=Period.month(form.cleaned_data["month"]),
                uid=form.cleaned_data["uid"],
                by=request.actor,
                at=timezone.now(),
            )
        except RuleError as error:
            form.add_error(None, error.sentence(_))
        else:
            return go_on(request, made.url)
    return form_page(
        request,
        form,
        context={
            "title": _("起草督查通报"),
            "subtitle": _("{area}，由系统按记录统计并成文，要求和缘由可以修改。").format(
                area=request.actor.area_name
            ),
            "submit_label": _("起草"),
            "cancel_url": reverse("documents"),
        },
    )


@power_required("drafts")
def notices_new(request: HttpRequest) -> HttpResponse:
    """Draft notices for the chosen cases: first a page that asks which kind, then one draft for each."""
    chosen = _chosen_cases(request)
    confirmed = "kind" in request.POST
    form = NoticesForm(request.POST if confirmed else None)
    if confirmed and form.is_valid():
        try:
            made = actions.draft_notices(
                kind=form.cleaned_data["kind"],
                cases=chosen,
                batch=form.cleaned_data["batch"],
                by=request.actor,
                at=timezone.now(),
            )
        except RuleError as error:
            form.add_error(None, error.sentence(_))
        else:
            if len(made) == 1:
                return go_on(request, made[0].url)
            return go_on(request, f"{reverse('documents')}?batch={made[0].batch}")
    context = {"cases": chosen, "form": form, "limit": actions.BATCH_LIMIT}
    status = 422 if not chosen or form.errors else 200
    return render(request, "documents/notices_new.html", context, status=status)


def _chosen_cases(request: HttpRequest) -> list[Case]:
    """Return the cases of the list's selection (`ids`) or of a case's page (`case`), oldest first."""
    ids = [
        int(text)
        for text in request.POST.getlist("ids")
        if text.isascii() and text.isdigit() and len(text) < 19
    ]
    wanted = Q(pk__in=ids[: actions.BATCH_LIMIT + 1])
    try:
        if text := request.GET.get("case", ""):
            wanted |= Q(uid=UUID(text))
    except ValueError:
        pass
    rows = Case.objects.visible_to(request.actor).filter(wanted).select_related("responsible")
    return list(rows.order_by("id"))


# --- one document ----------------------------------------------------------------------------------------


@actor_required
def document(request: HttpRequest, uid: UUID) -> HttpResponse:
    """One document: its text as it will be on paper, what may be done, how it came to be so."""
    found = _visible(request, uid)
    versions = list(found.versions.order_by("-number").select_related("document"))
    content = read(bytes(versions[0].body))
    actor = request.actor
    mine = found.owner in {code for _column, code in actor.reach} and not actor.unit_id
    acts = acts_in(
        DocumentState(found.state),
        drafts=mine and actor.powers.drafts,
        signs=mine and actor.powers.signs,
        wrote=actor.key in found.writer_keys,
    )
    context = {
        "document": found,
        "tone": STATE_TONES[DocumentState(found.state)],
        "paper": Preview(found, content).paper(),
        "may_change": Act.CHANGE in acts,
        "acts": [
            {"act": act.value, "label": _(ACT_LABELS[act]), "main": act in (Act.CHECK, Act.ISSUE)}
            for act in acts
            if act is not Act.CHANGE
        ],
        "own_work": mine and actor.powers.signs and actor.key in found.writer_keys and not found.is_out
        and found.state != DocumentState.DROPPED.value,
        "may_redraft": mine and actor.powers.drafts and found.state == DocumentState.WITHDRAWN.value,
        "successors": _successors(request, found),
        "steps": [_step(version) for version in versions] if mine else [],
        "figure_count": len(content.figures()),
        "as_of": content.as_of,
        "shows_case": found.case is not None
        and Case.objects.visible_to(actor).filter(pk=found.case.pk).exists(),
    }  # fmt: skip
    return render(request, "documents/document.html", context)


def _successors(request: HttpRequest, document: Document) -> list[Document]:
    if document.state != DocumentState.WITHDRAWN.value:
        return []
    rows = Document.objects.visible_to(request.actor).filter(replaces=document)
    return list(rows.exclude(state=DocumentState.DROPPED.value))


def _step(version: DocumentVersion) -> dict[str, Any]:
    act = Act(version.act)
    label = _("起草") if version.number == 1 else _(ACT_LABELS[act])
    return {
        "at": version.at,
        "title": label,
        "actor": version.by_name,
        "note": version.reason,
        "tone": _TONES.get(act, "grey"),
        "icon": _ICONS.get(act, "file-text"),
        "digest": version.digest,
        "url": reverse("document_version", args=[version.document.uid, version.number]),
    }


@actor_required
def document_version(request: HttpRequest, uid: UUID, number: int) -> HttpResponse:
    """The text as it stood after one act; for the office that writes it."""
    found = _visible(request, uid)
    if found.owner not in {code for _column, code in request.actor.reach}:
        raise Http404
    version = get_object_or_404(DocumentVersion, document=found, number=number)
    context = {
        "document": found,
        "version": version,
        "step": _step(version),
        "paper": Preview(found, read(bytes(version.body)), version.number).paper(),
    }
    return render(request, "documents/version.html", context)


@power_required("drafts")
def document_words(request: HttpRequest, uid: UUID) -> HttpResponse:
    """Change the own words of a draft."""
    found = _visible(request, uid)
    content = actions.content_of(found)
    initial = {"base": found.version}
    form = WordsForm(content, request.POST or None, initial=initial)
    if request.method == "POST" and form.is_valid():
        words = {key: text for key, text in form.cleaned_data.items() if key != "base"}
        try:
            actions.change_words(
                document=found,
                words={key: text.replace("\r\n", "\n") for key, text in words.items()},
                base=form.cleaned_data["base"],
                by=request.actor,
                at=timezone.now(),
            )
        except RuleError as error:
            form.add_error(None, error.sentence(_))
        else:
            return go_on(request, found.url)
    return form_page(
        request,
        form,
        context={
            "title": _("修改文字"),
            "subtitle": _("{title}。数字和表格由记录得出，不在这里改。").format(title=found.title),
            "submit_label": _("保存"),
            "cancel_url": found.url,
        },
    )


@power_required("drafts")
@require_POST
def document_count(request: HttpRequest, uid: UUID) -> HttpResponse:
    """Count the figures of a draft again."""
    found = _visible(request, uid)
    actions.count_again(document=found, base=found.version, by=request.actor, at=timezone.now())
    messages.success(request, _("已按此刻的记录重新统计。"))
    return go_on(request, found.url)


@power_required("drafts")
@require_POST
def document_redraft(request: HttpRequest, uid: UUID) -> HttpResponse:
    """Draft the document that stands for a withdrawn one."""
    made = actions.redraft(document=_visible(request, uid), by=request.actor, at=timezone.now())
    return go_on(request, made.url)


@power_required("signs")
def document_act(request: HttpRequest, uid: UUID, act: str) -> HttpResponse:
    """Check, return, issue, withdraw or drop: a page that asks once more, then the act."""
    wanted = _act(act)
    found = _visible(request, uid)
    form = ActForm(wanted, request.POST or None, initial={"base": found.version})
    if request.method == "POST" and form.is_valid():
        try:
            _take(found, wanted, form.cleaned_data, request)
        except RuleError as error:
            form.add_error(None, error.sentence(_))
            context = _act_context(found, wanted, form)
            return render(request, "documents/act.html", context, status=status_of(error))
        return go_on(request, found.url)
    status = 422 if form.errors else 200
    return render(request, "documents/act.html", _act_context(found, wanted, form), status=status)


def _act(text: str) -> Act:
    try:
        wanted = Act(text)
    except ValueError:
        raise Http404 from None
    if wanted is Act.CHANGE:
        raise Http404
    return wanted


def _act_context(document: Document, act: Act, form: ActForm) -> dict[str, Any]:
    return {"document": document, "act": act.value, "label": _(ACT_LABELS[act]), "form": form}


def _take(document: Document, act: Act, given: dict[str, Any], request: HttpRequest) -> None:
    now, base = timezone.now(), given.get("base")
    if act is Act.ISSUE:
        actions.issue(document=document, base=base, by=request.actor, at=now)
        return
    actions.take(
        document=document, act=act, base=base, reason=given.get("reason", ""), by=request.actor, at=now
    )


# --- files -----------------------------------------------------------------------------------------------


def _download(data: bytes, name: str, media_type: str = MEDIA_TYPE) -> HttpResponse:
    safe = re.sub(r'[\\/:*?"<>|\r\n]', "_", name)
    return HttpResponse(
        data,
        media_type,
        headers={
            "Content-Disposition": f"attachment; filename*=UTF-8''{quote(safe)}",
            "Cache-Control": "private, no-store",
            "X-Content-Type-Options": "nosniff",
        },
    )


@actor_required
def document_file(request: HttpRequest, uid: UUID) -> HttpResponse:
    """The Word file: as issued, or the draft as it stands."""
    found = _visible(request, uid)
    return _download(actions.file_of(found, at=timezone.now()), found.file_name)


@actor_required
def document_picture(request: HttpRequest, uid: UUID, place: int) -> HttpResponse:
    """A photo, chart or code of a document, to whoever may read the document."""
    found = _visible(request, uid)
    content = _wanted_version(request, found)
    drawn = content.pictures()
    if not 0 <= place < len(drawn):
        raise Http404
    data = files.picture_bytes(drawn[place], at=timezone.now())
    if data is None:
        raise Http404
    media_type = "image/png" if isinstance(drawn[place], (Chart, Code)) else "image/jpeg"
    return HttpResponse(data, media_type, headers={"Cache-Control": "private, max-age=300"})


def _wanted_version(request: HttpRequest, document: Document) -> Content:
    text = request.GET.get("version", "")
    if not (text.isascii() and text.isdigit() and len(text) < 9):
        return actions.content_of(document)
    if document.owner not in {code for _column, code in request.actor.reach}:
        raise Http404
    return read(bytes(get_object_or_404(DocumentVersion, document=document, number=int(text)).body))


@actor_required
@require_POST
def document_batch(request: HttpRequest, act: str) -> HttpResponse:
    """Check or issue the chosen documents, or take them away as one Word file or one ZIP."""
    ids = [
        int(text)
        for text in request.POST.getlist("ids")
        if text.isascii() and text.isdigit() and len(text) < 19
    ]
    rows = Document.objects.visible_to(request.actor).filter(pk__in=ids[: actions.BATCH_LIMIT])
    chosen = list(rows.select_related("file").order_by("id"))
    if not chosen:
        messages.error(request, _("没有选中文书。请勾选后再办。"))
        return go_on(request, reverse("documents"))
    if act == "word":
        return _bound(chosen)
    if act == "zip":
        return _zipped(chosen)
    wanted = Act(act)
    sentences: dict[int, str] = {}
    for one in chosen:
        try:
            _take(one, wanted, {}, request)
        except RuleError as error:
            sentences[one.pk] = error.sentence(_)
    rows = Document.objects.visible_to(request.actor).filter(pk__in=[one.pk for one in chosen])
    results = [{"document": row, "sentence": sentences.get(row.pk, "")} for row in rows.order_by("id")]
    context = {
        "results": results,
        "label": _(ACT_LABELS[wanted]),
        "done": len(chosen) - len(sentences),
    }
    return render(request, "documents/batch_result.html", context)


def _bound(chosen: list[Document]) -> HttpResponse:
    """Return the documents as one Word file, each begun on a new page."""
    contents = [actions.content_of(one) for one in chosen]
    first = chosen[0]
    layout = files.layout_for(contents[0], owner=first.owner, edition_id=first.layout_edition)
    data = files.word_of(contents, layout, at=timezone.now())
    return _download(data, _("文书合订_{count}份.docx").format(count=len(chosen)))


def _zipped(chosen: list[Document]) -> HttpResponse:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as bundle:
        for place, one in enumerate(chosen, 1):
            name = one.file_name.replace("/", "_")
            bundle.writestr(f"{place:03d}_{name}", actions.file_of(one, at=timezone.now()))
    return _download(out.getvalue(), _("文书_{count}份.zip").format(count=len(chosen)), "application/zip")
