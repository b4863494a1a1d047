"""The bytes of documents: pictures that stand in them, Word files as they are kept once issued."""

import io
from collections.abc import Mapping
from datetime import datetime

import segno
from PIL import Image

from weicheng.documents.charts import drawn
from weicheng.documents.word import MEDIA_TYPE, Drawn, Pictures, docx_of
from weicheng.evidence import copies, storage
from weicheng.evidence.models import StoredFile
from weicheng.rules.content import Chart, Code, Content, Picture
from weicheng.rules.errors import N_, RuleError
from weicheng.standards import editions
from weicheng.standards.kinds import DocumentLayout

# 72 mm wide on paper: 850 dots are 300 an inch, beyond which paper shows no more.
PHOTO_PX = 850


def picture_bytes(wanted: Drawn, *, at: datetime) -> bytes | None:
    """Return a picture of a document: a chart or code drawn, a photo from its display copy without metadata.

    None for a photo whose original is lost, or that was sealed: what is personal never stands in a document.
    """
    match wanted:
        case Chart():
            return drawn(wanted)
        case Code():
            out = io.BytesIO()
            segno.make(wanted.address, error="m").save(out, kind="png", scale=8, border=2)
            return out.getvalue()
        case Picture():
            return _photo(wanted, at)


def _photo(wanted: Picture, at: datetime) -> bytes | None:
    stored = StoredFile.objects.filter(sha256=wanted.sha256, sensitive=False).first()
    if stored is None:
        return None
    try:
        shown = b"".join(copies.open_copy(stored, "display", at=at))
    except RuleError:
        return None
    with Image.open(io.BytesIO(shown)) as image:
        image.draft("RGB", (PHOTO_PX, PHOTO_PX))
        small = image.convert("RGB")
        small.thumbnail((PHOTO_PX, PHOTO_PX))
        out = io.BytesIO()
        small.save(out, "JPEG", quality=82)
    return out.getvalue()


def pictures_of(*contents: Content, at: datetime) -> Pictures:
    """Return a function that gives the pictures of these documents, each drawn once."""
    made: Mapping[Drawn, bytes | None] = {
        wanted: picture_bytes(wanted, at=at) for content in contents for wanted in content.pictures()
    }
    return made.get


def layout_for(content: Content, *, owner: str, edition_id: int | None = None) -> DocumentLayout:
    """Return the layout a document is set by: the one it was drafted with, else the one in force."""
    if edition_id is not None:
        found = editions.by_id(edition_id)
        if isinstance(found, editions.DocumentLayout):
            return found.body
    return editions.document_layout(owner, content.as_of.date()).body


def word_of(contents: list[Content], layout: DocumentLayout, *, at: datetime) -> bytes:
    """Return a Word file with these documents."""
    return docx_of(contents, layout, pictures_of(*contents, at=at))


def keep(data: bytes, *, at: datetime) -> StoredFile:
    """Put a Word file among the originals, under its digest, and return its row; the same bytes are kept once.

    The bytes are on the disk before the row that names them; `weicheng check` reads them again.
    """
    sha256 = storage.digest_of(data)
    found = StoredFile.objects.filter(sha256=sha256, sensitive=False).first()
    if found is not None:
        return found
    storage.put(data, storage.original_path(sha256))
    # Not a photo: there are no pixels to look at later.
    return StoredFile.objects.create(
        sha256=sha256, size=len(data), media_type=MEDIA_TYPE, received_at=at, checked_at=at
    )


def kept(stored: StoredFile, digest: str) -> bytes:
    """Return the file as it was issued; RuleError("file-lost" | "file-changed")."""
    data = b"".join(copies.open_original(stored))
    if storage.digest_of(data) != digest:
        raise RuleError(
            "file-changed", N_("保存的文件与签发时的校验值不符，不能下载。请管理员从备份中恢复该文件。")
        )
    return data
