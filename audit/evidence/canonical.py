"""The canonical form of a JSON value (RFC 8785, JSON Canonicalization Scheme), quickly.

Comes in: plain values. Goes out: the bytes that digests and signatures are made of. Whatever is not plain goes to the
`rfc8785` library, whose bytes are the same by test and whose errors are the ones to be raised.
"""

from __future__ import annotations

from decimal import Decimal
from functools import lru_cache
from json.encoder import encode_basestring
from typing import Any

import rfc8785

_MOST = 2**53 - 1
"""Largest whole number that every reader of JSON holds exactly (RFC 8785, 3.2.2.3)."""
_PLAIN_BELOW, _PLAIN_FROM = 1e21, 1e-6
_string = lru_cache(maxsize=1 << 14)(encode_basestring)


class _NotPlainError(Exception):
    """A value that the quick way does not take."""


def canonical_bytes(value: Any) -> bytes:
    """Return the RFC 8785 bytes of a JSON value.

    Parameters
    ----------
    value : object
        Mappings with text keys, lists, texts, numbers, true, false, null.

    Examples
    --------
    >>> canonical_bytes({"b": 1.0, "a": [1e-7, True, None]})
    b'{"a":[1e-7,true,null],"b":1}'
    """
    parts: list[str] = []
    try:
        _write(value, parts.append)
        return "".join(parts).encode()
    except (_NotPlainError, UnicodeEncodeError):
        return rfc8785.dumps(value)


def _write(value: Any, put: Any) -> None:
    kind = type(value)
    if kind is str:
        put(_string(value))
    elif kind is float:
        put(_number(value))
    elif value is None or kind is bool:
        put("null" if value is None else "true" if value else "false")
    elif kind is int and -_MOST <= value <= _MOST:
        put(str(value))
    elif kind is dict:
        _write_mapping(value, put)
    elif kind is list or kind is tuple:
        sign = "["
        for item in value:
            put(sign)
            _write(item, put)
            sign = ","
        put("]" if value else "[]")
    else:
        raise _NotPlainError


def _write_mapping(value: dict[Any, Any], put: Any) -> None:
    try:
        plain = "".join(value).isascii()
    except TypeError:
        raise _NotPlainError from None
    sign = "{"
    # by UTF-16 code units (RFC 8785, 3.2.3), which for ASCII is Python's own order
    for key in sorted(value) if plain else sorted(value, key=lambda text: text.encode("utf-16be")):
        put(f"{sign}{_string(key)}:")
        _write(value[key], put)
        sign = ","
    put("}" if value else "{}")


@lru_cache(maxsize=1 << 14)
def _number(value: float) -> str:
    """Return a number as ECMAScript writes it (ECMA-262, Number::toString): the shortest digits that mean it."""
    if value == 0:
        return "0"
    size = abs(value)
    if not size < float("inf"):
        raise _NotPlainError
    text = repr(value)
    if "e" not in text:
        return text.removesuffix(".0")
    if _PLAIN_FROM <= size < _PLAIN_BELOW:
        return format(Decimal(text), "f")
    digits, _, power = text.partition("e")
    return f"{digits.removesuffix('.0')}e{'+' if int(power) > 0 else ''}{int(power)}"
