"""An uploaded workbook between its dry run and its commit: sealed in the data folder, for one user, for a day."""

import base64
import os
import time
import uuid
from pathlib import Path

from django.conf import settings

from weicheng.journal import sealing
from weicheng.rules.errors import N_, MissingError

KEPT_S = 24 * 3600
_LENGTH = 4  # bytes that say how long the wrapped key is


def _folder() -> Path:
    folder = Path(settings.DATA) / "drafts"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return folder


def keep(data: bytes, name: str, user_id: int | None) -> uuid.UUID:
    """Keep a file until it is committed; return by which id. Those of yesterday go."""
    folder, draft = _folder(), uuid.uuid4()
    for old in folder.glob("*.draft"):
        if old.stat().st_mtime < time.time() - KEPT_S:
            old.unlink(missing_ok=True)
    sealed, wrapped = sealing.seal(
        {"user": user_id, "name": name[:120], "data": base64.b64encode(data).decode()}
    )
    part = folder / f"{draft}.part"
    with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(len(wrapped).to_bytes(_LENGTH, "big") + wrapped + sealed)
    part.rename(folder / f"{draft}.draft")
    return draft


def read(draft: uuid.UUID, user_id: int | None) -> tuple[bytes, str]:
    """Return the file and its name; MissingError("draft") when it is gone or another user's."""
    gone = MissingError("draft", N_("上传的文件已过期或已导入。请重新上传。"))
    try:
        stored = (_folder() / f"{draft}.draft").read_bytes()
    except FileNotFoundError:
        raise gone from None
    length = int.from_bytes(stored[:_LENGTH], "big") + _LENGTH
    kept = sealing.unseal(stored[length:], stored[_LENGTH:length])
    if kept["user"] != user_id:
        raise gone
    return base64.b64decode(kept["data"]), kept["name"]


def drop(draft: uuid.UUID) -> None:
    """Forget a file."""
    (_folder() / f"{draft}.draft").unlink(missing_ok=True)
