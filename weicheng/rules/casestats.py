"""The rates of digital city management (立案率 派遣准确率 结案率 按期结案率 返工率 …) from plain counts.

Counts in, rates out: each rate keeps its numerator and denominator until it is printed. A count that is not
given makes its rates unknown, with the reason; nothing is guessed. What cannot be true together is refused.

How months are put together. A flow (立案数 结案数) of the whole is the sum of the months. A stock is that of the
first month's start or the last month's end. What is due (应结案数) holds what was carried over from the month before,
overdue and open, so its sum would count a case once for every month it was late: the whole is what the earlier
months settled and what was due in the last one,

    due(whole) = done(1) + done(2) + … + done(n - 1) + due(n)

because what was due and not done in one month is due again in the next. Example: due 100, done 90; then due 60,
ten of them carried over, done 55: the whole is due 90 + 60 = 150, done 145, and not 160.

Source: the names and formulas are data of `packs/statistics/case-rates.yaml`, where each says its own.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum
from itertools import pairwise
from typing import Any

from weicheng.rules.errors import N_, RuleError
from weicheng.rules.figures import NOT_ASSESSED, Ratio, round_half_up

DECIMALS = 2  # the published tables print 93.72
MOST_MONTHS = 120


class Kind(StrEnum):
    """How the whole of several months is made from a count."""

    FLOW = "flow"  # happened in the month: the months are added
    START = "start"  # stood at its beginning: the first month's
    END = "end"  # stood at its end: the last month's
    DUE = "due"  # was to be done by its end, what was carried over included: see above
    DISTINCT = "distinct"  # different things seen: they cannot be added


@dataclass(frozen=True)
class Count:
    """One count that a file may give.

    aliases: other names it is known by; done: for a DUE count, the flow that settles it
    at_most: counts it cannot be larger than
    """

    id: str
    name: str
    kind: Kind
    aliases: tuple[str, ...] = ()
    done: str = ""
    at_most: tuple[str, ...] = ()


@dataclass(frozen=True)
class Rate:
    """One rate: plus - minus over the first denominator that is given.

    formula: as the source writes it; confidence: how far formula and name can be relied on
    """

    id: str
    name: str
    formula: str
    plus: str
    denominators: tuple[tuple[str, ...], ...]
    minus: str = ""
    aliases: tuple[str, ...] = ()
    source: str = ""
    confidence: str = ""


@dataclass(frozen=True)
class Book:
    """The counts and rates of one edition, and what the opening and closing stock balance over."""

    edition: str
    source: str
    counts: tuple[Count, ...]
    rates: tuple[Rate, ...]
    notes: tuple[str, ...] = ()

    def by_name(self) -> dict[str, Count]:
        """Return every name and alias, without case and blanks, to its count."""
        return {
            plain_name(name): each for each in self.counts for name in (each.id, each.name, *each.aliases)
        }

    def count(self, key: str) -> Count:
        return next(each for each in self.counts if each.id == key)


@dataclass(frozen=True)
class Value:
    """A rate worked out.

    ratio: None where a count is missing or nothing was there to assess; reason then says which (Chinese template)
    """

    rate: Rate
    ratio: Ratio | None
    denominator_key: str = ""
    reason: str = ""
    values: Mapping[str, Any] = field(default_factory=dict)

    def number(self) -> Decimal | None:
        """Return per cent with two places, half up; None where it is not assessed."""
        quotient = self.ratio.quotient() if self.ratio is not None else None
        return None if quotient is None else round_half_up(quotient, DECIMALS)


@dataclass(frozen=True)
class Balance:
    """Open at start + registered - cancelled - closed = open at end.

    expected: worked out, None where a part is missing; holds: whether what was given agrees, None where it cannot be said
    """

    expected: int | None
    given: int | None
    missing: tuple[str, ...] = ()

    @property
    def holds(self) -> bool | None:
        return None if self.expected is None or self.given is None else self.expected == self.given


@dataclass(frozen=True)
class Stated:
    """A rate that the file gives itself, beside what its counts say."""

    rate_id: str
    given: Decimal
    agrees: bool | None


@dataclass(frozen=True)
class Sheet:
    """One month, or the whole: its counts, rates and balance; unknown: names in the file that mean nothing here."""

    label: str
    counts: Mapping[str, int]
    rates: tuple[Value, ...]
    balance: Balance
    stated: tuple[Stated, ...] = ()
    unknown: tuple[str, ...] = ()

    def rate(self, rate_id: str) -> Value:
        return next(each for each in self.rates if each.rate.id == rate_id)


@dataclass(frozen=True)
class Report:
    """Every month in order, and the whole where there are several."""

    book: Book
    months: tuple[Sheet, ...]
    whole: Sheet


# --- reading a book --------------------------------------------------------------------------------


def read_book(data: Mapping[str, Any]) -> Book:
    """Return the book a pack describes; ValueError naming the entry where it does not fit together."""
    counts = tuple(
        Count(
            each["id"], each["name"], Kind(each["kind"]), tuple(each.get("aliases", ())), each.get("done", ""),
            tuple(each.get("at_most", ())),
        )
        for each in data["counts"]
    )  # fmt: skip
    rates = tuple(
        Rate(
            each["id"], each["name"], each["formula"], each["numerator"],
            tuple(tuple(one.split(" + ")) for one in each["denominators"]), each.get("less", ""),
            tuple(each.get("aliases", ())),
            each.get("source", data["source"]), each.get("confidence", data["confidence"]),
        )
        for each in data["rates"]
    )  # fmt: skip
    known = {each.id for each in counts}
    named = [
        *((each.id, name) for each in counts for name in (*each.at_most, *filter(None, [each.done]))),
        *(
            (each.id, name)
            for each in rates
            for name in (
                each.plus,
                *filter(None, [each.minus]),
                *(key for keys in each.denominators for key in keys),
            )
        ),
    ]
    for entry, name in named:
        if name not in known:
            raise ValueError(f"{entry} names the count {name}, which is not in the list")
    made = Book(data["edition"], data["source"], counts, rates, tuple(data.get("notes", ())))
    names = [plain_name(name) for each in counts for name in (each.id, each.name, *each.aliases)]
    if len(made.by_name()) != len(names):
        raise ValueError("two counts have the same name")
    return made


# --- reading counts --------------------------------------------------------------------------------

_MONTH_NAMES = ("month", "月份", "月", "period", "统计期", "label")
# Words about the table that are no counts; they are left alone.
_ASIDES = {
    "source",
    "来源",
    "note",
    "备注",
    "说明",
    "area",
    "区划",
    "name",
    "名称",
    "title",
    "标题",
    "unit",
    "单位",
}
_LEADING_MONTH = re.compile(r"([0-9]{4})-([0-9]{1,2})(?![0-9])")


def plain_name(name: str) -> str:
    """Return a name as it is compared: without case, blanks, underlines and brackets."""
    return re.sub(r"[\s_\-()（）]+", "", name).casefold()


def read_month(book: Book, given: Mapping[str, Any], *, text_numbers: bool = False, at: int = 1) -> Sheet:
    """Return one month with its rates.

    given: counts by id, name or alias; a rate's own name beside them is compared with the counts
    text_numbers: take "911" for 911, as a CSV cannot say it otherwise
    RuleError("count-unreadable" | "count-twice" | "count-contradicts" | "carry-over") naming the key and month.
    """
    label = next(
        (str(given[name]) for name in _MONTH_NAMES if given.get(name) not in (None, "")), f"第{at}期"
    )
    names, rates = (
        book.by_name(),
        {plain_name(name): each for each in book.rates for name in (each.id, each.name, *each.aliases)},
    )
    counts: dict[str, int] = {}
    stated: dict[str, Decimal] = {}
    unknown = []
    asides = {plain_name(name) for name in (*_ASIDES, *_MONTH_NAMES)}
    for key, raw in given.items():
        name = plain_name(str(key))
        if name in asides or raw is None or (isinstance(raw, str) and raw.strip() in ("", "—", "-")):
            continue
        if name in rates:
            stated[rates[name].id] = _stated(str(key), raw, label)
        elif name not in names:
            unknown.append(str(key))
        else:
            count = names[name]
            value = _whole(str(key), raw, label, text_numbers)
            if counts.get(count.id, value) != value:
                raise RuleError(
                    "count-twice",
                    N_("{label}：“{key}”（{name}）给了两个不同的数。请只留一个。"),
                    label=label,
                    key=str(key),
                    name=count.name,
                )
            counts[count.id] = value
    _require_possible(book, counts, label)
    made = sheet(book, label, counts)
    return Sheet(label, counts, made.rates, made.balance, _compared(made, stated), tuple(unknown))


def _whole(key: str, raw: Any, label: str, text_numbers: bool) -> int:
    if text_numbers and isinstance(raw, str) and re.fullmatch(r"[0-9]{1,15}", raw.strip(), re.ASCII):
        return int(raw)
    if isinstance(raw, bool) or not isinstance(raw, int) or raw < 0:
        raise RuleError(
            "count-unreadable",
            N_("{label}：“{key}”是“{value}”，不是非负整数。请写成整数，例如 911；不知道的请留空。"),
            label=label,
            key=key,
            value=str(raw)[:40],
        )
    return raw


def _stated(key: str, raw: Any, label: str) -> Decimal:
    text = str(raw).strip().removesuffix("%").strip()
    if isinstance(raw, bool) or not re.fullmatch(r"[0-9]{1,6}(\.[0-9]{1,6})?", text, re.ASCII):
        raise RuleError(
            "count-unreadable",
            N_("{label}：“{key}”是“{value}”，不是百分数。请写成例如 93.72。"),
            label=label,
            key=key,
            value=str(raw)[:40],
        )
    return Decimal(text)


def _require_possible(book: Book, counts: Mapping[str, int], label: str) -> None:
    for count in book.counts:
        for other in count.at_most:
            if count.id in counts and other in counts and counts[count.id] > counts[other]:
                raise RuleError(
                    "count-contradicts",
                    N_(
                        "{label}：{key}（{name}）{value} 大于 {other_key}（{other}）{limit}，两者不能同时成立。请核对。"
                    ),
                    label=label,
                    key=count.id,
                    name=count.name,
                    value=counts[count.id],
                    other_key=other,
                    other=book.count(other).name,
                    limit=counts[other],
                )
    balance = balance_of(counts)
    if balance.holds is False:
        raise RuleError(
            "carry-over",
            N_(
                "{label}：期初未结 + 立案 − 撤销 − 结案 = {expected}，与期末未结 open_end 的 {given} 不符。请核对。"
            ),
            label=label,
            expected=balance.expected,
            given=balance.given,
        )
    if balance.expected is not None and balance.expected < 0:
        raise RuleError(
            "carry-over",
            N_("{label}：结案 closed 和撤销 cancelled 合计，比期初未结加立案还多 {more} 件。请核对。"),
            label=label,
            more=-balance.expected,
        )


def balance_of(counts: Mapping[str, int]) -> Balance:
    """Return how the stock of open cases carries over; 撤销数 counts as none where it is not given."""
    missing = tuple(key for key in ("open_start", "registered", "closed") if key not in counts)
    given = counts.get("open_end")
    if missing:
        return Balance(None, given, missing)
    expected = counts["open_start"] + counts["registered"] - counts["closed"] - counts.get("cancelled", 0)
    return Balance(expected, given, () if given is not None else ("open_end",))


def _compared(made: Sheet, stated: Mapping[str, Decimal]) -> tuple[Stated, ...]:
    found = []
    for rate_id, given in stated.items():
        ratio = made.rate(rate_id).ratio
        quotient = ratio.quotient() if ratio is not None else None
        decimals = max(0, -int(given.as_tuple().exponent))
        agrees = None if quotient is None else round_half_up(quotient, decimals) == given
        found.append(Stated(rate_id, given, agrees))
    return tuple(found)


# --- working out -----------------------------------------------------------------------------------


_NOT_GIVEN = N_("未给出：{names}。")
_NOT_WHOLE = N_("各期给出的数量不全，或不能合并：{names}。")


def sheet(book: Book, label: str, counts: Mapping[str, int], *, reason: str = _NOT_GIVEN) -> Sheet:
    """Return the rates of counts that are known to be possible; reason: why a rate is unknown, with {names}."""
    rates = tuple(rate_value(book, rate, counts, reason=reason) for rate in book.rates)
    return Sheet(label, dict(counts), rates, balance_of(counts))


def rate_value(book: Book, rate: Rate, counts: Mapping[str, int], *, reason: str = _NOT_GIVEN) -> Value:
    """Return one rate: unknown where a count is missing, not assessed over nothing."""
    keys = next((keys for keys in rate.denominators if all(key in counts for key in keys)), None)
    needed = [rate.plus, *filter(None, [rate.minus]), *(keys or rate.denominators[0])]
    missing = [key for key in dict.fromkeys(needed) if key not in counts]
    if missing or keys is None:
        names = "、".join(f"{book.count(key).name} {key}" for key in missing)
        return Value(rate, None, "", reason, {"names": names})
    denominator = sum(counts[key] for key in keys)
    ratio = Ratio(counts[rate.plus] - (counts[rate.minus] if rate.minus else 0), denominator)
    return Value(rate, ratio, " + ".join(keys), NOT_ASSESSED if not denominator else "")


def report(book: Book, rows: Sequence[Mapping[str, Any]], *, text_numbers: bool = False) -> Report:
    """Return each month and the whole.

    RuleError("no-months" | "too-many-months" | "month-twice" | "month-order" | "carry-over") and those of a month.
    """
    if not rows:
        raise RuleError("no-months", N_("文件里没有数据。请至少给出一期的数量。"))
    if len(rows) > MOST_MONTHS:
        raise RuleError("too-many-months", N_("一次最多{most}期，文件里有{count}期。请分开。"),
                        most=MOST_MONTHS, count=len(rows))  # fmt: skip
    months = [read_month(book, row, text_numbers=text_numbers, at=at) for at, row in enumerate(rows, start=1)]
    for one, other in pairwise(months):
        _require_follows(book, one, other)
    return Report(book, tuple(months), whole_of(book, months))


def _require_follows(book: Book, one: Sheet, other: Sheet) -> None:
    """Refuse two months that do not carry over into each other."""
    before, after = _LEADING_MONTH.match(one.label), _LEADING_MONTH.match(other.label)
    if before and after:
        numbers = [int(found[1]) * 12 + int(found[2]) for found in (before, after)]
        if numbers[1] <= numbers[0]:
            raise RuleError(
                "month-order",
                N_("“{other}”排在“{one}”之后，但不比它晚。请按月份先后排列，每月一行。"),
                one=one.label,
                other=other.label,
            )
        if numbers[1] != numbers[0] + 1:
            raise RuleError(
                "month-gap",
                N_("“{one}”之后是“{other}”，中间缺了月份，结转无法核对。请补上。"),
                one=one.label,
                other=other.label,
            )
    left = one.counts.get("open_end", one.balance.expected)
    start = other.counts.get("open_start")
    if left is not None and start is not None and left != start:
        raise RuleError(
            "carry-over",
            N_("{one}期末未结 {left} 件，{other}期初未结 open_start 却是 {start} 件。请核对。"),
            one=one.label,
            other=other.label,
            left=left,
            start=start,
        )
    for count in book.counts:
        if count.kind is not Kind.DUE or count.id not in other.counts:
            continue
        if count.id in one.counts and count.done in one.counts:
            carried = one.counts[count.id] - one.counts[count.done]
            if carried > other.counts[count.id]:
                raise RuleError(
                    "carry-over",
                    N_(
                        "{one}有 {carried} 件应办未办结转，{other}的{name} {key} 却只有 {due} 件。请把结转的计入。"
                    ),
                    one=one.label,
                    other=other.label,
                    name=count.name,
                    key=count.id,
                    carried=carried,
                    due=other.counts[count.id],
                )


def whole_of(book: Book, months: Sequence[Sheet]) -> Sheet:
    """Return all months as one, what was carried over counted once; a single month is its own whole."""
    if len(months) == 1:
        return months[0]
    counts: dict[str, int] = {}
    for count in book.counts:
        value = _whole_count(count, [month.counts for month in months])
        if value is not None:
            counts[count.id] = value
    if "open_start" in counts and "open_end" not in counts:
        last = months[-1].balance.expected
        if last is not None:
            counts["open_end"] = last
    label = f"{months[0].label} — {months[-1].label}"
    return sheet(book, label, counts, reason=_NOT_WHOLE)


def _whole_count(count: Count, months: Sequence[Mapping[str, int]]) -> int | None:
    """Return one count over all months, None where a month does not say what is needed."""
    if count.kind is Kind.START:
        return months[0].get(count.id)
    if count.kind is Kind.END:
        return months[-1].get(count.id)
    if count.kind is Kind.DISTINCT:
        return None
    if count.kind is Kind.DUE:
        parts = [month.get(count.done) for month in months[:-1]] + [months[-1].get(count.id)]
    else:
        parts = [month.get(count.id) for month in months]
    known = [part for part in parts if part is not None]
    return sum(known) if len(known) == len(parts) else None


# --- printing --------------------------------------------------------------------------------------


def as_json(made: Report, translate: Any = str) -> dict[str, Any]:
    """Return the report as `weicheng casestats --json` prints it; keys are stable.

    {"edition", "source", "months": [SHEET, …], "whole": SHEET}, where SHEET is {"label", "counts": {id: number},
    "rates": {id: RATE}, "carry_over": {"expected", "given", "holds", "missing"}, "stated": {id: {"given", "agrees"}},
    "unknown": [name, …]} and RATE is {"name", "value": per cent with two places or null, "numerator", "denominator",
    "denominator_key", "formula", "source", "confidence", "reason": "" or why the value is null}.
    """
    return {
        "edition": made.book.edition,
        "source": made.book.source,
        "months": [_sheet_json(one, translate) for one in made.months],
        "whole": _sheet_json(made.whole, translate),
    }


def _sheet_json(one: Sheet, translate: Any) -> dict[str, Any]:
    balance = one.balance
    return {
        "label": one.label,
        "counts": dict(one.counts),
        "rates": {each.rate.id: _rate_json(each, translate) for each in one.rates},
        "carry_over": {
            "expected": balance.expected,
            "given": balance.given,
            "holds": balance.holds,
            "missing": list(balance.missing),
        },
        "stated": {each.rate_id: {"given": float(each.given), "agrees": each.agrees} for each in one.stated},
        "unknown": list(one.unknown),
    }


def _rate_json(one: Value, translate: Any) -> dict[str, Any]:
    number = one.number()
    return {
        "name": one.rate.name,
        # Two decimal places survive a float unharmed; readers expect a number and not a text.
        "value": None if number is None else float(number),
        "numerator": None if one.ratio is None else int(one.ratio.numerator),
        "denominator": None if one.ratio is None else int(one.ratio.denominator),
        "denominator_key": one.denominator_key,
        "formula": one.rate.formula,
        "source": one.rate.source,
        "confidence": one.rate.confidence,
        "reason": translate(one.reason).format(**one.values) if one.reason else "",
    }
