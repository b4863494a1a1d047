"""From a board to its sheets: gather, score, rank, store; freeze; score again after an appeal.

Computing again gives the same sheets with the same identities; only a board that is not confirmed is computed
again. What is frozen changes by a decided appeal and nothing else, and each change is a further version.
"""

import json
import uuid
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from functools import lru_cache
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import Max
from django.utils.translation import gettext as _

from weicheng.assessments.boards import ScoredObject, objects_of, period_of, require_officer, scheme_of
from weicheng.assessments.facts import Facts, gather, latest_entries
from weicheng.assessments.models import PUBLIC, Appeal, Board, Loss, Sheet, SheetVersion
from weicheng.cases import repeats
from weicheng.journal.actions import SYSTEM, Note, Who, record
from weicheng.journal.rows import insert_all, new_row
from weicheng.places.actor import Actor
from weicheng.rules.digests import canonical, digest
from weicheng.rules.errors import N_, ConflictError, RuleError
from weicheng.rules.figures import round_half_up
from weicheng.rules.ranking import BY_TOTAL, competition_ranks, rank_points
from weicheng.rules.schemes import Mode, SourceKind
from weicheng.rules.sheets import (
    MICRO,
    ActiveScheme,
    Asked,
    LineKind,
    Remark,
    SheetScore,
    after_ranks,
    grade_of,
    score,
    share_out,
)
from weicheng.rules.sheets import Loss as Line
from weicheng.standards import editions

__all__ = [
    "EntryField",
    "ScoredObject",
    "compute_beside",
    "compute_board",
    "entry_fields",
    "freeze",
    "latest_entries",
    "make_beside",
    "objects_of",
    "re_score",
]

RANK = "rank"  # record_kind of lines that the ranking made
# A comparison of more records than this is computed by a job, `jobs.start_beside`.
BESIDE_AT_ONCE = 20_000


@dataclass(frozen=True)
class EntryField:
    """A value that people give for each object of a board.

    key: as `Entry.key`; maximum: None for no bound; unit: printed behind the value, "分", "%", "户"
    """

    key: str
    title: str
    minimum: Decimal
    maximum: Decimal | None
    unit: str
    help: str = ""


def entry_fields(board: Board) -> list[EntryField]:
    """Return what has to be typed for a board: given sources, measured items, measures for ranks."""
    scheme = scheme_of(board)
    active = ActiveScheme(scheme.rule, period_of(board))
    body, zero = scheme.body, Decimal(0)
    found = [
        EntryField(
            f"source:{source.key}", source.title, zero, active.full_of(source), _("分"),
            _("满分 {full} 分，占总分 {weight} %。").format(full=_plain(active.full_of(source)), weight=_plain(source.weight)),
        )
        for source in active.sources
        if source.kind is SourceKind.GIVEN
    ]  # fmt: skip
    for number, item in active.items.items():
        line = body.items[number]
        if item.mode not in (Mode.RATIO, Mode.GAP, Mode.THRESHOLD, Mode.BONUS) or line.measure:
            continue
        if item.mode is Mode.BONUS and (line.categories or line.checklists):
            continue  # what findings earn is not typed
        maximum = Decimal(100) if item.mode is Mode.RATIO else None
        unit = line.unit or ("%" if item.mode is Mode.RATIO else "")
        said = (
            _("目标 {target}{unit}。").format(target=_plain(item.target), unit=unit)
            if item.target is not None
            else ""
        )
        found.append(EntryField(f"item:{number}", item.title, zero, maximum, unit, said))
    wanted = {rule.by for rule in active.rank_rules}
    for measure in body.measures:
        if measure.key in wanted:
            said = _("用于名次奖惩。")
            found.append(EntryField(f"measure:{measure.key}", measure.title, zero, None, measure.unit, said))
    return found


def _plain(value: Decimal | None) -> str:
    return "" if value is None else f"{value.normalize():f}"


