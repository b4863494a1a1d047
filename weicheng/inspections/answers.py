"""The verbs of a visit's answers: answer lines, open the cases of what failed, end the visit.

A line that fails opens its case through `actions.record_findings`, in the same transaction. Three kinds of
visits wait with it: a hidden round until it is published (INSP-5), a watched road until the visit ends, as the
crew may come and clear it meanwhile (INSP-15), and a shop that was dissuaded on the spot for ever (INSP-12).
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid5

from django.db import transaction
from django.db.models import Q
from django.utils.translation import gettext

from weicheng.cases.actions import Step, take_steps
from weicheng.inspections import actions
from weicheng.inspections.actions import Capture, Recorded, record_findings
from weicheng.inspections.drafts import AnswerIn, AnswerVerdict, FindingIn
from weicheng.inspections.models import Answer, AnswerVersion, Finding, FindingVersion, Visit
from weicheng.journal.actions import Note, Who, record_all
from weicheng.journal.rows import insert_all
from weicheng.places.actor import Actor
from weicheng.places.actors import actor_of, today
from weicheng.places.models import Post, Unit
from weicheng.rules.answers import (
    DISSUADE,
    Earlier,
    Meeting,
    Progress,
    Result,
    Watch,
    count_of,
    meet,
    open_steps,
    opens_case,
    points_of,
    progress,
    repeats_waiting,
    result_of,
    step_of,
)
from weicheng.rules.cases import Move, State
from weicheng.rules.digests import canonical, digest
from weicheng.rules.errors import N_, ConflictError, ForbiddenError, MissingError, RuleError
from weicheng.rules.scoring import deduct
from weicheng.standards import editions
from weicheng.standards.editions import Checklist
from weicheng.standards.kinds import CheckItem, CheckStep

BATCH_LIMIT = 100  # answers in one request: a long check list in one go
TEXT_LIMIT = 400  # characters of a note and of an opinion: together they are the case's note
HISTORY_ROWS = 400  # earlier answers looked at, newest first; a shop checked daily fills a month
# What a filed answer shares with its case and therefore no longer changes by itself.
FILED_FIELDS = ("category", "severity", "unit_id", "due_on")
# What an answer is compared by: everything it says.
SAID = (
    "result", "count", "points", "note", "opinion", "due_on", "category", "severity", "unit_id", "step",
    "informed_at", "arrived_at", "cleared_at",
)  # fmt: skip


@dataclass(frozen=True)
class Answered:
    """One answer's verdict with the row behind it, where there is one."""

    verdict: AnswerVerdict
    answer: Answer | None = None
    error: RuleError | None = None


@dataclass(frozen=True)
class Sheet:
    """Answers of one visit with who gave them and when they reached us; the demo and imports carry many of each."""

    visit: UUID
    drafts: Sequence[AnswerIn]
    by: Actor
    at: datetime


def line_uid(visit: Visit, item: str, spot: str = "") -> UUID:
    """Return the identity that a page gives to the answer of a line: the same however often it is drawn."""
    return uuid5(visit.uid, f"{item}/{spot}")


def record_answer(visit_uid: UUID, draft: AnswerIn, *, by: Actor, at: datetime) -> Answered:
    """Answer one line; a refusal is raised. Sent again, it is the same one answer."""
    answered = record_answers(visit_uid, [draft], by=by, at=at)[0]
    if answered.error is not None:
        raise answered.error
    return answered


@transaction.atomic
def record_answers(visit_uid: UUID, drafts: Sequence[AnswerIn], *, by: Actor, at: datetime) -> list[Answered]:
    """Answer many lines of one visit, each judged by itself; one verdict for each, in order.

    Statements do not grow with the lines: read the visit under lock and its answers, then withdraw and open
    cases, then write heads, versions and one journal entry.
    MissingError, ForbiddenError or RuleError about the visit itself refuse all.
    """
    return _carry_out([_Round(_own_visit(visit_uid, by), drafts, by, at)])[0]


