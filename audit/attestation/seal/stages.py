"""A report that several people signed, taken back signature by signature.

Comes in: what lies in a report folder. Goes out: the folder as it was before its last signature, and so on to the first
seal. Nothing of it is taken on trust: the folder before is made of the files that the last seal kept, and must then
pass every check that it passed on its own day.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass

from audit.errors import SealError

from .check import read_sums
from .sign import PDF_FILE, SEAL_FILES, SEALS, STATEMENT_FILE, SUMS_FILE

_PLACE = re.compile(rf"{SEALS}/([1-9][0-9]?)/([^/]+)")
_END = re.compile(rb"%%EOF\r?\n?")
_MOST = 99
"""No report has more seals."""


@dataclass(frozen=True, slots=True)
class Stage:
    """A report folder at one of its seals.

    Parameters
    ----------
    digests : mapping
        Name to hexadecimal SHA-256 of every file.
    whole : mapping
        Name to bytes of the files that are looked into.
    """

    digests: Mapping[str, str]
    whole: Mapping[str, bytes]

    @property
    def statement_digest(self) -> str:
        """Digest that the next statement must name: of this one, or of the list of files where nobody had signed."""
        name = STATEMENT_FILE if STATEMENT_FILE in self.digests else SUMS_FILE
        return f"sha256:{self.digests.get(name, '')}"


def unwind_seals(digests: Mapping[str, str], whole: Mapping[str, bytes]) -> tuple[Stage, ...]:
    """Return a folder at each of its seals, the first one first and the folder as it is last.

    Parameters
    ----------
    digests : mapping
        Name to hexadecimal SHA-256 of every file.
    whole : mapping
        Name to bytes; must hold every file in ``seals``.

    Raises
    ------
    SealError
        An earlier seal is missing, or the PDF does not begin with the one that was sealed then.
    """
    stages = [Stage(digests, whole)]
    numbers = _numbers(digests)
    if sorted(numbers) != list(range(1, len(numbers) + 1)) or len(numbers) > _MOST:
        raise SealError("one of the earlier seals is missing")
    for number in range(len(numbers), 0, -1):
        stages.append(_unwind(stages[-1], f"{SEALS}/{number}/"))
    return tuple(reversed(stages))


def _numbers(digests: Mapping[str, str]) -> set[int]:
    found = set()
    for name in digests:
        if name.split("/")[0] == SEALS:
            match = _PLACE.fullmatch(name)
            if not match or match[2] not in SEAL_FILES:
                raise SealError("a file was added among the earlier seals")
            found.add(int(match[1]))
    return found


def _unwind(stage: Stage, prefix: str) -> Stage:
    kept = {name.removeprefix(prefix): name for name in stage.digests if name.startswith(prefix)}
    names = {name: name for name in stage.digests if name not in SEAL_FILES and not name.startswith(prefix)} | kept
    digests = {name: stage.digests[source] for name, source in names.items()}
    whole = {name: stage.whole[source] for name, source in names.items() if source in stage.whole}
    if PDF_FILE in whole and SUMS_FILE in whole:
        listed = read_sums(whole[SUMS_FILE]).get(PDF_FILE, "")
        whole[PDF_FILE] = _cut_back(whole[PDF_FILE], listed)
        digests[PDF_FILE] = listed
    return Stage(digests, whole)


def _cut_back(data: bytes, digest: str) -> bytes:
    """Return the beginning of a PDF that has this digest, at one of its ends of file."""
    hashed, start = hashlib.sha256(), 0
    for match in _END.finditer(data):
        hashed.update(data[start : match.end()])
        start = match.end()
        if hashed.hexdigest() == digest:
            return data[:start]
    raise SealError("the PDF does not begin with the one that was signed before")