# --- computing --------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Ranked:
    """A score with its place: the total after rewards and penalties for ranks, and their lines."""

    score: SheetScore
    total: Decimal
    lines: tuple[Line, ...]
    rank: int | None
    group_size: int
    grade: str

    @property
    def bonus(self) -> Decimal:
        return self.score.bonus + sum(
            (line.effect for line in self.lines if line.kind is LineKind.BONUS), Decimal(0)
        )


@dataclass(frozen=True)
class Standing:
    """What an object brings into the ranking."""

    code: str
    group: str
    base: Decimal
    vetoed: bool = False
    assessed: bool = True


@dataclass(frozen=True)
class Place:
    """What an object takes out of the ranking; rank: None when it was not assessed."""

    total: Decimal
    lines: tuple[Line, ...]
    rank: int | None
    group_size: int


def rank(
    active: ActiveScheme, standings: Sequence[Standing], measures: Mapping[str, Mapping[str, Decimal]]
) -> tuple[dict[str, Place], list[Remark]]:
    """Return each object's place after rewards and penalties, and what should be known about them.

    Who was not assessed is not ranked and takes no place. Totals are compared as printed: two sheets that show
    the same marks share a rank.
    """
    decimals = active.scheme.decimals
    groups: dict[str, list[Standing]] = defaultdict(list)
    for one in standings:
        groups[one.group].append(one)
    places: dict[str, Place] = {}
    remarks: list[Remark] = []
    for group in groups.values():
        assessed = [one for one in group if one.assessed]
        points: dict[str, list[Any]] = defaultdict(list)
        for rule in active.rank_rules:
            values = (
                {one.code: round_half_up(one.base, decimals) for one in assessed}
                if rule.by == BY_TOTAL
                else {one.code: measures.get(rule.by, {})[one.code] for one in assessed if one.code in measures.get(rule.by, {})}
            )  # fmt: skip
            if len(values) < rule.smallest_group:
                remarks.append(
                    Remark(
                        "small-group",
                        N_("“{title}”至少要有 {least} 个对象才适用，本组有 {count} 个有数据，没有执行。"),
                        {"title": rule.title, "least": rule.smallest_group, "count": len(values)},
                    )
                )
                continue
            for code, given in rank_points(rule, values).items():
                points[code].append((rule, given))
        totals: dict[str, Decimal] = {}
        lines: dict[str, tuple[Line, ...]] = {}
        for one in group:
            # A veto takes every mark, those for a good rank too.
            earned = [pair for pair in points[one.code] if not (one.vetoed and pair[0].bonus)]
            totals[one.code], lines[one.code] = after_ranks(one.base, earned)
        ranks = competition_ranks({one.code: round_half_up(totals[one.code], decimals) for one in assessed})
        for one in group:
            places[one.code] = Place(totals[one.code], lines[one.code], ranks.get(one.code), len(assessed))
    return places, remarks


def score_all(
    active: ActiveScheme,
    objects: Sequence[ScoredObject],
    facts: Facts,
    told: Callable[[int, int], None] = lambda done, total: None,
) -> tuple[dict[str, Ranked], list[Remark]]:
    """Return the ranked score of every object; values in, values out."""
    scores: dict[str, SheetScore] = {}
    for position, each in enumerate(objects):
        scores[each.code] = score(active, facts.given[each.code])
        told(position + 1, len(objects))
    standings = [
        Standing(
            each.code, each.group, scores[each.code].total,
            _zeroed(active, scores[each.code]), scores[each.code].assessed,
        )
        for each in objects
    ]  # fmt: skip
    places, remarks = rank(active, standings, facts.measures)
    ranked = {}
    for code, place in places.items():
        found = scores[code]
        grade = _grade(active, place.total, vetoed=found.vetoed, assessed=found.assessed)
        ranked[code] = Ranked(found, place.total, place.lines, place.rank, place.group_size, grade)
    return ranked, remarks


def _zeroed(active: ActiveScheme, found: SheetScore) -> bool:
    return found.vetoed and not active.scheme.veto


def _grade(active: ActiveScheme, total: Decimal, *, vetoed: bool, assessed: bool) -> str:
    if not assessed:
        return ""
    if vetoed and active.scheme.veto:
        return active.scheme.veto
    return grade_of(active.scheme, total)


