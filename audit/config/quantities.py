"""Durations and sizes as people write them: ``30m``, ``8GiB``.

Comes in: a text or a number. Goes out: seconds, or bytes. A number alone is already seconds or bytes.
"""

from __future__ import annotations

import re
from typing import Any

_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
_BYTES = {
    "B": 1, "kB": 10**3, "MB": 10**6, "GB": 10**9, "TB": 10**12, "KiB": 2**10, "MiB": 2**20, "GiB": 2**30, "TiB": 2**40,
}  # fmt: skip
_QUANTITY = re.compile(r"\s*([0-9]+(?:\.[0-9]+)?)\s*([A-Za-z]*)\s*")


def read_duration(value: Any) -> float:
    """Return seconds.

    Parameters
    ----------
    value : str or number
        ``90``, ``90s``, ``30m``, ``2h``, ``1d``.

    Raises
    ------
    ValueError
        It is no duration above 0.

    Examples
    --------
    >>> read_duration("30m")
    1800.0
    """
    return _read(value, _SECONDS, "s", "a duration such as 90s, 30m or 2h")


def read_size(value: Any) -> int:
    """Return bytes.

    Parameters
    ----------
    value : str or number
        ``800MB`` (powers of ten), ``8GiB`` (powers of two), or bytes.

    Raises
    ------
    ValueError
        It is no size above 0.

    Examples
    --------
    >>> read_size("8GiB") == 8 * 2**30
    True
    """
    return int(_read(value, _BYTES, "B", "a size such as 800MB or 8GiB"))


def _read(value: Any, units: dict[str, int], plain: str, form: str) -> float:
    match = None if isinstance(value, bool) else _QUANTITY.fullmatch(str(value))
    factor = units.get(match[2] or plain) if match else None
    if match is None or factor is None or float(match[1]) <= 0:
        raise ValueError(f"write {form}, above 0")
    return float(match[1]) * factor
