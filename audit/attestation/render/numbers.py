"""How numbers are printed: three significant digits, an interval beside every estimate, shares in per cent.

Comes in: numbers and `Estimate`. Goes out: text. Undefined is printed as ``not measured`` with its reason, never as 0.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from datetime import datetime

from audit.evidence import SUPPRESSED, Estimate

from . import words
from .tongue import echo, mark_points, percent_text, say_day, tell

MINUS = "−"
NBSP = "\u00a0"
TINY = 1e-4
"""Below it a number is told as smaller than it: readers are spared powers of ten."""
NO_INTERVAL = "no interval"
SUPPRESSED_NUMBER, SUPPRESSED_BRIEF = "suppressed (fewer than 5)", "suppressed"
_POWER = re.compile(r"\bp = (?:\d(?:[.,]\d+)?e-0*(\d+)|0(?!\w|[.,]\d))")
_MINUS = re.compile(r"(?<=[\s(])-(?=\d)")
_APART = re.compile(r"(?<=\d) %(?!\w)")
_TINY = re.compile(r"(?<![\w.,])(\d(?:[.,]\d+)?)e-0*(\d+)\b")
_RAISED = str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")


@dataclass(frozen=True, slots=True)
class Shown:
    """An estimate as text.

    Parameters
    ----------
    value : str
        The point, ``not measured``, or that a public edition suppresses it.
    interval : str
        ``0.611 to 0.748``; empty where there is none.
    reason : str
        Why there is no value or no interval, or what limits the number.
    n : str
        Rows behind it.
    measured : bool
        Whether there is a value.
    assessable : bool
        Whether a verdict may rest on it.
    level : str
        Level of the interval, ``95%``; empty for bounds that are certain.
    method : str
        How it was computed.
    mark : str
        Footnote mark; the reason then stands below the table.
    """

    value: str
    interval: str
    reason: str
    n: str
    measured: bool
    assessable: bool
    level: str
    method: str
    mark: str = ""

    @property
    def loose(self) -> bool:
        """Whether the words in place of an interval may be broken over lines."""
        return bool(self.interval) and self.interval.startswith(tell(words.BY_CHANCE))

    @property
    def suppressed(self) -> bool:
        """Whether a public edition does not tell the number."""
        return not self.measured and self.value == tell(SUPPRESSED_NUMBER)

    @property
    def brief(self) -> str:
        """The number for a narrow place that has its reason below it."""
        return tell(SUPPRESSED_BRIEF) if self.suppressed else self.value

    @property
    def text(self) -> str:
        """The number with its interval in one line."""
        if not self.measured:
            return self.value if self.suppressed else tell("not measured: {reason}", reason=self.reason)
        return f"{self.value} ({f'{self.level} {self.interval}'.strip()})" if self.interval else self.value


def count_text(number: float | None) -> str:
    """Return a whole number with thousands separators.

    Examples
    --------
    >>> count_text(6000)
    '6,000'
    """
    if number is None:
        return "–"
    return mark_points(f"{number:,.0f}".replace("-", MINUS))


def decimals_for(value: float, digits: int = 3) -> int:
    """Return how many decimals show `value` with `digits` significant digits, between 0 and 6."""
    if value == 0 or not math.isfinite(value):
        return digits - 1
    return max(0, min(6, digits - 1 - math.floor(math.log10(abs(value)))))


def number_text(value: float, digits: int = 3, *, decimals: int | None = None) -> str:
    """Return a number with `digits` significant digits, or with fixed `decimals`.

    Examples
    --------
    >>> number_text(0.67843)
    '0.678'
    >>> number_text(-12345.6)
    '−12,346'
    >>> number_text(0)
    '0'
    >>> number_text(4.7e-8)
    '< 0.0001'
    """
    if decimals is None:
        if value == 0:
            return "0"
        if abs(value) < TINY:
            return mark_points(f"< {TINY:.4f}" if value > 0 else f"> {MINUS}{TINY:.4f}")
        decimals = decimals_for(value, digits)
    text = f"{value:,.{decimals}f}"
    if float(text.replace(",", "")) == 0:
        text = text.lstrip("-")
    return mark_points(text.replace("-", MINUS))


def share_text(value: float, *, decimals: int | None = None) -> str:
    """Return a share in per cent with three significant digits.

    Examples
    --------
    >>> share_text(0.6153)
    '61.5%'
    >>> share_text(1.0)
    '100%'
    """
    return percent_text(number_text(value * 100, decimals=decimals) if value != 1 else "100")


def p_text(p: float) -> str:
    """Return a p-value: ``< 0.0001``, or three decimals, four below 0.001."""
    return mark_points("< 0.0001" if p < TINY else f"{p:.3f}" if p >= 0.001 else f"{p:.4f}")


def plain_text(text: str) -> str:
    """Return `text` without computers' numbers: ``p = 9.65e-27`` becomes ``p < 0.0001``, ``-1`` ``−1``.

    Examples
    --------
    >>> plain_text("parity: pooled z -29.12, p = 2.102e-186; after Holm p = 0.0003")
    'parity: pooled z −29.12, p < 0.0001; after Holm p = 0.0003'
    >>> plain_text("parity: pooled z -58.27, p = 0; after Holm over 6 pairs p = 0")
    'parity: pooled z −58.27, p < 0.0001; after Holm over 6 pairs p < 0.0001'
    >>> plain_text("largest difference 1.1e-16")
    'largest difference 1.1 × 10⁻¹⁶'
    >>> plain_text("the whole 95 % interval")
    'the whole 95% interval'
    """
    tiny = f"p < {mark_points('0.0001')}"
    text = _POWER.sub(lambda found: tiny if found[1] is None or int(found[1]) >= 5 else found[0], text)
    text = _APART.sub(percent_text(""), _MINUS.sub(MINUS, text))
    return _TINY.sub(lambda found: f"{_point(found[1])} × 10⁻{found[2].translate(_RAISED)}", text)


def _point(number: str) -> str:
    """Return a number of one digit and decimals with the mark of the language, which it may have already."""
    return number if "," in number else mark_points(number)


def size_text(size: int | None) -> str:
    """Return a number of bytes for readers."""
    if size is None:
        return "–"
    for unit, step in (("MB", 1_000_000), ("kB", 1_000)):
        if size >= step:
            return f"{number_text(size / step)}{NBSP}{unit}"
    return f"{size}{NBSP}{tell('bytes')}"


def seconds_text(seconds: float | None) -> str:
    """Return a wall time."""
    return "–" if seconds is None else f"{mark_points(f'{seconds:,.2f}')}{NBSP}s"


def day_text(moment: str) -> str:
    """Return the day of an ISO 8601 date or time as ``21 November 2026``; the text itself where it is none."""
    try:
        day = datetime.fromisoformat(moment)
    except ValueError:
        return moment
    return say_day(day)


def moment_text(moment: str) -> str:
    """Return an ISO 8601 UTC time as ``21 November 2026, 09:15 UTC``."""
    try:
        time = datetime.fromisoformat(moment)
    except ValueError:
        return moment
    return f"{day_text(moment)}, {time:%H:%M}{NBSP}UTC"


def shorten_interval(text: str) -> str:
    """Return an interval's text with a dash between its ends, for the narrow places of figures."""
    return text.replace(f"{NBSP}{tell('to')}{NBSP}", "–")


