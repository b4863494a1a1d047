"""What a document says, as data: headings, paragraphs, tables, figures, pictures. Word and the browser only dress it.

A number in a document is not typed: it is a `FigureRef` that carries the whole frozen figure, so that a reader of
the issued document can still ask what was counted, where, when, and which records stood behind it.

Source: the elements of GB/T 9704-2012 (发文机关标志 发文字号 标题 主送机关 正文 附件 署名 日期 版记); design 5.7.
"""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from weicheng.rules.digests import canonical, digest
from weicheng.rules.figures import Figure, Period, Ratio, Scope

FORM = 1  # of the stored bytes; raised when a node changes its meaning


@dataclass(frozen=True)
class Text:
    """A run of words; strong: in the face of a heading of the first level."""

    text: str
    strong: bool = False


@dataclass(frozen=True)
class FigureRef:
    """A figure in running text or in a cell, printed as everywhere; bare: without its unit."""

    figure: Figure
    bare: bool = False

    @property
    def text(self) -> str:
        return self.figure.text() if self.bare else self.figure.with_unit()


@dataclass(frozen=True)
class LinkRef:
    """Words that lead to a page of this site; on paper they are only words. path: begins with /"""

    text: str
    path: str


Inline = Text | FigureRef | LinkRef
Line = tuple[Inline, ...]


@dataclass(frozen=True)
class Heading:
    """A heading; level 1 to 4 is numbered 一、（一）1.（1） by `numbers`."""

    text: str
    level: int = 1


@dataclass(frozen=True)
class Paragraph:
    """A paragraph, first line indented.

    own: name of the place where an officer writes in own words, "" for text that follows from records. Such a
    paragraph holds one `Text`; its lines become paragraphs of their own.
    """

    line: Line
    own: str = ""


@dataclass(frozen=True)
class Table:
    """A table; its head is repeated on each page.

    widths: shares of the whole width, one a column; numbers: columns (from 0) whose cells are centred figures
    """

    title: str
    head: tuple[str, ...]
    rows: tuple[tuple[Line, ...], ...]
    widths: tuple[int, ...]
    numbers: tuple[int, ...] = ()


@dataclass(frozen=True)
class Fact:
    """One line of a form: what is asked and what is answered; room: empty lines left to write by hand."""

    label: str
    line: Line = ()
    room: int = 0


@dataclass(frozen=True)
class Form:
    """Lines of label and answer, framed."""

    facts: tuple[Fact, ...]


@dataclass(frozen=True)
class Picture:
    """A photo, by the SHA-256 of its original: the words may travel, the picture stays where it is kept."""

    sha256: str
    caption: str
    alt: str


@dataclass(frozen=True)
class Photos:
    """Photos beside each other, two to a row."""

    pictures: tuple[Picture, ...]


@dataclass(frozen=True)
class Series:
    """One line or one set of bars of a chart."""

    name: str
    values: tuple[int, ...]


@dataclass(frozen=True)
class Chart:
    """A chart as the numbers it shows; shape: "bars" or "lines"; alt: the same in words."""

    shape: str
    title: str
    labels: tuple[str, ...]
    series: tuple[Series, ...]
    unit: str
    alt: str


@dataclass(frozen=True)
class Code:
    """A QR code that leads to an address."""

    address: str
    caption: str


@dataclass(frozen=True)
class Signatures:
    """Places to sign by hand, one line each."""

    lines: tuple[str, ...]


@dataclass(frozen=True)
class TearOff:
    """A dashed line to cut along; what follows is a slip of its own (回执)."""

    label: str


Block = (
    Heading | Paragraph | Table | Form | Photos | Chart | Code | Signatures | TearOff
)  # fmt: skip


@dataclass(frozen=True)
class Attachment:
    """An attachment (附件), begun on a page of its own."""

    title: str
    blocks: tuple[Block, ...]


