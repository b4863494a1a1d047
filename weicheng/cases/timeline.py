"""The history of a case in words, for its page."""

from typing import Any

from django.utils.dateparse import parse_datetime
from django.utils.timezone import localtime
from django.utils.translation import gettext as _

from weicheng.cases.models import Case, Event
from weicheng.places.actor import Actor
from weicheng.places.areas import name_of
from weicheng.rules.cases import Move

_TONES = {
    Move.PASS: "green",
    Move.FAIL: "red",
    Move.OVERDUE: "red",
    Move.ESCALATE: "red",
    Move.SUPERVISE: "orange",
    Move.REMIND: "yellow",
    Move.HAND_IN: "teal",
    Move.DISPATCH: "blue",
    Move.CANCEL: "grey",
    Move.SPLIT: "blue",
    Move.PARTS_DONE: "green",
}
_ICONS = {
    Move.FILE: "flag",
    Move.DISPATCH: "send",
    Move.ACCEPT: "check",
    Move.HAND_IN: "camera",
    Move.PASS: "check",
    Move.FAIL: "refresh",
    Move.DECLINE: "arrow-left",
    Move.OVERDUE: "alert-triangle",
    Move.REMIND: "clock",
    Move.ESCALATE: "alert-circle",
    Move.SUPERVISE: "alert-circle",
    Move.CANCEL: "x",
    Move.WITHDRAW: "x",
    Move.REOPEN: "refresh",
    Move.SPLIT: "send",
    Move.PARTS_DONE: "check",
    Move.PARTS_CANCELLED: "x",
    Move.PART_REOPENED: "refresh",
    Move.RECOMPUTE: "calendar",
}


def timeline(case: Case, actor: Actor) -> list[dict[str, Any]]:
    """Return the steps, newest first, as `ui/_timeline.html` draws them; one statement."""
    return [_step(event) for event in Event.objects.filter(case=case).order_by("-number")]


def _step(event: Event) -> dict[str, Any]:
    move, detail = Move(event.move), event.detail
    return {
        "at": event.at,
        "title": event.move_label,
        "actor": event.by_name,
        "post": event.post_label,
        "note": "\n".join(line for line in (_particulars(move, detail), detail.get("note", "")) if line),
        "tone": _TONES.get(move, "grey"),
        "icon": _ICONS.get(move, "dots"),
        "digest": event.digest,
    }


def _particulars(move: Move, detail: dict[str, Any]) -> str:
    said = []
    if unit := detail.get("unit_name"):
        said.append(_("责任单位：{unit}").format(unit=unit))
    said += [f"{part['unit_name']}：{part['task']}" for part in detail.get("parts", [])]
    before, due, until = (_moment(detail.get(key)) for key in ("due_before", "due_at", "until"))
    if before and due and before != due:
        said.append(_("期限由 {before} 改为 {due}").format(before=before, due=due))
    elif due:
        limit = detail.get("limit", "")
        said.append(_("期限：{due}").format(due=due) + (f"（{limit}）" if limit else ""))
    if until:
        said.append(_("申请延至：{until}").format(until=until))
    if move is Move.ESCALATE and detail.get("desk"):
        said.append(_("转由{area}督促").format(area=name_of(detail["desk"])))
    if "on_time" in detail:
        said.append(_("按期完成") if detail["on_time"] else _("逾期完成"))
    return "；".join(said)


def _moment(text: str | None) -> str:
    found = parse_datetime(text) if text else None
    return f"{localtime(found):%Y-%m-%d %H:%M}" if found else ""
