"""Where a system stands, as it was last told, and what has changed since beyond noise.

Comes in: an outcome, and the standing that somebody was told of last. Goes out: the verdicts that changed for a reason
other than which rows happened to be drawn. The comparison is with what was told, not with last night, so that a slow
drift adds up until it is told, and the same wobble is not told twice.
"""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

from audit.attestation.pipeline import Outcome
from audit.errors import EvidenceError
from audit.evidence import Verdict
from audit.evidence.base import Record
from audit.statistics import normal_quantile

TOLD = "told"
"""Folder, inside the ledger's, of what was last told of each system."""


class Stand(Record):
    """One verdict with the number behind it."""

    rule: str
    """``pack/rule``."""
    status: str
    """The verdict."""
    value: float | None = None
    """What was measured; None where the rule asks for no number, or there was none."""
    low: float | None = None
    """Lower end of its interval."""
    high: float | None = None
    """Upper end of its interval."""
    level: float = 0.95
    """Level of the interval."""
    n: int | None = None
    """Rows behind it."""
    limit: str = ""
    """The limit in words: another limit is a change, whatever was measured."""
    because: str = ""
    """Why, in one sentence."""


class Standing(Record):
    """All verdicts on a system at one time."""

    schema_version: Literal["standing/1"] = "standing/1"
    """Version of this document's form."""
    system: str
    """The system."""
    outcome: str
    """Outcome of the audit; ``error`` where it could not be made."""
    verdicts: dict[str, Stand] = {}
    """Scope to verdict."""


@dataclass(frozen=True, slots=True)
class Changed:
    """A verdict that changed beyond noise.

    Parameters
    ----------
    scope : str
        ``pack/rule[...]``, or ``outcome``.
    was, now : str
        The verdicts.
    observed : str
        The numbers before and after, in words; empty where the rule asks for none.
    because : str
        Why it stands as it does now.
    """

    scope: str
    was: str
    now: str
    observed: str = ""
    because: str = ""

    def as_json(self) -> dict[str, str]:
        """Return it as a JSON value."""
        return asdict(self)


def describe_standing(outcome: Outcome) -> Standing:
    """Return where a system stands after an audit."""
    judgement = outcome.dossier.judgement
    verdicts = {verdict.scope: _stand_of(verdict) for finding in judgement.findings for verdict in finding.verdicts}
    return Standing(system=outcome.dossier.evidence.subject.system, outcome=judgement.outcome, verdicts=verdicts)


def changed_beyond_noise(told: Standing | None, now: Standing, *, false_alarms: float) -> list[Changed]:
    """Return the verdicts that changed since somebody was told, and not by the draw of rows alone.

    Parameters
    ----------
    told : Standing or None
        What was told last; None on a first run, of which there is nothing to tell.
    now : Standing
        Where the system stands.
    false_alarms : float
        Chance of telling of anything where nothing changed, over all verdicts together.

    Notes
    -----
    A verdict is told of where its word changed *and* one of these holds: its number moved by more than the noise of
    both intervals (square-and-add, Zou and Donner 2008, Statistics in Medicine 27:1693, with the half-widths stretched
    from their own level to ``1 - false_alarms / verdicts`` two-sided, Bonferroni); its limit is another; or it has no
    number, because a document or a fact does not scatter. Both rows are taken to be drawn independently, so that the
    noise of two audits of the same rows is overestimated.
    """
    if told is None:
        return []
    found = []
    judged = sum(stand.value is not None for stand in now.verdicts.values())
    z = normal_quantile(1 - false_alarms / max(judged, 1))
    for scope in dict.fromkeys((*told.verdicts, *now.verdicts)):
        old, new = told.verdicts.get(scope), now.verdicts.get(scope)
        if now.outcome != "error" and _is_change(old, new, z):
            found.append(_tell(scope, old, new))
    if told.outcome != now.outcome and {told.outcome, now.outcome} & {"error", "incomplete"}:
        found.insert(0, Changed("outcome", told.outcome, now.outcome))
    return found


def read_standing(ledger: Path, system: str) -> Standing | None:
    """Return what was last told of a system; None where nothing was, or it cannot be read."""
    try:
        return Standing.parse((ledger / TOLD / f"{system}.json").read_bytes())
    except (OSError, EvidenceError):
        return None


def write_standing(ledger: Path, standing: Standing) -> None:
    """Write down what was told, whole or not at all."""
    folder = ledger / TOLD
    folder.mkdir(parents=True, exist_ok=True)
    partial = folder / f".{standing.system}.json"
    partial.write_bytes(standing.canonical())
    partial.replace(folder / f"{standing.system}.json")


def _stand_of(verdict: Verdict) -> Stand:
    number: dict[str, Any] = {}
    if verdict.observed is not None:
        seen = verdict.observed
        number = {"value": seen.value, "low": seen.low, "high": seen.high, "level": seen.level, "n": seen.n}
    return Stand(rule=verdict.rule, status=verdict.status, limit=verdict.limit, because=verdict.because, **number)


def _is_change(old: Stand | None, new: Stand | None, z: float) -> bool:
    if old is None or new is None or old.status == new.status:
        # rules come and go with the policies, and groups with the rows: what is new and bad is a change
        return (new is not None and old is None and new.status in ("fail", "error")) and z > 0
    return old.limit != new.limit or _moved_beyond(old, new, z)


def _moved_beyond(old: Stand, new: Stand, z: float) -> bool:
    if old.value is None or new.value is None:
        # a number that appears or vanishes without an interval on either side hangs on the rows drawn
        return old.n is None and new.n is None
    moved = new.value - old.value
    reach = math.hypot(_reach(old, new, z, up=moved > 0), _reach(new, old, z, up=moved < 0))
    return abs(moved) > reach


def _reach(stand: Stand, other: Stand, z: float, *, up: bool) -> float:
    """Return how far the value may lie off in one direction, at `z` standard errors.

    A group that happens to be the reference has a ratio of 1 by definition, with an interval of no width; yet which
    group that is hangs on the rows too. It then scatters as the number on the other side does.
    """
    if stand.low is not None and stand.low == stand.high:
        return _half_width(other, z, up=not up)
    return _half_width(stand, z, up=up)


def _half_width(stand: Stand, z: float, *, up: bool) -> float:
    """Return the distance from the value to one end of its interval, stretched to `z` standard errors.

    Ratios scatter evenly on their logarithm, differences as they are; which one a number is its interval does not say,
    so that the wider of the two stretches is taken.
    """
    end = stand.high if up else stand.low
    if stand.value is None or (stand.low is None and stand.high is None):
        return 0.0  # no interval at all: a count or a constant
    if end is None:
        return math.inf
    factor = max(1.0, z / normal_quantile(stand.level))
    plain = abs(end - stand.value) * factor
    if min(end, stand.value) <= 0:
        return plain
    bent: float = abs(stand.value * (end / stand.value) ** factor - stand.value)
    return max(plain, bent)


def _tell(scope: str, old: Stand | None, new: Stand | None) -> Changed:
    numbers = [_say(stand) for stand in (old, new) if stand is not None and stand.value is not None]
    return Changed(
        scope,
        old.status if old else "not judged",
        new.status if new else "not judged",
        " -> ".join(numbers),
        new.because if new else "",
    )


def _say(stand: Stand) -> str:
    ends = f" ({stand.low:.4g} to {stand.high:.4g})" if stand.low is not None and stand.high is not None else ""
    return f"{stand.value:.4g}{ends}"
