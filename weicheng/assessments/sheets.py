"""A score sheet as a community reads it: what the total is made of, and every point lost with its record."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from functools import partial
from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from django.http.response import HttpResponseBase
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from weicheng.assessments.appeals import may_appeal_against
from weicheng.assessments.models import Appeal, Loss, Sheet
from weicheng.assessments.tables import anchor, bonus_items
from weicheng.assessments.templatetags.assessments import points
from weicheng.evidence.models import Attachment
from weicheng.evidence.pages import Shown, shown
from weicheng.inspections.models import Finding
from weicheng.inspections.photos import owned_by, owners_of
from weicheng.places.actor import Actor
from weicheng.places.areas import name_of
from weicheng.rules.figures import round_half_up
from weicheng.rules.sheets import LineKind
from weicheng.ui.columns import Column
from weicheng.ui.exports import csv_response, xlsx_response
from weicheng.ui.formats import day

LINES_SHOWN = 300  # of one sheet; the file has all
FACTOR_WORDS = {
    "finder": gettext_lazy("{of}发现，乘 {factor}"),
    "repeats": gettext_lazy("同一处第 {of} 次重复，乘 {factor}"),
    "in_time": gettext_lazy("{of}，乘 {factor}"),
}
FINDERS = {
    "province": gettext_lazy("省级"),
    "city": gettext_lazy("市级"),
    "district": gettext_lazy("区级"),
    "street": gettext_lazy("街道"),
    "community": gettext_lazy("社区"),
    "unit": gettext_lazy("单位"),
}


@dataclass(frozen=True)
class Lost:
    """One line with the record that cost it, as far as this reader may see it."""

    loss: Loss
    finding: Finding | None = None
    photo: Shown | None = None
    appeal: Appeal | None = None
    may_appeal: bool = False

    @property
    def words(self) -> str:
        """What was seen: the title of the record's case, or of the line."""
        return self.finding.case.title if self.finding else self.loss.title

    @property
    def where(self) -> str:
        if self.finding is None:
            return ""
        # A visit to a community as a whole has the community's name as its address: it is said once.
        parts = dict.fromkeys((name_of(self.finding.area), self.finding.case.address))
        return " ".join(part for part in parts if part)

    @property
    def about(self) -> str:
        """When, where, and how the points came about, in one line."""
        on = day(self.loss.occurred_on) if self.loss.occurred_on else ""
        return " · ".join(part for part in (on, self.where, *how(self.loss)) if part)

    @property
    def url(self) -> str:
        return self.finding.case.url if self.finding else ""

    @property
    def is_bonus(self) -> bool:
        return self.loss.kind == LineKind.BONUS

    @property
    def costs(self) -> bool:
        return self.loss.effect != 0 or self.loss.struck or self.appeal is not None

    @property
    def how(self) -> list[str]:
        return how(self.loss)


@dataclass
class Item:
    """One item of the scheme: its own sums, and its lines as far as they are shown."""

    number: str
    title: str
    source: str
    asked: Decimal
    lost: Decimal
    effect: Decimal
    records: int
    capped: bool
    bonus: bool = False
    lines: list[Lost] = field(default_factory=list)

    @property
    def id(self) -> str:
        return anchor(self.source, self.number)

    @property
    def heavy(self) -> list[Lost]:
        return [line for line in self.lines if line.costs]

    @property
    def light(self) -> list[Lost]:
        """Lines that a limit swallowed: they cost nothing now, and are folded away."""
        return [line for line in self.lines if not line.costs]

    @property
    def capped_words(self) -> str:
        """Say how the limit worked: 应扣 14 分，扣完为止，实扣 10 分."""
        if not self.capped or self.asked == self.lost:
            return ""
        return _("按处应扣 {asked} 分，扣完为止，实扣 {lost} 分。").format(
            asked=points(self.asked), lost=points(self.lost)
        )


@dataclass
class Part:
    """One source of the total with its items; other: the same source under the edition compared with."""

    key: str
    title: str
    weight: Decimal | None
    own_weight: Decimal | None
    score: Decimal | None
    full: Decimal | None
    effect: Decimal
    present: bool
    items: list[Item] = field(default_factory=list)
    other: dict[str, Any] | None = None

    @property
    def share_words(self) -> str:
        """Say what the source gives to the total."""
        if self.weight is None:
            return ""
        if self.own_weight is None or self.own_weight == self.weight:
            return f"{points(self.weight)}%"
        if not self.weight:
            return _("原 {own}%，由其余来源分担").format(own=points(self.own_weight))
        return _("{weight}%（原 {own}%）").format(weight=points(self.weight), own=points(self.own_weight))