def compute_board(
    board: Board,
    *,
    at: datetime,
    by: Who = SYSTEM,
    told: Callable[[int, int], None] = lambda done, total: None,
) -> Board:
    """Compute a board that is not confirmed, and replace what an earlier computing left.

    told: is called with (objects done, all) outside the transaction that stores

    ConflictError("board-frozen") once it is confirmed; the errors of `score` for values outside their bounds
    """
    board = Board.objects.get(pk=board.pk)
    require_not_frozen(board)
    if beside_as_of(board) is None:
        # What comes back to the same place may cost more: no sheet depends on how far the worker has got.
        repeats.link(at, wait=True)
    scheme = scheme_of(board)
    active = ActiveScheme(scheme.rule, period_of(board))
    objects = objects_of(board)
    facts = gather(board, scheme, active, objects, at)
    ranked, rank_remarks = score_all(active, objects, facts, told)
    with transaction.atomic():
        locked = Board.objects.select_for_update().get(pk=board.pk)
        require_not_frozen(locked)
        _replace(locked, objects, facts, ranked)
        locked.state = Board.State.COMPUTED.value
        locked.as_of = at
        locked.records = facts.records
        locked.warnings = _warnings(objects, facts, ranked, rank_remarks)
        locked.save(update_fields=["state", "as_of", "records", "warnings"])
        detail = {"as_of": at, "records": facts.records, "objects": len(objects), "scheme": scheme.edition_id}
        record(Note("board.compute", "board", str(board.uid), board.area, detail), by=by, at=at)
    return locked


def require_not_frozen(board: Board) -> None:
    """Refuse a confirmed board: ConflictError("board-frozen")."""
    if board.frozen:
        raise ConflictError(
            "board-frozen",
            N_("{title}已确认公示，不再重新计算。需要对比时，请用另一版办法试算。"),
            title=board.title,
        )


def _replace(
    board: Board, objects: Sequence[ScoredObject], facts: Facts, ranked: Mapping[str, Ranked]
) -> None:
    # Rows of a draft are derived and may be thrown away; nothing refers to them before the board is confirmed.
    Loss.objects.filter(sheet__board=board)._raw_delete("default")
    Sheet.objects.filter(board=board)._raw_delete("default")
    before = _board_before(board)
    sheets = []
    for each in objects:
        found = ranked[each.code]
        previous = before.get(each.code, (None, None))
        sheet = Sheet(
            uid=uuid.uuid5(board.uid, each.code), board=board, code=each.code, unit_id=each.unit_id,
            name=each.name, group=each.group, group_title=each.group_title, group_size=found.group_size,
            full=found.score.full, base=found.score.total, bonus=found.bonus, total=found.total,
            grade=found.grade, rank=found.rank, previous_rank=previous[0], previous_total=previous[1],
            records=facts.counts.get(each.code, 0), summary=_summary(found.score),
        )  # fmt: skip
        sheets.append(sheet.place_at(each.area))
    insert_all(sheets)
    rows: list[Loss] = []
    for sheet in sheets:
        found = ranked[sheet.code]
        rows += [
            _row(sheet.pk, number, line) for number, line in enumerate((*found.score.losses, *found.lines), 1)
        ]
    insert_all(rows)


def _row(sheet_id: int, number: int, line: Line) -> Loss:
    return new_row(
        Loss,
        sheet_id=sheet_id,
        number=number,
        kind=line.kind.value,
        source=line.source,
        item=line.item,
        title=line.title[:200],
        record_kind=line.record_kind,
        record=line.record[:60],
        # As text: exact, and it goes to the database as it is.
        occurred_on=_day(line.occurred_on),
        asked=_text(line.asked),
        lost=_text(line.lost),
        effect=_text(line.effect),
        restored="0.000000",
        why=_why(line),
    )


@lru_cache(maxsize=4096)
def _text(value: Decimal) -> str:
    return f"{value:.6f}"


@lru_cache(maxsize=4096)
def _day(day: date | None) -> str | None:
    return None if day is None else day.isoformat()


_spelled: dict[tuple[int, str, str], tuple[Mapping[str, Any], str]] = {}
_SPELLED_LIMIT = 4096