@transaction.atomic
def record_sheets(sheets: Sequence[Sheet]) -> list[list[Answered]]:
    """Answer lines of many visits, each sheet judged by itself; the verdicts of each, in order.

    As `record_answers` for each, but what is written is written for all at once; no visit stands in two sheets.
    A visit that is not there, or is another's, refuses all: MissingError, ForbiddenError.
    """
    rows = Visit.objects.filter(uid__in=[sheet.visit for sheet in sheets])
    rows = rows.select_for_update(of=("self",)).select_related("unit").order_by("pk")
    visits = {visit.uid: visit for visit in rows}
    return _carry_out(
        [
            _Round(_require_own(visits.get(sheet.visit), sheet.by), sheet.drafts, sheet.by, sheet.at)
            for sheet in sheets
        ]
    )


def _carry_out(rounds: Sequence["_Round"]) -> list[list[Answered]]:
    """Judge every draft, then withdraw and open cases, then write; return the verdicts of each round."""
    plans: list[list[_Plan | Answered]] = []
    for round_ in rounds:
        own: list[_Plan | Answered] = []
        for draft in round_.drafts:
            try:
                own.append(round_.judge(draft))
            except RuleError as error:
                own.append(_refused(draft.uid, error))
        _withdraw(own, round_.by, round_.at)
        plans.append(own)
    _open_cases(plans)
    told = [[plan if isinstance(plan, Answered) else _told(plan) for plan in own] for own in plans]
    _write([(round_, [plan for plan in own if isinstance(plan, _Plan)])
            for round_, own in zip(rounds, plans, strict=True)])  # fmt: skip
    return told


# --- judging ---------------------------------------------------------------------------------------


@dataclass
class _Plan:
    """What one accepted answer will do. `capture` opens a case, `withdraws` and `corrects` touch the one it has."""

    draft: AnswerIn
    answer: Answer
    meeting: Meeting
    body: bytes
    capture: Capture | None = None
    withdraws: Finding | None = None
    corrects: FindingIn | None = None


