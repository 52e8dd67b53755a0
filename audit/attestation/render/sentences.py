"""Sentences about groups, the second half of `words`: what one sees, who is worst off, whether it is more than noise.

Comes in: numbers as text, names of groups, p-values. Goes out: plain sentences. Nothing is computed here but a chance
turned into "once in so many".
"""

from __future__ import annotations

from collections.abc import Sequence

from .glyphs import shorten
from .numbers import NBSP, count_text, number_text, p_text
from .tongue import mark_points, tell, tell_many

ALPHA = 0.05
NAMED = 3
"""Groups named in a sentence; the others are counted."""


def join_names(names: Sequence[str], most: int = NAMED) -> str:
    """Return ``a, b and c``, or ``a, b, c and 4 more``."""
    shown = [shorten(name, 60) for name in names[:most]]
    if len(names) > most:
        return tell("{names} and {number} more", names=", ".join(shown), number=len(names) - most)
    if len(shown) < 2:
        return "".join(shown)
    return tell("{names} and {last}", names=", ".join(shown[:-1]), last=shown[-1])


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
        return tell(
            "Beyond the limit: {group} is selected at {ratio} times the rate of {reference}.",
            group=shorten(name, 60),
            ratio=ratio,
            reference=against,
        )
    listed = join_names([f"{name} ({ratio})" for name, ratio in groups])
    return tell(
        "Beyond the limit of their rules: {groups}, each compared with {reference}.", groups=listed, reference=against
    )


def say_open(names: Sequence[str]) -> str:
    """Say that the data cannot tell."""
    return tell(
        "No group is shown to be beyond the limit; for {groups} the data cannot tell.", groups=join_names(names)
    )


def say_within(reference: str, worst: tuple[str, str] | None) -> str:
    """Say that every judged group is within the limit."""
    against = shorten(reference, 60)
    within = tell("Every judged group is within the limit, compared with {reference}.", reference=against)
    if not worst:
        return within
    return f"{within} {tell('The lowest is {group} at {ratio}.', group=shorten(worst[0], 60), ratio=worst[1])}"


def say_unjudged(worst: tuple[str, str] | None, reference: str) -> str:
    """Say what is seen where no rule judged it."""
    if worst is None:
        return tell("Selection by group; no group could be compared.")
    return tell(
        "Lowest impact ratio: {group} at {ratio}, compared with {reference}; no rule judged it.",
        group=shorten(worst[0], 60),
        ratio=worst[1],
        reference=shorten(reference, 60),
    )


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
    told = f"p{NBSP}{_equals(p)}" + (tell(", corrected for all pairs") if corrected else "")
    beyond = "The gap of {group} is more than noise: were the rates equal, chance would show it {often} ({test})."
    perhaps = "The gap of {group} may be noise: were the rates equal, chance would show it {often} ({test})."
    return tell(beyond if p <= ALPHA else perhaps, group=shorten(group, 60), often=_how_often(p), test=told)


def _how_often(p: float) -> str:
    if p < 1e-4:
        return tell("less than once in 10,000 times")
    if p < 0.2:
        return tell("about once in {number} times", number=count_text(round(1 / p)))
    return tell("in about {number} of 100 times", number=round(p * 100))


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
        return tell("{measure} by group; no group could be compared.", measure=title)
    (low, least), (high, most) = ends
    return tell(
        "{measure} lies between {least} ({lowest}) and {most} ({highest}).",
        measure=title,
        least=least,
        lowest=shorten(low, 60),
        most=most,
        highest=shorten(high, 60),
    )


def say_alike(group: str, columns: Sequence[str], plain: str, alike: str, reference: str) -> str:
    """Say the unadjusted ratio beside the one among people who are alike."""
    return tell(
        "Over all people {group} is selected at {plain} times the rate of {reference}; among people alike in "
        "{features}, at {alike} times.",
        group=shorten(group, 60),
        plain=plain,
        reference=shorten(reference, 60),
        features=join_names([column.lower() for column in columns]),
        alike=alike,
    )


def say_same_everywhere(p: float, group: str) -> str:
    """Say what the test of homogeneity over strata means."""
    name = shorten(group, 60)
    told = f"(Breslow-Day p{NBSP}{_equals(p)})"
    if p <= ALPHA:
        return tell(
            "For {group} the odds differ between these kinds of people {test}: one common number hides where the gap "
            "is.",
            group=name,
            test=told,
        )
    return tell(
        "For {group} nothing shows that the odds differ between these kinds of people {test}.", group=name, test=told
    )


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
        return tell("No group of this intersection is large enough to be compared.")
    text = tell(
        "Worst off: {group} at {ratio} times the rate of {reference}.",
        group=shorten(worst[0], 80),
        ratio=worst[1],
        reference=shorten(reference, 80),
    )
    counts = (
        (failed, tell("{number} beyond the limit", number=failed)),
        (open_, tell("{number} undecided", number=open_)),
        (small, tell("{number} too small to be judged", number=small)),
    )
    told = [said for count, said in counts if count]
    return f"{text} {tell('Of these groups {counts}.', counts=join_names(told))}" if told else text


def say_slices(held: int, tested: int, of: str) -> str:
    """Say how many weak slices were confirmed."""
    if not tested:
        return tell("No part of the rows stood out by its {measure}, so none was tested.", measure=tell(of))
    if not held:
        return tell(
            "None of {tested} parts of the rows that looked worse by their {measure} held up on rows not used to find "
            "them.",
            tested=tested,
            measure=tell(of),
        )
    return tell_many(
        "{number} of {tested} parts of the rows with a worse {measure} is confirmed on rows not used to find them.",
        "{number} of {tested} parts of the rows with a worse {measure} are confirmed on rows not used to find them.",
        held,
        tested=tested,
        measure=tell(of),
    )


def say_spread(outcome: str, low: tuple[str, float], high: tuple[str, float]) -> str:
    """Say where groups differ most in bands or classes."""
    first, last = (number_text(100 * share, decimals=0) for _, share in (low, high))
    return tell(
        "Groups differ most in {outcome}: {first}% of {lowest}, {last}% of {highest}.",
        outcome=shorten(outcome, 60),
        first=first,
        lowest=shorten(low[0], 60),
        last=last,
        highest=shorten(high[0], 60),
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
    text = tell("At today's cut of {cut} the lowest impact ratio is {ratio}.", cut=threshold, ratio=ratio)
    if limit is None:
        return text
    wanted = mark_points(f"{limit:g}")
    if near is None:
        return f"{text} {tell('At no cut shown would it reach {limit}.', limit=wanted)}"
    cut, share, today = near
    would = tell(
        "It would reach {limit} at a cut of {cut}, which selects {share} of all people ({today} today).",
        limit=wanted,
        cut=cut,
        share=share,
        today=today,
    )
    return f"{text} {would}"


def say_cuts() -> str:
    """Say what is seen where no cut is in use."""
    return tell("Selection and impact ratio at every cut on the score; none of them is in use.")
