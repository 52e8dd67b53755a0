"""Rates by group and their comparison with the best group, from whole counts.

Comes in: a grouping, and what is known of labels. Goes out: measurements, each an estimate with its interval; where
there is no rate there is a reason, and where there are few people a mark.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from audit.evidence import Cell, Estimate, Measurement, Parity, undefined
from audit.statistics import (
    Comparison,
    Envelope,
    compare_to_best,
    fisher_exact,
    flip_one,
    minimum_detectable_ratio,
    pooled_z,
    shortfall,
    wilson,
    worst_difference,
    worst_ratio,
)

from .groups import Grouping
from .metrics import COMPARED, RATES, ComparedMetric, Count, RateMetric

LEVEL = 0.95
_TESTS = ("adverse_impact_z", "adverse_impact_p")


@dataclass(frozen=True, slots=True)
class Reading:
    """How the count tables are to be read."""

    positive_is_favourable: bool
    """Whether deciding the label's positive class is the favourable decision."""
    no_label: str = ""
    """Why there are no label-based numbers at all; empty where there are."""
    selective: str = ""
    """Why no verdict may rest on label-based numbers (labels missing by decision); empty where one may."""
    small_count: int = 30
    """Groups below this many rows are not judged."""


def small_note(grouping: Grouping, place: int, reading: Reading) -> str:
    """Return why no verdict may rest on the group at `place`; empty where one may."""
    if grouping.assessable[place] or not grouping.known[place]:
        return ""
    rows = grouping.groups[place].n
    return f"{rows} people, fewer than {reading.small_count}: shown, not judged"


def measure_rates(grouping: Grouping, reading: Reading) -> Iterator[Measurement]:
    """Yield every rate of every group, people of unknown group included; of intersections the main ones."""
    for metric in RATES:
        if grouping.crossed and not metric.crossed:
            continue
        for place, cell in enumerate(grouping.table.cells):
            k, n = metric.count(cell, reading.positive_is_favourable)
            yield Measurement(
                metric=f"fairness.{metric.name}",
                estimate=_rate(metric, k, n, small_note(grouping, place, reading), reading),
                group=grouping.groups[place].scope,
            )


def _rate(metric: RateMetric, k: int, n: int, small: str, reading: Reading) -> Estimate:
    """Return a rate with Wilson's interval."""
    if metric.needs_label and reading.no_label:
        return undefined(reading.no_label)
    if n == 0:
        return undefined(metric.empty, n=0, count=0)
    return rate_estimate(k, n, "; ".join(filter(None, (small, reading.selective if metric.needs_label else ""))))


def rate_estimate(k: int, n: int, note: str = "") -> Estimate:
    """Return ``k/n`` with Wilson's interval; not assessable where there is a note why."""
    low, high = wilson(k, n, LEVEL)
    return Estimate(
        value=k / n,
        low=low,
        high=high,
        level=LEVEL,
        n=n,
        count=k,
        method="Wilson score",
        note=note,
        assessable=not note,
    )


def count_by_group(grouping: Grouping, name: str, reading: Reading) -> list[Count]:
    """Return numerator and denominator of the rate called `name`, by group."""
    metric = next(item for item in RATES if item.name == name)
    return [metric.count(cell, reading.positive_is_favourable) for cell in grouping.table.cells]


def compare_counts(grouping: Grouping, counts: Sequence[Count], best: str = "highest") -> dict[int, Comparison]:
    """Compare the known groups' rates with the best; keys are places in the table."""
    places = [place for place, known in enumerate(grouping.known) if known]
    done = compare_to_best(
        [counts[place] for place in places],
        [grouping.names[place] for place in places],
        LEVEL,
        best="lowest" if best == "lowest" else "highest",
        assessable=[grouping.assessable[place] for place in places],
        candidates=[grouping.candidates[place] for place in places],
    )
    return dict(zip(places, done, strict=True))


def measure_comparisons(grouping: Grouping, reading: Reading) -> Iterator[Measurement]:
    """Yield ratio or difference to the best group, for every compared rate and every known group."""
    rates = {metric.name: metric for metric in RATES}
    made: dict[tuple[str, str], dict[int, Comparison]] = {}
    for metric in COMPARED:
        if grouping.crossed and not metric.crossed:
            continue
        key = (metric.rate, metric.best)
        if key not in made:
            made[key] = compare_counts(grouping, count_by_group(grouping, metric.rate, reading), metric.best)
        for place, comparison in made[key].items():
            rate = rates[metric.rate]
            empty = rate.empty if comparison.group_counts[1] == 0 else ""
            why = (reading.no_label if rate.needs_label else "") or empty
            caution = reading.selective if rate.needs_label else ""
            yield compared_measurement(grouping, place, comparison, metric, reading, why=why, caution=caution)
    yield from _measure_adverse_impact(grouping, made["selection_rate", "highest"], reading)


