"""Yellow cards (黄牌警告): given after a visit, planned against, lifted by a passed recheck and by nothing else.

Source: STD-10 (issued after unannounced checks, with the findings named, a duty period, a rectification plan and
the days taken; open until a recheck lifts it); INSP-7 for who corrects.
"""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import Q

from weicheng.cases.models import Case
from weicheng.inspections.answers import standing
from weicheng.inspections.models import Answer, CardStep, Finding, Visit, YellowCard, runs_rounds
from weicheng.journal.actions import Note, record
from weicheng.notices.actions import NoticeDraft, notify_many
from weicheng.places.actor import Actor
from weicheng.places.actors import today
from weicheng.places.areas import name_of
from weicheng.places.models import Post
from weicheng.places.roles import Role
from weicheng.rules.answers import Result
from weicheng.rules.areas import Level
from weicheng.rules.cases import Part, State
from weicheng.rules.digests import canonical, digest
from weicheng.rules.errors import N_, ConflictError, ForbiddenError, RuleError
from weicheng.standards import editions

TEXT_LIMIT = 2000
NAMED_IN_SENTENCE = 5
TO_UNIT, TO_AREA = "unit", "area"


@dataclass(frozen=True)
class CardIn:
    """A card as it is given. to: "unit" or "area", the unit visited or the community it lies in.

    findings: uids of the findings it names, of this visit; threshold: points that lift it, None: every item passes
    """

    uid: uuid.UUID
    to: str
    reason: str
    findings: tuple[uuid.UUID, ...]
    plan: str = ""
    duty_from: date | None = None
    duty_to: date | None = None
    threshold: Decimal | None = None


def is_above(by: Actor, area: str, unit_id: int | None) -> bool:
    """Does this post stand above the place: an office whose area holds the unit, or lies over the community?"""
    return runs_rounds(by) and by.covers(area) and (unit_id is not None or len(by.area) < len(area))


@transaction.atomic
def issue_card(visit: Visit, draft: CardIn, *, by: Actor, at: datetime) -> YellowCard:
    """Give the place of a visit a yellow card for what was found there; one open card for a place."""
    known = YellowCard.objects.filter(uid=draft.uid, by_key=by.key, visit=visit).first()
    if known is not None:
        return known
    unit, area = _place_of(visit, draft.to)
    if not is_above(by, area, unit.pk if unit else None):
        raise ForbiddenError("not-above", N_("黄牌由受检社区或单位的上级办公室发出。您当前的岗位不能发牌。"))
    if visit.hidden:
        raise RuleError("visit-hidden", N_("这次暗访还没有公布。请先公布检查任务，再发黄牌。"))
    findings = list(
        Finding.objects.filter(visit=visit, uid__in=draft.findings).select_related("case").order_by("pk")
    )
    if not findings or len(findings) != len(set(draft.findings)):
        raise RuleError("card-without-findings", N_("黄牌须写明依据的问题。请从这次检查的问题中至少选一项。"))
    _judge_words(draft)
    card = YellowCard(
        uid=draft.uid, unit=unit, name=unit.name if unit else name_of(area), visit=visit,
        reason=draft.reason.strip(), plan=draft.plan.strip(), duty_from=draft.duty_from, duty_to=draft.duty_to,
        threshold=draft.threshold, issued_on=today(at), issued_at=at, issued_area=by.area, by_key=by.key,
        by_name=by.name,
    ).place_at(area)  # fmt: skip
    try:
        with transaction.atomic():
            card.save(force_insert=True)
    except IntegrityError:
        raise ConflictError(
            "card-open", N_("“{name}”已有未摘的黄牌。请先复查摘牌。"), name=card.name
        ) from None
    card.findings.set(findings)
    words = {"reason": card.reason, "plan": card.plan, "findings": [str(one.uid) for one in findings],
             "duty_from": card.duty_from, "duty_to": card.duty_to, "threshold": card.threshold}  # fmt: skip
    _step(card, CardStep.Verb.ISSUE, words, by, at)
    notify_many(_notices(card, "发牌", f"黄牌警告：{card.name}", card.reason), at)
    return card


def _place_of(visit: Visit, to: str) -> tuple[Any, str]:
    if to == TO_UNIT and visit.unit is not None:
        return visit.unit, visit.unit.area
    if to == TO_AREA and len(visit.area) >= Level.COMMUNITY:
        return None, visit.area[: Level.COMMUNITY]
    raise RuleError("card-place", N_("这次检查没有落到单位或社区，不能发黄牌。请选择受检单位或社区。"))


def _judge_words(draft: CardIn) -> None:
    if not draft.reason.strip():
        raise RuleError("card-reason", N_("还没有写发牌理由。请写明查到了什么。"))
    if len(draft.reason) > TEXT_LIMIT or len(draft.plan) > TEXT_LIMIT:
        raise RuleError(
            "card-text-long", N_("文字超过 {limit} 字。请精简，或作为附件上传。"), limit=TEXT_LIMIT
        )
    if draft.duty_from and draft.duty_to and draft.duty_to < draft.duty_from:
        raise RuleError(
            "duty-order", N_("值守结束日期 {end} 早于开始日期 {start}。请对调或重选。"),
            start=draft.duty_from, end=draft.duty_to,
        )  # fmt: skip
    if draft.threshold is not None and draft.threshold <= 0:
        raise RuleError("card-threshold", N_("摘牌分数应大于零。不按分数摘牌的，请留空。"))