@dataclass
class _Round:
    """One request: the visit, what it already says, and what was said of the same place before."""

    visit: Visit
    drafts: Sequence[AnswerIn]
    by: Actor
    at: datetime
    planned: dict[UUID, "_Plan"] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.visit.checklist_edition is None:
            raise RuleError(
                "answer-without-list", N_("这次检查没有使用检查表。请用“记一个问题”，或另开一次检查。")
            )
        self.checklist = editions.checklist_by_id(self.visit.checklist_edition)
        uids = [draft.uid for draft in self.drafts]
        rows = list(
            Answer.objects.filter(Q(visit=self.visit) | Q(uid__in=uids)).select_related("finding__case")
        )
        self.by_uid = {row.uid: row for row in rows}
        self.by_line = {(row.item, row.spot): row for row in rows if row.visit_id == self.visit.pk}
        self.versions = self._versions()
        self.filed = _filed(self.by_uid if self.versions else ())
        self.units = self._units()
        self.history = self._history()

    def _versions(self) -> dict[int, set[str]]:
        """Return the digests of every version of the answers named here that are not simply told again."""
        named = [
            row.pk
            for draft in self.drafts
            if (row := self.by_uid.get(draft.uid)) and row.digest != digest(_bytes(draft))
        ]
        found: dict[int, set[str]] = {}
        if named:
            rows = AnswerVersion.objects.filter(answer__in=named)
            for key, sealed in rows.values_list("answer_id", "digest"):
                found.setdefault(key, set()).add(sealed)
        return found

    def _units(self) -> dict[UUID, Unit]:
        wanted = {draft.unit for draft in self.drafts if draft.unit}
        found = {unit.uid: unit for unit in Unit.objects.filter(uid__in=wanted)} if wanted else {}
        if self.visit.unit is not None:  # charged where an answer names no other
            found[self.visit.unit.uid] = self.visit.unit
        return found

    def _history(self) -> dict[tuple[str, str], list[Earlier]]:
        """Return what was said of stepped lines here before, newest first, where a line may fail now."""
        body = self.checklist.body
        stepped = [
            draft.item
            for draft in self.drafts
            if (item := body.by_number.get(draft.item)) and body.steps_of(item) and draft.result not in ("pass", "na")
        ]  # fmt: skip
        return history_of(self.visit, self.checklist, stepped)

    def judge(self, draft: AnswerIn) -> "_Plan":
        """Return what the answer will do, or raise the first thing that is wrong with it."""
        if draft.uid in self.planned:
            first = self.planned[draft.uid]
            if first.body != _bytes(draft):
                raise _conflict()
            return first
        item = self.checklist.item(draft.item)
        head = self._head_of(draft)
        said = self._said(draft, item)
        body = _bytes(draft)
        sent = digest(body)
        stored = 0
        known: set[str] = set()
        if head is not None:
            stored, known = head.version, {head.digest} | self.versions.get(head.pk, set())
        agrees = head is not None and all(getattr(head, name) == said[name] for name in SAID)
        meeting = meet(stored=stored, base=draft.base, sent=sent, known=known, agrees=agrees)
        if meeting is Meeting.SAME:
            assert head is not None
            return _Plan(draft, head, meeting, body)
        if self.visit.ended_at is not None and not self._was_in_time(draft, head):
            raise RuleError("visit-ended", N_("检查已结束，答案不能再改。如有新情况，请另开一次检查。"))
        answer = head or Answer(
            uid=draft.uid,
            visit=self.visit,
            item=draft.item,
            spot=draft.spot,
            version=0,
            by_key=self.by.key,
            by_name=self.by.name,
        )
        plan = _Plan(draft, answer, meeting, body)
        self._plan_case(plan, item, said)
        for name in SAID:
            setattr(answer, name, said[name])
        answer.device_at, answer.received_at = draft.device_at, self.at
        answer.version += 1
        answer.digest = sent
        self.planned[draft.uid] = plan
        self.by_line[draft.item, draft.spot] = answer
        return plan

    def _was_in_time(self, draft: AnswerIn, head: Answer | None) -> bool:
        """Was it captured before the visit ended, and only arrives now? Phones send what is ready first."""
        ended = self.visit.ended_at
        return bool(head is None and ended and draft.device_at and draft.device_at <= ended)

    def _head_of(self, draft: AnswerIn) -> Answer | None:
        head, twin = self.by_uid.get(draft.uid), self.by_line.get((draft.item, draft.spot))
        if head is not None and (head.visit_id, head.item, head.spot) != (
            self.visit.pk, draft.item, draft.spot,
        ):  # fmt: skip
            raise _conflict()
        if head is None and twin is not None:
            raise ConflictError(
                "line-answered",
                N_("检查项 {item} 已在别处回答过，没有覆盖。请刷新页面，看过现在的答案后再改。"),
                item=draft.item,
            )
        return head

    def _said(self, draft: AnswerIn, item: CheckItem) -> dict[str, Any]:
        """Return the columns an answer fills; RuleError for the first one that cannot be."""
        result = result_of(draft.result)
        for name, text in ((N_("情况说明"), draft.note), (N_("整改意见"), draft.opinion)):
            if len(text) > TEXT_LIMIT:
                raise RuleError(
                    "text-too-long", N_("“{name}”共{length}字，超过{limit}字。请精简，或作为附件上传。"),
                    name=gettext(name), length=len(text), limit=TEXT_LIMIT,
                )  # fmt: skip
        Watch(draft.informed_at, draft.arrived_at, draft.cleared_at)
        steps = [step.value for step in self.checklist.body.steps_of(item)]
        labels = {step.value: str(step.label) for step in CheckStep}
        history = self.history.get((draft.item, draft.spot), [])
        unit = self._unit(draft)
        said = {
            "result": result.value,
            "count": count_of(result, draft.count),
            "points": points_of(result, draft.points, bounds_of(item)),
            "note": draft.note,
            "opinion": draft.opinion,
            "due_on": draft.due_on,
            "category": draft.category or (item.category or "") if result.is_wrong else "",
            "severity": draft.severity,
            "unit_id": unit.pk if unit else None,
            "step": step_of(result, draft.step, open_steps(steps, history), labels),
            "informed_at": draft.informed_at,
            "arrived_at": draft.arrived_at,
            "cleared_at": draft.cleared_at,
        }
        if said["step"] == CheckStep.REPORT and unit is None:
            raise RuleError("report-unit", N_("报告执法部门需要写明报告给谁。请选择执法单位后再保存。"))
        return said

    def _unit(self, draft: AnswerIn) -> Unit | None:
        if draft.unit is None:
            return None
        unit = self.units.get(draft.unit)
        if unit is None or unit.closed_on is not None:
            raise RuleError("no-unit", N_("没有找到该责任单位，或它已注销。请从单位列表中重新选择。"))
        return unit

    def _plan_case(self, plan: "_Plan", item: CheckItem, said: Mapping[str, Any]) -> None:
        """Say what happens to the case: opened, withdrawn, corrected, or nothing."""
        draft, answer = plan.draft, plan.answer
        wants = opens_case(Result(said["result"]), step=said["step"], cleared_at=said["cleared_at"])
        if repeats_waiting(said["step"], self.history.get((draft.item, draft.spot), ())):
            wants = False  # what was ordered yesterday is not ordered again
        if wants and not said["category"]:
            raise RuleError(
                "answer-category",
                N_("检查项 {item} 没有对应的问题类别。请选择一类后再保存。"),
                item=draft.item,
            )
        if answer.finding is None:
            if wants:
                unit = self.units.get(draft.unit) if draft.unit else self.visit.unit
                finding = self._finding(draft, answer, said)
                plan.capture = Capture(finding, self.by, self.at, self.visit, unit)
                if not files_at_once(self.visit):
                    # Judged now, so that publishing or ending cannot find it wrong later.
                    actions.require_recordable(plan.capture)
                    plan.capture = None
        elif not wants:
            plan.withdraws = answer.finding
        else:
            changed = [name for name in FILED_FIELDS if getattr(answer, name) != said[name]]
            if changed or not answer.finding.case.open:
                raise RuleError(
                    "answer-filed",
                    N_("这一项已立案（{number}）。类别、单位、期限请在事项中办理；已办结的不能再改。"),
                    number=answer.finding.case.number,
                )
            plan.corrects = self._finding(draft, answer, said)

    def _finding(self, draft: AnswerIn, answer: Answer, said: Mapping[str, Any]) -> FindingIn:
        unit = draft.unit or (self.visit.unit.uid if self.visit.unit else None)
        uid = answer.finding.uid if answer.finding else _finding_uid(answer, self.filed)
        return finding_of(self.visit, uid, draft.item, draft.spot, said, unit, draft.device_at)


