"""Pages of assessments: boards with their ranking, score sheets, typed values, appeals."""

import uuid
from datetime import datetime
from typing import Any

from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from weicheng.assessments import actions, compute, facts, jobs
from weicheng.assessments import appeals as appeal_verbs
from weicheng.assessments.boards import appeal_window, make_board, require_officer, scheme_of, schemes_for
from weicheng.assessments.compute import entry_fields
from weicheng.assessments.entries import (
    EntryImport,
    EntryTable,
    enter_values,
    field_of,
    read_table,
    require_enterable,
    table_of,
)
from weicheng.assessments.forms import AppealForm, BoardForm, DecisionForm, MorePhotosForm, PublishForm
from weicheng.assessments.lists import APPEAL_TONES, BOARD_TONES, AppealList, BoardList
from weicheng.assessments.models import Appeal, Board, Loss, Sheet, SheetVersion
from weicheng.assessments.sheets import covers, line_of, sheet_file, sheet_page
from weicheng.assessments.tables import change_of, own_sheets, ranking, ranking_file
from weicheng.evidence.pages import photo_sets
from weicheng.notices.models import Job
from weicheng.places import drafts
from weicheng.places.actors import today
from weicheng.places.areas import name_of
from weicheng.places.decorators import actor_required, power_required
from weicheng.places.forms import FileForm, attempt, typed
from weicheng.places.http import HttpRequest
from weicheng.rules.errors import N_, ConflictError, ForbiddenError, MissingError, RuleError
from weicheng.standards import editions
from weicheng.ui import imports
from weicheng.ui.replies import form_page, go_on, status_of

EXPORTS = ("xlsx", "csv")
LATE_SHOWN = 50


# --- boards ------------------------------------------------------------------------------------------


@power_required("sees_cases")
def boards(request: HttpRequest) -> HttpResponseBase:
    """The list of boards."""
    return BoardList(request).response("assessments/boards.html")


@power_required("assesses")
def board_new(request: HttpRequest) -> HttpResponse:
    """Make a board."""
    actor, now = request.actor, timezone.now()
    form = BoardForm(actor, today(now), typed(request))
    if request.method == "POST" and form.is_valid():
        data = form.cleaned_data
        made = attempt(
            form,
            lambda: make_board(
                area=actor.area,
                level=data["level"],
                scheme_key=data["scheme"],
                period=form.chosen_period(),
                period_text=data["period"],
                by=actor,
                at=now,
            ),
            {
                "scheme-gap": "scheme",
                "scheme-level": "scheme",
                "board-level": "level",
                "board-twice": "period",
            },
        )
        if made is not None:
            messages.success(request, _("已新建{title}。请录入台账等分值，再计算。").format(title=made.title))
            return go_on(request, made.url)
    context = {
        "title": _("新建考评"),
        "subtitle": actor.area_name,
        "submit_label": _("新建"),
        "cancel_url": reverse("assessments:boards"),
    }
    if not form.has_schemes:
        return render(request, "assessments/no_scheme.html", context)
    return form_page(request, form, "ui/form.html", context)


def _board(request: HttpRequest, uid: uuid.UUID) -> Board:
    return get_object_or_404(Board.objects.visible_to(request.actor), uid=uid)


@power_required("sees_cases")
def board(request: HttpRequest, uid: uuid.UUID) -> HttpResponseBase:
    """The ranking of a board, and for its officers what is to do next."""
    actor, now = request.actor, timezone.now()
    found = _board(request, uid)
    kind = request.GET.get("export")
    if kind in EXPORTS:
        return ranking_file(kind, found, actor)
    other = _chosen_beside(request, found)
    page = request.GET.get("page", "")
    made = ranking(found, actor, page=int(page) if page.isdecimal() and len(page) < 6 else 1, beside=other)
    manages = appeal_verbs.manages(found, actor)
    context: dict[str, Any] = {
        "board": found,
        "ranking": made,
        "tone": BOARD_TONES[Board.State(found.state)],
        "owner": name_of(found.area),
        "scheme": scheme_of(found),
        "places": scheme_of(found).rule.decimals,
        "manages": manages,
        "window_open": appeal_verbs.is_open(found, today(now)),
        "own": [(sheet, change_of(sheet)) for sheet in own_sheets(found, actor)],
        "beside": other,
        "beside_scheme": scheme_of(other) if other else None,
        "job": _job(request),
    }
    if manages:
        context |= _officer_context(request, found)
    return render(request, "assessments/board.html", context)