@dataclass(frozen=True)
class Content:
    """A whole document.

    kind: a code of `documents.kinds`; agency: 发文机关标志; number: 发文字号, "" until it is issued
    word: the 机关代字 the number will have; addressed_to: 主送机关 with its colon, "" for none
    period: what it reports on, None for a notice; as_of: when its figures were counted
    signed_by, signed_on: 署名 and 成文日期, the day None until it is issued
    slip: what stands below the signature, to be signed or cut off and handed back (回执)
    copies_to, printed_by: 版记; editions: ids of the layouts and standards that were used
    """

    kind: str
    agency: str
    title: str
    word: str
    addressed_to: str
    as_of: datetime
    blocks: tuple[Block, ...]
    period: Period | None = None
    attachments: tuple[Attachment, ...] = ()
    slip: tuple[Block, ...] = ()
    number: str = ""
    signed_by: str = ""
    signed_on: date | None = None
    copies_to: str = ""
    printed_by: str = ""
    editions: tuple[str, ...] = ()

    def every_block(self) -> Iterator[Block]:
        """Return the blocks of the body, of the slip and of all attachments, in order."""
        yield from self.blocks
        yield from self.slip
        for attachment in self.attachments:
            yield from attachment.blocks

    def figures(self) -> list[Figure]:
        """Return every figure in the order in which it is read."""
        return [part.figure for line in self.lines() for part in line if isinstance(part, FigureRef)]

    def lines(self) -> Iterator[Line]:
        """Return every line of text that may hold a figure."""
        for block in self.every_block():
            match block:
                case Paragraph():
                    yield block.line
                case Table():
                    for row in block.rows:
                        yield from row
                case Form():
                    yield from (fact.line for fact in block.facts)
                case _:
                    pass

    def pictures(self) -> list[Picture | Chart | Code]:
        """Return everything that is drawn, in order; its place in this list names it in an address."""
        found: list[Picture | Chart | Code] = []
        for block in self.every_block():
            match block:
                case Photos():
                    found.extend(block.pictures)
                case Chart() | Code():
                    found.append(block)
                case _:
                    pass
        return found

    def own_words(self) -> dict[str, str]:
        """Return what stands in the places for own words: name → text."""
        return {
            block.own: plain(block.line)
            for block in self.every_block()
            if isinstance(block, Paragraph) and block.own
        }

    def with_own_words(self, words: Mapping[str, str]) -> "Content":
        """Return the document with other own words; places that are not named keep theirs."""

        def changed(block: Block) -> Block:
            if isinstance(block, Paragraph) and block.own in words and block.own:
                return replace(block, line=(Text(words[block.own]),))
            return block

        return replace(
            self,
            blocks=tuple(changed(block) for block in self.blocks),
            slip=tuple(changed(block) for block in self.slip),
            attachments=tuple(
                replace(one, blocks=tuple(changed(block) for block in one.blocks)) for one in self.attachments
            ),
        )

    def issued(self, *, number: str, on: date) -> "Content":
        """Return the document as it is issued: with its number and day."""
        return replace(self, number=number, signed_on=on)

    @property
    def is_draft(self) -> bool:
        return not self.number

    def as_bytes(self) -> bytes:
        """Return the one spelling of the document; `read` gives it back."""
        return canonical({"form": FORM, "content": _written(self)})

    def digest(self) -> str:
        """Return the SHA-256 of its bytes, hex."""
        return digest(self.as_bytes())

    def text(self) -> str:
        """Return the document as plain lines, headings numbered: what a reader reads."""
        return "\n".join(_text_lines(self))


def plain(line: Sequence[Inline]) -> str:
    """Return a line as plain text."""
    return "".join(part.text for part in line)


def file_number(word: str, year: int, serial: int) -> str:
    """Return a 发文字号: 泉创卫办〔2026〕5号, six-angled brackets, no leading zero. Source: GB/T 9704 7.2.5."""
    return f"{word}〔{year}〕{serial}号"


def day_text(day: date) -> str:
    """Return a day as documents write it: 2026年4月5日, no zero before it. Source: GB/T 9704 7.3.5."""
    return f"{day.year}年{day.month}月{day.day}日"


# --- numbers of headings ---------------------------------------------------------------------------------

_DIGITS = "零一二三四五六七八九"


def chinese_number(number: int) -> str:
    """Return 1 to 99 in Chinese numerals: 十, 十二, 二十一. ValueError beyond."""
    if not 1 <= number <= 99:
        raise ValueError(f"{number} is not between 1 and 99")
    tens, ones = divmod(number, 10)
    head = "" if tens == 0 else "十" if tens == 1 else f"{_DIGITS[tens]}十"
    return head + (_DIGITS[ones] if ones else "")