def _bytes(draft: AnswerIn) -> bytes:
    return canonical(draft.model_dump())


def _conflict() -> ConflictError:
    return ConflictError("answer-conflict", N_("该编号已用于另一份答案，没有覆盖。请刷新页面后重新填写。"))


def _own_visit(uid: UUID, by: Actor) -> Visit:
    """Return the visit under lock; MissingError when it is not there for the actor, ForbiddenError for another's."""
    rows = Visit.objects.visible_to(by).select_for_update(of=("self",)).select_related("unit")
    return _require_own(rows.filter(uid=uid).first(), by)


def _require_own(visit: Visit | None, by: Actor) -> Visit:
    if visit is None:
        raise MissingError("no-visit", N_("没有找到这次检查，或您当前的岗位看不到它。请返回列表。"))
    if visit.by_key != by.key:
        raise ForbiddenError("not-yours", N_("只有本次检查的检查人可以填写检查表。"))
    return visit


def bounds_of(item: CheckItem) -> tuple[Decimal, Decimal] | None:
    """Return (least, most) points of a line whose points the inspector chooses; None for fixed points."""
    if item.most is None or item.points is None:
        return None
    return item.points, item.most


def files_at_once(visit: Visit) -> bool:
    """Do failed lines open their cases when they are answered? Not in a hidden round, not on a watched road."""
    return not visit.hidden and visit.kind != Visit.Kind.ROAD


