"""督查通报: what was found in a month, as content. Facts go in, a document comes out; nothing is looked up here.

Structure of the field's usual notices: reason → check facts → ranking, good and bad by name → problems → requirements
with a deadline → attachments. A month without anything gives a document that says so.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal

from weicheng.documents.wording import Wording, short_name
from weicheng.rules.content import (
    Attachment,
    Block,
    Chart,
    Content,
    FigureRef,
    Heading,
    Inline,
    Line,
    LinkRef,
    Paragraph,
    Photos,
    Picture,
    Series,
    Table,
    Text,
    day_text,
)
from weicheng.rules.figures import NOT_ASSESSED, Figure, Period

# A table of more rows goes into an attachment; the text names the first and the last.
ROWS_IN_TEXT = 12
OVERDUE_SHOWN = 30
BARS = 24  # places a chart can name
NAMED = 3  # places praised and criticised by name
PHOTOS = 6
CAUSES = 3
SPOTS_SHOWN = 15
PROBLEMS_SHOWN = 5


@dataclass(frozen=True)
class PlaceLine:
    """One area below the bulletin's own, with its figures by id."""

    name: str
    figures: Mapping[str, Figure]


@dataclass(frozen=True)
class RankLine:
    """One line of a published ranking.

    rank: None for who was not assessed; change: places gained, None where there is nothing to compare with
    """

    name: str
    group: str
    total: str
    rank: int | None
    change: int | None = None
    before: str = ""
    worst: tuple[tuple[str, str], ...] = ()
    path: str = ""


@dataclass(frozen=True)
class Ranking:
    """A published ranking of one level: its name, and its lines by group and rank."""

    title: str
    lines: tuple[RankLine, ...]


@dataclass(frozen=True)
class SpotLine:
    """A place where a problem came back."""

    place: str
    problem: str
    times: int
    last_on: date
    guard: str
    path: str = ""


@dataclass(frozen=True)
class OverdueLine:
    """An open case whose unit is late; days: whole days since the deadline."""

    number: str
    title: str
    place: str
    unit: str
    due_on: date
    days: int
    path: str


@dataclass(frozen=True)
class Facts:
    """Everything a bulletin says. figures, before: by id, of the month and of the month before it."""

    area: str
    name: str
    period: Period
    as_of: datetime
    wording: Wording
    figures: Mapping[str, Figure]
    before: Mapping[str, Figure]
    below_name: str
    below: tuple[PlaceLine, ...] = ()
    problems: tuple[Figure, ...] = ()
    months: tuple[tuple[str, int, int], ...] = ()
    rankings: tuple[Ranking, ...] = ()
    spots: tuple[SpotLine, ...] = ()
    overdue: tuple[OverdueLine, ...] = ()
    overdue_path: str = ""
    photos: tuple[Picture, ...] = ()
    editions: tuple[str, ...] = field(default_factory=tuple)

    @property
    def is_empty(self) -> bool:
        """Is there nothing to report: no visit, no case, nothing open, no ranking?"""
        counts = ("visits", "opened", "closed", "open_now")
        return not any(self.figures[key].value for key in counts) and not self.rankings


def compose(facts: Facts) -> Content:
    """Return the bulletin. The same facts give the same content, to the byte."""
    attachments: list[Attachment] = []
    blocks: list[Block] = [Paragraph((Text(facts.wording.text("reason")),), own="reason")]
    if facts.is_empty:
        blocks += [
            Heading("检查情况"),
            Paragraph(
                (
                    Text(f"{facts.period.label}，{facts.name}没有登记检查，也没有立案、办结和未结的事项"),
                    Text("（检查"),
                    FigureRef(facts.figures["visits"]),
                    Text("，立案"),
                    FigureRef(facts.figures["opened"]),
                    Text("）。本期没有可供分析和排名的数据，不作评价。"),
                )
            ),
        ]
    else:
        blocks += _checked(facts)
        blocks += _places(facts, attachments)
        blocks += _rankings(facts, attachments)
        blocks += _problems(facts, attachments)
    blocks += [
        Heading("工作要求"),
        Paragraph((Text(facts.wording.text("requirements")),), own="requirements"),
    ]
    return Content(
        kind="bulletin",
        agency=facts.wording.agency,
        title=facts.wording.title,
        word=facts.wording.word,
        addressed_to=facts.wording.addressed_to,
        as_of=facts.as_of,
        blocks=tuple(blocks),
        period=facts.period,
        attachments=tuple(attachments),
        signed_by=facts.wording.agency,
        copies_to=facts.wording.copies_to,
        printed_by=facts.wording.printed_by,
        editions=facts.editions,
    )