def compared_measurement(
    grouping: Grouping,
    place: int,
    comparison: Comparison,
    metric: ComparedMetric,
    reading: Reading,
    *,
    why: str = "",
    caution: str = "",
) -> Measurement:
    """Return one comparison as a measurement; `why` makes it undefined, `caution` not assessable."""
    figure = comparison.ratio if metric.kind == "ratio" else comparison.difference
    fields = figure.fields()
    notes = [small_note(grouping, place, reading) or fields["note"], caution]
    if metric.rate == "selection_rate" and figure.value is not None and not comparison.is_reference:
        notes.append(_selection_note(comparison))
    fields |= {"note": "; ".join(filter(None, notes)), "assessable": figure.assessable and not caution}
    return Measurement(
        metric=f"fairness.{metric.name}",
        estimate=undefined(why) if why else Estimate(**fields),
        group=grouping.groups[place].scope,
        reference=comparison.reference or None,
        parity=Parity(**comparison.parity.fields()) if comparison.parity and not why else None,
    )


def _selection_note(comparison: Comparison) -> str:
    """Say whether one person could turn the order round; what people of unknown group could change is measured."""
    flips = flip_one(*comparison.group_counts, *comparison.reference_counts)
    return "one different selection would put this group ahead" if flips else ""


def _measure_adverse_impact(
    grouping: Grouping, comparisons: dict[int, Comparison], reading: Reading
) -> Iterator[Measurement]:
    """Yield z, exact p, shortfall and detectable ratio of every known group against the best."""
    for place, comparison in comparisons.items():
        for name, estimate in _adverse_impact(comparison, small_note(grouping, place, reading)).items():
            yield Measurement(
                metric=f"fairness.{name}",
                estimate=estimate,
                group=grouping.groups[place].scope,
                reference=comparison.reference or None,
                parity=Parity(**comparison.parity.fields()) if comparison.parity and name in _TESTS else None,
            )


def _adverse_impact(comparison: Comparison, small: str) -> dict[str, Estimate]:
    """Return the numbers that courts and agencies read beside the impact ratio."""
    if comparison.is_reference:
        return {name: _by_definition(comparison, value) for name, value in _OF_REFERENCE.items()}
    group, best = comparison.group_counts, comparison.reference_counts
    rows = group[1] + best[1]
    if min(group[1], best[1]) == 0:
        return {name: undefined(comparison.ratio.note) for name, *_ in _IMPACT}
    done = {}
    for name, method, compute, why in _IMPACT:
        value = compute(group, best)
        done[name] = (
            undefined(why, n=rows, method=method)
            if value is None
            else Estimate(
                value=value,
                n=rows,
                method=method,
                note=small,
                assessable=comparison.difference.assessable and not small,
            )
        )
    return done


def _by_definition(comparison: Comparison, value: float) -> Estimate:
    """Return what the reference has compared with itself."""
    same = comparison.difference
    return Estimate(value=value, n=same.n, method=same.method, note=same.note, assessable=same.assessable)


_OF_REFERENCE = {"adverse_impact_z": 0.0, "adverse_impact_p": 1.0, "adverse_impact_shortfall": 0.0}
_IMPACT: tuple[tuple[str, str, Callable[[Count, Count], float | None], str], ...] = (
    (
        "adverse_impact_z",
        "pooled z",
        lambda group, best: pooled_z(*best, *group),
        "both groups are decided alike, all or none favourably",
    ),
    ("adverse_impact_p", "Fisher exact", lambda group, best: fisher_exact(*best, *group)[0], ""),
    ("adverse_impact_shortfall", "common rate of both groups", lambda group, best: shortfall(*group, *best), ""),
    (
        "minimum_detectable_ratio",
        "normal approximation, 80 % power",
        lambda group, best: minimum_detectable_ratio(group[1], best[1], best[0] / best[1], LEVEL),
        "with these rows and the best group's rate, no ratio could be told from 1",
    ),
)
"""Name, method, function of (group, best), and why it may be undefined."""


