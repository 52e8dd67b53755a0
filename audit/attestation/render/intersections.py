"""Two attributes at once as a heat map, three and more as a table.

Comes in: what is known of an intersection's groups. Goes out: one SVG with its message; the numbers behind it stand in
a table of their own.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from audit.evidence import Group, Measurement

from . import fairness_words, sentences, words
from .attribute import RATIO, GroupRow
from .figures import HeatField, HeatScale, draw_heatmap, fits_heatmap
from .figures.style import HEAT_STEPS
from .glyphs import shorten
from .groups import AttributeBlock
from .plots import Block, list_instead
from .tables import Lexicon
from .tongue import tell

MOST_ROWS = 14
"""Rows of a heat map; an intersection with more is shown as a table."""
STEP = 0.1
"""Distance from parity that makes one step of the colours."""


@dataclass(frozen=True, slots=True)
class IntersectionBlock:
    """One intersection as it is shown."""

    block: AttributeBlock
    message: str
    figure: Markup | None
    what: str
    compared: bool


def show_intersections(
    blocks: Sequence[Block], shown: Sequence[AttributeBlock], groups: Sequence[Group], lexicon: Lexicon
) -> tuple[IntersectionBlock, ...]:
    """Return the intersections as they are shown.

    Parameters
    ----------
    blocks : sequence of Block
        What is known of each.
    shown : sequence of AttributeBlock
        Their tables.
    groups : sequence of Group
        All groups, for the order of their values.
    lexicon : Lexicon
        Titles and units.
    """
    return tuple(
        _show(index, block, item, [group for group in groups if group.attributes == block.kind], lexicon)
        for index, (block, item) in enumerate(zip(blocks, shown, strict=True))
    )


def _show(
    index: int, block: Block, shown: AttributeBlock, groups: Sequence[Group], lexicon: Lexicon
) -> IntersectionBlock:
    small = sum(_is_small(row, block) for row in block.rows)
    metric = _metric_of(block)
    message = _message(block, small) if metric == RATIO else shown.message
    figure = None
    if metric and len(block.kind) == 2:
        down, across = (tuple(dict.fromkeys(group.values[side] for group in groups)) for side in (0, 1))
        if len(down) <= MOST_ROWS and fits_heatmap(len(across)):
            figure = _draw(f"heat{index}", block, (down, across), metric, f"{block.title}: {message}", lexicon)
    return IntersectionBlock(shown, message, figure, words.lower_first(lexicon.head(metric)), metric == RATIO)


def _metric_of(block: Block) -> str:
    if any(RATIO in numbers for numbers in block.by_group.values()):
        return RATIO
    return next(iter(list_instead(block)), "")


def _is_small(row: GroupRow, block: Block) -> bool:
    ratio = block.by_group.get(row.label, {}).get(RATIO)
    return row.small or bool(ratio and not ratio.estimate.assessable)


def _message(block: Block, small: int) -> str:
    worst = block.worst
    large = [row for row in block.rows if not _is_small(row, block)]
    if worst is None or worst.ratio is None or worst not in large:
        return sentences.say_pairs(None, "", 0, 0, 0)
    tones = [row.sign.tone for row in large if row.sign and not row.reference]
    failed, unsure = tones.count("bad"), tones.count("open")
    return sentences.say_pairs((worst.label, worst.ratio.text), block.reference, failed, unsure, small)


def _draw(
    name: str, block: Block, labels: tuple[tuple[str, ...], tuple[str, ...]], metric: str, title: str, lexicon: Lexicon
) -> Markup:
    rows = {row.label: row for row in block.rows}
    ends = _ends(block, metric)
    fields = [
        [_field(rows.get(f"{down} · {across}"), block, metric, ends, lexicon) for across in labels[1]]
        for down in labels[0]
    ]
    described = "; ".join(
        f"{shorten(row.label, 80)}: {_text_of(row, block, metric, lexicon)}, n = {row.n}" for row in block.rows
    )
    own_ends = (_end_text(end, block, metric, lexicon) for end in ends)
    first, last = map(tell, fairness_words.HEAT_ENDS) if metric == RATIO else own_ends
    hatched = tell(fairness_words.HEAT_SMALL) if any(field and field.small for line in fields for field in line) else ""
    axes = (words.prettify(block.kind[0]), words.prettify(block.kind[1]))
    return draw_heatmap(
        name, title, described, axes, labels, fields, HeatScale(lexicon.head(metric), (first, last), hatched)
    )


def _ends(block: Block, metric: str) -> tuple[float, float]:
    values = [v for found in block.by_group.values() if metric in found if (v := _value(found[metric])) is not None]
    return (min(values), max(values)) if values else (0.0, 1.0)


def _end_text(end: float, block: Block, metric: str, lexicon: Lexicon) -> str:
    found = next(m for numbers in block.by_group.values() if (m := numbers.get(metric)) and _value(m) == end)
    return lexicon.show(found).value


def _value(measurement: Measurement) -> float | None:
    return measurement.estimate.value


def _field(
    row: GroupRow | None, block: Block, metric: str, ends: tuple[float, float], lexicon: Lexicon
) -> HeatField | None:
    if row is None:
        return None
    found = block.by_group.get(row.label, {}).get(metric)
    value = _value(found) if found else None
    remark = f"n = {row.n}" + (f", {tell(words.REFERENCE)}" if row.reference else "")
    tone = row.sign.tone if row.sign and not row.reference else ""
    sign = row.sign.sign if row.sign and tone in ("bad", "open") else ""
    text = _text_of(row, block, metric, lexicon)
    if row.reference and metric == RATIO:
        return HeatField(text if value is not None else words.PARITY, remark, 0)
    if value is None:
        return HeatField(text, remark, 0, True)
    if metric == RATIO:
        step = int((1 - value) / STEP + 1e-9) if value < 1 else 0
    else:
        step = int((value - ends[0]) / ((ends[1] - ends[0]) or 1.0) * (HEAT_STEPS - 1) + 0.5)
    return HeatField(text, remark, step, _is_small(row, block), sign)


def _text_of(row: GroupRow, block: Block, metric: str, lexicon: Lexicon) -> str:
    found = block.by_group.get(row.label, {}).get(metric)
    return lexicon.show(found).value if found and _value(found) is not None else "–"