def may_plan(card: YellowCard, by: Actor) -> bool:
    """May this post write the plan: the place's own people and the offices above it, not who only reads?"""
    works = bool(by.powers.parts & {Part.HANDLER, Part.DISPATCHER, Part.SUPERVISOR})
    return works and (by.unit_id == card.unit_id if by.unit_id is not None else by.covers(card.area))


@transaction.atomic
def write_plan(card: YellowCard, *, plan: str, by: Actor, at: datetime) -> YellowCard:
    """Write how the place will put it right; each earlier wording stays in the card's steps."""
    locked = YellowCard.objects.select_for_update().get(pk=card.pk)
    if not may_plan(locked, by):
        raise ForbiddenError("no-power", N_("您当前的岗位不能做这件事。请切换岗位，或请有权限的人员办理。"))
    _require_open(locked)
    text = plan.strip()
    if not text or len(text) > TEXT_LIMIT:
        raise RuleError("card-plan", N_("整改方案应为 1 至 {limit} 字。请修改后保存。"), limit=TEXT_LIMIT)
    if text == locked.plan:
        return locked
    locked.plan = text
    locked.save(update_fields=["plan"])
    _step(locked, CardStep.Verb.PLAN, {"plan": text}, by, at)
    return locked


@transaction.atomic
def lift_card(card: YellowCard, visit: Visit, *, by: Actor, at: datetime) -> YellowCard:
    """Lift a card on the ground of a passed recheck; RuleError names what still stands against it."""
    locked = YellowCard.objects.select_for_update(of=("self",)).select_related("unit").get(pk=card.pk)
    if not is_above(by, locked.area, locked.unit_id):
        raise ForbiddenError(
            "not-above", N_("黄牌由受检社区或单位的上级办公室复查摘牌。您当前的岗位不能摘牌。")
        )
    _require_open(locked)
    against = obstacles(locked, visit, by)
    if against:
        raise against[0]
    locked.state, locked.lifted_on, locked.lifted_by = YellowCard.State.LIFTED, today(at), visit
    locked.save(update_fields=["state", "lifted_on", "lifted_by"])
    days = locked.days(today(at))
    _step(locked, CardStep.Verb.LIFT, {"visit": str(visit.uid), "days": days}, by, at)
    notify_many(_notices(locked, "摘牌", f"黄牌已摘：{locked.name}", f"复查通过，历时 {days} 天。"), at)
    return locked


def _require_open(card: YellowCard) -> None:
    if card.state != YellowCard.State.OPEN:
        raise ConflictError("card-lifted", N_("这张黄牌已于 {day} 摘下。请刷新页面。"), day=card.lifted_on)


def obstacles(card: YellowCard, visit: Visit, by: Actor) -> list[RuleError]:
    """Return everything that keeps a visit from lifting a card, in the order to mend it; none: it may be lifted."""
    found: list[RuleError] = []
    same = (
        visit.unit_id == card.unit_id if card.unit_id else visit.community == card.area and not visit.unit_id
    )
    if not same:
        found.append(
            RuleError("other-place", N_("复查须在同一地点：“{name}”。请选择对该处的检查。"), name=card.name)
        )
    if visit.started_at <= card.issued_at:
        found.append(RuleError("recheck-too-early", N_("复查须在发牌之后。请安排一次新的检查。")))
    if visit.ended_at is None or visit.hidden:
        found.append(RuleError("recheck-going-on", N_("复查还没有结束或公布。请结束后再摘牌。")))
    own = _own_people(card)
    if visit.by_key in own or by.key in own:
        found.append(RuleError("own-recheck", N_("整改方的人员不能复查本处的黄牌。请由上级另派人复查。")))
    open_cases = list(
        Case.objects.filter(finding__yellow_cards=card, open=True).order_by("pk")[:NAMED_IN_SENTENCE]
    )
    if open_cases:
        found.append(
            RuleError(
                "cases-open", N_("黄牌所列事项还没有结案：{numbers}。请先办结并核查。"),
                numbers="、".join(case.number for case in open_cases),
            )
        )  # fmt: skip
    if visit.checklist_edition is None:
        found.append(RuleError("recheck-without-list", N_("复查没有使用检查表。请按检查表逐项复查。")))
        return found
    return [*found, *_result_against(card, visit)]


