"""Quality of explanations and individual decisions as a reader meets them: a message and small tables.

Comes in: the two sections. Goes out: `ExplainedBlock` and `DecidedBlock`, or None where they were not carried out.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from audit.evidence import Evidence, Explanations, IndividualDecisions, Measurement

from . import words
from .footnotes import annotate
from .numbers import count_text, show
from .panels import value_grid
from .tables import Grid, GridRow, Lexicon, TableCell, make_grid, metrics_of
from .tongue import echo, tell

GAINS = ("deletion_gain", "insertion_gain", "completeness_error", "incomplete_share")
STABLE = ("seed_correlation", "seed_overlap", "sensitivity")
AGREE = ("agreement_correlation", "agreement_overlap", "agreement_sign")
RANDOM = ("randomisation_correlation", "randomisation_floor", "randomisation_excess")
HEADS = {
    "deletion_gain": "Deletion (sd)",
    "insertion_gain": "Insertion (sd)",
    "completeness_error": "Misses the score by (sd)",
    "incomplete_share": "Sums that miss",
    "seed_correlation": "Seeds: rank correlation",
    "seed_overlap": "Seeds: same top 3",
    "sensitivity": "Noise: change (sd per sd)",
    "agreement_correlation": "Rank correlation",
    "agreement_overlap": "Same top 3",
    "agreement_sign": "Same sign",
    "randomisation_correlation": "Still the same",
    "randomisation_floor": "By the distance alone",
    "randomisation_excess": "Beyond it",
    "recourse_rate": "Have a way",
    "recourse_cost": "Cost (sd)",
    "recourse_rate_difference": "Having a way",
    "recourse_cost_difference": "Cost (sd)",
}
"""Short heads of columns."""
TOGETHER = 6
"""Most columns of a table with the groups of all attributes; where there are more, each attribute has its own."""
VALID = (
    "reason_validity",
    "reasons_suffice",
    "first_reason_stability",
    "reason_stability",
    "protected_reason_rate",
)


@dataclass(frozen=True, slots=True)
class ExplainedBlock:
    """Tests of explanations."""

    message: str
    methods: tuple[tuple[str, str], ...]
    faithful: Grid | None
    stable: Grid | None
    agree: Grid | None
    random: Grid | None
    expected: Grid | None


@dataclass(frozen=True, slots=True)
class DecidedBlock:
    """Reasons and recourse."""

    message: str
    loud: str
    valid: Grid | None
    shares: Grid | None
    recourse: Grid | None
    gaps: Grid | None
    annex: tuple[tuple[str, Grid], ...]


def show_explanations(evidence: Evidence, lexicon: Lexicon) -> ExplainedBlock | None:
    """Return the tests of explanations; None where there are none."""
    part = evidence.explanations
    if not isinstance(part, Explanations):
        return None

    def grid(names: Sequence[str], corner: str) -> Grid | None:
        chosen = _named(part.measurements, "explanations", names)
        return _grid(chosen, lexicon, corner, lambda m: echo(m.outcome or ""))

    expected = _named(part.measurements, "explanations", ("expected_share",))
    return ExplainedBlock(
        _say_explanations(part),
        tuple((_large(echo(item.name)), _say_origin(item.reference)) for item in part.methods),
        grid(GAINS, tell("Method")),
        grid(STABLE, tell("Method")),
        grid(AGREE, tell("Methods")),
        grid(RANDOM, tell("Method")),
        _grid(expected, lexicon, tell("Feature"), _expected_row),
    )


def _large(name: str) -> str:
    return name[:1].upper() + name[1:]


def _say_origin(reference: str) -> str:
    return tell("measured from {reference}", reference=echo(reference))


def _expected_row(m: Measurement) -> str:
    return tell("{feature}, by {method}", feature=words.prettify(m.feature or ""), method=echo(m.outcome or ""))


def _say_explanations(part: Explanations) -> str:
    """Return whether every method beats a random order, in a sentence."""
    gains = _named(part.measurements, "explanations", ("deletion_gain", "insertion_gain"))
    methods = dict.fromkeys(m.outcome or "" for m in gains)
    good = [name for name in methods if all((m.estimate.low or 0.0) > 0 for m in gains if m.outcome == name)]
    if not methods:
        return tell("Explanations of single scores, put to the test.")
    if len(good) == len(methods):
        return tell(
            "All {number} methods name features that the score depends on, clearly better than a random order.",
            number=len(methods),
        )
    if not good:
        return tell("No method names the features that the score depends on better than a random order does.")
    return tell("Only {methods} clearly beat a random order of the features.", methods=", ".join(map(echo, good)))


def show_decisions(evidence: Evidence, lexicon: Lexicon) -> DecidedBlock | None:
    """Return reasons and recourse; None where there are none."""
    part = evidence.decisions
    if not isinstance(part, IndividualDecisions):
        return None
    valid = _named(part.measurements, "decisions", VALID)
    loud = next((m for m in valid if m.metric.endswith("protected_reason_rate")), None)
    gaps = [m for m in part.measurements if m.attribute]
    heard = _named(part.measurements, "decisions", ("reason_share",))
    together = _across(heard, _attributes_of(heard), lexicon) if heard else None
    fits = together is not None and len(together.heads) <= TOGETHER
    apart = [(words.prettify(name), _across(heard, [name], lexicon)) for name in _attributes_of(heard)]
    return DecidedBlock(
        _say_decisions(part, lexicon),
        tell("This holds for {share} of those decided against.", share=lexicon.show(loud).text) if loud else "",
        value_grid(valid, lexicon),
        together if fits or not apart else apart[0][1],
        _by_group(_named(part.measurements, "decisions", ("recourse_rate", "recourse_cost")), lexicon),
        _grid(gaps, lexicon, tell("Attribute"), lambda m: words.prettify(m.attribute or "")),
        () if fits else tuple(apart[1:]),
    )


def _say_decisions(part: IndividualDecisions, lexicon: Lexicon) -> str:
    """Return the most frequent reason, and how many have a way, in a sentence."""
    shares = [m for m in part.measurements if m.metric == "decisions.reason_share" and not m.group]
    known = [m for m in shares if m.estimate.value is not None]
    said = ""
    if known:
        first = max(known, key=lambda m: m.estimate.value or 0.0)
        said = tell(
            "The most frequent reason is {feature}: {share} hear it.",
            feature=words.prettify(first.feature or ""),
            share=lexicon.show(first).value,
        )
    rate = next((m for m in part.measurements if m.metric == "decisions.recourse_rate" and not m.group), None)
    if rate is not None and rate.estimate.value is not None:
        way = "A way to the other decision was found for {share} of those decided against."
        said += " " + tell(way, share=lexicon.show(rate).value)
    return said.strip() or tell("Reasons for {number} decisions.", number=count_text(part.rows))


def _named(measurements: Sequence[Measurement], section: str, names: Sequence[str]) -> list[Measurement]:
    """Return the measurements of these metrics, in the order of the names."""
    order = {f"{section}.{name}": place for place, name in enumerate(names)}
    return sorted((m for m in measurements if m.metric in order), key=lambda m: order[m.metric])


def _grid(
    measurements: Sequence[Measurement], lexicon: Lexicon, corner: str, key: Callable[[Measurement], str]
) -> Grid | None:
    if not measurements:
        return None
    grid = make_grid(measurements, lexicon, corner=corner, key=key, label=_large)
    metrics = metrics_of(measurements)
    heads = tuple(tell(HEADS.get(m.rpartition(".")[2], head)) for m, head in zip(metrics, grid.heads, strict=True))
    return annotate(replace(grid, heads=heads))


def _attributes_of(measurements: Sequence[Measurement]) -> list[str]:
    return list(dict.fromkeys(name for m in measurements for name in m.group))


def _by_group(measurements: Sequence[Measurement], lexicon: Lexicon) -> Grid | None:
    """Return a column per metric: everybody first, then the groups of each attribute below its name."""
    blocks = ["", *_attributes_of(measurements)]
    ranked = sorted(measurements, key=lambda m: blocks.index(next(iter(m.group), "")))
    everybody = ("", tell("Everybody"))
    grid = _grid(ranked, lexicon, tell("Group"), lambda m: "\n".join(next(iter(m.group.items()), everybody)))
    if grid is None:
        return None
    rows, last = [], ""
    for row in grid.rows:
        attribute, _, group = row.label.partition("\n")
        name = words.prettify(attribute) if attribute else ""
        rows.append(replace(row, label=group, opens=name if name != last else ""))
        last = name
    return replace(grid, rows=tuple(rows))


def _across(measurements: Sequence[Measurement], attributes: Sequence[str], lexicon: Lexicon) -> Grid:
    """Return features down, everybody and the groups of these attributes across."""
    scopes = {
        tuple(m.group.items()): next(iter(m.group.values()), tell("All"))
        for m in measurements
        if not m.group or set(m.group) & set(attributes)
    }
    features = list(dict.fromkeys(m.feature or "" for m in measurements))
    cells = {
        (m.feature, tuple(m.group.items())): show(m.estimate, m.metric, lexicon.unit(m.metric)) for m in measurements
    }
    rows = []
    for feature in features:
        shown: tuple[TableCell, ...] = tuple(cells.get((feature, scope)) for scope in scopes)
        rows.append(GridRow(words.prettify(feature), "", shown))
    return annotate(Grid(tell("Reason"), tuple(scopes.values()), tuple(rows)))