# --- 一、检查情况 ----------------------------------------------------------------------------------------

_COMPARED = ("visits", "opened", "closed", "closed_on_time", "on_time_rate")


def _checked(facts: Facts) -> Iterator[Block]:
    now = facts.figures
    yield Heading("检查情况")
    yield Paragraph(
        (
            Text(f"{facts.period.label}，{facts.name}共开展检查"),
            FigureRef(now["visits"]),
            Text("，立案交办问题"),
            FigureRef(now["opened"]),
            Text(f"{_than(now['opened'], facts.before['opened'])}，办结"),
            FigureRef(now["closed"]),
            Text(f"{_than(now['closed'], facts.before['closed'])}，按期结案率"),
            FigureRef(now["on_time_rate"]),
            Text(f"。截至{day_text(facts.as_of.date())}，未结事项"),
            FigureRef(now["open_now"]),
            Text("，其中超期"),
            FigureRef(now["overdue_now"]),
            Text("。"),
        )
    )
    yield Table(
        f"表1  {facts.period.label}主要指标",
        ("指标", "本月", "上月", "增减"),
        tuple(
            (
                (Text(f"{now[key].title}（{now[key].unit}）"),),
                (FigureRef(now[key], bare=True),),
                (FigureRef(facts.before[key], bare=True),),
                (Text(change(now[key], facts.before[key])),),
            )
            for key in _COMPARED
        ),
        (4, 2, 2, 3),
        (1, 2, 3),
    )
    if any(opened or closed for _month, opened, closed in facts.months):
        said = "；".join(f"{month}立案{opened}件、结案{closed}件" for month, opened, closed in facts.months)
        yield Chart(
            "lines",
            "每月立案与结案",
            tuple(month for month, _opened, _closed in facts.months),
            (
                Series("立案", tuple(opened for _month, opened, _closed in facts.months)),
                Series("结案", tuple(closed for _month, _opened, closed in facts.months)),
            ),
            "件",
            f"每月立案与结案件数：{said}。",
        )


def _difference(now: Figure, before: Figure) -> Decimal | None:
    """Return the difference of the printed numbers, so that a reader who subtracts finds the same."""
    if now.quantity() is None or before.quantity() is None:
        return None
    return Decimal(now.text()) - Decimal(before.text())


def change(now: Figure, before: Figure) -> str:
    """Return the change as a cell says it: +12, -3.5个百分点, 持平, or — where nothing can be compared."""
    gap = _difference(now, before)
    if gap is None:
        return "—"
    if not gap:
        return "持平"
    return f"{gap:+f}{'个百分点' if now.unit == '%' else ''}"


def _than(now: Figure, before: Figure) -> str:
    """Return the change as a sentence says it: （比上月增加12件）."""
    gap = _difference(now, before)
    if gap is None:
        return ""
    return f"（比上月{'增加' if gap > 0 else '减少'}{abs(gap)}{now.unit}）" if gap else "（与上月持平）"


# --- 二、各地情况 ----------------------------------------------------------------------------------------

_PLACE_COLUMNS = ("opened", "closed", "on_time_rate", "open", "overdue")