def finding_of(
    visit: Visit,
    uid: UUID,
    item: str,
    spot: str,
    said: Mapping[str, Any],
    unit: UUID | None,
    device_at: datetime | None,
) -> FindingIn:
    """Return the finding that an answer with these columns makes; `unit` is charged with it."""
    note = said["note"]
    if said["opinion"]:
        note = f"{note}\n整改意见：{said['opinion']}".strip()
    return FindingIn(
        uid=uid,
        area=visit.area,
        category=said["category"],
        severity=said["severity"],
        note=note,
        address=f"{visit.place} {spot}".strip(),
        unit=unit,
        visit=visit.uid,
        item=item,
        occurred_on=visit.visited_on,
        device_at=device_at,
        count=max(1, said["count"]),
        due_on=said["due_on"],
    )


def _filed(uids: Iterable[UUID]) -> set[UUID]:
    """Return which of these answers have made a finding before, withdrawn meanwhile or not."""
    wanted = list(uids)
    return set(Finding.objects.filter(uid__in=wanted).values_list("uid", flat=True)) if wanted else set()


def _finding_uid(answer: Answer, filed: Collection[UUID]) -> UUID:
    """Return the identity of the finding an answer makes: its own, so that its photos stand at the case too.

    Failing again after the first case was withdrawn makes another finding, which has one of its own.
    """
    return uuid5(answer.uid, str(answer.version)) if answer.uid in filed else answer.uid


def history_of(
    visit: Visit, checklist: Checklist, items: Iterable[str]
) -> dict[tuple[str, str], list[Earlier]]:
    """Return earlier answers at the same unit by (line, spot), newest first; one statement, none without a unit.

    items: numbers of the lines asked about. Editions of the same check list are one list.
    """
    wanted = sorted(set(items))
    if not wanted or visit.unit_id is None:
        return {}
    rows = (
        Answer.objects.filter(visit__unit_id=visit.unit_id, item__in=wanted)
        .exclude(visit=visit)
        .order_by("-id")
        .values_list("item", "spot", "result", "step", "visit__checklist_edition", "finding__case__open",
                     "finding__case__state", "finding__case__due_at")[:HISTORY_ROWS]
    )  # fmt: skip
    found: dict[tuple[str, str], list[Earlier]] = {}
    for item, spot, result, step, edition, running, state, due_at in rows:
        if edition is None or editions.checklist_by_id(edition).key != checklist.key:
            continue
        earlier = Earlier(
            Result(result),
            step,
            settled=state == State.CLOSED.value,
            waiting=bool(running and due_at and visit.started_at <= due_at),
        )
        found.setdefault((item, spot), []).append(earlier)
    return found


# --- writing ---------------------------------------------------------------------------------------


def _withdraw(plans: list["_Plan | Answered"], by: Actor, at: datetime) -> None:
    """Withdraw the cases of what is no longer wrong; an answer whose case has gone on is refused."""
    places = [(place, plan) for place, plan in enumerate(plans) if isinstance(plan, _Plan) and plan.withdraws]
    if not places:
        return
    steps = [Step(plan.withdraws.case.uid, Move.WITHDRAW, by) for _place, plan in places if plan.withdraws]
    for (place, plan), outcome in zip(places, take_steps(steps, at=at), strict=True):
        if outcome.error is not None:
            plans[place] = _refused(plan.draft.uid, outcome.error)
        else:
            plan.answer.finding = None