def _result_against(card: YellowCard, visit: Visit) -> list[RuleError]:
    seen = recheck_of(visit)
    if seen.unanswered:
        return [
            RuleError(
                "recheck-incomplete", N_("复查还有 {count} 项没有作答（{items}）。请逐项作答。"),
                count=len(seen.unanswered), items="、".join(seen.unanswered[:NAMED_IN_SENTENCE]),
            )
        ]  # fmt: skip
    if card.threshold is not None:
        if seen.score < card.threshold:
            return [
                RuleError(
                    "recheck-below", N_("复查得 {score} 分，未达到摘牌的 {threshold} 分。请继续整改后再复查。"),
                    score=seen.score, threshold=card.threshold,
                )
            ]  # fmt: skip
        return []
    if seen.failed:
        return [
            RuleError(
                "recheck-failed", N_("复查有 {count} 项未通过（{items}）。请继续整改后再复查。"),
                count=len(seen.failed), items="、".join(seen.failed[:NAMED_IN_SENTENCE]),
            )
        ]  # fmt: skip
    return []


@dataclass(frozen=True)
class Recheck:
    """What a visit says of a card. unanswered, failed: numbers of items; score: points left of the check list."""

    unanswered: list[str]
    failed: list[str]
    score: Decimal


def recheck_of(visit: Visit) -> Recheck:
    """Return what the answers of a visit with a check list amount to."""
    assert visit.checklist_edition is not None
    checklist = editions.checklist_by_id(visit.checklist_edition)
    answers = list(Answer.objects.filter(visit=visit).select_related("finding__case"))
    loose = Finding.objects.filter(visit=visit, answer__isnull=True).exclude(item="")
    marks = standing(
        checklist, answers, loose.exclude(case__state=State.CANCELLED.value).values_list("item", "count")
    )
    failed = {one.item for one in answers if Result(one.result).is_wrong}
    failed |= set(loose.values_list("item", flat=True))
    unchecked = {one.item for one in answers if one.result == Result.UNCHECKED}
    told = {one.item for one in answers} - unchecked
    numbers = [item.number for item in checklist.body.items]
    return Recheck(
        [number for number in numbers if number not in told],
        [number for number in numbers if number in failed],
        marks.total,
    )


def _own_people(card: YellowCard) -> set[str]:
    """Return the keys of those who answer for the place: its posts, and whoever handed in a case of the card."""
    posts = Post.objects.held_on(card.issued_on)
    posts = posts.filter(unit_id=card.unit_id) if card.unit_id else posts.filter(community=card.area)
    keys = {f"user:{user_id}" for user_id in posts.values_list("user_id", flat=True)}
    for handlers in Case.objects.filter(finding__yellow_cards=card).values_list("handlers", flat=True):
        keys.update(handlers.split())
    return keys


def rechecks(card: YellowCard, by: Actor) -> Sequence[Visit]:
    """Return the ended visits of the place since the card was given, newest first, of those the reader sees."""
    rows = Visit.objects.visible_to(by).filter(
        started_at__gt=card.issued_at, ended_at__isnull=False, checklist_edition__isnull=False
    )
    rows = (
        rows.filter(unit_id=card.unit_id)
        if card.unit_id
        else rows.filter(community=card.area, unit__isnull=True)
    )
    return list(rows.order_by("-pk")[:20])


def recheck_query(card: YellowCard) -> dict[str, str]:
    """Return what the form of a visit is filled in with to look at the place again: by the same list."""
    known = {"area": card.community or card.area, "unit": str(card.unit.uid) if card.unit else ""}
    edition = card.visit.checklist_edition
    known["checklist"] = editions.checklist_by_id(edition).key if edition is not None else ""
    known["kind"] = card.visit.kind
    return {name: text for name, text in known.items() if text}


def open_card_at(visit: Visit, by: Actor) -> YellowCard | None:
    """Return the card that stands against the place of a visit, if the reader sees it; one statement."""
    rows = YellowCard.objects.visible_to(by).filter(state=YellowCard.State.OPEN.value)
    place = Q(unit__isnull=True, area=visit.community or visit.area)
    if visit.unit_id is not None:
        place = Q(unit_id=visit.unit_id)
    return rows.filter(place).first()


def _step(card: YellowCard, verb: CardStep.Verb, words: dict[str, Any], by: Actor, at: datetime) -> None:
    body = canonical(words)
    CardStep(
        card=card, number=card.steps.count() + 1, verb=verb, at=at, body=body, digest=digest(body),
        by_key=by.key, by_name=by.name,
    ).save(force_insert=True)  # fmt: skip
    record(
        Note(f"card.{verb.value}", "card", str(card.uid), card.area, {"digest": digest(body)}), by=by, at=at
    )


def _notices(card: YellowCard, what: str, title: str, body: str) -> list[NoticeDraft]:
    told: dict[str, Any] = {"kind": "card", "title": title[:120], "body": body[:500], "url": card.url}
    key = f"card:{card.pk}:{what}"
    drafts = [NoticeDraft(key=f"{key}:unit", to_unit_id=card.unit_id, **told)] if card.unit_id else []
    roles = (Role.STREET.value, Role.COMMUNITY.value)
    return drafts + [
        NoticeDraft(key=f"{key}:{code}", to_area=code, to_roles=roles, **told)
        for code in (card.street, card.community)
        if code and code != card.issued_area
    ]