@dataclass
class SheetPage:
    """A sheet ready to be shown.

    others: items that belong to no source (rank rewards and penalties, vetoes)
    hidden: how many lines are not shown; detailed: whether this reader sees lines at all
    """

    sheet: Sheet
    parts: list[Part]
    others: list[Item]
    detailed: bool
    hidden: int = 0

    @property
    def sum_words(self) -> str:
        """Return the arithmetic in one line: 100 − 12.5 + 1 = 88.5."""
        sheet = self.sheet
        taken = sheet.full + sheet.bonus - sheet.total
        text = f"{points(sheet.full)} − {points(taken)}"
        if sheet.bonus:
            text += f" + {points(sheet.bonus)}"
        return f"{text} = {points(sheet.total)}"


_NONE = Decimal(0)


def _decimal(value: Any) -> Decimal | None:
    return None if value in (None, "") else Decimal(str(value))


def sheet_page(
    sheet: Sheet, actor: Actor, *, may_file: bool = False, beside: Sheet | None = None
) -> SheetPage:
    """Return a sheet for this reader; lines only where the reader covers the object.

    may_file: whether the reader may appeal against lines now
    """
    parts = [
        Part(
            key=one["key"],
            title=one["title"],
            weight=_decimal(one.get("weight")),
            own_weight=_decimal(one.get("own_weight")),
            score=_decimal(one.get("score")),
            full=_decimal(one.get("full")),
            effect=_decimal(one.get("effect")) or Decimal(0),
            present=bool(one.get("present")),
        )
        for one in sheet.sources
    ]
    bonuses = bonus_items(sheet.board)
    items = [
        Item(
            number=one["number"],
            title=one["title"],
            source=one["source"],
            asked=Decimal(one["asked"]),
            lost=Decimal(one["lost"]),
            effect=Decimal(one["effect"]),
            records=int(one["records"]),
            capped=bool(one["capped"]),
            bonus=one["number"] in bonuses,
        )
        for one in sheet.items
    ]
    known = {(item.source, item.number): item for item in items}
    detailed, hidden = covers(sheet, actor), 0
    extra: list[Item] = []
    if detailed:
        losses = list(_lines(sheet, actor)[: LINES_SHOWN + 1])
        if len(losses) > LINES_SHOWN:
            hidden = _lines(sheet, actor).count() - LINES_SHOWN
        for line in _dressed(losses[:LINES_SHOWN], sheet, actor, may_file):
            loss = line.loss
            item = known.get((loss.source, loss.item))
            if item is None:
                # A reward or penalty for a rank, or an item of which every line was struck: the sums have none.
                item = Item(
                    loss.item,
                    loss.title,
                    loss.source,
                    _NONE,
                    _NONE,
                    _NONE,
                    0,
                    capped=False,
                    bonus=line.is_bonus,
                )
                known[loss.source, loss.item] = item
                extra.append(item)
            if item in extra and not loss.struck:
                item.effect += loss.effect
            item.lines.append(line)
    by_key = {part.key: part for part in parts}
    others: list[Item] = []
    for item in [*items, *extra]:
        (by_key[item.source].items if item.source in by_key else others).append(item)
    if beside is not None:
        compared = {one["key"]: one for one in beside.sources}
        for part in parts:
            part.other = compared.get(part.key)
    return SheetPage(sheet, parts, others, detailed, hidden)


def covers(sheet: Sheet, actor: Actor) -> bool:
    """May the reader read the records behind this sheet? The same answer as `covered_by`, without asking."""
    if actor.unit_id is not None:
        return sheet.unit_id == actor.unit_id
    return any(getattr(sheet, column, None) == code for column, code in actor.reach)


def _lines(sheet: Sheet, actor: Actor) -> QuerySet[Loss]:
    return Loss.objects.visible_to(actor).filter(sheet=sheet).order_by("-effect", "number")


def _dressed(losses: Sequence[Loss], sheet: Sheet, actor: Actor, may_file: bool) -> Iterator[Lost]:
    uids = [UUID(loss.record) for loss in losses if loss.record_kind == "finding"]
    findings = {
        found.uid: found
        for found in Finding.objects.visible_to(actor).filter(uid__in=uids).select_related("case")
    }
    photos = _first_photos(list(findings), actor)
    rows = Appeal.objects.visible_to(actor).filter(sheet=sheet).select_related("loss")
    appeals = {one.loss_id: one for one in rows}
    # A follow-up that fell with the line of its finding shows the answer that struck both.
    accepted = {
        one.loss.record: one
        for one in appeals.values()
        if one.state == Appeal.State.ACCEPTED and one.loss.record_kind == "finding"
    }
    for loss in losses:
        finding = findings.get(UUID(loss.record)) if loss.record_kind == "finding" else None
        appeal = appeals.get(loss.pk)
        if appeal is None and loss.struck and loss.record_kind == "finding":
            appeal = accepted.get(loss.record)
        yield Lost(
            loss,
            finding,
            photos.get(finding.uid) if finding else None,
            appeal,
            may_file and appeal is None and may_appeal_against(loss),
        )


def line_of(loss: Loss, sheet: Sheet, actor: Actor) -> Lost:
    """Return one line with its record."""
    return next(_dressed([loss], sheet, actor, may_file=False))


