"""Fairness as a reader meets it: one block per attribute with a forest plot, tables behind, what each group needs.

Comes in: the fairness section and the verdicts on it. Goes out: blocks for the template. Limits are read from the
verdicts, never assumed.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from markupsafe import Markup

from audit.evidence import Fairness, Group, Judgement, Measurement, Verdict

from . import words
from .attribute import GAP, MAIN, RATE, RATIO, GroupRow, label_of, show_brief, show_tables
from .figures import ForestPanel, ForestPoint, ForestRow, draw_forest
from .glyphs import shorten
from .numbers import Shown, count_text, p_text
from .tables import Grid, Lexicon

FIGURE_ROWS = 30
"""Rows of one forest plot; further groups stand in the table."""


@dataclass(frozen=True, slots=True)
class AttributeBlock:
    """One attribute or pair of attributes."""

    name: str
    title: str
    anchor: str
    message: str
    figure: Markup | None
    rows: tuple[GroupRow, ...]
    hidden: int
    reference: str
    limit: str
    tables: tuple[tuple[str, Grid], ...]
    brief: tuple[tuple[str, Grid], ...]
    further: int
    literal: str
    single: bool


def show_attributes(fairness: Fairness, judgement: Judgement, lexicon: Lexicon) -> tuple[AttributeBlock, ...]:
    """Return one block per attribute, then one per pair, in the order of the evidence."""
    kinds = list(dict.fromkeys(group.attributes for group in fairness.groups))
    verdicts = [v for finding in judgement.findings for v in finding.verdicts]
    return tuple(_show_attribute(kind, index, fairness, verdicts, lexicon) for index, kind in enumerate(kinds))


def _show_attribute(
    kind: tuple[str, ...], index: int, fairness: Fairness, verdicts: list[Verdict], lexicon: Lexicon
) -> AttributeBlock:
    name = " * ".join(kind)
    groups = {label_of(group.scope): group for group in fairness.groups if group.attributes == kind}
    numbers = [m for m in fairness.measurements if m.group and tuple(sorted(m.group)) == tuple(sorted(kind))]
    by_group: dict[str, dict[str, Measurement]] = {}
    for m in numbers:
        by_group.setdefault(label_of({key: m.group[key] for key in kind}), {}).setdefault(m.metric, m)
    judged = _verdicts_on(verdicts, kind)
    limits = _limits_of(judged)
    counts = {
        label_of(dict(zip(kind, cell.values, strict=True))): cell.favourable
        for table in fairness.tables
        if table.attributes == kind
        for cell in table.cells
    }
    rows = tuple(
        _group_row(label, group, by_group.get(label, {}), counts.get(label), judged.get(label), lexicon)
        for label, group in groups.items()
    )
    reference = next(
        (words.prettify_scope(m.reference, kind) for m in numbers if m.metric == RATIO and m.reference), ""
    )
    rows = tuple(_mark_reference(row, reference) for row in rows)
    title = words.prettify(name)
    message = _message(rows, reference)
    whole = _whole_numbers(fairness, kind)
    figure = _figure(f"fair{index}", title, message, rows, by_group, judged, limits) if by_group else None
    return AttributeBlock(
        name=name,
        title=title,
        anchor=f"fairness-{index + 1}",
        message=message,
        figure=figure,
        rows=rows,
        hidden=max(0, len(rows) - FIGURE_ROWS),
        reference=reference,
        limit=next((v.limit for v in judged.values() if v.limit and v.limit_low), ""),
        tables=show_tables(kind, rows, numbers, whole, lexicon),
        brief=show_brief(kind, rows, whole, lexicon),
        further=sum(m.metric not in MAIN for m in numbers),
        literal=next((line for line in fairness.literal if line.startswith((f"{name}:", f"{name}="))), "").replace(
            f"{name}=", ""
        ),
        single=len(kind) == 1,
    )


def _verdicts_on(verdicts: list[Verdict], kind: tuple[str, ...]) -> dict[str, Verdict]:
    """Return the verdicts on impact ratios of this attribute by group, the one with a true lower limit first."""
    found: dict[str, Verdict] = {}
    for v in verdicts:
        if v.metric == RATIO and tuple(sorted(v.group)) == tuple(sorted(kind)):
            label = label_of({key: v.group[key] for key in kind})
            if label not in found or (v.limit_low or 0) > (found[label].limit_low or 0):
                found[label] = v
    return found


def _limits_of(judged: dict[str, Verdict]) -> tuple[float | None, float | None]:
    low = next((v.limit_low for v in judged.values() if v.limit_low), None)
    return low, next((v.limit_high for v in judged.values() if v.limit_high), None)


def _group_row(
    label: str,
    group: Group,
    numbers: dict[str, Measurement],
    favourable: int | None,
    verdict: Verdict | None,
    lexicon: Lexicon,
) -> GroupRow:
    shown = {metric: lexicon.show(numbers[metric]) if metric in numbers else None for metric in MAIN}
    compared = numbers.get(RATIO) or numbers.get(GAP)
    return GroupRow(
        label=label,
        n=count_text(group.n),
        favourable=count_text(favourable),
        rate=shown[RATE],
        ratio=shown[RATIO],
        gap=shown[GAP],
        p=p_text(compared.parity.p_adjusted) if compared and compared.parity else "",
        reference=False,
        small=group.small,
        sign=words.VERDICTS[verdict.status] if verdict else None,
        need=verdict.would_decide if verdict else "",
    )


def _mark_reference(row: GroupRow, reference: str) -> GroupRow:
    if not reference or row.label != reference:
        return row
    return replace(row, ratio=None, gap=None, p="", reference=True)


def _message(rows: tuple[GroupRow, ...], reference: str) -> str:
    """Return the finding of one attribute in a sentence."""
    failed = [row for row in rows if row.sign and row.sign.tone == "bad"]
    unsure = [row for row in rows if row.sign and row.sign.tone == "open"]
    if failed:
        names = ", ".join(f"{shorten(row.label, 60)} ({row.ratio.value})" for row in failed[:3] if row.ratio)
        more = f" and {len(failed) - 3} more" if len(failed) > 3 else ""
        return f"Impact ratio beyond the limit: {names}{more}, compared with {shorten(reference, 60)}."
    if unsure:
        names = ", ".join(shorten(row.label, 60) for row in unsure[:3]) + (
            f" and {len(unsure) - 3} more" if len(unsure) > 3 else ""
        )
        return f"No group is shown to be beyond the limit; for {names} the data cannot tell."
    if any(row.sign for row in rows):
        return f"Every judged group is within the limit, compared with {shorten(reference, 60)}."
    lowest = min(
        (row for row in rows if row.ratio and row.ratio.measured), key=lambda r: float(_plain(r.ratio)), default=None
    )
    if lowest is None or lowest.ratio is None:
        return "Selection by group; no group could be compared."
    name, against = shorten(lowest.label, 60), shorten(reference, 60)
    return f"Lowest impact ratio: {name} at {lowest.ratio.text}, compared with {against}; no rule judged it."


def _plain(shown: Shown | None) -> str:
    text = shown.value if shown else "inf"
    return text.replace(",", "").replace("−", "-").rstrip("%")


def _figure(
    name: str,
    title: str,
    message: str,
    rows: tuple[GroupRow, ...],
    by_group: dict[str, dict[str, Measurement]],
    judged: dict[str, Verdict],
    limits: tuple[float | None, float | None],
) -> Markup:
    shown = rows[:FIGURE_ROWS]
    panels = [
        _rate_panel([n[RATE] for n in by_group.values() if RATE in n]),
        _ratio_panel([n[RATIO] for n in by_group.values() if RATIO in n], limits),
    ]
    forest = [
        ForestRow(
            row.label,
            f"n = {row.n}" + (" small" if row.small else ""),
            (
                _point(by_group.get(row.label, {}).get(RATE), row.rate, ""),
                _point(
                    by_group.get(row.label, {}).get(RATIO),
                    row.ratio,
                    judged[row.label].status if row.label in judged else "",
                    absent="reference group" if row.reference else "not compared",
                ),
            ),
            muted=row.small,
        )
        for row in shown
    ]
    described = "; ".join(
        f"{shorten(row.label, 80)}: selection rate {row.rate.text if row.rate else 'not measured'}"
        + (f", impact ratio {row.ratio.text}" if row.ratio else ", reference group" if row.reference else "")
        for row in shown
    )
    return draw_forest(name, f"{title}: {message}", described, panels, forest)


def _ends(numbers: list[Measurement]) -> list[float]:
    ends = (end for m in numbers for end in (m.estimate.value, m.estimate.low, m.estimate.high))
    return [end for end in ends if end is not None]


def _rate_panel(numbers: list[Measurement]) -> ForestPanel:
    ends = _ends(numbers) or [0.0, 1.0]
    low, high = math.floor(min(ends) * 10) / 10, math.ceil(max(ends) * 10) / 10
    return ForestPanel("Selection rate", max(0.0, low), min(1.0, high), percent=True)


def _ratio_panel(numbers: list[Measurement], limits: tuple[float | None, float | None]) -> ForestPanel:
    """Return the panel of impact ratios: parity and limit always in sight, at most twice parity."""
    ends = [*_ends(numbers), 0.75, 1.1, *(limit for limit in limits if limit is not None)]
    low, high = math.floor(min(ends) * 10 - 0.5) / 10, math.ceil(max(ends) * 10) / 10
    return ForestPanel("Impact ratio", max(0.0, low), min(2.0, high), limits[0], limits[1], neutral=1.0)


def _point(
    measurement: Measurement | None, shown: Shown | None, status: str, absent: str = "not measured"
) -> ForestPoint:
    if measurement is None or shown is None:
        return ForestPoint(None, None, None, absent)
    estimate = measurement.estimate
    if estimate.value is None:
        return ForestPoint(None, None, None, shown.text)
    text = f"{shown.value} ({shown.interval})" if shown.interval else shown.value
    return ForestPoint(estimate.value, estimate.low, estimate.high, text.replace("\u00a0to\u00a0", "–"), status)


def _whole_numbers(fairness: Fairness, kind: tuple[str, ...]) -> list[Measurement]:
    names = {" * ".join(kind), " * ".join(reversed(kind))}
    return [m for m in fairness.measurements if m.attribute in names and not m.group]