def _open_cases(plans: Sequence[list["_Plan | Answered"]]) -> None:
    """Open the cases of what failed; an answer whose finding is refused is refused with its sentence."""
    places = [(own, place, plan) for own in plans for place, plan in enumerate(own)
              if isinstance(plan, _Plan) and plan.capture]  # fmt: skip
    if not places:
        return
    recorded = record_findings([plan.capture for _own, _place, plan in places if plan.capture])
    for (own, place, plan), made in zip(places, recorded, strict=True):
        if made.error is not None:
            own[place] = _refused(plan.draft.uid, made.error)
        else:
            plan.answer.finding = made.finding


def _write(told: Sequence[tuple["_Round", Sequence["_Plan"]]]) -> None:
    """Write heads, versions, corrected findings, and one journal entry a visit; nothing for what was told before."""
    changed = [
        (round_, plan)
        for round_, plans in told
        for plan in {id(plan): plan for plan in plans if plan.meeting is not Meeting.SAME}.values()
    ]
    if not changed:
        return
    insert_all([plan.answer for _round, plan in changed if plan.meeting is Meeting.NEW])
    heads = [plan.answer for _round, plan in changed if plan.meeting is Meeting.CHANGE]
    columns = [*SAID, "device_at", "received_at", "version", "digest", "finding_id"]
    columns = [name.removesuffix("_id") for name in columns]
    if len(heads) == 1:
        heads[0].save(update_fields=columns)
    elif heads:
        Answer.objects.bulk_update(heads, columns)
    insert_all(
        [
            AnswerVersion(
                answer=plan.answer, number=plan.answer.version, at=round_.at, body=plan.body,
                digest=plan.answer.digest, by_key=round_.by.key, by_name=round_.by.name,
            )
            for round_, plan in changed
        ]
    )  # fmt: skip
    notes: list[tuple[Note, Who]] = []
    for round_, plans in told:
        own = [plan for plan in plans if plan.meeting is not Meeting.SAME]
        if not own:
            continue
        _correct([plan for plan in own if plan.corrects], round_.by, round_.at)
        lines = {f"{plan.answer.item}/{plan.answer.spot}".rstrip("/"): plan.answer.digest for plan in own}
        visit = round_.visit
        notes.append(
            (
                Note("visit.answer", "visit", str(visit.uid), visit.area, {"lines": lines}, round_.at),
                round_.by,
            )
        )
    record_all(notes, at=changed[0][0].at)


def _correct(plans: Sequence["_Plan"], by: Actor, at: datetime) -> None:
    """Write the corrections of findings whose cases run: how many, and in which words."""
    versions = []
    for plan in plans:
        finding, draft = plan.answer.finding, plan.corrects
        assert finding is not None
        assert draft is not None
        if (finding.count, finding.note) == (draft.count, draft.note):
            continue
        finding.count, finding.note = draft.count, draft.note
        finding.save(update_fields=["count", "note"])
        body = canonical(draft.model_dump())
        versions.append(
            FindingVersion(
                finding=finding, number=plan.answer.version, at=at, body=body, digest=digest(body), by_key=by.key,
                by_name=by.name, reason=gettext("检查答案更正"),
            )
        )  # fmt: skip
    insert_all(versions)


def _told(plan: "_Plan") -> Answered:
    status = {Meeting.NEW: "created", Meeting.CHANGE: "changed", Meeting.SAME: "exists"}[plan.meeting]
    finding = plan.answer.finding
    case = finding.case if finding else None
    verdict = AnswerVerdict(
        uid=plan.draft.uid,
        status=status,
        version=plan.answer.version,
        case=case.uid if case else None,
        number=case.number if case else "",
        due_at=case.due_at if case else None,
    )
    return Answered(verdict, plan.answer)


