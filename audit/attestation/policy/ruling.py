"""One rule on one scope, decided: what the judge says before it is written down as a `Verdict`.

Comes in: nothing. Goes out: the records that the kinds of rules share, and how numbers and scopes are written.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from fractions import Fraction

from audit.evidence import Estimate, Measurement, Verdict, VerdictWord
from audit.evidence.judgement import SEVERITY_ORDER

from .phrase import Limit

_ID_LENGTH = 12
_TINY = 5e-5
_DOCUMENT = "document="


@dataclass(frozen=True, slots=True)
class Ahead:
    """A group with a better rate than the one that a scope is about, and the test of the two.

    Parameters
    ----------
    group : dict of str to str
        The group that is ahead.
    counts : (int, int) or None
        Numerator and rows of its rate; None where what is compared is no rate.
    p, p_adjusted : float
        p-value of equality, alone and after Holm over all pairs of the attribute.
    pairs : int
        Pairs of the attribute.
    gap : fractions.Fraction or None
        Where what is compared is no rate: how far it is ahead.
    """

    group: dict[str, str]
    counts: tuple[int, int] | None
    p: float
    p_adjusted: float
    pairs: int
    gap: Fraction | None = None


@dataclass(frozen=True, slots=True)
class Scope:
    """What one verdict is about.

    Parameters
    ----------
    group : dict of str to str
        Attribute to value; empty for everybody.
    about : str
        Where it is about a whole attribute, a document or the like: its name.
    feature, model, outcome : str or None
        Feature, model, and band or class.
    measurement : Measurement or None
        The number; None where there is none.
    ahead : tuple of Ahead
        For `judged_on: court` against the best group: every judged group that is ahead of this one.
    """

    group: dict[str, str] = field(default_factory=dict)
    about: str = ""
    feature: str | None = None
    model: str | None = None
    measurement: Measurement | None = None
    ahead: tuple[Ahead, ...] = ()
    outcome: str | None = None

    @property
    def words(self) -> str:
        """``sex=F,feature=income,model=black_box,outcome=approve``; empty for the whole audit."""
        parts = [f"{key}={value}" for key, value in self.group.items()] or ([self.about] if self.about else [])
        parts += [f"feature={self.feature}"] if self.feature else []
        parts += [f"model={self.model}"] if self.model else []
        parts += [f"outcome={self.outcome}"] if self.outcome else []
        return ",".join(parts)


@dataclass(frozen=True, slots=True)
class Ruling:
    """A scope with its verdict.

    Parameters
    ----------
    scope : Scope
        What it is about.
    status : str
        The verdict.
    because : str
        Why, in one sentence.
    observed : Estimate or None
        The number that was judged.
    trace : tuple of str
        The arithmetic, line by line.
    literal : str
        What the point alone says.
    would_decide : str
        What would decide an inconclusive one.
    """

    scope: Scope
    status: VerdictWord
    because: str
    observed: Estimate | None = None
    trace: tuple[str, ...] = ()
    literal: str = ""
    would_decide: str = ""


def write_verdict(
    ruling: Ruling, *, system: str, rule: str, metric: str | None = None, limit: Limit | None = None
) -> Verdict:
    """Write a ruling down.

    Parameters
    ----------
    ruling : Ruling
        The decided scope.
    system : str
        System name; with rule and scope it makes the finding's id, which stays the same from audit to audit.
    rule : str
        ``pack/rule``.
    metric : str, optional
        Metric id.
    limit : Limit, optional
        What was demanded.
    """
    scope = ruling.scope
    name = f"{rule}[{scope.words}]" if scope.words else rule
    digest = hashlib.sha256("\n".join((system, rule, scope.words)).encode()).hexdigest()[:_ID_LENGTH]
    return Verdict(
        id=digest,
        rule=rule,
        scope=name,
        group=scope.group,
        feature=scope.feature,
        model=scope.model,
        outcome=scope.outcome,
        status=ruling.status,
        observed=ruling.observed,
        metric=metric,
        limit=limit.words if limit else "",
        limit_low=_as_float(limit.low) if limit else None,
        limit_high=_as_float(limit.high) if limit else None,
        because=ruling.because,
        trace=ruling.trace,
        document=scope.about.removeprefix(_DOCUMENT) if scope.about.startswith(_DOCUMENT) else "",
        literal=ruling.literal,
        would_decide=ruling.would_decide,
    )


def say_number(value: float | Fraction) -> str:
    """Return a number as the arithmetic shows it: whole numbers whole, others with four decimals.

    Examples
    --------
    >>> say_number(0.59083), say_number(30.0)
    ('0.5908', '30')
    >>> say_number(2e-23)
    '2.0e-23'
    """
    number = float(value)
    if number == int(number) and abs(number) < 1e15:
        return f"{int(number):,}"
    if abs(number) < _TINY:
        return f"{number:.1e}"  # 0.0000 would read as nothing
    return f"{number:,.1f}" if abs(number) >= 1000 else f"{number:.4f}"


def say_interval(estimate: Estimate) -> str:
    """Return ``95 % interval 0.507 to 0.688``; says so where there is none."""
    if not estimate.has_interval:
        return "no interval"
    low = "minus infinity" if estimate.low is None else f"{estimate.low:.3f}"
    high = "infinity" if estimate.high is None else f"{estimate.high:.3f}"
    if estimate.level >= 1:
        return f"certain bounds {low} to {high}"
    return f"{100 * estimate.level:.4g} % interval {low} to {high}"


def gravest(severity: str, other: str) -> bool:
    """Return whether `severity` is at least as grave as `other`."""
    order = [str(item) for item in SEVERITY_ORDER]
    return order.index(severity) <= order.index(other)


def _as_float(value: Fraction | None) -> float | None:
    return None if value is None else float(value)
