"""Word files of documents, set by an edition of the layout (GB/T 9704); the same content gives the same bytes.

Nothing is decided here: what is said stands in `rules.content`, how it is set in an edition of kind
document-layout. The body is written as WordprocessingML text and parsed once: tables of thousands of cells through
python-docx's objects would take seconds.

Learnt from the pictures: a grid of type "linesAndChars" makes LibreOffice print 20 to 23 characters a line, so the
grid is of type "lines" and the characters are brought to 28 by their spacing; "firstLineChars" alone is ignored
there, so "firstLine" stands beside it.
"""

import io
import re
import zipfile
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, time
from decimal import Decimal
from xml.sax.saxutils import escape, quoteattr

import docx
from docx.document import Document as DocxDocument
from docx.opc.constants import RELATIONSHIP_TYPE
from docx.oxml import parse_xml
from docx.oxml.ns import nsdecls
from docx.shared import Mm, Pt

from weicheng.rules.content import (
    Block,
    Chart,
    Code,
    Content,
    Fact,
    Form,
    Heading,
    Line,
    Paragraph,
    Photos,
    Picture,
    Signatures,
    Table,
    TearOff,
    Text,
    day_text,
    numbers,
)
from weicheng.rules.errors import N_
from weicheng.standards.kinds import DocumentLayout, Face

MEDIA_TYPE = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
Drawn = Picture | Chart | Code
# A picture as bytes; None where it cannot be had (an original lost), which is said in its place.
Pictures = Callable[[Drawn], bytes | None]

DRAFT_MARK = N_("草稿（未签发）")
NO_PICTURE = N_("（照片缺失）")
_CM = Decimal("28.3464567")  # points in a centimetre
_ZIP_DAY = (1980, 1, 1, 0, 0, 0)  # the earliest a ZIP can say


def docx_of(contents: Content | Sequence[Content], layout: DocumentLayout, pictures: Pictures) -> bytes:
    """Return one Word file with these documents, each begun on a new page.

    layout: the edition's body; pictures: gives the bytes (JPEG or PNG) of what is drawn
    """
    many = [contents] if isinstance(contents, Content) else list(contents)
    document = docx.Document()
    _strip(document)
    writer = _Writer(document, layout, pictures)
    parts: list[str] = []
    for place, content in enumerate(many):
        parts.extend(writer.whole(content, new_page=bool(place)))
    body = document.element.body
    section = body.sectPr
    wrapped = parse_xml(f"<w:body {nsdecls('w', 'r', 'wp', 'a', 'pic')}>{''.join(parts)}</w:body>")
    for child in list(wrapped):
        section.addprevious(child)
    _page(document, layout)
    _fonts(document, layout)
    _properties(document, many[0])
    out = io.BytesIO()
    document.save(out)
    return _same_bytes(out.getvalue())


# --- the file around the text ----------------------------------------------------------------------------


def _strip(document: DocxDocument) -> None:
    """Take out what python-docx's template brings along and a document of ours does not need."""
    package = document.part.package
    for key, relation in list(package.rels.items()):
        if relation.reltype == RELATIONSHIP_TYPE.THUMBNAIL:
            del package.rels[key]
    for child in list(document.element.body):
        if not child.tag.endswith("}sectPr"):
            document.element.body.remove(child)


