"""The data as it was read: rows, columns, groups, what is missing, and whether groups are there in their numbers.

Comes in: the case. Goes out: the `Data` section. It holds counts and quantiles, and no row: levels with fewer than
five people are not listed, and an id is counted but never shown.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from time import perf_counter
from typing import TYPE_CHECKING, Any

import numpy as np

from audit.errors import AuditError
from audit.evidence import ColumnSummary, Data, Definition, Estimate, Group, Measurement, Parity, undefined
from audit.examination.data.groups import UNKNOWN, order_groups
from audit.examination.data.values import value_text

from . import leaks, representation
from .counted import count_groups, count_missing, count_positive, count_tallied, count_unlabelled, sum_weights
from .representation import measure_shares, note_population

if TYPE_CHECKING:
    from audit.examination.data.kinds import ColumnFacts

    from .case import Case

QUANTILES = (0.01, 0.25, 0.5, 0.75, 0.99)
TOP_LEVELS = 8
FEWEST_SHOWN = 5
"""People below which a level is not listed: it could point at one of them."""

DEFINITIONS: tuple[Definition, ...] = (
    Definition(
        id="data.rows",
        title="Rows",
        formula="rows judged, each a person or a case; by group where a group is named",
        unit="rows",
        better="higher",
        source="count",
    ),
    Definition(
        id="data.missing_rate",
        title="Missing values",
        formula="rows without a value of the feature / rows",
        better="lower",
        source="count; interval: Wilson (1927)",
    ),
    Definition(
        id="data.label_rate_ratio",
        title="Ratio of base rates",
        formula="share of positive labels in the group / highest such share of any group that is neither small nor "
        "unknown. The highest is picked after the fact; the interval holds for all pairs of groups at once.",
        better="nearer_one",
        source="descriptive; interval: Miettinen and Nurminen (1985)",
    ),
    Definition(
        id="data.split_overlap",
        title="Judged rows that the model was trained on",
        formula="judged rows whose id occurs among the ids of the model's training rows",
        unit="rows",
        better="lower",
        source="exact match of the id column",
    ),
    *leaks.DEFINITIONS,
    *representation.DEFINITIONS,
)


def measure_data(case: Case) -> Data:
    """Describe the data.

    Parameters
    ----------
    case : Case
        Rows as read, labels, groups.

    Returns
    -------
    Data
    """
    begun = perf_counter()
    label, rows = _class_label(case), case.dataset.rows
    overlap, training = measure_overlap(case)
    return Data(
        rows=rows,
        label_known=0 if case.label is None else rows - count_unlabelled(case),
        label_positive=0 if label is None else count_positive(case, label),
        columns=tuple(_describe_column(case, facts) for facts in case.dataset.described),
        groups=tuple(group for name in case.groups for group in _list_groups(case, name)),
        exclusions=_list_exclusions(case),
        reading=case.dataset.reading,
        training=training,
        measurements=(
            *_measure_rows(case),
            *_measure_missing(case),
            *(() if label is None else _measure_label_rates(case, label)),
            *(item for name in case.groups for item in measure_shares(name, *_known_groups(case, name))),
            Measurement(metric="data.split_overlap", estimate=overlap),
            *leaks.measure_leaks(case),
        ),
        notes=tuple(_list_notes(case)),
        seconds=round(perf_counter() - begun, 3),
    )


def _class_label(case: Case) -> np.ndarray | None:
    """Return the label where it is a class; a regression's value has no base rate."""
    return None if case.subject.task == "regression" else case.label


# columns


def _describe_column(case: Case, facts: ColumnFacts) -> ColumnSummary:
    name = facts.name
    use = case.dataset.used_as.get(name, "")
    if name not in case.frame.columns:
        # read by nobody: known from the one look at the table, without quantiles or levels
        return ColumnSummary(
            name=name, kind=facts.kind, used_as=use or "unused", missing=facts.missing, distinct=facts.distinct
        )
    values, kind = case.frame[name].to_numpy(), case.dataset.kinds[name]
    missing = count_missing(case, facts)
    private = "id" in use.split(", ")
    return ColumnSummary(
        name=name,
        kind=kind,
        used_as=use or "unused",
        missing=missing,
        distinct=facts.distinct,
        quantiles=_quantiles(values) if kind == "number" and not private else (),
        top=_top_levels(values) if kind != "number" and not private else {},
    )


