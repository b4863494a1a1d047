"""Sealing of personal fields: each record has its own key, wrapped by the site's key.

Rotation of the site key re-wraps the record keys; erasure destroys a record key; the digest covers the stored
bytes, so proofs stay valid in both cases (design 5.4). AES-256-GCM; the wrapping key is `settings.site_key`.
"""

import json
import os
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from weicheng.rules.digests import canonical
from weicheng.rules.errors import N_, RuleError

Stored = bytes | memoryview  # a binary column, as SQLite or as PostgreSQL gives it


@lru_cache(maxsize=1)
def _site() -> AESGCM:
    from weicheng import settings

    return AESGCM(settings.site_key())


def seal_bytes(plain: bytes) -> tuple[bytes, bytes]:
    """Return (sealed bytes, wrapped record key) for `plain`."""
    key, nonce, wrap_nonce = AESGCM.generate_key(256), os.urandom(12), os.urandom(12)
    return nonce + AESGCM(key).encrypt(nonce, plain, None), wrap_nonce + _site().encrypt(
        wrap_nonce, key, None
    )


def unseal_bytes(sealed: Stored, wrapped: Stored) -> bytes:
    """Return what was sealed; RuleError("sealed") when the key was destroyed or is another site's."""
    if not wrapped:
        raise RuleError("sealed", N_("这部分个人信息已按规定删除，无法再查看。"))
    try:
        key = _site().decrypt(bytes(wrapped[:12]), bytes(wrapped[12:]), None)
        return AESGCM(key).decrypt(bytes(sealed[:12]), bytes(sealed[12:]), None)
    except InvalidTag:
        raise RuleError(
            "sealed",
            N_("个人信息无法解密：本机的站点密钥与写入时不同。请管理员设置原来的 WEICHENG_SITE_KEY。"),
        ) from None


def seal(fields: Mapping[str, Any]) -> tuple[bytes, bytes]:
    """Return (sealed bytes, wrapped key) of the given personal fields."""
    return seal_bytes(canonical(fields))


def unseal(sealed: Stored | None, wrapped: Stored | None) -> dict[str, Any]:
    """Return the personal fields; an empty dict where none were given."""
    if not sealed:
        return {}
    return json.loads(unseal_bytes(bytes(sealed), bytes(wrapped or b"")))
