"""Which version of a pack is asked for: ``name``, ``name@2026.11``, ``name@>=2026.11,<2027``.

Comes in: a pack as written under `uses` or `policies`, and the version at hand. Goes out: the name alone, and why the
version does not fit. Versions are numbers with dots; a missing part counts as 0, and ``==`` looks at the parts that it
names.
"""

from __future__ import annotations

import re
from collections.abc import Callable

_VERSION = re.compile(r"^[0-9]+(\.[0-9]+)*$")
_DEMAND = re.compile(r"^(>=|<=|==|>|<|)\s*([0-9]+(?:\.[0-9]+)*)$")
_FORMS = "write name@==2026.11, name@>=2026.11 or name@>=2026.11,<2027"
Parts = tuple[int, ...]

_FITS: dict[str, Callable[[Parts, Parts], bool]] = {
    ">=": lambda have, wanted: have >= wanted,
    "<=": lambda have, wanted: have <= wanted,
    ">": lambda have, wanted: have > wanted,
    "<": lambda have, wanted: have < wanted,
}


def split_version(written: str) -> tuple[str, str]:
    """Return the pack's name or file, and the versions that are asked for; the latter empty where any will do.

    Examples
    --------
    >>> split_version("baseline-fairness@>=2026.11, <2027")
    ('baseline-fairness', '>=2026.11, <2027')
    """
    name, sign, demands = written.rpartition("@")
    return (name.strip(), demands.strip()) if sign and not demands.endswith((".yaml", ".yml")) else (written, "")


def is_version(text: str) -> bool:
    """Return whether a text is a version: numbers with dots."""
    return bool(_VERSION.match(text))


def refuse_version(pack: str, have: str, wanted: str) -> tuple[str, str] | None:
    """Return why a pack's version is not the one asked for, with advice; None where it is.

    Parameters
    ----------
    pack : str
        Name of the pack.
    have : str
        Its version.
    wanted : str
        As `split_version` returns it.
    """
    if not wanted:
        return None
    demands = [_DEMAND.match(part.strip()) for part in wanted.split(",")]
    if not all(demands):
        return f"'{wanted}' is no range of versions", _FORMS
    missed = [demand.group() for demand in demands if demand and not _meets(have, demand.group(1), demand.group(2))]
    return (
        (f"'{pack}' is version {have}, not {', '.join(missed)}", "read what changed, then change this line")
        if (missed)
        else None
    )


def _meets(have: str, sign: str, wanted: str) -> bool:
    own, other = _parts(have), _parts(wanted)
    if sign in ("", "=="):
        return (*own, *(0,) * len(other))[: len(other)] == other
    length = max(len(own), len(other))
    return _FITS[sign](_pad(own, length), _pad(other, length))


def _parts(text: str) -> Parts:
    return tuple(int(part) for part in text.split(".") if part.isdigit())


def _pad(parts: Parts, length: int) -> Parts:
    return (*parts, *(0,) * (length - len(parts)))
