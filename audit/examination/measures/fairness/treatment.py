"""Treatment equality: for every wrong yes, how many wrong noes a group bears.

Comes in: the groupings of single attributes. Goes out: the ratio of the two mistakes by group, and the smallest ratio
of these ratios between any two groups.
"""

from __future__ import annotations

from collections.abc import Iterator

from audit.evidence import Definition, Estimate, Measurement, undefined
from audit.statistics import wilson
from audit.statistics.odds import worst_odds_ratio

from .groups import Grouping
from .metrics import Count, count_missed
from .parts import Found, Scene
from .rates import LEVEL, Reading, envelope_estimate, judged_rows, small_note
from .two_sided import NOT_PREDICTED, read_two_sides

_BERK = "Berk et al. (2021), Fairness in Criminal Justice Risk Assessments"

DEFINITIONS: tuple[Definition, ...] = (
    Definition(
        id="fairness.treatment_equality",
        title="False negatives per false positive",
        formula="people with the positive label predicted negative / people with the negative label predicted "
        "positive. Positive means the label's positive class, whichever decision is favourable",
        source=f"Treatment equality: {_BERK}; interval: Wilson (1927) of the share of false negatives among mistakes",
    ),
    Definition(
        id="fairness.treatment_equality_ratio",
        title="Treatment-equality ratio",
        formula="lowest number of false negatives per false positive / highest one, over the groups large enough to "
        "judge; the interval is the envelope of the simultaneous intervals of all pairs, cut at 1",
        better="higher",
        source=f"Treatment equality: {_BERK}; interval: Miettinen and Nurminen (1985) of the odds ratio, Bonferroni",
    ),
)
"""One row per metric of this module."""


def measure_treatment(scene: Scene) -> Found:
    """Measure treatment equality of every single attribute.

    Parameters
    ----------
    scene : Scene
        The case.
    """
    reading = read_two_sides(scene)
    if scene.case.subject.decision is None or reading.no_label == NOT_PREDICTED:
        return Found()
    return Found(tuple(item for grouping in scene.singles for item in _of_attribute(grouping, reading)))


def _of_attribute(grouping: Grouping, reading: Reading) -> Iterator[Measurement]:
    counts = [count_missed(cell, reading.positive_is_favourable) for cell in grouping.table.cells]
    for place, count in enumerate(counts):
        yield Measurement(
            metric="fairness.treatment_equality",
            estimate=_of_group(count, small_note(grouping, place, reading), reading),
            group=grouping.groups[place].scope,
        )
    yield Measurement(
        metric="fairness.treatment_equality_ratio",
        estimate=_between_groups(grouping, counts, reading),
        attribute=grouping.name,
    )


def _of_group(count: Count, small: str, reading: Reading) -> Estimate:
    """Return false negatives per false positive, with Wilson's interval of their share carried over."""
    missed, wrong = count
    if reading.no_label:
        return undefined(reading.no_label)
    if missed == wrong:
        why = "nobody in this group is a false positive" if wrong else "nobody in this group is decided wrongly"
        return undefined(why, n=wrong)
    low, high = wilson(missed, wrong, LEVEL)
    notes = [note for note in (small, reading.selective) if note]
    return Estimate(
        value=missed / (wrong - missed),
        low=low / (1 - low),
        high=high / (1 - high),
        level=LEVEL,
        n=wrong,
        method="Wilson score of the share of false negatives among mistakes",
        note="; ".join(notes),
        assessable=not notes,
    )


def _between_groups(grouping: Grouping, counts: list[Count], reading: Reading) -> Estimate:
    """Return the smallest ratio of any two judged groups that have a false positive."""
    if reading.no_label:
        return undefined(reading.no_label)
    judged = [place for place, yes in enumerate(grouping.assessable) if yes]
    known = [place for place in judged if counts[place][0] < counts[place][1]]
    lost = [f"{grouping.names[place]} has no false positive" for place in judged if place not in known]
    rows = judged_rows(grouping)
    if len(known) < 2:
        return undefined("; ".join(["fewer than two judged groups have a false positive", *lost]), n=rows)
    envelope = worst_odds_ratio([counts[place] for place in known], LEVEL)
    names = [grouping.names[place] for place in known]
    estimate = envelope_estimate(
        envelope, "Miettinen-Nurminen odds-ratio", rows, names, "nobody in these groups is a false negative"
    )
    if estimate.value is None:
        return estimate
    note = "; ".join([estimate.note, *lost, *filter(None, [reading.selective])])
    return estimate.model_copy(update={"note": note, "assessable": not lost and not reading.selective})
