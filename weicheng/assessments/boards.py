"""Boards: made for a period under the scheme in force, and what is scored on them."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from uuid import UUID, uuid4

from django.db import IntegrityError, transaction

from weicheng.assessments.models import Board
from weicheng.journal.actions import Note, record
from weicheng.places.actor import Actor
from weicheng.places.actors import today
from weicheng.places.areas import name_of, within
from weicheng.places.models import Area, Unit
from weicheng.rules.areas import Level, level_of
from weicheng.rules.errors import N_, ConflictError, ForbiddenError, RuleError
from weicheng.rules.figures import Period
from weicheng.standards import editions
from weicheng.standards.editions import SchemeEdition
from weicheng.standards.kinds import SchemeBody

DEFAULT_SCHEME = "monthly"

_LEVELS = {Board.Level.STREET: Level.STREET, Board.Level.COMMUNITY: Level.COMMUNITY}


@dataclass(frozen=True)
class ScoredObject:
    """What is scored: an area or a unit, with the group it is ranked in.

    code: the area's code, or the unit's uid as text; area: where it stands
    """

    code: str
    name: str
    area: str
    unit_id: int | None = None
    group: str = ""
    group_title: str = ""


def require_officer(by: Actor, board: Board) -> None:
    """Refuse who is no officer of exactly the area whose board it is: ForbiddenError("may-not-assess")."""
    _require_officer(by, board.area)


def _require_officer(by: Actor, area: str) -> None:
    if not by.powers.assesses or by.area != area:
        raise ForbiddenError(
            "may-not-assess",
            N_("{area}的考评由本级办公室组织。请切换到该级岗位，或联系其工作人员。"),
            area=name_of(area),
        )


@transaction.atomic
def make_board(
    *,
    area: str,
    level: str,
    period: Period,
    by: Actor,
    at: datetime,
    scheme_key: str = DEFAULT_SCHEME,
    period_text: str = "",
    uid: UUID | None = None,
) -> Board:
    """Make the board of a period, not yet computed, under the scheme in force at its end.

    uid: given only where a board is told again (the demo)
    ForbiddenError "may-not-assess"; ConflictError "board-twice"; RuleError "scheme-gap" naming the days without
    an edition, "scheme-level", "board-level"
    """
    _require_officer(by, area)
    scheme = scheme_for(scheme_key, area, period)
    if level not in scheme.body.levels:
        raise RuleError(
            "scheme-level",
            N_("“{scheme}”（{label}）不适用于这一级的考评。请另选考核办法或考评对象。"),
            scheme=scheme.title,
            label=scheme.label,
        )
    if level in _LEVELS and level_of(area) >= _LEVELS[Board.Level(level)]:
        raise RuleError(
            "board-level", N_("{area}之下没有这一级的考评对象。请选择下一级。"), area=name_of(area)
        )
    board = Board(
        uid=uid or uuid4(),
        title=f"{name_of(area, period.end)}{period.label}{Board.Level(level).label}考评",
        level=level,
        scheme_key=scheme_key,
        scheme_edition=scheme.edition_id,
        period=period_text[:10],
        period_start=period.start,
        period_end=period.end,
        period_label=period.label,
        created_at=at,
        created_by_key=by.key,
        created_by_name=by.name,
    ).place_at(area)
    try:
        with transaction.atomic():
            board.save(force_insert=True)
    except IntegrityError:
        raise ConflictError(
            "board-twice",
            N_("{title}已经有了，没有再建。请从考评列表中打开它。"),
            title=board.title,
        ) from None
    detail = {"period": period.label, "level": level, "scheme": scheme.edition_id}
    record(Note("board.make", "board", str(board.uid), board.area, detail), by=by, at=at)
    return board


def scheme_of(board: Board) -> SchemeEdition:
    """Return the edition a board is scored under."""
    return editions.scheme_by_id(board.scheme_edition)


def schemes_for(area: str, level: str, on: date) -> list[SchemeEdition]:
    """Return the schemes in force that may score objects of this level, the default first."""
    found = [each for each in editions.schemes(area, on) if level in each.body.levels]
    return sorted(found, key=lambda each: each.key != DEFAULT_SCHEME)


def scheme_for(key: str, area: str, period: Period) -> SchemeEdition:
    """Return the edition in force on the last day; RuleError("scheme-gap") when a day of the period has none."""
    missing = [day for day in _days(period) if editions.find_in_force("scheme", key, area, day) is None]
    if missing:
        raise RuleError(
            "scheme-gap",
            N_(
                "{first} 至 {last} 没有生效的考核办法（{key}），这段时间的扣分没有依据。"
                "请先发布衔接的版本，或改选时段。"
            ),
            first=missing[0],
            last=missing[-1],
            key=key[:60],
        )
    return editions.scheme(key, area, period.end)


def _days(period: Period) -> Iterable[date]:
    return (period.start + timedelta(days=each) for each in range((period.end - period.start).days + 1))


def period_of(board: Board) -> Period:
    """Return the period of a board."""
    return Period(board.period_start, board.period_end, board.period_label)


def appeal_window(board: Board, at: datetime) -> tuple[date, int]:
    """Return (last day on which a line may be appealed against, id of the calendar it was counted by).

    Counted in working days from the day after `at`; RuleError("no-edition") where no calendar holds.
    """
    day = today(at)
    found = editions.calendar(board.area, day)
    left = scheme_of(board).body.appeal_days
    while left:
        day += timedelta(days=1)
        left -= found.calendar.is_working_day(day)
    return day, found.edition_id


def objects_of(board: Board) -> list[ScoredObject]:
    """Return what is scored on a board, by group and code: what stands in its area on the last day."""
    body = scheme_of(board).body
    found = _units(board, body) if board.level == Board.Level.UNIT else _areas(board, body)
    return sorted(found, key=lambda each: (each.group, each.code))


def _areas(board: Board, body: SchemeBody) -> list[ScoredObject]:
    length = int(_LEVELS[Board.Level(board.level)])
    # ":" follows "9", so this is the range of codes that begin with the board's.
    rows = Area.objects.filter(pk__gt=board.area, pk__lt=f"{board.area}:").open_on(board.period_end)
    return [
        ScoredObject(code, name_of(code, board.period_end), code, None, *_group(body, code))
        for code in rows.values_list("pk", flat=True)
        if len(code) == length
    ]


def _units(board: Board, body: SchemeBody) -> list[ScoredObject]:
    found: dict[UUID, ScoredObject] = {}
    for column, code in within(board.area):
        rows = Unit.objects.filter(
            **{column: code}, opened_on__lte=board.period_end, merged_into__isnull=True
        )
        if body.unit_kinds:
            rows = rows.filter(kind__in=body.unit_kinds)
        for pk, uid, name, area, closed_on in rows.values_list("pk", "uid", "name", "area", "closed_on"):
            if closed_on is None or closed_on > board.period_end:
                found[uid] = ScoredObject(str(uid), name, area, pk, *_group(body, area))
    return list(found.values())


def _group(body: SchemeBody, code: str) -> tuple[str, str]:
    """Return (code, title) of the rank group an area falls in, the narrowest that names it; ("", "") for none."""
    named = [
        (len(area), group) for group in body.rank_groups for area in group.areas if code.startswith(area)
    ]
    if not named:
        return "", ""
    _length, group = max(named, key=lambda pair: pair[0])
    return group.code, group.title