def _quantiles(values: np.ndarray) -> tuple[float, ...]:
    """Return the quantiles, none beyond the fifth value from either end: the ends are single people."""
    known = np.sort(values[np.isfinite(values)])
    if known.size < 2 * FEWEST_SHOWN:
        return ()
    held = np.clip(np.quantile(known, QUANTILES), known[FEWEST_SHOWN - 1], known[-FEWEST_SHOWN])
    return tuple(float(value) for value in held)


def _top_levels(values: np.ndarray) -> dict[str, int]:
    """Return the most frequent levels, most first, without those of a few people."""
    import pandas as pd

    codes, levels = pd.factorize(values)
    counts = np.bincount(codes[codes >= 0], minlength=len(levels)).tolist()
    ranked = sorted(
        zip((value_text(level) for level in levels), counts, strict=True), key=lambda item: (-item[1], item[0])
    )
    return {level: count for level, count in ranked[:TOP_LEVELS] if count >= FEWEST_SHOWN}


def _list_exclusions(case: Case) -> tuple[str, ...]:
    return tuple(f"column {name}: excluded by the configuration" for name in case.config.exclude)


# groups


def _count_groups(case: Case, attribute: str) -> dict[str, int]:
    """Return the rows of each group in display order; a group of the declared population may have none."""
    found = count_groups(case, attribute)
    declared = case.config.groups.attributes[attribute].population
    return {name: found.get(name, 0) for name in order_groups({*found, *declared})}


def _list_groups(case: Case, attribute: str) -> list[Group]:
    rows, subject = case.dataset.rows, case.subject
    return [
        Group(
            attributes=(attribute,),
            values=(name,),
            n=count,
            small=count < subject.small_count or count < subject.small_share * rows,
        )
        for name, count in _count_groups(case, attribute).items()
    ]


def _known_groups(case: Case, attribute: str) -> tuple[dict[str, int], dict[str, float]]:
    """Return rows of each known group, and the declared shares in the population."""
    counts = {name: rows for name, rows in _count_groups(case, attribute).items() if name != UNKNOWN}
    return counts, case.config.groups.attributes[attribute].population


def _measure_rows(case: Case) -> Iterator[Measurement]:
    yield Measurement(metric="data.rows", estimate=_count(case.dataset.rows))
    for attribute in case.groups:
        for name, rows in _count_groups(case, attribute).items():
            yield Measurement(metric="data.rows", estimate=_count(rows), group={attribute: name})


def _count(rows: int) -> Estimate:
    return Estimate(value=float(rows), n=rows, count=rows, method="count")


def _measure_missing(case: Case) -> Iterator[Measurement]:
    from audit.statistics.intervals import wilson

    rows = case.dataset.rows
    facts = {item.name: item for item in case.dataset.described}
    for feature in case.subject.features:
        missing = count_missing(case, facts[feature.name])
        low, high = wilson(missing, rows)
        estimate = Estimate(
            value=missing / rows, low=float(low), high=float(high), n=rows, count=missing, method="Wilson score"
        )
        yield Measurement(metric="data.missing_rate", estimate=estimate, feature=feature.name)


def _measure_label_rates(case: Case, label: np.ndarray) -> Iterator[Measurement]:
    """Compare each group's share of positive labels with the highest one."""
    from audit.statistics.compare import compare_to_best

    for attribute, values in case.groups.items():
        groups = [group for group in _list_groups(case, attribute) if group.values[0] != UNKNOWN]
        counts = (
            [count_tallied(case, attribute, group.values[0]) for group in groups]
            if case.sampled
            else [_count_labels(values == group.values[0], label) for group in groups]
        )
        done = compare_to_best(
            counts,
            [f"{attribute}={group.values[0]}" for group in groups],
            assessable=[known >= case.subject.small_count for _, known in counts],
            candidates=[not group.small for group in groups],
        )
        for group, comparison, (_, known) in zip(groups, done, counts, strict=True):
            why = "" if known else "no person of this group has a label"
            yield Measurement(
                metric="data.label_rate_ratio",
                estimate=undefined(why, n=0) if why else Estimate(**comparison.ratio.fields()),
                group=group.scope,
                reference=comparison.reference or None,
                parity=Parity(**comparison.parity.fields()) if comparison.parity and not why else None,
            )


def _count_labels(inside: np.ndarray, label: np.ndarray) -> tuple[int, int]:
    known = inside & ~np.isnan(label)
    return int((label[known] == 1).sum()), int(known.sum())


# training rows


