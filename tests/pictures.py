"""Small pictures for tests, no two alike."""

import io
import random
from uuid import uuid4

from PIL import Image


def photo() -> bytes:
    """Return a small picture that no other call returns."""
    file = io.BytesIO()
    Image.new("RGB", (32, 24), tuple(random.randbytes(3))).save(file, "JPEG", comment=uuid4().bytes)
    return file.getvalue()
