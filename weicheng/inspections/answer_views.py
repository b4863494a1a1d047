"""Pages of one visit: its check list line by line, its end, its sheet for signatures and as a workbook."""

from collections.abc import Collection, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from http import HTTPStatus
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.db import transaction
from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy
from django.views.decorators.http import require_POST

from weicheng.cases.lists import STATE_TONES
from weicheng.cases.models import Case
from weicheng.evidence.models import Attachment
from weicheng.evidence.pages import Shown, save_photos, shown
from weicheng.inspections import answers
from weicheng.inspections.answer_forms import OFFERED, AnswerForm, EndForm
from weicheng.inspections.answers import Standing
from weicheng.inspections.forms import units_near
from weicheng.inspections.models import Answer, Finding, Visit, runs_rounds
from weicheng.inspections.yellow_cards import open_card_at
from weicheng.places.actor import Actor
from weicheng.places.areas import path_name
from weicheng.places.decorators import actor_required, power_required
from weicheng.places.http import HttpRequest
from weicheng.places.models import Unit
from weicheng.rules.answers import RESULT_LABELS, Progress, Result, Watch, open_steps
from weicheng.rules.cases import State
from weicheng.rules.errors import ConflictError, RuleError
from weicheng.standards import editions
from weicheng.standards.editions import Checklist
from weicheng.standards.kinds import CheckItem, CheckStep
from weicheng.ui.columns import Column
from weicheng.ui.exports import xlsx_response
from weicheng.ui.replies import go_on, status_of

RESULT_TONES = {
    Result.PASS: "green",
    Result.PARTLY: "orange",
    Result.FAIL: "red",
    Result.NA: "grey",
    Result.UNCHECKED: "grey",
}
RESULT_MARKS = {Result.PASS: "check", Result.PARTLY: "minus", Result.FAIL: "x", Result.NA: "dots"}
# As short as four buttons beside each other on a phone allow; the full word is the label for those who listen.
SHORT = {
    Result.PASS: lazy("通过"),
    Result.PARTLY: lazy("部分"),
    Result.FAIL: lazy("不通过"),
    Result.NA: lazy("不适用"),
}
UNITS_OFFERED = 100


@dataclass
class Line:
    """One line of the page: what is asked, what was said, what it costs, what was wrong with what was typed."""

    index: int
    item: CheckItem
    answer: Answer
    form: AnswerForm | None = None
    lost: Decimal | None = None
    count: int = 0
    case: Case | None = None
    photos: list[Shown] = field(default_factory=list)
    steps: list[tuple[str, str]] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    categories: Mapping[str, str] = field(default_factory=dict)
    usual_category: str = ""

    @property
    def key(self) -> str:
        """Return the prefix of the line's fields and ids."""
        return f"a{self.index}"

    @property
    def is_answered(self) -> bool:
        return bool(self.answer.pk)

    @property
    def result(self) -> Result | None:
        return Result(self.answer.result) if self.answer.result else None

    @property
    def label(self) -> str:
        return _(RESULT_LABELS[self.result]) if self.result else ""

    @property
    def tone(self) -> str:
        return RESULT_TONES[self.result] if self.result else "grey"

    @property
    def is_wrong(self) -> bool:
        chosen = self.value("result")
        return chosen in (Result.PARTLY.value, Result.FAIL.value)

    @property
    def choices(self) -> list[dict[str, Any]]:
        """Return the four buttons."""
        chosen = self.value("result")
        return [
            {"value": each.value, "short": SHORT[each], "label": _(RESULT_LABELS[each]), "key": number,
             "icon": RESULT_MARKS[each], "checked": chosen == each.value}
            for number, each in enumerate(OFFERED, start=1)
        ]  # fmt: skip

    @property
    def values(self) -> dict[str, Any]:
        """Return what stands in the fields: what was typed, else what is stored."""
        names = ("count", "points", "note", "opinion", "due_on", "category", "unit", "step")
        return {name: self.value(name) for name in (*names, "informed_at", "arrived_at", "cleared_at")}

    def value(self, name: str) -> Any:
        if self.form is not None and self.form.is_bound and self.errors:
            return self.form.data.get(self.form.add_prefix(name), "")
        stored = getattr(self.answer, name)
        if name == "unit":
            return stored.name if stored else ""
        if name == "category":
            code = stored or ("" if self.is_answered else self.usual_category)
            return f"{code} {self.categories.get(code, '')}".strip()
        if name == "points":
            return "" if stored is None else f"{stored.normalize():f}"
        if name == "due_on":
            return stored.isoformat() if stored else ""
        if name.endswith("_at"):
            return f"{timezone.localtime(stored):%Y-%m-%dT%H:%M}" if stored else ""
        if name == "count":
            return stored or 1
        return stored

    @property
    def bounds(self) -> tuple[Decimal, Decimal] | None:
        return answers.bounds_of(self.item)

    @property
    def step_label(self) -> str:
        return str(CheckStep(self.answer.step).label) if self.answer.step else ""

    @property
    def watch(self) -> Watch:
        return Watch(self.answer.informed_at, self.answer.arrived_at, self.answer.cleared_at)