_STYLES: tuple[Callable[[int], str], ...] = (
    lambda n: f"{chinese_number(n)}、",
    lambda n: f"（{chinese_number(n)}）",
    lambda n: f"{n}.",
    lambda n: f"（{n}）",
)


def numbers(blocks: Sequence[Block]) -> list[str]:
    """Return, for each block, the number before its heading, "" where it has none: 一、（一）1.（1）."""
    counters = [0, 0, 0, 0]
    found = []
    for block in blocks:
        if not isinstance(block, Heading):
            found.append("")
            continue
        at = block.level - 1
        counters[at] += 1
        counters[at + 1 :] = [0] * (3 - at)
        found.append(_STYLES[at](counters[at]))
    return found


def _text_lines(content: Content) -> Iterator[str]:
    yield from (
        line for line in (content.agency, content.number, content.title, content.addressed_to) if line
    )
    yield from _block_lines(content.blocks)
    if content.signed_by:
        yield content.signed_by
    if content.signed_on:
        yield day_text(content.signed_on)
    yield from _block_lines(content.slip)
    for place, attachment in enumerate(content.attachments, 1):
        yield f"附件{place}"
        yield attachment.title
        yield from _block_lines(attachment.blocks)


def _block_lines(blocks: Sequence[Block]) -> Iterator[str]:
    for number, block in zip(numbers(blocks), blocks, strict=True):
        match block:
            case Heading():
                yield number + block.text
            case Paragraph():
                yield from plain(block.line).split("\n")
            case Table():
                yield block.title
                yield "\t".join(block.head)
                yield from ("\t".join(plain(cell) for cell in row) for row in block.rows)
            case Form():
                yield from (f"{fact.label}：{plain(fact.line)}" for fact in block.facts)
            case Photos():
                yield from (picture.caption for picture in block.pictures)
            case Chart():
                yield block.alt
            case Code():
                yield block.caption
            case Signatures():
                yield from block.lines
            case TearOff():
                yield block.label


# --- bytes -----------------------------------------------------------------------------------------------

_NODES: dict[str, type[Any]] = {
    cls.__name__: cls
    for cls in (
        Text, FigureRef, LinkRef, Heading, Paragraph, Table, Fact, Form, Picture, Photos, Series, Chart, Code,
        Signatures, TearOff, Attachment, Content, Figure, Scope, Period, Ratio,
    )
}  # fmt: skip
_SCALARS: dict[str, Callable[[str], Any]] = {
    "date": date.fromisoformat,
    "moment": datetime.fromisoformat,
    "decimal": Decimal,
}


def read(data: bytes) -> Content:
    """Return the document that these bytes spell; ValueError for bytes that are none."""
    given = json.loads(data)
    if not isinstance(given, dict) or given.get("form") != FORM:
        raise ValueError(f"the bytes are no document of form {FORM}")
    found = _read(given["content"])
    if not isinstance(found, Content):
        raise ValueError("the bytes are no document")
    return found


def _written(value: Any) -> Any:
    """Return a node as JSON's own types; what JSON has no type for says what it is."""
    match value:
        case None | bool() | int() | str():
            return value
        case Decimal():
            return {"is": "decimal", "text": format(value, "f")}
        case datetime():
            return {"is": "moment", "text": value.isoformat()}
        case date():
            return {"is": "date", "text": value.isoformat()}
        case tuple():
            return [_written(inner) for inner in value]
    name = type(value).__name__
    if name not in _NODES:
        raise TypeError(f"{name} has no place in a document")
    return {"is": name, **{field.name: _written(getattr(value, field.name)) for field in fields(value)}}


def _read(given: Any) -> Any:
    if isinstance(given, list):
        return tuple(_read(inner) for inner in given)
    if not isinstance(given, dict):
        return given
    name = given["is"]
    if name in _SCALARS:
        return _SCALARS[name](given["text"])
    if name not in _NODES:
        raise ValueError(f"{name} has no place in a document")
    return _NODES[name](**{key: _read(inner) for key, inner in given.items() if key != "is"})