def _page(document: DocxDocument, layout: DocumentLayout) -> None:
    section = document.sections[0]
    section.page_width, section.page_height = Mm(float(layout.paper_mm[0])), Mm(float(layout.paper_mm[1]))
    section.top_margin, section.bottom_margin = Mm(float(layout.top_mm)), Mm(float(layout.bottom_mm))
    section.left_margin, section.right_margin = Mm(float(layout.left_mm)), Mm(float(layout.right_mm))
    # A footer is measured from its foot to the edge; the page number's head is what the standard places.
    number_mm = layout.page_number.size_pt * Decimal("1.3") / _CM * 10
    section.footer_distance = Mm(float(layout.bottom_mm - layout.page_gap_mm - number_mm))
    section.header_distance = Mm(15)
    grid = section._sectPr.find(_w("docGrid"))
    if grid is not None:
        section._sectPr.remove(grid)
    section._sectPr.append(
        parse_xml(f'<w:docGrid {nsdecls("w")} w:type="lines" w:linePitch="{_twips(layout.pitch_pt)}"/>')
    )
    document.settings.odd_and_even_pages_header_footer = True
    for footer, side in ((section.footer, "right"), (section.even_page_footer, "left")):
        footer.is_linked_to_previous = False
        old = footer.paragraphs[0]._p
        indent = _twips(layout.page_number.size_pt * layout.page_side)
        run = _run_properties(layout.page_number)
        field = "".join(
            f"<w:r>{run}{inner}</w:r>"
            for inner in (
                '<w:t xml:space="preserve">— </w:t>',
                '<w:fldChar w:fldCharType="begin"/>',
                '<w:instrText xml:space="preserve"> PAGE </w:instrText>',
                '<w:fldChar w:fldCharType="separate"/>',
                "<w:t>1</w:t>",
                '<w:fldChar w:fldCharType="end"/>',
                '<w:t xml:space="preserve"> —</w:t>',
            )
        )
        old.getparent().replace(
            old,
            parse_xml(
                f'<w:p {nsdecls("w")}><w:pPr><w:snapToGrid w:val="0"/><w:spacing w:before="0" w:after="0"/>'
                f'<w:ind w:{side}="{indent}" w:{side}Chars="{layout.page_side * 100}"/><w:jc w:val="{side}"/>'
                f"</w:pPr>{field}</w:p>"
            ),
        )


def _fonts(document: DocxDocument, layout: DocumentLayout) -> None:
    """Make the body's face the default, and name for each face what to take where it is not installed."""
    styles = document.styles
    normal = styles["Normal"]
    normal.font.size = Pt(float(layout.body.size_pt))
    properties = normal.element.get_or_add_rPr()
    for old in properties.findall(_w("rFonts")):
        properties.remove(old)
    properties.insert(0, parse_xml(_face_xml(layout.body, nsdecls("w"))))
    # The extra gap between Chinese and figures would push the 28th character off its line.
    for name in ("autoSpaceDE", "autoSpaceDN"):
        normal.element.get_or_add_pPr().append(parse_xml(f'<w:{name} {nsdecls("w")} w:val="0"/>'))
    defaults = styles.element.find(_w("docDefaults"))
    if defaults is not None:
        for old in defaults.iter(_w("rFonts")):
            for name in list(old.attrib):
                del old.attrib[name]
            for slot in _SLOTS:
                old.set(_w(slot), layout.body.font)
        for old in defaults.iter(_w("lang")):
            # Chinese as the language of Latin text lets a number be torn at the end of a line.
            old.set(_w("val"), "en-US")
            old.set(_w("eastAsia"), "zh-CN")
    table = next(
        part for part in document.part.package.iter_parts() if str(part.partname) == "/word/fontTable.xml"
    )
    known = dict.fromkeys((face.font, face.fallback) for _title, face in layout.faces)
    table._blob = (
        '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
        f"<w:fonts {nsdecls('w')}>"
        + "".join(
            f'<w:font w:name={quoteattr(font)}><w:altName w:val={quoteattr(fallback)}/><w:charset w:val="86"/>'
            '<w:family w:val="auto"/><w:pitch w:val="variable"/></w:font>'
            for font, fallback in known
        )
        + "</w:fonts>"
    ).encode()


def _properties(document: DocxDocument, content: Content) -> None:
    """Say what the file is; its moments come from the content, so that equal content is an equal file."""
    day = content.signed_on or (content.period.end if content.period else content.as_of.date())
    # Office reads these without a zone as UTC.
    moment = datetime.combine(day, time(), UTC).replace(tzinfo=None)
    core = document.core_properties
    core.title, core.author, core.last_modified_by = content.title[:250], content.agency[:250], ""
    core.created = core.modified = moment
    core.comments, core.keywords, core.subject, core.category = "", "", content.number, ""
    core.language, core.revision = "zh-CN", 1