def _visible(request: HttpRequest, uid: UUID) -> Visit:
    rows = Visit.objects.visible_to(request.actor).select_related("unit", "round")
    return get_object_or_404(rows, uid=uid)


def _stored(visit: Visit) -> list[Answer]:
    return list(visit.answers.select_related("finding__case", "unit").order_by("id"))


def _standing(visit: Visit, checklist: Checklist, said: Sequence[Answer]) -> Standing:
    loose = (
        Finding.objects.filter(visit=visit, answer__isnull=True)
        .exclude(item="")
        .exclude(case__state=State.CANCELLED.value)
    )
    return answers.standing(checklist, said, loose.values_list("item", "count"))


def _spot(request: HttpRequest) -> str:
    return (request.POST.get("spot") or request.GET.get("spot", "")).strip()[:60]


def _is_open(visit: Visit, actor: Actor) -> bool:
    """May this reader still answer?"""
    return visit.by_key == actor.key and visit.ended_at is None


# --- the page --------------------------------------------------------------------------------------


@actor_required
def visit(request: HttpRequest, uid: UUID) -> HttpResponse:
    """One visit: its check list with an answer under each line, the points they cost, what was found besides."""
    return _page(request, _visible(request, uid))


def _page(
    request: HttpRequest,
    found: Visit,
    typed: Mapping[str, AnswerForm] | None = None,
    refused: Mapping[str, list[str]] | None = None,
    status: int = 200,
) -> HttpResponse:
    """Draw the page; `typed` are the forms that were sent, `refused` what was wrong with them, by line."""
    actor = request.actor
    mine = _is_open(found, actor)
    rows = Finding.objects.visible_to(actor).filter(visit=found).select_related("case")
    if mine:  # those of the lines stand at their lines
        rows = rows.filter(answer__isnull=True)
    findings = list(rows.order_by("-id")[:500])
    context: dict[str, Any] = {
        "visit": found,
        "place": path_name(found.area, top=found.district),
        "findings": [
            {"finding": each, "case": each.case, "tone": STATE_TONES[State(each.case.state)]}
            for each in findings
        ],
        "mine": mine,
        "open_card": open_card_at(found, actor),
        "may_card": bool(findings) and found.ended_at is not None and runs_rounds(actor),
    }
    if found.checklist_edition is not None:
        checklist = editions.checklist_by_id(found.checklist_edition)
        said, spot = _stored(found), _spot(request)
        context |= _list_context(found, checklist, said, spot, actor)
        lines = context["lines"]
        for line in lines:
            line.form = (typed or {}).get(line.item.number)
            line.errors = (refused or {}).get(line.item.number, [])
        context["faulty"] = [line for line in lines if line.errors]
        if mine:
            context |= _choices_context(found, actor)
    return render(request, "inspections/visit.html", context, status=status)


def _list_context(
    visit: Visit,
    checklist: Checklist,
    said: list[Answer],
    spot: str,
    actor: Actor,
    photos_of: Collection[str] | None = None,
) -> dict[str, Any]:
    """Return the lines by section, the marks, and how far the list is answered; photos_of: None for every line's."""
    marks = _standing(visit, checklist, said)
    spots = list(dict.fromkeys(answer.spot for answer in said))
    if not spot and spots and "" not in spots and not _is_open(visit, actor):
        spot = spots[0]
    lines = _lines(visit, checklist, said, spot, marks, actor, photos_of)
    return {
        "checklist": checklist,
        "marks": marks,
        "spot": spot,
        "spots": [{"name": name, "done": answers.progress_of(checklist, said, name)} for name in spots],
        "progress": answers.progress_of(checklist, said, spot),
        "first_open": _first_open(answers.progress_of(checklist, said, spot), lines),
        "lines": lines,
        "sections": _sections(checklist, lines),
        "tallies": _tallies(said),
    }


def _sections(checklist: Checklist, lines: Sequence[Line]) -> list[dict[str, Any]]:
    by_number = {line.item.number: line for line in lines}
    return [
        {"title": title, "lines": [by_number[item.number] for item in items]}
        for title, items in checklist.body.by_section
    ]


