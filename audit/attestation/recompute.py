"""Does the audit come out again: two evidence documents, and the verdicts on them, number by number.

Comes in: the evidence of a report, the evidence of the same audit carried out again, and the verdicts of both. Goes
out: a `Recomputation` that names every number that differs. On the same platform with the same versions every number
must be the same to the last bit; across platforms sums are carried out in another order, and a tolerance is allowed,
and printed.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

TOLERANCE = 1e-6
"""Difference allowed across platforms, relative to the larger of the two and, below one, absolute."""
_TIMES = "seconds"
"""Name of every wall time in an evidence document."""
_APART = {("provenance", "started"), ("provenance", "versions"), ("provenance", "platform"),
          ("provenance", "tool"), ("provenance", "config_digest"), ("provenance", "files")}  # fmt: skip
"""What differs between two runs of one audit, or is told by itself."""
_INPUTS = ("config_digest", "seed", "effort")
_MOST_SHOWN = 20


class NumberDiffers(NamedTuple):
    """A value that did not come out again: where it stands, what it was, what it is now."""

    place: str
    old: Any
    new: Any


@dataclass(frozen=True, slots=True)
class Recomputation:
    """What carrying out an audit again gave.

    Parameters
    ----------
    numbers : int
        Numbers compared.
    exact : int
        How many are the same to the last bit.
    tolerance : float
        Difference that was allowed; 0 on the same platform with the same versions.
    environment : tuple of str
        What differs of platform and versions.
    inputs : tuple of str
        What differs of configuration, seed and files read.
    differing : tuple of NumberDiffers
        Values beyond the tolerance, texts among them.
    verdicts : tuple of NumberDiffers
        Rules that end with another verdict.
    """

    numbers: int
    exact: int
    tolerance: float
    environment: tuple[str, ...] = ()
    inputs: tuple[str, ...] = ()
    differing: tuple[NumberDiffers, ...] = ()
    verdicts: tuple[NumberDiffers, ...] = ()

    @property
    def exit_code(self) -> int:
        """0 where every number came out again within the tolerance and every verdict is the same; else 4."""
        return 4 if self.differing or self.verdicts or self.inputs else 0

    def lines(self) -> tuple[str, ...]:
        """Return what to tell a reader, the conclusion last."""
        told = [f"other environment: {text}" for text in self.environment]
        told += [f"other input: {text}" for text in self.inputs]
        told += [f"BAD  {one.place}: {_short(one.old)} in the report, {_short(one.new)} now"
                 for one in (*self.differing[:_MOST_SHOWN], *self.verdicts)]  # fmt: skip
        if len(self.differing) > _MOST_SHOWN:
            told.append(f"and {len(self.differing) - _MOST_SHOWN} more; --json names them all")
        allowed = f"within a tolerance of {self.tolerance:g}" if self.tolerance else "exactly"
        if self.exit_code:
            told.append(f"NOT REPRODUCED: {self.numbers} numbers compared {allowed}; {len(self.differing)} values, "
                        f"{len(self.verdicts)} verdicts and {len(self.inputs)} inputs differ")  # fmt: skip
        else:
            told.append(
                f"REPRODUCED: {self.numbers} numbers came out again {allowed}, {self.exact} of them to the last bit"
            )
        return tuple(told)

    def as_plain(self) -> dict[str, Any]:
        """Return plain values for JSON."""
        return {
            "reproduced": self.exit_code == 0,
            "numbers": self.numbers,
            "exact": self.exact,
            "tolerance": self.tolerance,
            "environment": list(self.environment),
            "inputs": list(self.inputs),
            "differing": [one._asdict() for one in self.differing],
            "verdicts": [one._asdict() for one in self.verdicts],
        }


def compare_evidence(
    old: Mapping[str, Any],
    new: Mapping[str, Any],
    old_verdicts: Mapping[str, str],
    new_verdicts: Mapping[str, str],
) -> Recomputation:
    """Compare an audit with the same audit carried out again.

    Parameters
    ----------
    old, new : mapping
        Evidence as plain values.
    old_verdicts, new_verdicts : mapping
        Rule to verdict.
    """
    environment = tuple(_tell_environment(old["provenance"], new["provenance"]))
    tolerance = TOLERANCE if environment else 0.0
    numbers = exact = 0
    differing = []
    for place, before, after in _walk(old, new, ()):
        if place[:2] in _APART or _TIMES in place:
            continue
        both = _is_number(before) and _is_number(after)
        same = before == after and type(before) is type(after)
        numbers, exact = numbers + both, exact + (both and same)
        if not (same or (both and _near(before, after, tolerance))):
            differing.append(NumberDiffers(".".join(map(str, place)), before, after))
    verdicts = [
        NumberDiffers(rule, old_verdicts.get(rule, "absent"), new_verdicts.get(rule, "absent"))
        for rule in sorted({*old_verdicts, *new_verdicts})
        if old_verdicts.get(rule) != new_verdicts.get(rule)
    ]
    inputs = tuple(_tell_inputs(old["provenance"], new["provenance"]))
    return Recomputation(numbers, exact, tolerance, environment, inputs, tuple(differing), tuple(verdicts))


def _walk(old: Any, new: Any, place: tuple[Any, ...]) -> Iterator[tuple[tuple[Any, ...], Any, Any]]:
    """Yield place and both values of every leaf; one that is on one side alone has an absent partner."""
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        for key in sorted({*old, *new}):
            yield from _walk(old.get(key, _ABSENT), new.get(key, _ABSENT), (*place, key))
    elif isinstance(old, list | tuple) and isinstance(new, list | tuple):
        for index in range(max(len(old), len(new))):
            before = old[index] if index < len(old) else _ABSENT
            after = new[index] if index < len(new) else _ABSENT
            yield from _walk(before, after, (*place, index))
    else:
        yield place, old, new


_ABSENT = "absent"


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _near(old: float, new: float, tolerance: float) -> bool:
    if isinstance(old, int) and isinstance(new, int):
        return old == new  # a count has no rounding
    return math.isclose(old, new, rel_tol=tolerance, abs_tol=tolerance)


def _tell_environment(old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[str]:
    for name in ("tool", "platform"):
        if old[name] != new[name]:
            yield f"{name} {old[name]} in the report, {new[name]} here"
    for name in sorted({*old["versions"], *new["versions"]}):
        before, after = (one["versions"].get(name, "none") for one in (old, new))
        if before != after:
            yield f"{name} {before} in the report, {after} here"


def _tell_inputs(old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[str]:
    for name in _INPUTS:
        if old[name] != new[name]:
            yield f"{name.replace('_', ' ')} {_short(old[name])} in the report, {_short(new[name])} now"
    before, after = ({(one["role"], one["name"]): one["sha256"] for one in side["files"]} for side in (old, new))
    for role, name in sorted({*before, *after}):
        if before.get((role, name)) != after.get((role, name)):
            yield f"{role} {name} is another file"


def _short(value: Any) -> str:
    text = str(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
