"""A document as its page shows it: the same text as in Word, each figure a link to its records."""

from collections.abc import Sequence
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _

from weicheng.documents.models import Document
from weicheng.indicators.figures import url_of
from weicheng.rules.content import (
    Block,
    Chart,
    Code,
    Content,
    FigureRef,
    Form,
    Heading,
    Line,
    LinkRef,
    Paragraph,
    Photos,
    Signatures,
    Table,
    TearOff,
    Text,
    day_text,
    numbers,
)


class Preview:
    """Turns content into what `documents/_paper.html` draws. version: 0 for the document as it stands now."""

    def __init__(self, document: Document, content: Content, version: int = 0) -> None:
        self.document, self.content, self.version = document, content, version
        self.drawn = 0

    def paper(self) -> dict[str, Any]:
        content = self.content
        many = len(content.attachments) > 1
        return {
            "content": content,
            "draft": content.is_draft,
            "number": content.number or f"{content.word}〔    〕  号",
            "day": day_text(content.signed_on) if content.signed_on else "",
            "copies_to": content.copies_to.rstrip("。"),
            "blocks": self.blocks(content.blocks),
            "slip": self.blocks(content.slip),
            "attachments": [
                {
                    "mark": f"附件{place}" if many else "附件",
                    "title": attachment.title,
                    "blocks": self.blocks(attachment.blocks),
                }
                for place, attachment in enumerate(content.attachments, 1)
            ],
        }

    def blocks(self, blocks: Sequence[Block]) -> list[dict[str, Any]]:
        return [self.block(number, block) for number, block in zip(numbers(blocks), blocks, strict=True)]

    def block(self, number: str, block: Block) -> dict[str, Any]:
        match block:
            case Heading():
                return {"is": "heading", "text": number + block.text, "level": block.level}
            case Paragraph():
                if len(block.line) == 1 and isinstance(block.line[0], Text):
                    lines = [line.strip() for line in block.line[0].text.split("\n") if line.strip()]
                    parts = [[{"text": line, "strong": block.line[0].strong}] for line in lines]
                else:
                    parts = [self.line(block.line)]
                return {"is": "paragraph", "lines": parts, "own": block.own}
            case Table():
                return {
                    "is": "table",
                    "title": block.title,
                    "head": block.head,
                    "rows": [
                        [
                            {"parts": self.line(cell), "number": at in block.numbers, "head": head}
                            for at, (cell, head) in enumerate(zip(row, block.head, strict=True))
                        ]
                        for row in block.rows
                    ],
                }
            case Form():
                return {
                    "is": "form",
                    "facts": [
                        {"label": fact.label, "parts": self.line(fact.line), "room": bool(fact.room)}
                        for fact in block.facts
                    ],
                }
            case Photos():
                return {
                    "is": "photos",
                    "photos": [
                        {"url": self.picture(), "alt": one.alt, "caption": one.caption}
                        for one in block.pictures
                    ],
                }
            case Chart():
                return {"is": "chart", "url": self.picture(), "alt": block.alt}
            case Code():
                return {"is": "code", "url": self.picture(), "alt": block.caption, "caption": block.caption}
            case Signatures():
                return {"is": "signatures", "lines": block.lines}
            case TearOff():
                return {"is": "tear", "label": block.label}

    def line(self, line: Line) -> list[dict[str, Any]]:
        return [self.part(part) for part in line]

    def part(self, part: Text | FigureRef | LinkRef) -> dict[str, Any]:
        match part:
            case Text():
                return {"text": part.text, "strong": part.strong}
            case LinkRef():
                return {"text": part.text, "url": part.path}
            case FigureRef():
                figure = part.figure
                said = _("{title}：{definition}（{scope}，{period}）").format(
                    title=_(figure.title), definition=_(figure.definition), scope=figure.scope.name,
                    period=figure.period.label,
                )  # fmt: skip
                return {"text": part.text, "url": url_of(figure), "figure": True, "said": said}

    def picture(self) -> str:
        """Return the address of the next picture, by its place in `Content.pictures`."""
        place, self.drawn = self.drawn, self.drawn + 1
        address = reverse("document_picture", args=[self.document.uid, place])
        return f"{address}?version={self.version}" if self.version else address