def _first_open(progress: Progress, lines: Sequence[Line]) -> str:
    return next((line.key for line in lines if line.item.number == progress.first_open), "")


def _tallies(said: Sequence[Answer]) -> list[dict[str, Any]]:
    """Return how many lines were told what, in the order of the results."""
    counted = {each: sum(1 for answer in said if answer.result == each.value) for each in Result}
    return [
        {"label": _(RESULT_LABELS[each]), "tone": RESULT_TONES[each], "count": count}
        for each, count in counted.items()
        if count
    ]


def _lines(
    visit: Visit,
    checklist: Checklist,
    said: Sequence[Answer],
    spot: str,
    marks: Standing,
    actor: Actor,
    photos_of: Collection[str] | None = None,
) -> list[Line]:
    """Return every line with its answer at this spot, an empty one where there is none."""
    here = {answer.item: answer for answer in said if answer.spot == spot}
    with_photos = here.values() if photos_of is None else [here[item] for item in photos_of if item in here]
    photos = _photos(list(with_photos), actor)
    catalogue = editions.categories(visit.area, visit.visited_on).body
    names = {code: each.name for code, each in catalogue.by_code.items()}
    # Lines without a category of their own are mostly of one kind: the last one chosen is offered at the next.
    usual = next((answer.category for answer in reversed(said) if answer.category), "")
    stepped = [item.number for item in checklist.body.items if checklist.body.steps_of(item)]
    history = answers.history_of(visit, checklist, stepped)
    lines = []
    for index, item in enumerate(checklist.body.items, start=1):
        answer = here.get(item.number) or Answer(
            uid=answers.line_uid(visit, item.number, spot),
            visit=visit,
            item=item.number,
            spot=spot,
            version=0,
        )
        steps = [step.value for step in checklist.body.steps_of(item)]
        open_now = open_steps(steps, history.get((item.number, spot), ()))
        line = Line(index, item, answer, photos=photos.get(answer.uid, []))
        # Of a list that is used for several rooms, points stand where something is wrong, not at every room.
        if not line.is_answered or line.is_wrong:
            line.lost = marks.lost.get(item.number)
        line.count = answer.count if line.is_answered else marks.counts.get(item.number, 0)
        line.steps = [(step, str(CheckStep(step).label)) for step in open_now]
        line.case = answer.finding.case if answer.finding else None
        line.categories, line.usual_category = names, usual
        lines.append(line)
    return lines


def _photos(said: Sequence[Answer], actor: Actor) -> dict[UUID, list[Shown]]:
    """Return the photos of these answers by answer, one statement for all."""
    if not said:
        return {}
    rows = (
        Attachment.objects.visible_to(actor)
        .filter(owner_kind="answer", owner_uid__in=[answer.uid for answer in said])
        .standing()
        .select_related("stored")
    )
    found: dict[UUID, list[Shown]] = {}
    for one in shown(list(rows), actor):
        found.setdefault(one.attachment.owner_uid, []).append(one)
    return found


def _choices_context(visit: Visit, actor: Actor) -> dict[str, Any]:
    """Return what is offered while typing: categories and units, one list each for the whole page."""
    catalogue = editions.categories(visit.area, visit.visited_on).body
    units: list[Unit] = units_near(actor, visit.area, visit.unit, limit=UNITS_OFFERED)
    return {
        "categories": [f"{each.code} {each.name}" for each in catalogue.by_code.values()],
        "units": [unit.name for unit in units],
        "road": visit.kind == Visit.Kind.ROAD,
        "by_spot": visit.kind == Visit.Kind.UNIT_CHECK,
    }


# --- answering -------------------------------------------------------------------------------------


@power_required("records")
@require_POST
def visit_answers(request: HttpRequest, uid: UUID) -> HttpResponse:
    """Save answers: the one line that htmx sends while one goes on, or the whole form without script.

    A refused line keeps what was typed beside its sentence; the others are saved all the same.
    """
    found = _visible(request, uid)
    if found.checklist_edition is None:
        return go_on(request, found.url)
    checklist, spot, now = editions.checklist_by_id(found.checklist_edition), _spot(request), timezone.now()
    only = request.POST.get("only", "")
    forms = _forms(request, found, checklist, only)
    saved = _save(request, found, forms, spot, now)
    if request.headers.get("HX-Request") == "true" and only:
        return _line_reply(request, found, checklist, spot, forms, saved, only)
    if saved.refused:
        return _page(request, found, forms, saved.refused, status=saved.status)
    if request.POST.get("do") == "rest":
        passed = answers.pass_rest(found.uid, spot=spot, by=request.actor, at=now)
        messages.success(request, _("已把其余 {count} 项记为通过。").format(count=len(passed)))
    elif forms:
        messages.success(request, _("已保存 {count} 项。").format(count=len(forms)))
    return go_on(request, f"{found.url}?spot={spot}" if spot else found.url)