def _why(line: Line) -> str:
    """Return the parts of a line as canonical JSON; lines of equal cost share the mapping, and its spelling."""
    key = (id(line.why), line.capped_by, line.place)
    known = _spelled.get(key)
    if known is not None and known[0] is line.why:
        return known[1]
    parts = dict(line.why)
    if line.capped_by:
        parts["capped_by"] = line.capped_by
    if line.place:
        parts["place"] = line.place
    text = canonical(parts).decode()
    if len(_spelled) >= _SPELLED_LIMIT:
        _spelled.clear()
    _spelled[key] = (line.why, text)
    return text


def _summary(found: SheetScore, before: Mapping[str, Any] | None = None) -> str:
    """Return what `Sheet.summary` keeps; before: an earlier summary whose remarks hold on."""
    remarks = [{"code": one.code, "text": _said(one)} for one in found.remarks]
    return canonical(
        {
            "assessed": found.assessed,
            "vetoed": found.vetoed,
            "unscored": before["unscored"] if before else found.unscored,
            "remarks": before["remarks"] if before else remarks,
            "sources": [
                {
                    "key": one.key,
                    "title": one.title,
                    "kind": one.kind.value,
                    "weight": round_half_up(one.share * 100, 2),
                    "own_weight": one.weight,
                    "score": one.score,
                    "full": one.full,
                    "lost": one.lost,
                    "effect": one.effect,
                    "present": one.present,
                }
                for one in found.sources
            ],
            "items": [
                {
                    "kind": one.kind.value,
                    "number": one.number,
                    "title": one.title,
                    "parent": one.group,
                    "source": one.source,
                    "asked": one.asked,
                    "lost": one.lost,
                    "effect": one.effect,
                    "records": one.records,
                    "capped": one.capped,
                }
                for one in found.items
            ],
        }
    ).decode()


def _said(remark: Remark) -> str:
    values = {
        name: _plain(value) if isinstance(value, Decimal) else value for name, value in remark.values.items()
    }
    return _(remark.message).format(**values)


def _warnings(
    objects: Sequence[ScoredObject], facts: Facts, ranked: Mapping[str, Ranked], ranks: Sequence[Remark]
) -> str:
    """Return what the officer should know: each sentence once, with how many objects it holds for."""
    counted: dict[tuple[str, str], list[str]] = {}
    for each in objects:
        for one in ranked[each.code].score.remarks:
            counted.setdefault((one.code, _said(one)), []).append(each.name)
    said = dict.fromkeys((one.code, _said(one)) for one in (*facts.remarks, *ranks))
    lines: list[dict[str, Any]] = [{"code": code, "text": text} for code, text in said]
    for (code, text), names in counted.items():
        whole = len(names) == len(objects)
        who = _("全部对象") if whole else "、".join(names[:5]) + (_("等") if len(names) > 5 else "")
        lines.append({"code": code, "text": text, "objects": len(names), "who": who})
    if not objects:
        lines.append({"code": "no-objects", "text": _("期末没有可考评的对象。请核对区划或单位类型。")})
    return f"[{','.join(canonical(line).decode() for line in lines)}]"


def _board_before(board: Board) -> dict[str, tuple[int | None, Decimal]]:
    """Return code -> (rank, total) on the board of the period before, where it was shown in public."""
    before = period_of(board).previous()
    found = Board.objects.filter(
        area=board.area,
        level=board.level,
        scheme_key=board.scheme_key,
        beside__isnull=True,
        state__in=PUBLIC,
        period_start=before.start,
        period_end=before.end,
    ).first()
    if found is None:
        return {}
    rows = Sheet.objects.filter(board=found).values_list("code", "rank", "total")
    return {code: (rank, total) for code, rank, total in rows}


# --- beside -----------------------------------------------------------------------------------------------