def _same_bytes(data: bytes) -> bytes:
    """Return the package with its parts in one order and without the moment of writing."""
    out = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(data)) as given,
        zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as made,
    ):
        # The list of types comes first, as readers that sniff expect.
        for name in sorted(given.namelist(), key=lambda name: (name != "[Content_Types].xml", name)):
            entry = zipfile.ZipInfo(name, _ZIP_DAY)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = 0o600 << 16
            made.writestr(entry, given.read(name))
    return out.getvalue()


# --- pieces of markup ------------------------------------------------------------------------------------

_SLOTS = ("ascii", "hAnsi", "eastAsia", "cs")
# What XML 1.0 cannot carry at all; a note pasted from elsewhere may hold it.
_FORBIDDEN = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def _w(name: str) -> str:
    return f"{{http://schemas.openxmlformats.org/wordprocessingml/2006/main}}{name}"


def _twips(points: Decimal | int) -> int:
    """Return twentieths of a point, half-up."""
    return int((Decimal(points) * 20 + Decimal("0.5")) // 1)


def _face_xml(face: Face, declared: str = "") -> str:
    name = quoteattr(face.font)
    slots = " ".join(f"w:{slot}={name}" for slot in _SLOTS)
    return f"<w:rFonts {declared} {slots}/>"


def _run_properties(
    face: Face, *, size: Decimal | None = None, colour: str = "", spacing: Decimal = Decimal(0)
) -> str:
    half_points = int(((size or face.size_pt) * 2 + Decimal("0.5")) // 1)
    return (
        f"<w:rPr>{_face_xml(face)}"
        + (f'<w:color w:val="{colour}"/>' if colour else "")
        + (
            f'<w:spacing w:val="{_twips(spacing) if spacing >= 0 else -_twips(-spacing)}"/>'
            if spacing
            else ""
        )
        + f'<w:sz w:val="{half_points}"/><w:szCs w:val="{half_points}"/><w:lang w:eastAsia="zh-CN"/></w:rPr>'
    )


def _words(text: str) -> str:
    clean = escape(_FORBIDDEN.sub("", text))
    return f'<w:t xml:space="preserve">{clean}</w:t>'


class _Writer:
    """Writes the blocks of documents as markup; `document` takes the pictures."""

    def __init__(self, document: DocxDocument, layout: DocumentLayout, pictures: Pictures) -> None:
        self.document, self.layout, self.pictures = document, layout, pictures
        self.body = _run_properties(layout.body, spacing=layout.spacing_pt)
        self.strong = _run_properties(layout.level_one, size=layout.body.size_pt, spacing=layout.spacing_pt)
        self.title = _run_properties(layout.title)
        self.red_rule = f'w:val="single" w:sz="12" w:color="{layout.red}"'
        self.headings = (
            _run_properties(layout.level_one, spacing=layout.spacing_pt),
            _run_properties(layout.level_two, spacing=layout.spacing_pt),
            self.body,
            self.body,
        )
        self.cell = _run_properties(layout.table)
        self.cell_head = _run_properties(layout.level_one, size=layout.table.size_pt)
        self.imprint = _run_properties(layout.imprint)
        # How wide a character is with its spacing: what an indent of two characters is measured by.
        self.em = layout.body.size_pt + layout.spacing_pt
        self.drawings = 0

    # --- paragraphs ---
    def paragraph(
        self,
        runs: str,
        *,
        indent: int = 0,
        right: Decimal | int = 0,
        align: str = "both",
        keep_next: bool = False,
        extra: str = "",
        before: Decimal | int = 0,
        exact: bool = True,
        new_page: bool = False,
    ) -> str:
        """Return a paragraph; indent and right in characters of the body, before in points."""
        line = f' w:line="{_twips(self.layout.pitch_pt)}" w:lineRule="exact"' if exact else ""
        indents = ""
        if indent:
            indents += f' w:firstLine="{_twips(self.em * indent)}" w:firstLineChars="{indent * 100}"'
        if right:
            indents += (
                f' w:right="{_twips(self.em * Decimal(right))}" w:rightChars="{int(Decimal(right) * 100)}"'
            )
        return (
            "<w:p><w:pPr>"
            + ("<w:keepNext/>" if keep_next else "")
            + ("<w:pageBreakBefore/>" if new_page else "")
            + '<w:widowControl w:val="0"/>'
            + extra
            + f'<w:spacing w:before="{_twips(before)}" w:after="0"{line}/>'
            + (f"<w:ind{indents}/>" if indents else "")
            + f'<w:jc w:val="{align}"/></w:pPr>{runs}</w:p>'
        )

    def run(self, text: str, properties: str) -> str:
        return f"<w:r>{properties}{_words(text)}</w:r>" if text else ""

    def blank(self, count: int = 1, *, keep_next: bool = False) -> list[str]:
        return [self.paragraph("", keep_next=keep_next)] * count

    def line(self, line: Line, normal: str, strong: str) -> str:
        return "".join(
            self.run(part.text, strong if isinstance(part, Text) and part.strong else normal) for part in line
        )

    # --- the whole ---
    def whole(self, content: Content, *, new_page: bool = False) -> Iterator[str]:
        """Return one document: head, title, body, signature, attachments, imprint."""
        yield from self.head(content, new_page)
        # A signature never stands on a page alone: the end of the text goes over with it.
        yield from self.blocks(content.blocks, keep_end=bool(content.signed_by))
        yield from self.signature(content)
        yield from self.blocks(content.slip)
        many = len(content.attachments) > 1
        for place, attachment in enumerate(content.attachments, 1):
            mark = f"附件{place}" if many else "附件"
            # Not a paragraph with a break: at the foot of a full page that would leave a page empty.
            yield self.paragraph(self.run(mark, self.strong), align="left", keep_next=True, new_page=True)
            yield from self.blank(keep_next=True)
            yield self.paragraph(self.run(attachment.title, self.title), align="center", keep_next=True)
            yield from self.blank(keep_next=True)
            yield from self.blocks(attachment.blocks)
        yield from self.imprinted(content)

    def head(self, content: Content, new_page: bool) -> Iterator[str]:
        layout = self.layout
        gap = layout.masthead_top_mm / 10 * _CM
        if content.is_draft:
            yield self.paragraph(self.run(DRAFT_MARK, self.strong), align="left", new_page=new_page)
            gap -= layout.pitch_pt
            new_page = False
        width = layout.text_mm[0] / 10 * _CM
        size = min(
            layout.masthead.size_pt, (width / max(1, len(content.agency))).quantize(Decimal("0.5")) - 1
        )
        red = _run_properties(layout.masthead, size=size, colour=layout.red)
        snap = '<w:snapToGrid w:val="0"/>'
        yield self.paragraph(
            self.run(content.agency, red),
            align="center",
            before=gap,
            exact=False,
            extra=snap,
            new_page=new_page,
        )
        yield from self.blank(2)
        gap_pt = int(layout.rule_gap_mm / 10 * _CM)
        yield self.paragraph(
            self.run(content.number or f"{content.word}〔    〕  号", self.body),
            align="center",
            extra=f'<w:pBdr><w:bottom {self.red_rule} w:space="{gap_pt}"/></w:pBdr>',
        )
        yield from self.blank(2)
        for text in _broken(content.title, self.characters_of_title):
            yield self.paragraph(
                self.run(text, self.title), align="center", keep_next=True, exact=False, extra=snap
            )
        yield from self.blank()
        if content.addressed_to:
            yield self.paragraph(self.run(content.addressed_to, self.body), align="left")

    @property
    def characters_of_title(self) -> int:
        """How many characters of the title's size a line takes, two left free at each side."""
        return max(4, int(self.layout.text_mm[0] / 10 * _CM / self.layout.title.size_pt) - 2)

    def signature(self, content: Content) -> Iterator[str]:
        attachments = content.attachments
        if attachments:
            yield from self.blank(keep_next=True)
            many = len(attachments) > 1
            for place, attachment in enumerate(attachments, 1):
                mark = "附件：" if place == 1 else "\u3000\u3000\u3000"
                number = f"{place}." if many else ""
                yield self.paragraph(
                    self.run(f"{mark}{number}{attachment.title}", self.body), indent=2, keep_next=True
                )
        if not content.signed_by:
            return
        # Room for a seal: it covers name and date, so nothing of the text may stand beneath it.
        yield from self.blank(3, keep_next=True)
        day = day_text(content.signed_on) if content.signed_on else "\u3000\u3000年\u3000月\u3000日"
        name_at, day_at = _seal_places(content.signed_by, day, self.layout.date_right)
        yield self.paragraph(
            self.run(content.signed_by, self.body), align="right", right=name_at, keep_next=True
        )
        yield self.paragraph(self.run(day, self.body), align="right", right=day_at)

    def imprinted(self, content: Content) -> Iterator[str]:
        """Return the 版记: who gets a copy, who printed it and when, between two heavy lines."""
        if not content.printed_by:
            return
        heavy, light = (int(mm / 10 * _CM * 8 + Decimal("0.5")) for mm in (
            self.layout.heavy_rule_mm, self.layout.light_rule_mm
        ))  # fmt: skip
        width = _twips(self.layout.text_mm[0] / 10 * _CM)
        rows = []
        if content.copies_to:
            rows.append((f"抄送：{content.copies_to.rstrip('。')}。", ""))
        day = (
            f"{day_text(content.signed_on)}印发"
            if content.signed_on
            else "\u3000\u3000年\u3000月\u3000日印发"
        )
        rows.append((content.printed_by, day))
        tall = _twips(self.layout.imprint.size_pt * Decimal("1.7"))
        cells = []
        for place, (left, right) in enumerate(rows):
            top = f'<w:top w:val="single" w:sz="{heavy if place == 0 else light}"/>'
            bottom = f'<w:bottom w:val="single" w:sz="{heavy}"/>' if place == len(rows) - 1 else ""
            tab = f'<w:tabs><w:tab w:val="right" w:pos="{width - 280}"/></w:tabs>' if right else ""
            inner = (
                f"<w:p><w:pPr>{tab}"
                '<w:snapToGrid w:val="0"/><w:spacing w:before="0" w:after="0"/><w:ind w:left="280"/>'
                f"</w:pPr>{self.run(left, self.imprint)}"
                + (f"<w:r><w:tab/></w:r>{self.run(right, self.imprint)}" if right else "")
                + "</w:p>"
            )
            cells.append(
                f'<w:tr><w:trPr><w:cantSplit/><w:trHeight w:val="{tall}" w:hRule="atLeast"/></w:trPr><w:tc><w:tcPr>'
                f'<w:tcW w:w="{width}" w:type="dxa"/><w:tcBorders>{top}{bottom}</w:tcBorders>'
                f'<w:vAlign w:val="center"/></w:tcPr>{inner}</w:tc></w:tr>'
            )
        yield self.paragraph("", keep_next=True)
        yield (
            '<w:tbl><w:tblPr><w:tblpPr w:leftFromText="0" w:rightFromText="0" w:vertAnchor="margin" '
            'w:horzAnchor="margin" w:tblpX="0" w:tblpYSpec="bottom"/>'
            f'<w:tblW w:w="{width}" w:type="dxa"/><w:tblLayout w:type="fixed"/>'
            '<w:tblCellMar><w:left w:w="0" w:type="dxa"/><w:right w:w="0" w:type="dxa"/></w:tblCellMar></w:tblPr>'
            f'<w:tblGrid><w:gridCol w:w="{width}"/></w:tblGrid>{"".join(cells)}</w:tbl>'
        )
        yield '<w:p><w:pPr><w:spacing w:before="0" w:after="0" w:line="20" w:lineRule="exact"/></w:pPr></w:p>'

    # --- blocks ---
    def blocks(self, blocks: Sequence[Block], *, keep_end: bool = False) -> Iterator[str]:
        for place, (number, block) in enumerate(zip(numbers(blocks), blocks, strict=True), 1):
            match block:
                case Heading():
                    yield self.paragraph(
                        self.run(number + block.text, self.headings[block.level - 1]),
                        indent=2,
                        keep_next=True,
                    )
                case Paragraph():
                    yield from self.text(block, keep_end=keep_end and place == len(blocks))
                case Table():
                    yield from self.table(block)
                case Form():
                    yield from self.form(block)
                case Photos():
                    yield from self.photos(block)
                case Chart():
                    yield from self.chart(block)
                case Code():
                    yield from self.code(block)
                case Signatures():
                    yield from self.blank()
                    yield from (
                        self.paragraph(self.run(line, self.body), align="left", keep_next=True)
                        for line in block.lines
                    )
                case TearOff():
                    yield self.paragraph(
                        self.run(block.label, self.cell),
                        align="center",
                        before=12,
                        exact=False,
                        extra='<w:pBdr><w:top w:val="dashed" w:sz="6" w:space="4"/></w:pBdr><w:snapToGrid w:val="0"/>',
                        keep_next=True,
                    )

    def text(self, block: Paragraph, *, keep_end: bool = False) -> Iterator[str]:
        if len(block.line) == 1 and isinstance(block.line[0], Text):
            lines = [line.strip() for line in block.line[0].text.split("\n") if line.strip()]
            properties = self.strong if block.line[0].strong else self.body
            for place, line in enumerate(lines, 1):
                last = keep_end and place == len(lines)
                yield self.paragraph(self.run(line, properties), indent=2, keep_next=last)
            return
        yield self.paragraph(self.line(block.line, self.body, self.strong), indent=2, keep_next=keep_end)

    def caption(self, text: str, *, keep_next: bool) -> str:
        return self.paragraph(
            self.run(text, self.cell_head), align="center", keep_next=keep_next, exact=False, before=6,
            extra='<w:snapToGrid w:val="0"/>',
        )  # fmt: skip

    def table(self, table: Table) -> Iterator[str]:
        whole = _twips(self.layout.text_mm[0] / 10 * _CM)
        shares = sum(table.widths)
        widths = [whole * share // shares for share in table.widths]
        widths[-1] += whole - sum(widths)
        if table.title:
            yield self.caption(table.title, keep_next=True)
        head = "".join(
            self.table_cell(self.run(text, self.cell_head), width, "center")
            for text, width in zip(table.head, widths, strict=True)
        )
        rows = [
            "<w:tr><w:trPr><w:cantSplit/></w:trPr>"
            + "".join(
                self.table_cell(
                    self.line(cell, self.cell, self.cell_head),
                    width,
                    "center" if at in table.numbers else "left",
                )
                for at, (cell, width) in enumerate(zip(row, widths, strict=True))
            )
            + "</w:tr>"
            for row in table.rows
        ]
        columns = "".join(f'<w:gridCol w:w="{width}"/>' for width in widths)
        yield (
            f'<w:tbl><w:tblPr><w:tblW w:w="{whole}" w:type="dxa"/>{_BORDERS}<w:tblLayout w:type="fixed"/>'
            '<w:tblCellMar><w:left w:w="60" w:type="dxa"/><w:right w:w="60" w:type="dxa"/></w:tblCellMar></w:tblPr>'
            f"<w:tblGrid>{columns}</w:tblGrid>"
            f"<w:tr><w:trPr><w:cantSplit/><w:tblHeader/></w:trPr>{head}</w:tr>{''.join(rows)}</w:tbl>"
        )
        yield self.after()

    def table_cell(self, runs: str, width: int, align: str, *, span: int = 1, tall: int = 0) -> str:
        room = f' w:line="{_twips(tall)}" w:lineRule="atLeast"' if tall else ""
        return (
            f'<w:tc><w:tcPr><w:tcW w:w="{width}" w:type="dxa"/>'
            + (f'<w:gridSpan w:val="{span}"/>' if span > 1 else "")
            + '<w:vAlign w:val="center"/></w:tcPr><w:p><w:pPr><w:snapToGrid w:val="0"/>'
            f'<w:spacing w:before="20" w:after="20"{room}/><w:jc w:val="{align}"/></w:pPr>{runs}</w:p></w:tc>'
        )

    def after(self) -> str:
        """Return the small gap under a table or a picture."""
        return self.paragraph("", exact=False, extra='<w:snapToGrid w:val="0"/>').replace(
            'w:after="0"', 'w:after="0" w:line="160" w:lineRule="exact"'
        )

    def form(self, form: Form) -> Iterator[str]:
        whole = _twips(self.layout.text_mm[0] / 10 * _CM)
        first = whole // 5
        rows = "".join(self.form_row(fact, first, whole - first) for fact in form.facts)
        yield (
            f'<w:tbl><w:tblPr><w:tblW w:w="{whole}" w:type="dxa"/>{_BORDERS}<w:tblLayout w:type="fixed"/>'
            '<w:tblCellMar><w:left w:w="90" w:type="dxa"/><w:right w:w="90" w:type="dxa"/></w:tblCellMar></w:tblPr>'
            f'<w:tblGrid><w:gridCol w:w="{first}"/><w:gridCol w:w="{whole - first}"/></w:tblGrid>{rows}</w:tbl>'
        )
        yield self.after()

    def form_row(self, fact: Fact, first: int, second: int) -> str:
        tall = _twips(fact.room * 24 if fact.room else 26)
        return (
            f'<w:tr><w:trPr><w:cantSplit/><w:trHeight w:val="{tall}" w:hRule="atLeast"/></w:trPr>'
            + self.table_cell(self.run(fact.label, self.cell_head), first, "center")
            + self.table_cell(self.line(fact.line, self.cell, self.cell_head), second, "left")
            + "</w:tr>"
        )

    # --- pictures ---
    def photos(self, photos: Photos) -> Iterator[str]:
        """Return photos in pairs, each with its caption beneath, in a table without lines."""
        whole = _twips(self.layout.text_mm[0] / 10 * _CM)
        half = whole // 2
        for at in range(0, len(photos.pictures), 2):
            pair = photos.pictures[at : at + 2]
            cells = "".join(
                f'<w:tc><w:tcPr><w:tcW w:w="{half}" w:type="dxa"/></w:tcPr>{self.photo(picture)}</w:tc>'
                for picture in pair
            )
            if len(pair) == 1:
                cells += f'<w:tc><w:tcPr><w:tcW w:w="{half}" w:type="dxa"/></w:tcPr><w:p/></w:tc>'
            yield (
                f'<w:tbl><w:tblPr><w:tblW w:w="{half * 2}" w:type="dxa"/><w:tblLayout w:type="fixed"/></w:tblPr>'
                f'<w:tblGrid><w:gridCol w:w="{half}"/><w:gridCol w:w="{half}"/></w:tblGrid>'
                f"<w:tr><w:trPr><w:cantSplit/></w:trPr>{cells}</w:tr></w:tbl>"
            )
            yield self.after()

    def photo(self, picture: Picture) -> str:
        inner = self.drawing(picture, picture.alt, width_mm=Decimal(72), height_mm=Decimal(54))
        return self.centred(inner or self.run(NO_PICTURE, self.cell)) + self.centred(
            self.run(picture.caption, self.cell)
        )

    def chart(self, chart: Chart) -> Iterator[str]:
        inner = self.drawing(chart, chart.alt, width_mm=self.layout.text_mm[0], height_mm=Decimal(100))
        yield self.centred(inner)
        yield self.after()

    def code(self, code: Code) -> Iterator[str]:
        yield self.centred(
            self.drawing(code, code.caption, width_mm=Decimal(28), height_mm=Decimal(28)), keep_next=True
        )
        yield self.centred(self.run(code.caption, self.cell))

    def centred(self, runs: str, *, keep_next: bool = False) -> str:
        return self.paragraph(
            runs, align="center", exact=False, keep_next=keep_next, extra='<w:snapToGrid w:val="0"/>'
        )

    def drawing(self, wanted: Drawn, alt: str, *, width_mm: Decimal, height_mm: Decimal) -> str:
        """Return a picture in a run, as large as fits the box; "" where its bytes cannot be had."""
        data = self.pictures(wanted)
        if data is None:
            return ""
        relation, image = self.document.part.get_or_add_image(io.BytesIO(data))
        scale = min(float(width_mm) / image.px_width, float(height_mm) / image.px_height)
        width, height = int(Mm(image.px_width * scale)), int(Mm(image.px_height * scale))
        self.drawings += 1
        name = f"图{self.drawings}"
        said = quoteattr(_FORBIDDEN.sub("", alt)[:250])
        return (
            f'<w:r><w:drawing><wp:inline distT="0" distB="0" distL="0" distR="0"><wp:extent cx="{width}" '
            f'cy="{height}"/><wp:docPr id="{self.drawings}" name="{name}" descr={said}/><a:graphic>'
            '<a:graphicData uri="http://schemas.openxmlformats.org/drawingml/2006/picture"><pic:pic><pic:nvPicPr>'
            f'<pic:cNvPr id="{self.drawings}" name="{name}"/><pic:cNvPicPr/></pic:nvPicPr><pic:blipFill>'
            f'<a:blip r:embed="{relation}"/><a:stretch><a:fillRect/></a:stretch></pic:blipFill><pic:spPr><a:xfrm>'
            f'<a:off x="0" y="0"/><a:ext cx="{width}" cy="{height}"/></a:xfrm><a:prstGeom prst="rect"><a:avLst/>'
            "</a:prstGeom></pic:spPr></pic:pic></a:graphicData></a:graphic></wp:inline></w:drawing></w:r>"
        )


_BORDERS = (
    "<w:tblBorders>"
    + "".join(
        f'<w:{side} w:val="single" w:sz="4" w:space="0" w:color="000000"/>'
        for side in ("top", "left", "bottom", "right", "insideH", "insideV")
    )
    + "</w:tblBorders>"
)


# A title is best broken behind one of these: a month, the name of a place, a connecting word.
_SEAMS = "年月日区县市道镇乡的和及、"
_SEAM_REACH = 5


def _broken(title: str, room: int) -> list[str]:
    """Return the lines of a title: as few as fit, of nearly equal length, broken behind a word where one ends.

    Words of Chinese are not marked, so the nearest seam is looked for; figures and closing brackets are never torn
    off what they belong to.
    """
    count = -(-len(title) // room)
    lines, rest = [], title
    for left in range(count, 1, -1):
        even, least = -(-len(rest) // left), len(rest) - room * (left - 1)
        near = range(max(1, least, even - _SEAM_REACH), min(room, even + _SEAM_REACH) + 1)
        places = [cut for cut in near if not _is_torn(rest, cut)] or [even]
        cut = min(places, key=lambda at: (rest[at - 1] not in _SEAMS, abs(at - even), at))
        lines.append(rest[:cut])
        rest = rest[cut:]
    return [*lines, rest]


def _is_torn(text: str, cut: int) -> bool:
    before, after = text[cut - 1], text[cut]
    return (before.isdigit() and (after.isdigit() or after in "年月日")) or after in "）》”、，的年月日"


def _width(text: str) -> Decimal:
    """Return how many characters wide a text is; a figure or a blank takes half of one."""
    return sum((Decimal("0.5") if letter.isascii() else Decimal(1) for letter in text), Decimal(0))


def _seal_places(name: str, day: str, date_right: int) -> tuple[Decimal, Decimal]:
    """Return how many characters the name and the date keep free at their right, one centred over the other.

    The date stands four characters from the edge; a longer name would run out of the page, so it keeps two free
    and the date moves under its middle. Source: GB/T 9704 7.3.5.1.
    """
    name_wide, day_wide = _width(name), _width(day)
    name_at = date_right + (day_wide - name_wide) / 2
    if name_at >= 2:
        return name_at, Decimal(date_right)
    return Decimal(2), 2 + (name_wide - day_wide) / 2