def _forms(request: HttpRequest, visit: Visit, checklist: Checklist, only: str) -> dict[str, AnswerForm]:
    """Return the forms of the lines that were touched, by number of the line."""
    forms = {}
    for index, item in enumerate(checklist.body.items, start=1):
        if only and f"a{index}" != only:
            continue
        form = AnswerForm(request.actor, visit, request.POST, request.FILES, prefix=f"a{index}")
        if form.is_said or only:
            forms[item.number] = form
    return forms


@dataclass
class Saved:
    """What became of the lines that were sent.

    refused: what was wrong, by line; conflict: does another telling stand in the way of one of them?
    without_photos: the lines that were told for the first time now, without a photo
    """

    refused: dict[str, list[str]]
    conflict: bool = False
    without_photos: set[str] = field(default_factory=set)

    @property
    def status(self) -> int:
        if not self.refused:
            return int(HTTPStatus.OK)
        return int(HTTPStatus.CONFLICT if self.conflict else HTTPStatus.UNPROCESSABLE_ENTITY)


def _save(
    request: HttpRequest, visit: Visit, forms: Mapping[str, AnswerForm], spot: str, now: datetime
) -> Saved:
    """Record what is well filled in; return what was wrong with the rest."""
    refused = {number: form.sentences for number, form in forms.items() if not form.is_valid()}
    saved = Saved(refused)
    good = {number: form for number, form in forms.items() if number not in refused}
    if not good:
        return saved
    drafts = []
    for number, form in good.items():
        uid = (
            UUID(form.data[form.add_prefix("uid")])
            if _has_uid(form)
            else answers.line_uid(visit, number, spot)
        )
        drafts.append(form.draft(Answer(uid=uid, item=number, spot=spot)))
    # Without photos the verb's own transaction is all there is to hold together.
    together = any(form.cleaned_data["photos"] for form in good.values())
    with transaction.atomic() if together else nullcontext():
        told = answers.record_answers(visit.uid, drafts, by=request.actor, at=now)
        for (number, form), one in zip(good.items(), told, strict=True):
            if one.error is not None:
                refused[number] = [one.error.sentence(_)]
                saved.conflict |= isinstance(one.error, ConflictError)
            elif form.cleaned_data["photos"]:
                problem = _keep_photos(form, one.verdict.uid, request.actor, now)
                if problem:
                    refused[number] = [problem]
            elif one.verdict.status == "created":
                saved.without_photos.add(number)
    return saved


def _has_uid(form: AnswerForm) -> bool:
    """Does the line say under which identity it was answered? One answered by phone has another than the page's."""
    try:
        UUID(form.data.get(form.add_prefix("uid"), ""))
    except ValueError:
        return False
    return True


def _keep_photos(form: AnswerForm, uid: UUID, by: Actor, now: datetime) -> str:
    """Attach the line's photos; the answer stands even where one of them is refused."""
    try:
        with transaction.atomic():
            save_photos(
                form.cleaned_data["photos"],
                owner_kind="answer",
                owner_uid=uid,
                purpose="before",
                by=by,
                at=now,
            )
    except RuleError as error:
        return error.sentence(_)
    return ""


def _line_reply(
    request: HttpRequest,
    visit: Visit,
    checklist: Checklist,
    spot: str,
    forms: Mapping[str, AnswerForm],
    saved: Saved,
    only: str,
) -> HttpResponse:
    """Answer htmx with what became of one line, and how far the list is now."""
    said = _stored(visit)
    # Of this page only one line is drawn: the photos of the others are not asked for.
    index = int(only.removeprefix("a")) - 1
    number = checklist.body.items[index].number
    shown_of = () if number in saved.without_photos else (number,)
    context = _list_context(visit, checklist, said, spot, request.actor, photos_of=shown_of)
    line = context["lines"][index]
    line.form, line.errors = forms.get(line.item.number), saved.refused.get(line.item.number, [])
    context |= {"visit": visit, "line": line, "mine": True, "fragment": True}
    return render(request, "inspections/_answer_saved.html", context, status=saved.status)


# --- the end ---------------------------------------------------------------------------------------


