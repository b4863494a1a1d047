"""What besides photos may be attached as material (材料): PDF and office formats, told by their content."""

import io
import zipfile
from pathlib import Path

from weicheng.evidence import photos, storage
from weicheng.rules.errors import N_, RuleError

_OFFICE = {
    "word/": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    "xl/": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}

# How a download is named, whatever the sender called it: a name must not make a browser run the content.
SUFFIXES = {
    "image/jpeg": ".jpg",
    "image/png": ".png",
    "image/webp": ".webp",
    "application/pdf": ".pdf",
    _OFFICE["word/"]: ".docx",
    _OFFICE["xl/"]: ".xlsx",
}


def media_type(source: storage.Source, filename: str) -> str:
    """Return the type of a document, or refuse it.

    RuleError("empty" | "too-large" | "truncated" | "document-format")
    """
    photos.require_size(source, filename)
    with storage.mapped(source) as buffer:
        head = bytes(buffer[:8])
        if head.startswith(b"%PDF-"):
            # The end mark stands in the last kilobyte (ISO 32000 7.5.5); viewers accept a little behind it.
            if b"%%EOF" not in bytes(buffer[-2048:]):
                raise RuleError(
                    "truncated", N_("文件“{filename}”不完整，可能没有传完。请重新上传。"), filename=filename
                )
            return "application/pdf"
    if head.startswith(b"PK\x03\x04"):
        found = _office(source)
        if found:
            return found
    raise RuleError(
        "document-format",
        N_("“{filename}”不是可以接收的材料。请上传照片、PDF、Word（.docx）或 Excel（.xlsx）文件。"),
        filename=filename,
    )


def _office(source: storage.Source) -> str:
    """Return the office type of a ZIP by the names in its directory; nothing is unpacked."""
    stream = source if isinstance(source, Path) else io.BytesIO(source)
    try:
        with zipfile.ZipFile(stream) as bundle:
            names = bundle.namelist()
    except (zipfile.BadZipFile, ValueError, NotImplementedError):
        return ""
    # A macro may not come in under a plain office name.
    if "[Content_Types].xml" not in names or any(name.endswith("vbaProject.bin") for name in names):
        return ""
    return next((kind for start, kind in _OFFICE.items() if any(n.startswith(start) for n in names)), "")