def _places(facts: Facts, attachments: list[Attachment]) -> Iterator[Block]:
    if not facts.below:
        return
    yield Heading(f"各{facts.below_name}情况")
    head = (facts.below_name, *(_titled(facts.below[0].figures[key]) for key in _PLACE_COLUMNS))
    rows = tuple(_place_row(line) for line in facts.below)
    title = f"{facts.period.label}各{facts.below_name}事项办理情况"
    long = len(rows) > ROWS_IN_TEXT
    made = Table("" if long else title, head, rows, (4, 2, 2, 3, 2, 3), (1, 2, 3, 4, 5))
    if long:
        yield Paragraph(
            (Text(f"{facts.name}{len(rows)}个{facts.below_name}的办理情况见{_place_of(attachments)}。"),)
        )
        attachments.append(Attachment(title, (made,)))
    else:
        yield made
    if len(rows) > BARS:
        return
    yield Chart(
        "bars",
        f"各{facts.below_name}立案与结案",
        tuple(short_name(line.name) for line in facts.below),
        tuple(
            Series(title, tuple(_count(line.figures[key]) for line in facts.below))
            for key, title in (("opened", "立案"), ("closed", "结案"))
        ),
        "件",
        f"各{facts.below_name}立案与结案件数："
        + "；".join(
            f"{line.name}立案{line.figures['opened'].text()}件、结案{line.figures['closed'].text()}件"
            for line in facts.below
        )
        + "。",
    )


def _place_row(line: PlaceLine) -> tuple[Line, ...]:
    cells: list[Line] = [(Text(line.name),)]
    cells += [(FigureRef(line.figures[key], bare=True),) for key in _PLACE_COLUMNS]
    return tuple(cells)


def _titled(figure: Figure) -> str:
    return f"{figure.title}（{figure.unit}）" if figure.unit == "%" else figure.title


def _count(figure: Figure) -> int:
    return figure.value if isinstance(figure.value, int) else 0


def _place_of(attachments: Sequence[Attachment]) -> str:
    """Return how the attachment that comes next is called in the text."""
    return f"附件{len(attachments) + 1}"


# --- 三、考评排名 ----------------------------------------------------------------------------------------


def _rankings(facts: Facts, attachments: list[Attachment]) -> Iterator[Block]:
    yield Heading("考评排名")
    if not facts.rankings:
        yield Paragraph((Text(f"{facts.period.label}的考评结果尚未公布，本期不作排名。"),))
        return
    for ranking in facts.rankings:
        yield from _ranking(facts, ranking, attachments)