def compute_beside(board: Board, edition_id: int, *, by: Actor, at: datetime) -> Board:
    """Score the records of a board under another edition, beside it: for comparison, never to be confirmed.

    Computed over the records that the board itself saw where it is computed, else over those that are here now.
    Asked again it is the same one. A board of more than BESIDE_AT_ONCE records is for `jobs.start_beside`.
    The errors of `make_beside`.
    """
    made = make_beside(board, edition_id, by=by, at=at)
    return compute_board(made, at=beside_as_of(made) or at, by=by)


def beside_as_of(made: Board) -> datetime | None:
    """Return the moment whose records a comparison scores: that of the board it stands beside."""
    return made.beside.as_of if made.beside is not None else None


def make_beside(board: Board, edition_id: int, *, by: Actor, at: datetime) -> Board:
    """Make the comparison, not yet computed, or return the one that is there.

    ForbiddenError "may-not-assess"; RuleError "no-edition", "scheme-level", "same-edition"
    """
    require_officer(by, board)
    if board.beside is not None:
        board = board.beside
    edition = editions.scheme_by_id(edition_id)
    if edition_id == board.scheme_edition:
        raise RuleError("same-edition", N_("这次考评用的就是这一版。请选择另一版对照。"))
    if board.level not in edition.body.levels:
        raise RuleError(
            "scheme-level",
            N_("“{scheme}”（{label}）不适用于这一级的考评。请另选考核办法或考评对象。"),
            scheme=edition.title,
            label=edition.label,
        )
    return _beside(board, edition_id, by=by, at=at)


@transaction.atomic
def _beside(board: Board, edition_id: int, *, by: Actor, at: datetime) -> Board:
    known = Board.objects.filter(beside=board, scheme_edition=edition_id).first()
    if known is not None:
        return known
    edition = editions.scheme_by_id(edition_id)
    made = Board(
        title=f"{board.title}（{edition.label}试算）"[:120],
        level=board.level,
        scheme_key=edition.key,
        scheme_edition=edition_id,
        period=board.period,
        period_start=board.period_start,
        period_end=board.period_end,
        period_label=board.period_label,
        created_at=at,
        created_by_key=by.key,
        created_by_name=by.name,
        beside=board,
    ).place_at(board.area)
    try:
        with transaction.atomic():
            made.save(force_insert=True)
    except IntegrityError:
        return Board.objects.get(beside=board, scheme_edition=edition_id)
    detail = {"beside": board.uid, "scheme": edition_id}
    record(Note("board.beside", "board", str(made.uid), made.area, detail), by=by, at=at)
    return made


# --- freezing and scoring again ----------------------------------------------------------------------------


@transaction.atomic
def freeze(board: Board, *, by: Who, at: datetime) -> None:
    """Write the first version of every sheet of a computed board; the verb that confirms calls it.

    ConflictError "board-frozen"; RuleError "board-not-computed", "board-beside"
    """
    if board.beside_id is not None:
        raise RuleError("board-beside", N_("这是用来对照的试算，不能公示。请打开原考评公示。"))
    require_not_frozen(board)
    if board.state != Board.State.COMPUTED:
        raise RuleError("board-not-computed", N_("这次考评还没有计算。请先计算，再确认公示。"))
    sheets = list(Sheet.objects.filter(board=board).select_for_update().order_by("id"))
    _keep_versions(board, sheets, verb="confirm", reason="", by=by, at=at)


