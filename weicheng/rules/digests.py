"""One spelling of a payload as bytes, and the SHA-256 that seals it.

The digest of a version covers the bytes that are stored (design 5.4), so the same content must always be
spelled the same way: keys sorted, UTF-8 as it is, no spaces, every number exact.

Source: JSON (RFC 8259) with sorted keys; SHA-256 (FIPS 180-4).
"""

import hashlib
import json
from collections.abc import Callable, Mapping
from datetime import date, datetime
from decimal import Decimal
from enum import Enum, StrEnum
from typing import Any
from uuid import UUID


def canonical(payload: Mapping[str, Any]) -> bytes:
    """Return the payload's one spelling as UTF-8 JSON.

    Decimal becomes a string without exponent and keeps its places ("1.50" is not "1.5"); a date or moment its
    ISO form, the moment with its offset; UUID and StrEnum their text; a tuple a list.

    TypeError: a float, a key that is no text, or a value with no spelling here.
    ValueError: a moment without zone, a Decimal that is no number, text that is no UTF-8.
    Both name the path of keys to the value, for example "points[0].lon".
    """
    try:
        return _ENCODER.encode(_quick(payload)).encode()
    except (_UnusualError, UnicodeEncodeError):
        # Something rarer, or wrong: walked again slowly, with the path to it.
        return _ENCODER.encode(_plain(payload, "")).encode()


def digest(data: bytes) -> str:
    """Return the SHA-256 of the bytes as 64 lower-case hexadecimal digits."""
    return hashlib.sha256(data).hexdigest()


def token_digest(secret: str) -> str:
    """Return what is stored of a token: its SHA-256 in hex.

    A token is long and random, so a slow salted hash, needed for passwords, would add nothing but time.
    """
    return digest(secret.encode())


class _UnusualError(Exception):
    """A value that the quick way leaves to the slow one."""


def _quick(value: Any) -> Any:
    """Return what `_plain` returns, for the exact types that nearly every payload is made of."""
    kind = type(value)
    if kind in _AS_IT_IS:
        return value
    if kind is dict:
        made = {}
        for key, inner in value.items():
            if type(key) is not str:
                raise _UnusualError
            made[key] = inner if type(inner) in _AS_IT_IS else _quick(inner)
        return made
    if kind is list or kind is tuple:
        return [_quick(inner) for inner in value]
    spell = _SPELLINGS.get(kind)
    if spell is None:
        raise _UnusualError
    return spell(value)


def _moment(value: datetime) -> str:
    if value.utcoffset() is None:
        raise _UnusualError
    return value.isoformat()


def _exact(value: Decimal) -> str:
    if not value.is_finite():
        raise _UnusualError
    return format(value, "f")


_ENCODER = json.JSONEncoder(ensure_ascii=False, allow_nan=False, sort_keys=True, separators=(",", ":"))
_AS_IT_IS = {str, int, bool, type(None)}
_SPELLINGS: dict[type, Callable[[Any], str]] = {
    datetime: _moment,
    date: date.isoformat,
    UUID: str,
    Decimal: _exact,
}


def _plain(value: Any, path: str) -> Any:
    """Return the value as JSON's own types; `path` says where it stands, for the error."""
    match value:
        case None | bool():
            return value
        case str():
            return _text(value, path)
        case Enum():
            raise TypeError(f"{path or 'payload'}: {type(value).__name__} is no StrEnum; store its text")
        case int():
            return value
        case float():
            raise TypeError(f"{path or 'payload'}: a float is not exact; give a Decimal")
        case Decimal():
            if not value.is_finite():
                raise ValueError(f"{path or 'payload'}: {value} is not a number")
            return format(value, "f")
        case datetime():
            if value.utcoffset() is None:
                raise ValueError(f"{path or 'payload'}: the moment {value.isoformat()} has no zone")
            return value.isoformat()
        case date():
            return value.isoformat()
        case UUID():
            return str(value)
        case Mapping():
            return {_key(key, path): _plain(inner, _join(path, str(key))) for key, inner in value.items()}
        case list() | tuple():
            return [_plain(inner, f"{path}[{index}]") for index, inner in enumerate(value)]
    raise TypeError(f"{path or 'payload'}: {type(value).__name__} has no spelling in a payload")


def _key(key: Any, path: str) -> str:
    if not isinstance(key, str):
        raise TypeError(f"{_join(path, repr(key))}: a key must be text, not {type(key).__name__}")
    return _text(key, path)


def _text(value: str, path: str) -> str:
    text = value.value if isinstance(value, StrEnum) else value
    try:
        text.encode()
    except UnicodeEncodeError:
        raise ValueError(
            f"{path or 'payload'}: the text holds half a character and cannot be UTF-8"
        ) from None
    return text


def _join(path: str, key: str) -> str:
    return f"{path}.{key}" if path else key