def measure_worst(grouping: Grouping, reading: Reading) -> Iterator[Measurement]:
    """Yield the numbers about a whole attribute: worst ratio, worst difference, equalized odds, unknown share."""
    selected = count_by_group(grouping, "selection_rate", reading)
    judged = [count for count, yes in zip(selected, grouping.assessable, strict=True) if yes]
    names = [name for name, yes in zip(grouping.names, grouping.assessable, strict=True) if yes]
    rows = sum(n for _, n in judged)
    for metric, envelope, how in (
        ("worst_selection_rate_ratio", worst_ratio(judged, LEVEL), "Miettinen-Nurminen"),
        ("worst_selection_rate_difference", worst_difference(judged, LEVEL), "Newcombe"),
    ):
        why = "fewer than two groups are large enough to judge" if len(judged) < 2 else "nobody is decided favourably"
        estimate = envelope_estimate(envelope, how, rows, names, why)
        yield Measurement(metric=f"fairness.{metric}", estimate=estimate, attribute=grouping.name)
    yield Measurement(
        metric="fairness.equalized_odds_difference",
        estimate=_equalized_odds(grouping, reading),
        attribute=grouping.name,
    )
    yield Measurement(
        metric="fairness.unknown_group_share",
        estimate=rate_estimate(sum(_unknown_rows(grouping)), grouping.rows),
        attribute=grouping.name,
    )


def _unknown_rows(grouping: Grouping) -> list[int]:
    return [cell.n for cell, known in zip(grouping.table.cells, grouping.known, strict=True) if not known]


def envelope_estimate(envelope: Envelope, how: str, rows: int, names: Sequence[str], why: str) -> Estimate:
    """Return an envelope over all pairs as an estimate; `why` is the reason where there is none."""
    if envelope.pairs == 0:
        return undefined(why, n=rows)
    behind, ahead = (names[place] for place in envelope.worst)
    return Estimate(
        value=envelope.value,
        low=min(envelope.low, envelope.value),
        high=max(envelope.high, envelope.value),
        level=LEVEL,
        n=rows,
        method=f"envelope of {how} intervals"
        + (f", simultaneous over {envelope.pairs} comparisons" if envelope.pairs > 1 else ""),
        note=f"{behind} against {ahead}",
    )


@dataclass(frozen=True, slots=True)
class JudgedRate:
    """One rate over the groups that may be judged."""

    words: str
    """The rate in words."""
    names: list[str]
    """Judged groups that have the rate."""
    counts: list[Count]
    """Their counts."""
    missing: list[str]
    """Judged groups that do not have it."""

    @property
    def pairs(self) -> int:
        """Unordered pairs of groups that have it."""
        return len(self.counts) * (len(self.counts) - 1) // 2

    @property
    def lost(self) -> list[str]:
        """A sentence for each judged group that does not have it."""
        return [f"{name} has no {self.words}" for name in self.missing]


def judge_rate(grouping: Grouping, name: str, reading: Reading) -> JudgedRate:
    """Return the judged groups' counts of the rate called `name`."""
    counts = count_by_group(grouping, name, reading)
    judged = [place for place, yes in enumerate(grouping.assessable) if yes]
    known = [place for place in judged if counts[place][1] > 0]
    return JudgedRate(
        words=name.replace("_", " "),
        names=[grouping.names[place] for place in known],
        counts=[counts[place] for place in known],
        missing=[grouping.names[place] for place in judged if place not in known],
    )


def judged_rows(grouping: Grouping) -> int:
    """Return the people of the groups that may be judged."""
    return sum(group.n for group, yes in zip(grouping.groups, grouping.assessable, strict=True) if yes)


def _equalized_odds(grouping: Grouping, reading: Reading) -> Estimate:
    """Return the larger of the largest TPR and FPR differences; the intervals pay for twice the pairs."""
    if reading.no_label:
        return undefined(reading.no_label)
    parts = [judge_rate(grouping, name, reading) for name in ("true_positive_rate", "false_positive_rate")]
    lost = [words for part in parts for words in part.lost]
    if any(part.pairs == 0 for part in parts):
        return undefined("; ".join(["fewer than two groups are large enough to judge and have both labels", *lost]))
    family = sum(part.pairs for part in parts)
    envelopes = [worst_difference(part.counts, LEVEL, family=family) for part in parts]
    wider, part = max(zip(envelopes, parts, strict=True), key=lambda both: both[0].value)
    whole = wider._replace(low=max(item.low for item in envelopes), high=max(item.high for item in envelopes))
    estimate = envelope_estimate(whole, "Newcombe", judged_rows(grouping), part.names, "")
    note = "; ".join([f"{part.words}: {estimate.note}", *lost, *filter(None, [reading.selective])])
    return estimate.model_copy(update={"note": note, "assessable": not lost and not reading.selective})


def cell_of_all(cells: Sequence[Cell]) -> Cell:
    """Return the counts of all cells together."""
    fields = [name for name in Cell.model_fields if name != "values"]
    return Cell(values=(), **{name: sum(getattr(cell, name) for cell in cells) for name in fields})