def _officer_context(request: HttpRequest, found: Board) -> dict[str, Any]:
    steps = [Board.State.DRAFT, Board.State.COMPUTED, Board.State.CONFIRMED, Board.State.PUBLISHED]
    at = steps.index(Board.State(found.state))
    names = (_("录入分值"), _("计算核对"), _("公示申诉"), _("公布"))
    waiting = Appeal.objects.filter(sheet__board=found, state=Appeal.State.OPEN.value).count()
    return {
        "steps": [
            {"name": name, "state": "done" if n < at else "now" if n == at else "next"}
            for n, name in enumerate(names)
        ],
        "fields": entry_fields(found),
        "newer_entries": actions.has_newer_entries(found),
        "waiting": waiting,
        "besides": [
            (one, scheme_of(one)) for one in Board.objects.visible_to(request.actor).filter(beside=found)
        ],
        "other_schemes": [
            one
            for one in schemes_for(found.area, found.level, found.period_end)
            if one.edition_id != found.scheme_edition
        ]
        if found.beside_id is None
        else [],
    }


def _chosen_beside(request: HttpRequest, found: Board) -> Board | None:
    text = request.GET.get("beside", "")
    try:
        wanted = uuid.UUID(text) if text else None
    except ValueError:
        return None
    if wanted is None:
        return None
    return Board.objects.visible_to(request.actor).filter(uid=wanted, beside=found).first()


def _job(request: HttpRequest) -> Job | None:
    text = request.GET.get("job", "")
    try:
        return Job.objects.visible_to(request.actor).filter(uid=uuid.UUID(text)).first() if text else None
    except ValueError:
        return None


@require_POST
@power_required("assesses")
def board_compute(request: HttpRequest, uid: uuid.UUID) -> HttpResponse:
    """Compute, as a job that may be left."""
    found = _board(request, uid)
    job = jobs.start_compute(found, by=request.actor, at=timezone.now())
    return go_on(request, f"{found.url}?job={job.uid}")


@power_required("assesses")
def board_confirm(request: HttpRequest, uid: uuid.UUID) -> HttpResponse:
    """Say what confirming means, then confirm."""
    found, now = _board(request, uid), timezone.now()
    require_officer(request.actor, found)
    if request.method == "POST":
        base = _moment(request.POST.get("as_of", ""))
        done = actions.confirm_board(found, base=base, by=request.actor, at=now)
        messages.success(
            request,
            _("已公示。申诉到 {until} 为止，各被考评方已收到通知。").format(until=done.appeal_until),
        )
        return go_on(request, done.url)
    until, _calendar = appeal_window(found, now)
    context = {
        "board": found,
        "until": until,
        "sheets": found.sheets.count(),
        "newer_entries": actions.has_newer_entries(found),
        "as_of": found.as_of.isoformat() if found.as_of else "",
    }
    return render(request, "assessments/board_confirm.html", context)


def _moment(text: str) -> datetime | None:
    """Return the moment a hidden field carries; None for none, or for one that is none."""
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return None


@power_required("assesses")
def board_publish(request: HttpRequest, uid: uuid.UUID) -> HttpResponse:
    """Publish; before the window ends with a reason."""
    found, now = _board(request, uid), timezone.now()
    require_officer(request.actor, found)
    early = appeal_verbs.is_open(found, today(now))
    form = PublishForm(typed(request), asks_reason=early)
    if request.method == "POST" and form.is_valid():
        done = attempt(
            form,
            lambda: actions.publish_board(
                found, reason=form.cleaned_data.get("reason", ""), by=request.actor, at=now
            ),
            {"appeal-window-open": "reason", "reason-too-long": "reason"},
        )
        if done is not None:
            messages.success(request, _("已公布。"))
            return go_on(request, done.url)
    context = {
        "title": _("公布考评结果"),
        "subtitle": found.title,
        "submit_label": _("公布"),
        "cancel_url": found.url,
    }
    return form_page(request, form, "ui/form.html", context)