def _keep_versions(
    board: Board, sheets: Sequence[Sheet], *, verb: str, reason: str, by: Who, at: datetime
) -> None:
    """Write a further version of each sheet with all its lines, and raise its number."""
    lines: dict[int, list[dict[str, Any]]] = defaultdict(list)
    names = (
        "number", "kind", "source", "item", "title", "record_kind", "record", "occurred_on", "asked", "lost",
        "effect", "restored", "struck", "why",
    )  # fmt: skip
    rows = Loss.objects.filter(sheet__in=[sheet.pk for sheet in sheets]).order_by("sheet_id", "number")
    for row in rows.values("sheet_id", *names).iterator(chunk_size=5000):
        lines[row.pop("sheet_id")].append(row)
    versions = []
    for sheet in sheets:
        sheet.version += 1
        body = canonical(
            {
                "sheet": sheet.uid,
                "board": board.uid,
                "scheme": board.scheme_edition,
                "as_of": board.as_of,
                "number": sheet.version,
                "verb": verb,
                "reason": reason,
                "code": sheet.code,
                "name": sheet.name,
                "full": sheet.full,
                "base": sheet.base,
                "bonus": sheet.bonus,
                "total": sheet.total,
                "rank": sheet.rank,
                "group": sheet.group,
                "grade": sheet.grade,
                "summary": sheet.summary,
                "lines": lines[sheet.pk],
                "by": by.key,
                "at": at,
            }
        )
        sheet.digest = digest(body)
        versions.append(
            SheetVersion(
                sheet=sheet, number=sheet.version, verb=verb, reason=reason[:300], total=sheet.total,
                rank=sheet.rank, by_key=by.key, by_name=by.name, at=at, body=body, digest=sheet.digest,
            )
        )  # fmt: skip
    insert_all(versions)
    Sheet.objects.bulk_update(sheets, _SHEET_FIELDS, batch_size=200)


_SHEET_FIELDS = ["base", "bonus", "total", "grade", "rank", "group_size", "summary", "version", "digest"]


@transaction.atomic
def re_score(
    appeal: Appeal, *, restored: Decimal, also: Collection[int] = (), by: Who, at: datetime
) -> Sheet:
    """Score a frozen sheet again with points of one line given back, and rank its board again.

    restored: points of what the line asked, before limits; all that are left strike the line. Struck or not,
    the row stays; limits are used up anew by the lines that still ask, so the total may rise by less.
    also: keys of lines of the sheet that are struck with it, in the same version
    Every sheet that changes, this one or another by its rank, gets a further version. The appeal is given
    `restored`, `total_before` and `total_after` and not saved.

    RuleError "board-not-confirmed", "line-struck", "restored-range", "veto-whole"
    """
    board = Board.objects.select_for_update().get(pk=appeal.sheet.board_id)
    if not board.frozen:
        raise RuleError("board-not-confirmed", N_("这次考评还没有确认公示，直接重新计算即可。"))
    sheets = {
        sheet.pk: sheet for sheet in Sheet.objects.filter(board=board).select_for_update().order_by("id")
    }
    sheet = sheets[appeal.sheet_id]
    rows = list(Loss.objects.filter(sheet=sheet).select_for_update().order_by("number"))
    line = next(row for row in rows if row.pk == appeal.loss_id)
    _give_back(line, restored)
    struck_too = [row for row in rows if row.pk in also and not row.struck]
    for row in struck_too:
        _give_back(row, row.asked - row.restored)
    active = ActiveScheme(scheme_of(board).rule, period_of(board))
    appeal.restored, appeal.total_before = restored, sheet.total
    _share_again(active, sheet, rows)
    changed = _rank_again(board, active, sheets, first=sheet)
    reason = _("申诉：{title}，还回 {points} 分").format(title=line.title, points=_plain(restored))
    if struck_too:
        titles = "、".join(row.title for row in struck_too)
        reason += _("；连同撤销：{titles}").format(titles=titles)
    _keep_versions(board, changed, verb="appeal", reason=reason[:300], by=by, at=at)
    appeal.total_after = sheet.total
    return sheet


def _give_back(line: Loss, restored: Decimal) -> None:
    left = line.asked - line.restored
    if line.struck:
        raise RuleError("line-struck", N_("这一行已经撤销扣分，不用再还回。请刷新后查看。"))
    if not 0 < restored <= left:
        raise RuleError(
            "restored-range",
            N_("还回的分值应大于 0、不超过 {left} 分。请改正。"),
            left=_plain(left),
        )
    if line.kind == LineKind.VETO.value and restored != left:
        raise RuleError("veto-whole", N_("一票否决只能整条撤销，不能还回一部分。请改为采纳或不采纳。"))
    if line.kind == LineKind.BONUS.value or line.record_kind == RANK:
        raise RuleError("line-not-given-back", N_("这一行不是扣分，不能还回。请选择扣分的行。"))
    line.restored += restored
    line.struck = line.restored == line.asked


