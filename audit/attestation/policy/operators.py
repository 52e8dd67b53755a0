"""What is held against a limit: the interval, court practice, the estimate, or proof.

Comes in: a number with its interval and, for a comparison, its test of parity. Goes out: a verdict and its reason. The
four functions are the whole difference between "we are sure", "a court would see it", "the law's literal figure" and
"the burden of proof is yours".
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction

from audit.evidence import Estimate, Parity, VerdictWord

from .phrase import Limit, read_number
from .ruling import say_interval, say_number


@dataclass(frozen=True, slots=True)
class Reading:
    """A number ready to be held against a limit.

    Parameters
    ----------
    estimate : Estimate
        The number, defined and assessable.
    point : fractions.Fraction
        Its value, in whole people where they are known.
    parity : Parity or None
        Test of equality, for a comparison of groups.
    p_adjusted : float or None
        The adjusted p-value that counts; None without a test.
    """

    estimate: Estimate
    point: Fraction
    parity: Parity | None = None
    p_adjusted: float | None = None

    @property
    def low(self) -> Fraction | None:
        """Lower end of the interval; None for unbounded."""
        return None if self.estimate.low is None else read_number(self.estimate.low)

    @property
    def high(self) -> Fraction | None:
        """Upper end of the interval; None for unbounded."""
        return None if self.estimate.high is None else read_number(self.estimate.high)

    def is_distance(self, limit: Limit) -> bool:
        """Return whether the number is above 0 by chance alone and the limit is an upper one."""
        return self.estimate.chance is not None and limit.high is not None


Answer = tuple[VerdictWord, str]


def judge_interval(reading: Reading, limit: Limit) -> Answer:
    """Pass if the whole interval complies, fail if none of it does, else inconclusive."""
    if reading.is_distance(limit):
        return _judge_distance(reading, limit)
    if not reading.estimate.has_interval:
        return "inconclusive", f"there is no interval to hold against '{limit.words}'"
    words = say_interval(reading.estimate)
    if limit.covers(reading.low, reading.high):
        return "pass", f"the whole {words} meets '{limit.words}'"
    if limit.misses(reading.low, reading.high):
        return "fail", f"the whole {words} misses '{limit.words}'"
    return "inconclusive", f"the {words} reaches both sides of '{limit.words}'"


def _judge_distance(reading: Reading, limit: Limit) -> Answer:
    """Pass if the point complies, fail if it is beyond the limit by more than chance gives, else inconclusive.

    Notes
    -----
    A distance (expected calibration error, Kolmogorov-Smirnov, Wasserstein) cannot be 0 in a sample; its 95 % quantile
    under no difference is what chance may add to a system that lies on the limit.
    """
    chance, point = read_number(reading.estimate.chance or 0.0), say_number(reading.point)
    if limit.holds(reading.point):
        return "pass", f"{point} meets '{limit.words}'"
    edge = (limit.high or Fraction(0)) + chance
    if reading.point > edge:
        return "fail", f"{point} misses '{limit.words}' by more than the {say_number(chance)} that chance gives"
    return (
        "inconclusive",
        f"{point} misses '{limit.words}' by no more than the {say_number(chance)} that chance gives",
    )


def judge_court(reading: Reading, limit: Limit) -> Answer:
    """Pass as `judge_interval`; fail if the point breaks the limit and parity is rejected; else inconclusive.

    Notes
    -----
    Practical and statistical significance together, the reading of 29 CFR 1607.4(D). Its fail means "beyond the limit
    and unequal"; only the word "established" means that the limit itself is missed beyond doubt.
    """
    word, because = judge_interval(reading, limit)
    if word == "pass" or reading.is_distance(limit):
        return word, because
    if limit.holds(reading.point):
        return "inconclusive", f"{say_number(reading.point)} meets '{limit.words}', but {because}"
    if reading.p_adjusted is None:
        return "inconclusive", f"{say_number(reading.point)} misses '{limit.words}', and there is no test of parity"
    alpha = 1 - reading.estimate.level
    p = _say_p(reading.p_adjusted)
    if reading.p_adjusted > alpha:
        return "inconclusive", f"{say_number(reading.point)} misses '{limit.words}', but {p} does not exclude parity"
    if word == "fail":
        return "fail", f"{say_number(reading.point)} misses '{limit.words}', established: {because}; {p}"
    return (
        "fail",
        f"{say_number(reading.point)} misses '{limit.words}' and parity is rejected ({p}): beyond the limit "
        "and unequal",
    )


def judge_estimate(reading: Reading, limit: Limit) -> Answer:
    """Hold the point against the limit, in whole people where they are known."""
    verb, word = ("meets", "pass") if limit.holds(reading.point) else ("misses", "fail")
    return ("pass" if word == "pass" else "fail"), f"{say_number(reading.point)} {verb} '{limit.words}'"


def judge_proven(reading: Reading, limit: Limit) -> Answer:
    """Pass if the whole interval complies, else fail: the burden of proof lies with the system."""
    word, because = judge_interval(reading, limit)
    if word == "inconclusive" and (reading.estimate.has_interval or reading.is_distance(limit)):
        return "fail", f"'{limit.words}' is not proven: {because}"
    return word, because


OPERATORS: dict[str, Callable[[Reading, Limit], Answer]] = {
    "interval": judge_interval,
    "court": judge_court,
    "estimate": judge_estimate,
    "proven": judge_proven,
}
"""Value of `judged_on` to its function."""

OPERATOR_WORDS = {
    "interval": "judged on the interval",
    "court": "judged as courts do",
    "estimate": "judged on the estimate",
    "proven": "judged on proof",
}


def choose_operator(judged_on: str | None, limit: Limit, estimate: Estimate) -> str:
    """Return which operator applies: an exact number, or one without interval or chance, is judged on its point.

    Parameters
    ----------
    judged_on : str or None
        As the rule says; None where it says nothing.
    limit : Limit
        What is demanded.
    estimate : Estimate
        The number.
    """
    if limit.low is not None and limit.low == limit.high:
        return "estimate"
    return judged_on or ("interval" if estimate.has_interval or estimate.chance is not None else "estimate")


def _say_p(p: float) -> str:
    return "p < 0.0001 after Holm" if p < 0.0001 else f"p = {p:.4f} after Holm"