def _ranking(facts: Facts, ranking: Ranking, attachments: list[Attachment]) -> Iterator[Block]:
    if len(facts.rankings) > 1:
        yield Heading(ranking.title, 2)
    groups: dict[str, list[RankLine]] = {}
    for line in ranking.lines:
        groups.setdefault(line.group, []).append(line)
    for group, everybody in groups.items():
        lines = [line for line in everybody if line.rank is not None]
        where = f"{group}中，" if len(groups) > 1 and group else ""
        named = min(NAMED, len(lines) // 2) if len(lines) > 1 else 0
        best, worst = lines[:named], lines[len(lines) - named :]
        if best:
            yield Paragraph((Text(f"{where}得分靠前的是"), *_named(best), Text("。")))
        if worst:
            yield Paragraph((Text(f"{where}得分靠后的是"), *_named(worst), Text("。")))
        yield from (
            Paragraph(
                (
                    Text(f"{line.name}主要失分："),
                    Text("、".join(f"{item}扣{lost}分" for item, lost in line.worst[:CAUSES])),
                    Text("。"),
                )
            )
            for line in reversed(worst)
            if line.worst
        )
    title = f"{facts.period.label}{ranking.title}考评排名"
    long = len(ranking.lines) > ROWS_IN_TEXT
    grouped = any(groups)
    made = Table(
        "" if long else title,
        ("名次", "单位", *(("分组",) if grouped else ()), "得分", "上期得分", "名次变化"),
        tuple(
            (
                (Text(str(line.rank) if line.rank is not None else NOT_ASSESSED),),
                (_linked(line.name, line.path),),
                *(((Text(line.group),),) if grouped else ()),
                (Text(line.total),),
                (Text(line.before or "—"),),
                (Text(rank_change(line.change)),),
            )
            for line in ranking.lines
        ),
        (2, 5, 4, 2, 3, 3) if grouped else (2, 6, 3, 3, 3),
        (0, 3, 4, 5) if grouped else (0, 2, 3, 4),
    )
    if long:
        yield Paragraph((Text(f"全部排名见{_place_of(attachments)}。"),))
        attachments.append(Attachment(title, (made,)))
    else:
        yield made


def _linked(text: str, path: str) -> Inline:
    return LinkRef(text, path) if path else Text(text)


def _named(lines: Sequence[RankLine]) -> Iterator[Inline]:
    for at, line in enumerate(lines):
        said = f"{line.name}（{line.total}分）"
        yield _linked(said, line.path)
        if at < len(lines) - 1:
            yield Text("、")


def rank_change(places: int | None) -> str:
    """Return the change of a rank: 升2位, 降1位, 持平; — for the first time."""
    if places is None:
        return "—"
    return "持平" if places == 0 else f"{'升' if places > 0 else '降'}{abs(places)}位"


# --- 四、存在问题 ----------------------------------------------------------------------------------------


def _problems(facts: Facts, attachments: list[Attachment]) -> Iterator[Block]:
    if not (facts.problems or facts.spots or facts.overdue or facts.photos):
        return
    yield Heading("存在问题")
    if facts.problems:
        yield Heading("问题集中的方面", 2)
        parts: list[Text | FigureRef] = [Text("本月立案的问题主要是")]
        for at, figure in enumerate(facts.problems[:PROBLEMS_SHOWN]):
            parts += [Text(f"{'、' if at else ''}{figure.title}"), FigureRef(figure)]
        yield Paragraph((*parts, Text("。")))
    if facts.spots:
        yield Heading("反复发生的重点地段", 2)
        yield Paragraph(
            (Text(f"以下{min(len(facts.spots), SPOTS_SHOWN)}处同类问题反复出现，须落实专人盯守。"),)
        )
        yield Table(
            f"{facts.period.label}重点地段",
            ("地点", "问题", "次数", "最近一次", "盯守措施"),
            tuple(
                (
                    (_linked(spot.place, spot.path),),
                    (Text(spot.problem),),
                    (Text(str(spot.times)),),
                    (Text(f"{spot.last_on.month}月{spot.last_on.day}日"),),
                    (Text(spot.guard or "尚未落实"),),
                )
                for spot in facts.spots[:SPOTS_SHOWN]
            ),
            (5, 4, 2, 3, 4),
            (2, 3),
        )
        if len(facts.spots) > SPOTS_SHOWN:
            yield Paragraph((Text(f"另有{len(facts.spots) - SPOTS_SHOWN}处，见系统中的重点地段清单。"),))
    if facts.overdue:
        yield from _late(facts, attachments)
    if facts.photos:
        yield Heading("现场照片", 2)
        yield Photos(facts.photos[:PHOTOS])


def _late(facts: Facts, attachments: list[Attachment]) -> Iterator[Block]:
    total = facts.figures["overdue_now"]
    yield Heading("超期未办结事项", 2)
    longest = max(facts.overdue, key=lambda line: line.days)
    yield Paragraph(
        (
            Text(f"截至{day_text(facts.as_of.date())}，超期未办结"),
            FigureRef(total),
            Text(
                f"，超期最长的{longest.days}天，由{longest.unit or '尚未派遣的辖区'}负责。清单见{_place_of(attachments)}。"
            ),
        )
    )
    blocks: list[Block] = [
        Table(
            "",
            ("编号", "问题", "地点", "责任单位", "期限", "超期天数"),
            tuple(
                (
                    (LinkRef(line.number, line.path),),
                    (Text(line.title),),
                    (Text(line.place),),
                    (Text(line.unit or "尚未派遣"),),
                    (Text(f"{line.due_on.month}月{line.due_on.day}日"),),
                    (Text(str(line.days)),),
                )
                for line in facts.overdue[:OVERDUE_SHOWN]
            ),
            (6, 4, 4, 4, 4, 2),
            (4, 5),
        )
    ]
    left = _count(total) - len(facts.overdue[:OVERDUE_SHOWN])
    if left > 0:
        more: Line = (Text(f"另有{left}件，见"), LinkRef("系统中的超期清单", facts.overdue_path), Text("。"))
        blocks.append(Paragraph(more))
    attachments.append(Attachment(f"超期未办结事项（截至{day_text(facts.as_of.date())}）", tuple(blocks)))