def _share_again(active: ActiveScheme, sheet: Sheet, rows: Sequence[Loss]) -> None:
    """Use up the limits anew and put the result on the sheet and its rows."""
    present = frozenset(source["key"] for source in sheet.sources if source["present"])
    known = {row.pk: row for row in rows}
    asked = [
        Asked(
            LineKind(row.kind), row.source, row.item, row.title, row.record_kind, row.record, row.occurred_on,
            row.parts.get("place", ""), int((row.asked - row.restored) * MICRO), row.parts, row.pk,
        )
        for row in rows
        # A missing source makes its own line again, and ranks are given again below.
        if not row.struck and row.record_kind != RANK and not (row.kind == LineKind.MISSING.value and not row.item)
    ]  # fmt: skip
    found = share_out(active, asked, present)
    for line in found.losses:
        if line.ref:
            row = known[line.ref]
            row.lost, row.effect = line.lost, line.effect
            if line.kind is LineKind.VETO:
                row.asked = line.asked  # it asks for all that is left, which may be more now
            # The limit that held the line before need not be the one that holds it now.
            row.why = _why(line._replace(why={k: v for k, v in line.why.items() if k != "capped_by"}))
    Loss.objects.bulk_update(rows, ["asked", "restored", "struck", "lost", "effect", "why"], batch_size=500)
    sheet.base, sheet.bonus = found.total, found.bonus
    sheet.summary = _summary(found, before=json.loads(sheet.summary))


def _rank_again(
    board: Board, active: ActiveScheme, sheets: Mapping[int, Sheet], *, first: Sheet
) -> list[Sheet]:
    """Rank a board again after one of its sheets changed; return the sheets that changed, that one first.

    A reward or penalty that is another now is struck and given anew on a further line: nothing is overwritten.
    """
    by_code = {sheet.code: sheet for sheet in sheets.values()}
    flags = {sheet.code: json.loads(sheet.summary) for sheet in sheets.values()}
    measures: dict[str, dict[str, Decimal]] = defaultdict(dict)
    for (code, key), value in latest_entries(board).items():
        if key.startswith("measure:"):
            measures[key.removeprefix("measure:")][code] = value
    zeroes = not active.scheme.veto
    standings = [
        Standing(code, sheet.group, sheet.base, flags[code]["vetoed"] and zeroes, flags[code]["assessed"])
        for code, sheet in by_code.items()
    ]
    places, _remarks = rank(active, standings, measures)
    held: dict[int, list[Loss]] = defaultdict(list)
    for row in Loss.objects.filter(sheet__board=board, record_kind=RANK, struck=False):
        held[row.sheet_id].append(row)
    last = dict(Loss.objects.filter(sheet__board=board).values_list("sheet_id").annotate(Max("number")))
    changed, new, gone = [first], [], []
    for code, place in places.items():
        sheet = by_code[code]
        before = {(row.item, row.lost): row for row in held[sheet.pk]}
        now = {(line.item, line.lost): line for line in place.lines}
        gone += [row.pk for key, row in before.items() if key not in now]
        fresh = [line for key, line in now.items() if key not in before]
        new += [_row(sheet.pk, last.get(sheet.pk, 0) + n, line) for n, line in enumerate(fresh, 1)]
        earned = sum((line.effect for line in place.lines if line.kind is LineKind.BONUS), Decimal(0))
        bonus = earned + (sheet.bonus if sheet is first else sheet.bonus - _earned(held[sheet.pk]))
        if sheet is not first and (place.total, place.rank) == (sheet.total, sheet.rank):
            continue
        if sheet is not first:
            changed.append(sheet)
        sheet.bonus, sheet.total, sheet.rank, sheet.group_size = (
            bonus,
            place.total,
            place.rank,
            place.group_size,
        )
        sheet.grade = _grade(
            active, place.total, vetoed=flags[code]["vetoed"], assessed=flags[code]["assessed"]
        )
    Loss.objects.filter(pk__in=gone).update(struck=True)
    insert_all(new)
    return changed


def _earned(rows: Iterable[Loss]) -> Decimal:
    return sum((row.effect for row in rows if row.kind == LineKind.BONUS.value), Decimal(0))