@require_POST
@power_required("assesses")
def board_beside(request: HttpRequest, uid: uuid.UUID) -> HttpResponse:
    """Score the same records under another edition, to be compared."""
    found, now = _board(request, uid), timezone.now()
    require_officer(request.actor, found)
    text = request.POST.get("edition", "")
    known = {str(one.edition_id) for one in schemes_for(found.area, found.level, found.period_end)}
    if text not in known:
        raise RuleError("no-scheme", N_("请从列表中选择对照的考核办法。"))
    if found.records > compute.BESIDE_AT_ONCE:
        job = jobs.start_beside(found, int(text), by=request.actor, at=now)
        return go_on(request, f"{found.url}?job={job.uid}")
    other = compute.compute_beside(found, int(text), by=request.actor, at=now)
    return go_on(request, f"{found.url}?beside={other.uid}")


# --- sheets ------------------------------------------------------------------------------------------


@power_required("sees_cases")
def sheet(request: HttpRequest, uid: uuid.UUID) -> HttpResponseBase:
    """One score sheet."""
    actor, now = request.actor, timezone.now()
    found = get_object_or_404(Sheet.objects.visible_to(actor).select_related("board"), uid=uid)
    kind = request.GET.get("export")
    if kind in EXPORTS and covers(found, actor):
        return sheet_file(kind, found, actor)
    own = appeal_verbs.is_own(found, actor)
    window = appeal_verbs.is_open(found.board, today(now))
    beside = _sheet_beside(request, found)
    made = sheet_page(found, actor, may_file=own and window, beside=beside)
    late = []
    if made.detailed:
        late = [one for one in facts.late_records(found.board, actor) if one.code == found.code]
    context: dict[str, Any] = {
        "sheet": found,
        "board": found.board,
        "page": made,
        "change": change_of(found),
        "own": own,
        "window_open": window,
        "scheme": scheme_of(found.board),
        "places": scheme_of(found.board).rule.decimals,
        "calendar": editions.calendar_by_id(found.board.calendar_edition)
        if found.board.calendar_edition
        else None,
        "owner": name_of(found.board.area),
        "tone": BOARD_TONES[Board.State(found.board.state)],
        "beside": beside,
        "beside_scheme": scheme_of(beside.board) if beside else None,
        "besides": _besides(request, found),
        "late": late[:LATE_SHOWN],
        "late_more": max(0, len(late) - LATE_SHOWN),
        "versions": list(
            SheetVersion.objects.visible_to(actor).filter(sheet=found).order_by("-number").defer("body")
        ),
    }
    return render(request, "assessments/sheet.html", context)


def _besides(request: HttpRequest, found: Sheet) -> list[tuple[Board, Any]]:
    rows = Board.objects.visible_to(request.actor).filter(beside=found.board_id)
    return [(one, scheme_of(one)) for one in rows]


def _sheet_beside(request: HttpRequest, found: Sheet) -> Sheet | None:
    other = _chosen_beside(request, found.board)
    if other is None:
        return None
    rows = Sheet.objects.visible_to(request.actor).select_related("board")
    return rows.filter(board=other, code=found.code).first()


# --- typed values ------------------------------------------------------------------------------------


def _enterable(request: HttpRequest, uid: uuid.UUID) -> tuple[Board, Any]:
    found = _board(request, uid)
    require_enterable(found, request.actor)
    key = request.GET.get("key", "")
    fields = entry_fields(found)
    if not fields:
        raise RuleError("no-entry-fields", N_("本次考评的办法不需要录入分值。请直接计算。"))
    return found, field_of(found, key) if key else fields[0]


@power_required("assesses")
def entries(request: HttpRequest, uid: uuid.UUID) -> HttpResponse:
    """The table of one kind of value for all objects."""
    found, one = _enterable(request, uid)
    table = table_of(found, one)
    if request.method != "POST":
        return _entries_page(request, table)
    values = read_table(table, request.POST)
    if table.faulty or table.reason_error:
        return _entries_page(request, table, status=422)
    try:
        rows = enter_values(found, one, values, by=request.actor, at=timezone.now())
    except (MissingError, ForbiddenError):
        raise
    except RuleError as error:
        table.problem = error.sentence(_)
        return _entries_page(request, table, status=int(status_of(error)))
    if rows:
        messages.success(request, _("已保存 {count} 个分值。").format(count=len(rows)))
    else:
        messages.info(request, _("没有改动。"))
    return go_on(request, f"{reverse('assessments:entries', args=[found.uid])}?key={one.key}")