def _refused(uid: UUID, error: RuleError) -> Answered:
    status = "conflict" if isinstance(error, ConflictError) else "refused"
    verdict = AnswerVerdict(uid=uid, status=status, code=error.code, sentence=error.sentence(gettext))
    return Answered(verdict, error=error)


# --- filing later, ending --------------------------------------------------------------------------


@transaction.atomic
def file_failed(visit: Visit, *, by: Actor, at: datetime) -> list[Recorded]:
    """Open the cases of failed lines that have waited: their clocks start at `at`, found when they were seen.

    by: who publishes or ends; the finder stays who answered. Called twice, it opens nothing twice.
    A refusal is raised and takes everything back: each was judged when it was answered.
    """
    visit = Visit.objects.select_for_update(of=("self",)).select_related("unit").get(pk=visit.pk)
    if visit.checklist_edition is None:
        return []
    failed = [
        answer
        for answer in visit.answers.filter(finding__isnull=True).select_related("unit").order_by("id")
        if opens_case(Result(answer.result), step=answer.step, cleared_at=answer.cleared_at)
    ]
    checklist = editions.checklist_by_id(visit.checklist_edition)
    history = history_of(visit, checklist, [answer.item for answer in failed if answer.step])
    waiting = [
        answer
        for answer in failed
        if not repeats_waiting(answer.step, history.get((answer.item, answer.spot), ()))
    ]
    if not waiting:
        return []
    finder = by if by.key == visit.by_key else _finder(visit) or by
    filed = _filed(answer.uid for answer in waiting)
    captures = []
    for answer in waiting:
        unit = answer.unit or visit.unit
        said = {name: getattr(answer, name) for name in SAID}
        if answer.due_on and answer.due_on < today(at):
            said["due_on"] = None  # the day ordered has passed unheard of: the limit in force is counted
        # Seen when it was answered, whenever it is told.
        seen_at = answer.device_at or answer.received_at
        draft = finding_of(
            visit,
            _finding_uid(answer, filed),
            answer.item,
            answer.spot,
            said,
            unit.uid if unit else None,
            seen_at,
        )
        captures.append(Capture(draft, finder, at, visit, unit))
    recorded = record_findings(captures)
    for answer, made in zip(waiting, recorded, strict=True):
        if made.error is not None:
            raise made.error
        answer.finding = made.finding
    Answer.objects.bulk_update(waiting, ["finding"])
    return recorded


def _finder(visit: Visit) -> Actor | None:
    post = Post.objects.select_related("user", "unit").filter(pk=visit.post_id or 0).first()
    return actor_of(post) if post else None


def numbers_of(checklist: Checklist) -> list[str]:
    """Return the numbers of the lines in the order in which a page shows them: heading by heading."""
    return [item.number for _title, items in checklist.body.by_section for item in items]


def open_lines(visit: Visit, answers: Iterable[Answer]) -> list[tuple[str, str]]:
    """Return (line, spot) of what has no answer yet, in the order of the list, spot by spot."""
    if visit.checklist_edition is None:
        return []
    numbers = numbers_of(editions.checklist_by_id(visit.checklist_edition))
    answered: dict[str, set[str]] = {}
    for answer in answers:
        answered.setdefault(answer.spot, set()).add(answer.item)
    return [
        (number, spot)
        for spot in (answered or {"": set()})
        for number in progress(numbers, answered.get(spot, set())).open
    ]


@transaction.atomic
def finish_visit(visit_uid: UUID, *, unchecked: bool, by: Actor, at: datetime) -> Visit:
    """End a visit: no line is passed over in silence.

    unchecked: say of every line without an answer that it was not checked (未查)

    RuleError("visit-open-lines") naming them when some are left and `unchecked` was not said.
    """
    visit = _own_visit(visit_uid, by)
    if visit.ended_at is not None:
        return visit
    waiting = open_lines(visit, visit.answers.order_by("id"))
    if waiting and not unchecked:
        raise RuleError(
            "visit-open-lines",
            N_("还有 {count} 项没有回答：{lines}。请补答，或把它们记为“未查”后结束。"),
            count=len(waiting),
            lines="、".join(number for number, _spot in waiting[:10]),
        )
    if waiting:
        drafts = [
            AnswerIn(uid=line_uid(visit, number, spot), item=number, spot=spot, result=Result.UNCHECKED)
            for number, spot in waiting
        ]
        for answered in record_answers(visit.uid, drafts, by=by, at=at):
            if answered.error is not None:
                raise answered.error
    if not visit.hidden:
        file_failed(visit, by=by, at=at)
    return actions.end_visit(visit=visit, by=by, at=at)


