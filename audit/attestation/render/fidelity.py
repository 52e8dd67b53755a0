"""How faithfully the glass boxes follow the black box, for whom less, and where the black box departs from them.

Comes in: the fidelity section. Goes out: `FidelityShown`: messages, a table of models, a table of groups for the best
account, the departures; every further number stands in the annex.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from audit.evidence import Departure, Evidence, Fidelity, Measurement

from . import fairness_words, words
from .conditions import say_part
from .footnotes import annotate
from .glyphs import shorten
from .numbers import Shown, count_text, number_text, p_text, show
from .panels import group_grid, model_grid, value_grid
from .tables import Grid, GridRow, Lexicon, TableCell, metrics_of
from .tongue import echo, tell

SHOWN = 5
"""Departures in the chapter."""
BY_GROUP = ("fidelity.decision_agreement", "fidelity.rmse")
COMPARED = {
    "fidelity.decision_agreement_gap": "the same decision is reached for {first} less often than for {second}",
    "fidelity.rmse_ratio": "scores of {first} are missed by more than those of {second}",
}
DEPARTURE_HEADS = (
    "Rows",
    "Black box minus glass box",
    "Missed by, there",
    "Missed by, elsewhere",
    "p, corrected",
    "Confirmed",
)


@dataclass(frozen=True, slots=True)
class FidelityShown:
    """Fidelity as it is printed.

    Parameters
    ----------
    message : str
        How much of the score is explained.
    models, groups : Grid or None
        All rows by model; groups by the best account.
    account : str
        Name of the best additive account.
    compared : tuple of str
        Groups compared, attribute by attribute.
    departing : str
        Where the black box departs, in words.
    departures, further : Grid or None
        The clearest parts, and all others.
    hidden : int
        Rows of `further`.
    by_group : Grid or None
        Every number by model and group.
    compared_grid, rest : Grid or None
        Numbers about attributes, and about departures.
    """

    message: str
    models: Grid | None
    account: str
    groups: Grid | None
    compared: tuple[str, ...]
    departing: str
    departures: Grid | None
    further: Grid | None
    hidden: int
    by_group: Grid | None
    compared_grid: Grid | None
    rest: Grid | None


def show_fidelity(evidence: Evidence, lexicon: Lexicon) -> FidelityShown | None:
    """Return fidelity as it is printed; None where it was not measured.

    Parameters
    ----------
    evidence : Evidence
        The document.
    lexicon : Lexicon
        Titles and units.
    """
    part = evidence.fidelity
    if not isinstance(part, Fidelity):
        return None
    plain = [m for m in part.measurements if not m.group and not m.attribute]
    placed = ("fidelity.r2", "fidelity.rmse", "fidelity.rank_correlation", "fidelity.decision_agreement")
    whole = [m for m in plain if m.metric in placed]
    grouped = [m for m in part.measurements if m.group]
    rest = [m for m in part.measurements if m not in whole and not m.group]
    account = part.account or _best(whole)
    chosen = [m for metric in BY_GROUP for m in grouped if m.model == account and m.metric == metric]
    clearest = sorted(part.departures, key=lambda d: (not d.holds, -_excess(d)))
    return FidelityShown(
        message=_say_fidelity(whole, account, lexicon),
        models=model_grid(whole, lexicon) if whole else None,
        account=words.model_name(account),
        groups=_drop_bands(group_grid(chosen, lexicon)),
        compared=_say_compared([m for m in rest if m.attribute and m.model == account]),
        departing=_say_departures(part.departures, rest),
        departures=_departure_grid(clearest[:SHOWN]),
        further=_departure_grid(clearest[SHOWN:]),
        hidden=len(clearest[SHOWN:]),
        by_group=group_grid(grouped, lexicon),
        compared_grid=_compared_grid([m for m in rest if m.attribute], lexicon),
        rest=value_grid([m for m in rest if not m.attribute], lexicon),
    )


def _compared_grid(numbers: Sequence[Measurement], lexicon: Lexicon) -> Grid | None:
    """Return numbers about attributes: a row per attribute below each model, a column per metric."""
    metrics = metrics_of(numbers)
    found: dict[tuple[str, str], dict[str, Shown]] = {}
    for m in numbers:
        found.setdefault((m.model or "", m.attribute or ""), {})[m.metric] = lexicon.show(m)
    rows, last = [], ""
    for (model, attribute), cells in found.items():
        opens = words.model_name(model) if model != last else ""
        rows.append(GridRow(words.prettify(attribute), "", tuple(map(cells.get, metrics)), opens=opens))
        last = model
    return annotate(Grid(tell("Attribute"), tuple(map(lexicon.head, metrics)), tuple(rows))) if rows else None


def _drop_bands(grid: Grid | None) -> Grid | None:
    """Return a table of one model without its name above the first row: the caption says it."""
    return replace(grid, rows=tuple(replace(row, opens="") for row in grid.rows)) if grid else None


def _best(whole: Sequence[Measurement]) -> str:
    known = [m for m in whole if m.metric == "fidelity.r2" and m.estimate.value is not None and m.model]
    return max(known, key=lambda m: m.estimate.value or 0.0).model or "" if known else ""


def _say_fidelity(whole: Sequence[Measurement], account: str, lexicon: Lexicon) -> str:
    """Return how much of the black box its best additive account explains."""
    found = next((m for m in whole if m.metric == "fidelity.r2" and m.model == account), None)
    if found is None or found.estimate.value is None:
        return tell("How well each glass box follows the black box.")
    return tell(
        "{model} explains {share} of the variance of the black box's score; the rest no sum of single effects and "
        "pairs of this report accounts for.",
        model=words.model_name(account),
        share=lexicon.show(found).text,
    )


def _say_compared(numbers: Sequence[Measurement]) -> tuple[str, ...]:
    """Return the groups compared: how far apart, who is followed less well, whether it is beyond chance."""
    lines = []
    for m in numbers:
        told, estimate = COMPARED.get(m.metric), m.estimate
        first, against, second = estimate.note.partition(";")[0].partition(" against ")
        if told is None or estimate.value is None or not against:
            continue
        shown = show(estimate, m.metric)
        nothing = 1.0 if m.metric.endswith("_ratio") else 0.0
        beyond = (estimate.low or 0.0) > nothing
        far = _times(shown) if nothing else _points(m)
        who = tell(told, first=shorten(first, 60), second=shorten(second, 60))
        line = "{attribute}: {who}, {far}." if beyond else "{attribute}: {who}, {far}; chance alone may explain it."
        lines.append(tell(line, attribute=words.prettify(m.attribute or ""), who=who, far=far))
    return tuple(lines)


def _times(shown: Shown) -> str:
    return tell("{number} times ({level} {interval})", number=shown.value, level=shown.level, interval=shown.interval)


def _points(m: Measurement) -> str:
    e = m.estimate
    low, high = (number_text(100 * (end or 0.0), decimals=1) for end in (e.low, e.high))
    number = number_text(100 * (e.value or 0.0), decimals=1)
    return tell("{number} percentage points (95% {low} to {high})", number=number, low=low, high=high)


def _say_departures(departures: Sequence[Departure], rest: Sequence[Measurement]) -> str:
    """Return where the black box departs most from its best additive account, in words."""
    if not departures:
        told = next((m.estimate.note for m in rest if m.metric == "fidelity.worst_departure_ratio"), "")
        return words.sentence(tell("No part of the rows was tested: {reason}", reason=echo(told))) if told else ""
    held = [item for item in departures if item.holds]
    if not held:
        return tell(
            "None of {number} parts that looked suspicious was confirmed on rows not used to find them.",
            number=len(departures),
        )
    worst = max(held, key=_excess)
    gap = worst.gap
    side = ""
    if gap.low is not None and gap.high is not None and (gap.low > 0 or gap.high < 0):
        higher = "; there it scores higher than its account by {gap}"
        lower = "; there it scores lower than its account by {gap}"
        side = tell(higher if gap.low > 0 else lower, gap=number_text(abs(gap.value or 0)))
    return tell(
        "Confirmed in {held} of {tested} parts tested: the black box departs most from its best additive account "
        "where {part}, missed by {there} against {elsewhere} elsewhere{side}.",
        held=len(held),
        tested=len(departures),
        part=departure_name(worst),
        there=number_text(worst.rmse.value or 0),
        elsewhere=number_text(worst.rest.value or 0),
        side=side,
    )


def _excess(item: Departure) -> float:
    return (item.rmse.value or 0.0) / item.rest.value if item.rest.value else 0.0


def departure_name(item: Departure) -> str:
    """Return the conditions of a part with the features' names as readers meet them."""
    return say_part(item.name, item.features)


def _departure_grid(departures: Sequence[Departure]) -> Grid | None:
    if not departures:
        return None
    rows = []
    for item in departures:
        cells: tuple[TableCell, ...] = (
            _plain(count_text(item.rmse.n)),
            show(item.gap),
            show(item.rmse),
            show(item.rest),
            _plain(p_text(item.p_adjusted)),
            _plain(tell(fairness_words.CONFIRMED[item.holds])),
        )
        rows.append(GridRow(words.sentence(departure_name(item)).rstrip("."), "", cells))
    return annotate(Grid(tell("Where"), tuple(map(tell, DEPARTURE_HEADS)), tuple(rows)))


def _plain(text: str) -> Shown:
    return Shown(text, "", "", "", True, True, "", "")