def _entries_page(request: HttpRequest, table: EntryTable, status: int = 200) -> HttpResponse:
    context = {"table": table, "board": table.board, "fields": entry_fields(table.board)}
    return render(request, "assessments/entries.html", context, status=status)


@require_GET
@power_required("assesses")
def entries_sheet(request: HttpRequest, uid: uuid.UUID) -> HttpResponseBase:
    """The workbook with all objects, to be filled in."""
    found, one = _enterable(request, uid)
    importer = EntryImport(found, one, request.actor, timezone.now())
    return imports.template(importer.sheet, importer.rows_of())


@power_required("assesses")
def entries_import(request: HttpRequest, uid: uuid.UUID) -> HttpResponse:
    """Read a workbook and say what it would do."""
    found, one = _enterable(request, uid)
    form = FileForm(typed(request), request.FILES if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        file = form.cleaned_data["file"]
        if file.size > imports.FILE_MB << 20:
            form.add_error("file", _("文件超过 {most} MB。请拆分后分次导入。").format(most=imports.FILE_MB))
        else:
            data, importer = file.read(), EntryImport(found, one, request.actor, timezone.now())
            report = attempt(form, lambda: imports.dry_run(importer, data, file.name))
            if report:
                draft = drafts.keep(data, file.name, request.actor.user_id)
                return _report_page(request, found, one, report, draft, file.name)
    return form_page(request, form, "assessments/entries_upload.html", {"board": found, "one": one})


def _report_page(
    request: HttpRequest, found: Board, one: Any, report: imports.Report, draft: uuid.UUID, name: str
) -> HttpResponse:
    context = {
        "board": found,
        "one": one,
        "report": report,
        "shown": report.errors[: imports.MOST_ERRORS],
        "changes": [plan for plan in report.plans if plan.verdict != "same"],
        "draft": draft,
        "name": name,
    }
    return render(request, "assessments/entries_report.html", context, status=422 if report.errors else 200)


@require_POST
@power_required("assesses")
def entries_import_commit(request: HttpRequest, uid: uuid.UUID, draft: uuid.UUID) -> HttpResponse:
    """Write what the checked workbook says."""
    found, one = _enterable(request, uid)
    data, name = drafts.read(draft, request.actor.user_id)
    importer = EntryImport(found, one, request.actor, timezone.now())
    try:
        report = imports.run(importer, data, name)
    except RuleError as error:
        if error.code != "import-errors":
            raise
        # Somebody typed values since the dry run: say what is wrong now.
        return _report_page(request, found, one, imports.dry_run(importer, data, name), draft, name)
    drafts.drop(draft)
    return _report_page(request, found, one, report, draft, name)


@require_GET
@power_required("assesses")
def entries_import_errors(request: HttpRequest, uid: uuid.UUID, draft: uuid.UUID) -> HttpResponseBase:
    """The same workbook, faulty cells coloured."""
    found, one = _enterable(request, uid)
    data, name = drafts.read(draft, request.actor.user_id)
    importer = EntryImport(found, one, request.actor, timezone.now())
    return imports.errors_workbook(importer.sheet, imports.dry_run(importer, data, name))


# --- appeals -----------------------------------------------------------------------------------------


@power_required("sees_cases")
def appeals(request: HttpRequest) -> HttpResponseBase:
    """The list of appeals."""
    return AppealList(request).response("assessments/appeals.html")


@actor_required
def appeal_new(request: HttpRequest, uid: uuid.UUID, line: int) -> HttpResponse:
    """Object to one line of a sheet."""
    actor, now = request.actor, timezone.now()
    rows = Sheet.objects.covered_by(actor).select_related("board")
    found = get_object_or_404(rows, uid=uid)
    loss = get_object_or_404(Loss.objects.visible_to(actor), sheet=found, number=line)
    form = AppealForm(typed(request), request.FILES if request.method == "POST" else None)
    status = 200
    if request.method == "POST":
        valid = form.is_valid()
        sent_uid = form.cleaned_data.get("uid")
        if sent_uid is not None and appeal_verbs.is_own(found, actor):
            # The good photos are kept even when the words are wrong, and are there when the form is sent again.
            form.keep_photos(owner_kind="appeal", owner_uid=sent_uid, purpose="document", by=actor, at=now)
        if valid and sent_uid is not None and form.is_valid():
            sent = appeal_verbs.Objection(sent_uid, loss.number, form.cleaned_data["reason"])
            made = attempt(
                form,
                lambda: appeal_verbs.file_appeal(sent, sheet=found, by=actor, at=now),
                {"appeal-reason": "reason", "appeal-reason-long": "reason"},
            )
            if made is not None:
                messages.success(
                    request, _("申诉已提出，{owner}会收到通知。").format(owner=name_of(found.board.area))
                )
                return go_on(request, made[0].url)
        status = 422
    else:
        appeal_verbs.require_may_file(loss, found, found.board, by=actor, on=today(now))
    context = {"form": form, "sheet": found, "board": found.board, "line": line_of(loss, found, actor)}
    return render(request, "assessments/appeal_new.html", context, status=status)


def _appeal(request: HttpRequest, uid: uuid.UUID) -> Appeal:
    rows: QuerySet[Appeal] = Appeal.objects.visible_to(request.actor).select_related("loss", "sheet__board")
    return get_object_or_404(rows, uid=uid)


@actor_required
def appeal(request: HttpRequest, uid: uuid.UUID) -> HttpResponse:
    """One appeal: the line, the reason, the material, the answer."""
    return _appeal_page(request, _appeal(request, uid))


def _appeal_page(
    request: HttpRequest, found: Appeal, form: DecisionForm | None = None, status: int = 200
) -> HttpResponse:
    actor = request.actor
    board = found.sheet.board
    waiting = found.state == Appeal.State.OPEN
    refusal = ""
    if waiting and appeal_verbs.manages(board, actor):
        try:
            appeal_verbs.require_may_decide(found, board, actor)
            form = form or DecisionForm(found.loss, appeal_verbs.follow_ups_of(found.loss))
        except ForbiddenError as error:
            refusal, form = error.sentence(_), None
    else:
        form = None
    context = {
        "appeal": found,
        "sheet": found.sheet,
        "board": board,
        "places": scheme_of(board).rule.decimals,
        "line": line_of(found.loss, found.sheet, actor),
        "also": appeal_verbs.struck_with(found),
        "tone": APPEAL_TONES[Appeal.State(found.state)],
        "photos": photo_sets([("appeal", found.uid)], actor),
        "form": form,
        "refusal": refusal,
        "more": MorePhotosForm() if waiting and found.filed_by_key == actor.key else None,
    }
    return render(request, "assessments/appeal.html", context, status=status)


@require_POST
@actor_required
def appeal_photos(request: HttpRequest, uid: uuid.UUID) -> HttpResponse:
    """Add material to an appeal that waits."""
    found = _appeal(request, uid)
    form = MorePhotosForm(request.POST, request.FILES)
    form.is_valid()
    form.keep_photos(
        owner_kind="appeal", owner_uid=found.uid, purpose="document", by=request.actor, at=timezone.now()
    )
    for sentence in form.errors.get("photos", []):
        messages.error(request, str(sentence))
    return go_on(request, found.url)


@require_POST
@power_required("assesses")
def appeal_decide(request: HttpRequest, uid: uuid.UUID) -> HttpResponse:
    """Answer an appeal."""
    found = _appeal(request, uid)
    form = DecisionForm(found.loss, appeal_verbs.follow_ups_of(found.loss), request.POST)
    if form.is_valid():
        try:
            done = appeal_verbs.decide_appeal(
                form.decision(), appeal=found, by=request.actor, at=timezone.now()
            )
        except (MissingError, ForbiddenError, ConflictError):
            raise
        except RuleError as error:
            form.add_error(
                "restored" if error.code in ("decision-points", "restored-range") else None, error.sentence(_)
            )
        else:
            messages.success(
                request, _("已答复：{state}。双方都会收到通知。").format(state=done.get_state_display())
            )
            return go_on(request, done.url)
    return _appeal_page(request, found, form, status=422)
