"""Two sets of rules held side by side: what a reader who knows the old one must hear about the new one.

Comes in: what two sets of packs demand (`resolved`). Goes out: one `PolicyMove` for each thing that changed, with its
reading: stricter, looser, other, or words alone. Comments, the order of keys and ``80%`` instead of ``0.8`` are no
change.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from fractions import Fraction
from typing import Any, Literal

from audit.evidence.judgement import SEVERITY_ORDER

from .phrase import Limit
from .resolved import Resolved

Reading = Literal["stricter", "looser", "other", "wording"]
_BURDEN = ("estimate", "interval", "court", "proven")
_NOTHING = "nothing"
_FLIPPED: dict[Reading, Reading] = {"stricter": "looser", "looser": "stricter", "other": "other", "wording": "wording"}


@dataclass(frozen=True, slots=True)
class PolicyMove:
    """One thing that changed.

    Parameters
    ----------
    about : str
        ``pack``, ``pack/rule`` or ``pack.$parameter``.
    what : str
        What changed: ``rule``, ``limit``, ``severity``, ``parameter``, ``law: review_by``, ...
    before, after : str
        In words; ``nothing`` where it was not there.
    reading : {"stricter", "looser", "other", "wording"}
        What it means for whoever is judged by it.
    """

    about: str
    what: str
    before: str
    after: str
    reading: Reading

    def __str__(self) -> str:
        """Return one line for a reader."""
        return f"{self.about}: {self.what}: {self.before} -> {self.after} ({self.reading})"

    def as_dict(self) -> dict[str, str]:
        """Return the move as plain values."""
        return asdict(self)


def list_moves(old: Resolved, new: Resolved) -> tuple[PolicyMove, ...]:
    """Return everything in which two sets of rules differ, pack by pack.

    Parameters
    ----------
    old, new : dict
        From `audit.attestation.policy.resolved.resolve_rules`. Where each holds a single pack, these are compared
        whatever they are called.

    Returns
    -------
    tuple of PolicyMove
        Empty where both judge every audit alike and say so in the same words.
    """
    pairs = _pair_packs(old, new)
    return tuple(move for name, before, after in pairs for move in _diff_pack(name, before, after))


def demands_the_same(moves: Iterable[PolicyMove]) -> bool:
    """Return whether moves leave every verdict as it was: only words and what is written about the law changed."""
    return all(move.reading == "wording" for move in moves)


def _pair_packs(old: Resolved, new: Resolved) -> list[tuple[str, Resolved | None, Resolved | None]]:
    if len(old) == len(new) == 1 and old.keys() != new.keys():
        ((first, before),), ((second, after),) = old.items(), new.items()
        return [(f"{first} -> {second}", before, after)]
    return [(name, old.get(name), new.get(name)) for name in dict.fromkeys((*old, *new))]


def _diff_pack(name: str, before: Resolved | None, after: Resolved | None) -> Iterator[PolicyMove]:
    if before is None or after is None:
        there: Resolved = after or before or {}
        words = f"version {there['version']}, {len(there['rules'])} rules"
        reading: Reading = "stricter" if before is None else "looser"
        yield _move(name, "pack", words if before else None, words if after else None, reading)
        return
    yield from _diff_values(name, "version", before.get("version"), after.get("version"), "wording")
    yield from _diff_mapping(name, "law: ", before["law"], after["law"], "wording")
    for key in ("applies_from", "applies_until", "applies_when"):
        yield from _diff_values(name, key, before.get(key), after.get(key), "other")
    yield from _diff_parameters(name, before["parameters"], after["parameters"])
    for rule in dict.fromkeys((*before["rules"], *after["rules"])):
        yield from _diff_rule(f"{name}/{rule}", before["rules"].get(rule), after["rules"].get(rule))


def _diff_parameters(pack: str, before: Resolved, after: Resolved) -> Iterator[PolicyMove]:
    """Yield moves of parameters; what a new value means is told at the rules that use it."""
    for name in dict.fromkeys((*before, *after)):
        yield from _diff_mapping(f"{pack}.${name}", "parameter: ", before.get(name, {}), after.get(name, {}), "other")


def _diff_rule(about: str, before: Resolved | None, after: Resolved | None) -> Iterator[PolicyMove]:
    if before is None or after is None:
        there: Resolved = after or before or {}
        reading: Reading = "stricter" if before is None else "looser"
        title = there.get("wording", {}).get("title", about)
        yield _move(about, "rule", title if before else None, title if after else None, reading)
        return
    for key in dict.fromkeys((*before, *after)):
        old, new = before.get(key), after.get(key)
        if old == new:
            continue
        if key == "wording":
            yield from _diff_mapping(about, "", old or {}, new or {}, "wording")
        else:
            yield _move(about, _NAMES.get(key, key), _say(key, old), _say(key, new), _read(key, old, new))


_NAMES = {"must_be": "limit", "warn_unless": "level of attention", "disabled": "switched off", "with": "compared with"}


def _read(key: str, old: Any, new: Any) -> Reading:
    """Return what a changed field of a rule means."""
    if key in ("must_be", "warn_unless"):
        return _read_limits(old, new)
    if key == "severity":
        return "stricter" if SEVERITY_ORDER.index(new) < SEVERITY_ORDER.index(old) else "looser"
    if key == "disabled":
        return "looser" if new else "stricter"
    if key == "waivable":  # written only where it is off
        return "stricter" if new is False else "looser"
    if key == "judged_on" and {old, new} == {"proven", "interval"}:
        return "stricter" if new == "proven" else "looser"  # the same interval, the burden of proof turned round
    return "wording" if key in ("threshold_basis", "warn_basis") else "other"


def _read_limits(old: Any, new: Any) -> Reading:
    before, after = _as_limit(old), _as_limit(new)
    if before is None or after is None:
        return "stricter" if before is None and after is not None else "looser" if before is not None else "other"
    if "range" not in (before.kind, after.kind):
        return "other"
    if before.kind != after.kind:
        return "stricter" if before.kind == "reported" else "looser" if after.kind == "reported" else "other"
    if before.contains(after):
        return "stricter"
    return "looser" if after.contains(before) else "other"


def _as_limit(value: Any) -> Limit | None:
    if not isinstance(value, Mapping):
        return None
    low, high = (Fraction(value[key]) if key in value else None for key in ("low", "high"))
    return Limit(
        str(value["kind"]),
        "",
        low,
        high,
        bool(value.get("low_open")),
        bool(value.get("high_open")),
        tuple(value.get("options", ())),
    )


def _diff_mapping(
    about: str, what: str, before: Mapping[str, Any], after: Mapping[str, Any], reading: Reading
) -> Iterator[PolicyMove]:
    for key in dict.fromkeys((*before, *after)):
        yield from _diff_values(about, f"{what}{key}", before.get(key), after.get(key), reading)


def _diff_values(about: str, what: str, old: Any, new: Any, reading: Reading) -> Iterator[PolicyMove]:
    if old != new:
        yield _move(about, what, _say(what, old), _say(what, new), reading)


def _move(about: str, what: str, before: str | None, after: str | None, reading: Reading) -> PolicyMove:
    return PolicyMove(about, what, before or _NOTHING, after or _NOTHING, reading)


def _say(key: str, value: Any) -> str:
    """Return a value in words."""
    if value is None or value in ("", [], {}):
        return _NOTHING
    if isinstance(value, bool):
        return "true" if value else "false"
    limit = _as_limit(value) if key in ("must_be", "warn_unless") else None
    if limit is not None:
        return _say_limit(limit)
    if isinstance(value, Mapping):
        return ", ".join(f"{name}: {_say('', item)}" for name, item in value.items())
    if isinstance(value, list | tuple):
        return "; ".join(_say("", item) for item in value)
    return _say_exact(str(value)) if "parameter" in key else str(value)


def _say_limit(limit: Limit) -> str:
    if limit.kind != "range":
        return f"one of {', '.join(limit.options)}" if limit.kind == "options" else (limit.options or (limit.kind,))[0]
    low = None if limit.low is None else _say_exact(str(limit.low))
    high = None if limit.high is None else _say_exact(str(limit.high))
    if low is not None and high is not None:
        return f"exactly {low}" if low == high else f"between {low} and {high}"
    if low is not None:
        return f"{'above' if limit.low_open else 'at least'} {low}"
    return f"{'below' if limit.high_open else 'at most'} {high}"


def _say_exact(text: str) -> str:
    """Return ``4/5`` as ``0.8``."""
    return f"{float(Fraction(text)):.6g}" if "/" in text else text