def is_share(metric: str, unit: str) -> bool:
    """Whether a metric is a share of people, to be shown in per cent."""
    name = metric.rpartition(".")[2]
    return unit in words.SHARE_UNITS or name in words.SHARE_NAMES or name.endswith("_rate")


def show(estimate: Estimate, metric: str = "", unit: str = "") -> Shown:
    """Return an estimate as text.

    Parameters
    ----------
    estimate : Estimate
        The number.
    metric, unit : str
        Metric id and unit of its definition: they decide between per cent, whole and plain numbers.
    """
    n = "" if estimate.n is None else count_text(estimate.n)
    certain = estimate.level >= 1  # bounds that no sampling error enters
    level = "" if certain else percent_text(mark_points(f"{estimate.level * 100:g}"))
    if estimate.value is None:
        gone = SUPPRESSED_NUMBER if estimate.note == SUPPRESSED else "not measured"
        return Shown(tell(gone), "", echo(estimate.note), n, False, False, level, echo(estimate.method))
    value, interval = _as_text(estimate, metric, unit)
    method = echo(estimate.method)
    if certain and interval:
        interval = f"{tell(words.BOUNDS)} {interval}"
    if estimate.low is not None and estimate.low == estimate.high == estimate.value:
        interval = ""  # the reference against itself: nothing was estimated
        why = echo(estimate.note) or tell("by definition")
        return Shown(value, interval, why, n, True, estimate.assessable, level, method)
    if estimate.chance is not None and not interval:
        interval = tell(words.BY_CHANCE) + number_text(estimate.chance)  # what its note would say once more
        return Shown(value, interval, "", n, True, estimate.assessable, level, method)
    reason = echo(estimate.note) or ("" if interval or not estimate.method else tell(NO_INTERVAL))
    return Shown(value, interval, reason, n, True, estimate.assessable, level, method)


def _as_text(estimate: Estimate, metric: str, unit: str) -> tuple[str, str]:
    assert estimate.value is not None
    if metric.endswith("_p") and not estimate.has_interval:
        return p_text(estimate.value), ""
    value, low, high = estimate.value, estimate.low, estimate.high
    if is_share(metric, unit):
        scale, sign = 100.0, percent_text("")
    else:
        scale, sign = 1.0, ""
    if unit in words.WHOLE_UNITS and float(value).is_integer() and low is None and high is None:
        return count_text(value), ""
    decimals = _shared_decimals(value * scale, low, high, scale)
    text = number_text(value * scale, decimals=decimals) if value else "0"
    ends = [abs(end) * scale for end in (low, high) if end is not None]
    if 0 < abs(value * scale) < TINY and all(end < TINY for end in ends):
        text = number_text(value * scale)
    return text + sign, _interval_text(low, high, scale, decimals, sign)


def _shared_decimals(value: float, low: float | None, high: float | None, scale: float) -> int:
    ends = [end * scale for end in (low, high) if end is not None and math.isfinite(end)]
    if ends and min(ends) <= 0 <= max(ends) and max(abs(end) for end in ends) > 0:
        widest = max(abs(end) for end in ends)  # near nothing, the interval sets the precision
        return max(decimals_for(widest, 2), 3 if widest < 1 else 0)
    largest = max([abs(value), *(0.3 * abs(end) for end in ends)])
    return decimals_for(largest) if largest else 2


def _interval_text(low: float | None, high: float | None, scale: float, decimals: int, sign: str) -> str:
    if low is None and high is None:
        return ""
    if low is None and high is not None:
        return tell("at most {limit}", limit=number_text(high * scale, decimals=decimals) + sign)
    if high is None and low is not None:
        return tell("at least {limit}", limit=number_text(low * scale, decimals=decimals) + sign)
    assert low is not None
    assert high is not None
    if 0 < max(abs(low), abs(high)) * scale < TINY:
        return tell("within {size} of 0", size=mark_points(f"{TINY:.4f}{sign}")).replace(" ", NBSP)
    first, last = (number_text(end * scale, decimals=decimals) for end in (low, high))
    return f"{first}{NBSP}{tell('to')}{NBSP}{last}{sign}"