def measure_overlap(case: Case) -> tuple[Estimate, str]:
    """Return how many judged rows the model was trained on, and what is known of its training rows.

    Parameters
    ----------
    case : Case
        Its configuration names the training rows.
    """
    data = case.config.data
    if not case.subject.has_model:
        return undefined("there is no model file whose training rows could be compared"), ""
    if data.model_train == "unknown":
        return undefined("the rows that the model was trained on are not named"), (
            "unknown: nobody named the rows that the black box was trained on"
        )
    if data.model_train == "none of these":
        return undefined("declared as none of the judged rows; a declaration is not a comparison"), (
            "declared: none of the judged rows; this was not checked"
        )
    path = data.train if data.model_train == "train" else data.model_train
    if path is None:
        return undefined("data.model_train says `train`, but data.train names no file"), ""
    estimate, name = _compare_ids(case, path, "data.model_train")
    return estimate, _tell_training(estimate, name)


def _tell_training(estimate: Estimate, name: str) -> str:
    if estimate.count is None:
        return f"{name or 'a file'}; whether judged rows are among them is not known: {estimate.note}"
    if estimate.count == 0:
        return f"{name}; no judged row is among them, by its id"
    return f"{name}; {estimate.count:,} of {estimate.n:,} judged rows are among them, by their id"


def _compare_ids(case: Case, path: str, place: str) -> tuple[Estimate, str]:
    """Count judged rows whose id stands in another table; return its name too."""
    from audit.examination.data.read import read_column

    column = case.config.data.id
    if column is None:
        return undefined("no id column is declared (data.id), so rows cannot be compared"), path.rsplit("/", 1)[-1]
    try:
        ids, source = read_column(path, case.config, column, place=place)
    except AuditError as error:
        return undefined(error.what), path.rsplit("/", 1)[-1]
    known = {value for value in ids.tolist() if value is not None}
    frames = [case.frame] if not case.sampled else case.dataset.batches(columns=(column,))
    shared, looked = 0, 0
    for frame in frames:
        shared += sum(value in known for value in frame[column].tolist())
        looked += len(frame)
    if looked < case.dataset.rows:
        return undefined("the ids of all rows are not at hand: the shards were swept elsewhere"), source.name
    return (
        Estimate(value=float(shared), n=case.dataset.rows, count=shared, method="exact match of the id column"),
        f"{source.name}, {len(ids):,} rows, {source.files[0].sha256[:23]}",
    )


# cautions


def find_caution(case: Case) -> str:
    """Say where the black box may have seen the judged rows: a comparison with it then favours it."""
    if not case.subject.has_model and case.scores.score is None:
        return ""
    if case.config.data.model_train == "unknown":
        return "may favour the black box: the rows it was trained on are unknown"
    overlap, _ = measure_overlap(case)
    if overlap.count:
        return f"may favour the black box: it was trained on {overlap.count:,} of the judged rows"
    if overlap.value is None and case.config.data.model_train != "none of these" and case.subject.has_model:
        return f"may favour the black box: {overlap.note}"
    return ""


def _list_notes(case: Case) -> Iterator[str]:
    rows = case.dataset.rows
    if case.sampled:
        yield f"quantiles and the most frequent values of columns: {case.sampled}"
    if case.label is not None:
        unlabelled = count_unlabelled(case)
        if unlabelled:
            yield (
                f"{unlabelled:,} of {rows:,} rows ({unlabelled / rows:.1%}) have no label: they count for decisions "
                "and not for errors"
            )
    yield from _note_ids(case)
    for attribute in case.groups:
        yield from note_population(attribute, *_known_groups(case, attribute))
        unknown = _count_groups(case, attribute).get(UNKNOWN, 0)
        if unknown:
            yield f"{attribute} is unknown for {unknown:,} of {rows:,} rows ({unknown / rows:.1%})"
    if case.weights is not None:
        total, squares = sum_weights(case)
        worth = math.floor(total**2 / squares)
        yield (
            f"rows carry weights ({case.config.data.weight}), worth {worth:,} equal rows: glass boxes are fitted with "
            "them; the numbers of this report count every row once"
        )


def _note_ids(case: Case) -> Iterator[str]:
    data = case.config.data
    if data.id is None:
        return
    ids: Any = case.frame[data.id]
    if case.sampled:
        yield f"whether an id stands in {data.id} twice was not checked: there are too many rows to compare them all"
        return
    twice = int(ids.dropna().duplicated().sum())
    if twice:
        yield f"{twice:,} rows repeat an id that stands in {data.id} before: one person or case counts several times"
    if data.train is not None:
        shared = _compare_ids(case, data.train, "data.train")[0].count
        if shared:
            yield f"{shared:,} judged rows are also among the rows of data.train, which the glass boxes are fitted on"
