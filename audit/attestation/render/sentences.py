"""Sentences about groups, the second half of `words`: what one sees, who is worst off, whether it is more than noise.

Comes in: numbers as text, names of groups, p-values. Goes out: plain sentences. Nothing is computed here but a chance
turned into "once in so many".
"""

from __future__ import annotations

from collections.abc import Sequence

from .glyphs import shorten
from .numbers import NBSP, count_text, number_text, p_text

ALPHA = 0.05
NAMED = 3
"""Groups named in a sentence; the others are counted."""


def join_names(names: Sequence[str], most: int = NAMED) -> str:
    """Return ``a, b and c``, or ``a, b, c and 4 more``."""
    shown = [shorten(name, 60) for name in names[:most]]
    if len(names) > most:
        return f"{', '.join(shown)} and {len(names) - most} more"
    return " and ".join([", ".join(shown[:-1]), shown[-1]]) if len(shown) > 1 else "".join(shown)


def say_beyond(groups: Sequence[tuple[str, str]], reference: str) -> str:
    """Say which groups are beyond the limit.

    Parameters
    ----------
    groups : sequence of (name, ratio as text)
        Worst first.
    reference : str
        Whom they are compared with.
    """
    against = shorten(reference, 60)
    if len(groups) == 1:
        name, ratio = groups[0]
        return f"Beyond the limit: {shorten(name, 60)} is selected at {ratio} times the rate of {against}."
    listed = join_names([f"{name} ({ratio})" for name, ratio in groups])
    return f"Beyond the limit of their rules: {listed}, each compared with {against}."


def say_open(names: Sequence[str]) -> str:
    """Say that the data cannot tell."""
    return f"No group is shown to be beyond the limit; for {join_names(names)} the data cannot tell."


def say_within(reference: str, worst: tuple[str, str] | None) -> str:
    """Say that every judged group is within the limit."""
    lowest = f" The lowest is {shorten(worst[0], 60)} at {worst[1]}." if worst else ""
    return f"Every judged group is within the limit, compared with {shorten(reference, 60)}.{lowest}"


def say_unjudged(worst: tuple[str, str] | None, reference: str) -> str:
    """Say what is seen where no rule judged it."""
    if worst is None:
        return "Selection by group; no group could be compared."
    against = shorten(reference, 60)
    return f"Lowest impact ratio: {shorten(worst[0], 60)} at {worst[1]}, compared with {against}; no rule judged it."


def say_chance(p: float | None, group: str, *, corrected: bool) -> str:
    """Say whether the gap of the worst-off group is more than noise.

    Parameters
    ----------
    p : float or None
        P-value of equality; None where there is no test.
    group : str
        The group.
    corrected : bool
        Whether it is corrected for several pairs.
    """
    if p is None:
        return ""
    told = f"p{NBSP}{_equals(p)}{', corrected for all pairs' if corrected else ''}"
    name = shorten(group, 60)
    verb = "is more than" if p <= ALPHA else "may be"
    return f"The gap of {name} {verb} noise: were the rates equal, chance would show it {_how_often(p)} ({told})."


def _how_often(p: float) -> str:
    if p < 1e-4:
        return "less than once in 10,000 times"
    if p < 0.2:
        return f"about once in {count_text(round(1 / p))} times"
    return f"in about {round(p * 100)} of 100 times"


def say_values(title: str, ends: tuple[tuple[str, str], tuple[str, str]] | None) -> str:
    """Say what is seen where nothing is selected: lowest and highest group of a number.

    Parameters
    ----------
    title : str
        What is compared.
    ends : ((name, number), (name, number)) or None
        Lowest and highest group.
    """
    if ends is None:
        return f"{title} by group; no group could be compared."
    (low, least), (high, most) = ends
    return f"{title} lies between {least} ({shorten(low, 60)}) and {most} ({shorten(high, 60)})."


def say_alike(group: str, columns: Sequence[str], plain: str, alike: str, reference: str) -> str:
    """Say the unadjusted ratio beside the one among people who are alike."""
    listed = join_names([column.lower() for column in columns])
    return (
        f"Over all people {shorten(group, 60)} is selected at {plain} times the rate of {shorten(reference, 60)}; "
        f"among people alike in {listed}, at {alike} times."
    )


def say_same_everywhere(p: float, group: str) -> str:
    """Say what the test of homogeneity over strata means."""
    name = shorten(group, 60)
    told = f"(Breslow-Day p{NBSP}{_equals(p)})"
    if p <= ALPHA:
        where = "one common number hides where the gap is"
        return f"For {name} the odds differ between these kinds of people {told}: {where}."
    return f"For {name} nothing shows that the odds differ between these kinds of people {told}."


def _equals(p: float) -> str:
    return (p_text(p) if p_text(p).startswith("<") else f"= {p_text(p)}").replace(" ", NBSP)


def say_pairs(worst: tuple[str, str] | None, reference: str, failed: int, open_: int, small: int) -> str:
    """Say what an intersection shows.

    Parameters
    ----------
    worst : (name, ratio) or None
        The judged group with the lowest ratio.
    reference : str
        Whom it is compared with.
    failed, open_, small : int
        Groups that failed a rule, that are undecided, that are too small to be judged.
    """
    if worst is None:
        return "No group of this intersection is large enough to be compared."
    parts = [f"Worst off: {shorten(worst[0], 80)} at {worst[1]} times the rate of {shorten(reference, 80)}"]
    counts = [(failed, "beyond the limit"), (open_, "undecided"), (small, "too small to be judged")]
    told = [f"{count} {word}" for count, word in counts if count]
    return f"{parts[0]}.{' Of these groups ' + join_names(told) + '.' if told else ''}"


def say_slices(held: int, tested: int, of: str) -> str:
    """Say how many weak slices were confirmed."""
    if not tested:
        return f"No part of the rows stood out by its {of}, so none was tested."
    if not held:
        return (
            f"None of {tested} parts of the rows that looked worse by their {of} held up on rows not used to find them."
        )
    verb = "is" if held == 1 else "are"
    return f"{held} of {tested} parts of the rows with a worse {of} {verb} confirmed on rows not used to find them."


def say_spread(outcome: str, low: tuple[str, float], high: tuple[str, float]) -> str:
    """Say where groups differ most in bands or classes."""
    first, last = (number_text(100 * share, decimals=0) for _, share in (low, high))
    return (
        f"Groups differ most in {shorten(outcome, 60)}: {first}% of {shorten(low[0], 60)}, {last}% of "
        f"{shorten(high[0], 60)}."
    )


def say_sweep(threshold: str, ratio: str, limit: float | None, near: tuple[str, str, str] | None) -> str:
    """Say what the cut in use gives, and the nearest cut at which the limit would be met.

    Parameters
    ----------
    threshold, ratio : str
        The cut in use and its lowest impact ratio.
    limit : float or None
        Limit of a rule; None where there is none, or it is met today.
    near : (cut, share, share today) or None
        The nearest cut that meets it, and the share of all people selected there and today.
    """
    text = f"At today's cut of {threshold} the lowest impact ratio is {ratio}."
    if limit is None:
        return text
    if near is None:
        return f"{text} At no cut shown would it reach {limit:g}."
    cut, share, today = near
    return f"{text} It would reach {limit:g} at a cut of {cut}, which selects {share} of all people ({today} today)."


def say_cuts() -> str:
    """Say what is seen where no cut is in use."""
    return "Selection and impact ratio at every cut on the score; none of them is in use."