@power_required("records")
@require_POST
def visit_end(request: HttpRequest, uid: UUID) -> HttpResponse:
    """End a visit. Lines without an answer are listed first, to be answered or said to be unchecked."""
    found = _visible(request, uid)
    form = EndForm(request.POST)
    unchecked = form.is_valid() and form.cleaned_data["unchecked"]
    try:
        answers.finish_visit(found.uid, unchecked=unchecked, by=request.actor, at=timezone.now())
    except RuleError as error:
        if error.code != "visit-open-lines":
            raise
        waiting = answers.open_lines(found, _stored(found))
        checklist = editions.checklist_by_id(found.checklist_edition or 0)
        lines = [{"item": checklist.item(number), "spot": spot} for number, spot in waiting]
        context = {"visit": found, "lines": lines, "sentence": error.sentence(_)}
        return render(request, "inspections/visit_end.html", context, status=int(status_of(error)))
    messages.success(request, _("检查已结束。"))
    return go_on(request, found.url)


# --- on paper, as a workbook -----------------------------------------------------------------------


@actor_required
def visit_sheet(request: HttpRequest, uid: UUID) -> HttpResponse:
    """The record of a visit on paper: every line with its answer, and lines to sign on."""
    found = _visible(request, uid)
    context: dict[str, Any] = {"visit": found, "place": path_name(found.area, top=found.district)}
    if found.checklist_edition is not None:
        checklist = editions.checklist_by_id(found.checklist_edition)
        said = _stored(found)
        marks = _standing(found, checklist, said)
        context |= {"checklist": checklist, "marks": marks, "tallies": _tallies(said)}
        context["spots"] = [
            {"name": spot, "sections": _sections(checklist, _lines(found, checklist, said, spot, marks, request.actor))}
            for spot in (list(dict.fromkeys(answer.spot for answer in said)) or [""])
        ]  # fmt: skip
    rows = Finding.objects.visible_to(request.actor).filter(visit=found).select_related("case")
    context["findings"] = list(rows.filter(answer__isnull=True).order_by("id")[:200])
    return render(request, "inspections/visit_sheet.html", context)


def _step_label(answer: Answer) -> str:
    return str(CheckStep(answer.step).label) if answer.step else ""


@actor_required
def visit_answers_file(request: HttpRequest, uid: UUID) -> HttpResponseBase:
    """The answers of a visit as a workbook, one row for each line of the list."""
    found = _visible(request, uid)
    if found.checklist_edition is None:
        return go_on(request, found.url)
    checklist = editions.checklist_by_id(found.checklist_edition)
    said = _stored(found)
    marks = _standing(found, checklist, said)
    spots = list(dict.fromkeys(answer.spot for answer in said)) or [""]
    here = {(answer.item, answer.spot): answer for answer in said}
    rows = [
        {"item": item, "spot": spot, "answer": here.get((item.number, spot))}
        for spot in spots
        for item in checklist.body.items
    ]

    def of(row: dict[str, Any], name: str) -> Any:
        return getattr(row["answer"], name) if row["answer"] else ""

    columns = [
        Column("number", _("项目"), lambda row: row["item"].number),
        Column("section", _("小标题"), lambda row: row["item"].section or ""),
        Column("title", _("内容"), lambda row: row["item"].title),
        Column("spot", _("房间、路段"), lambda row: row["spot"]),
        Column("result", _("结论"), lambda row: _(RESULT_LABELS[Result(of(row, "result"))]) if row["answer"] else ""),
        Column("count", _("问题数"), lambda row: of(row, "count"), kind="number"),
        Column("lost", _("该项扣分"), lambda row: marks.lost.get(row["item"].number, Decimal(0)), kind="number"),
        Column("note", _("情况说明"), lambda row: of(row, "note")),
        Column("step", _("处置"), lambda row: _step_label(row["answer"]) if row["answer"] else ""),
        Column("opinion", _("整改意见"), lambda row: of(row, "opinion")),
        Column("due_on", _("整改期限"), lambda row: of(row, "due_on") or None, kind="date"),
        Column("case", _("事项编号"), lambda row: _case_number(row["answer"])),
        Column("state", _("事项状态"), lambda row: _case_state(row["answer"])),
    ]  # fmt: skip
    last = [_("得分 {total} / {full}").format(total=marks.total, full=marks.full)]
    return xlsx_response(f"{found.number}", str(found.place) or found.number, columns, [rows], last)


def _case_number(answer: Answer | None) -> str:
    return answer.finding.case.number if answer and answer.finding else ""


def _case_state(answer: Answer | None) -> str:
    return str(answer.finding.case.state_label) if answer and answer.finding else ""