@transaction.atomic
def pass_rest(visit_uid: UUID, *, spot: str = "", by: Actor, at: datetime) -> list[Answered]:
    """Say of every line without an answer (at this spot) that it passes; what has an answer keeps it."""
    visit = _own_visit(visit_uid, by)
    if visit.checklist_edition is None:
        return []
    numbers = numbers_of(editions.checklist_by_id(visit.checklist_edition))
    answered = set(visit.answers.filter(spot=spot).values_list("item", flat=True))
    drafts = [
        AnswerIn(uid=line_uid(visit, number, spot), item=number, spot=spot, result=Result.PASS)
        for number in progress(numbers, answered).open
    ]
    return record_answers(visit.uid, drafts, by=by, at=at) if drafts else []


# --- reading ---------------------------------------------------------------------------------------


def progress_of(checklist: Checklist, answers: Iterable[Answer], spot: str = "") -> Progress:
    """Return how far the list is answered at this spot."""
    return progress(numbers_of(checklist), {answer.item for answer in answers if answer.spot == spot})


@dataclass(frozen=True)
class Standing:
    """The marks of a visit as they stand; what each line has cost, and how many failed there, by number."""

    total: Decimal
    full: Decimal
    lost: Mapping[str, Decimal]
    counts: Mapping[str, int]


def standing(checklist: Checklist, answers: Iterable[Answer], loose: Iterable[tuple[str, int]]) -> Standing:
    """Return the score from answers and from findings that no answer made.

    loose: (line, count) of such findings. What was dissuaded on the spot or whose case was withdrawn or
    cancelled costs nothing; chosen points of a line with a range take the place of its fixed ones, for each place.
    """
    counts: dict[str, int] = {}
    chosen: dict[str, Decimal] = {}
    times: dict[str, int] = {}
    for answer in answers:
        if not costs(answer):
            continue
        if answer.points is not None:
            once = checklist.item(answer.item).mode == "once"
            cost = _tidy(answer.points if once else answer.points * answer.count)
            chosen[answer.item] = chosen.get(answer.item, Decimal(0)) + cost
            times[answer.item] = times.get(answer.item, 0) + answer.count
        else:
            counts[answer.item] = counts.get(answer.item, 0) + answer.count
    for item, count in loose:
        counts[item] = counts.get(item, 0) + count
    lost = {line.number: line.lost for line in deduct(checklist.rule, counts).lines}
    for number, points in chosen.items():
        cap = checklist.item(number).cap
        whole = lost.get(number, Decimal(0)) + points
        lost[number] = whole if cap is None else min(whole, cap)
        counts[number] = counts.get(number, 0) + times[number]
    full = checklist.rule.full
    return Standing(max(Decimal(0), full - sum(lost.values(), Decimal(0))), full, lost, counts)


def _tidy(points: Decimal) -> Decimal:
    """Return the same points without the idle zeros of a column: 30 and not 30.000, nor 3E+1."""
    whole = points.to_integral_value()
    return whole if points == whole else points.normalize()


def costs(answer: Answer) -> bool:
    """Does the answer cost points? Something is wrong, was not settled by a word, and nobody withdrew it."""
    wrong = Result(answer.result).is_wrong and answer.step != DISSUADE
    return wrong and (answer.finding is None or answer.finding.case.state != State.CANCELLED.value)