def _first_photos(uids: list[UUID], actor: Actor) -> dict[UUID, Shown]:
    if not uids:
        return {}
    owners = owners_of(uids)
    rows = (
        Attachment.objects.visible_to(actor)
        .filter(owned_by(owners))
        .standing()
        .select_related("stored")
        .order_by("id")
    )
    first: dict[UUID, Attachment] = {}
    for row in rows:
        if row.stored.is_picture and row.stored.broken_at is None:
            first.setdefault(owners[row.owner_kind, row.owner_uid], row)
    return dict(zip(first, shown(first.values(), actor), strict=True))


def how(loss: Loss) -> list[str]:
    """Return in words how the points of a line came about, part by part."""
    why = loss.parts
    said = _measured(why)
    if (times := why.get("times")) is not None:
        said.append(_("{points} 分 × {times} 处").format(points=points(why["points"]), times=times))
    for factor in why.get("factors") or ():
        value = Decimal(str(factor["value"]))
        if value != 1:
            said.append(FACTOR_WORDS[str(factor["name"])].format(of=_of(factor), factor=points(value)))
    if why.get("missing"):
        said.append(_("没有录入数值，按 0 计"))
    if loss.restored:
        said.append(_("申诉后还回 {points} 分").format(points=points(loss.restored)))
    if loss.asked - loss.restored > loss.lost and not loss.struck:
        limit = why.get("capped_by") or ""
        said.append(
            _("应扣 {asked} 分，{limit}，实扣 {lost} 分").format(
                asked=points(loss.asked - loss.restored),
                limit=LIMITS.get(limit, LIMITS[""]),
                lost=points(loss.lost),
            )
        )
    return said


def _measured(why: Mapping[str, Any]) -> list[str]:
    """Say what was given or measured, and what was asked."""
    said = []
    if why.get("mode") == "marks" and "full" in why:
        said.append(
            _("得 {marks} 分，满分 {full} 分").format(marks=points(why["marks"]), full=points(why["full"]))
        )
    if "numerator" in why:
        said.append(
            _("{part} / {whole}").format(part=points(why["numerator"]), whole=points(why["denominator"]))
        )
    elif "measured" in why:
        said.append(_("数值 {value}").format(value=points(why["measured"])))
    if why.get("target") is not None:
        said.append(_("目标 {target}").format(target=points(why["target"])))
    return said


def _of(factor: Mapping[str, Any]) -> str:
    of = str(factor.get("of", ""))
    return str(FINDERS.get(of, of))


LIMITS = {
    "once": gettext_lazy("本项只扣一次"),
    "place": gettext_lazy("同一地点只扣一次"),
    "item": gettext_lazy("本项已扣完"),
    "group": gettext_lazy("本大项已扣完"),
    "source": gettext_lazy("本来源已扣完"),
    "total": gettext_lazy("总分已扣完"),
    "bonus": gettext_lazy("加分已到上限"),
    "": gettext_lazy("超过上限的部分不扣"),
}


# --- the file ----------------------------------------------------------------------------------------


def sheet_file(kind: str, sheet: Sheet, actor: Actor) -> HttpResponseBase:
    """Return every line of a sheet as xlsx or csv."""
    titles = {one["key"]: one["title"] for one in sheet.sources}
    columns = [
        Column("number", _("序号"), lambda line: line.loss.number, kind="number"),
        Column("source", _("来源"), lambda line: titles.get(line.loss.source, "")),
        Column("item", _("项目"), lambda line: line.loss.item),
        Column("title", _("扣分项"), lambda line: line.loss.title),
        Column("occurred_on", _("日期"), lambda line: line.loss.occurred_on, kind="date"),
        Column("where", _("地点"), lambda line: line.where),
        Column("words", _("情况"), lambda line: line.words),
        Column("case", _("事项编号"), lambda line: line.finding.case.number if line.finding else ""),
        *[
            Column(key, title, partial(_amount, key=key), kind="number")
            for key, title in (("asked", _("应扣")), ("lost", _("实扣")), ("effect", _("影响总分")))
        ],
        Column("how", _("说明"), lambda line: "；".join(line.how)),
        Column("appeal", _("申诉"), _appeal_words),
    ]  # fmt: skip
    said = [_("总分 {total}").format(total=points(sheet.total))]

    def chunks() -> Iterator[Sequence[Lost]]:
        losses = list(_lines(sheet, actor).order_by("number"))
        for start in range(0, len(losses), 500):
            yield list(_dressed(losses[start : start + 500], sheet, actor, may_file=False))

    name = f"{sheet.board.title}_{sheet.name}"
    if kind == "csv":
        return csv_response(name, columns, chunks(), said)
    return xlsx_response(name, sheet.name, columns, chunks(), said)


def _amount(line: Lost, key: str) -> Decimal:
    amount = round_half_up(getattr(line.loss, key), 3)
    return -amount if key == "effect" and not line.is_bonus else amount


def _appeal_words(line: Lost) -> str:
    if line.appeal is None:
        return _("已撤销") if line.loss.struck else ""
    return f"{line.appeal.get_state_display()} {line.appeal.decision}".strip()
