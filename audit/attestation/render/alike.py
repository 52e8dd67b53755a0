"""Groups among people who are alike: the impact ratio over everybody beside the one within strata.

Comes in: counts within strata and what was measured from them. Goes out: two sentences and a small table per attribute.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from audit.evidence import Fairness, Measurement, StratifiedTable

from . import fairness_words, sentences, words
from .footnotes import annotate
from .numbers import Shown, count_text, number_text
from .plots import Block
from .tables import Grid, GridRow, Lexicon, TableCell
from .tongue import tell

RATIO = "fairness.conditional_selection_rate_ratio"
PARITY, SAME = "fairness.cmh_p", "fairness.breslow_day_p"
COLUMNS = (RATIO, "fairness.conditional_selection_rate_difference", PARITY, SAME)


@dataclass(frozen=True, slots=True)
class AlikeBlock:
    """One attribute within strata."""

    title: str
    by: tuple[str, ...]
    strata: int
    message: str
    same: str
    table: Grid


def show_alike(fairness: Fairness, blocks: Mapping[str, Block], lexicon: Lexicon) -> dict[str, AlikeBlock]:
    """Return what was measured within strata, by attribute.

    Parameters
    ----------
    fairness : Fairness
        The section.
    blocks : mapping
        Attribute to what is known of its groups.
    lexicon : Lexicon
        Titles and units.
    """
    return {
        table.attribute: _show(table, blocks[table.attribute], lexicon)
        for table in fairness.strata
        if table.attribute in blocks
    }


def _show(table: StratifiedTable, block: Block, lexicon: Lexicon) -> AlikeBlock:
    reference = words.prettify_scope(table.reference, (table.attribute,))
    found = {
        label: {metric: numbers[metric] for metric in COLUMNS if metric in numbers}
        for label, numbers in block.by_group.items()
    }
    by = tuple(words.prettify(name) for name in table.by)
    worst = _worst(found, reference, {row.label for row in block.rows if not row.small})
    message, same = "", ""
    if worst and (plain := _plain_ratio(worst, reference, block)) is not None:
        alike = lexicon.show(found[worst][RATIO]).text
        message = sentences.say_alike(worst, by, number_text(plain), alike, reference)
        test = found[worst].get(SAME)
        if test and test.estimate.value is not None:
            same = sentences.say_same_everywhere(test.estimate.value, worst)
    return AlikeBlock(block.title, by, len(table.strata), message, same, _grid(found, reference, block, lexicon))


def _worst(found: Mapping[str, Mapping[str, Measurement]], reference: str, large: set[str]) -> str:
    values = {
        label: numbers[RATIO].estimate.value
        for label, numbers in found.items()
        if RATIO in numbers and label != reference and label in large and numbers[RATIO].estimate.assessable
    }
    known = {label: value for label, value in values.items() if value is not None}
    return min(known, key=known.__getitem__, default="")


def _plain_ratio(group: str, reference: str, block: Block) -> float | None:
    """Return the ratio of the two groups over everybody, in whole people."""
    own, other = block.counts.get(group), block.counts.get(reference)
    if not own or not other or not other[0]:
        return None
    return (own[0] * other[1]) / (own[1] * other[0])


def _grid(found: Mapping[str, Mapping[str, Measurement]], reference: str, block: Block, lexicon: Lexicon) -> Grid:
    metrics = [metric for metric in COLUMNS if any(metric in numbers for numbers in found.values())]
    lines = []
    for row in block.rows:
        own = block.counts.get(row.label)
        plain = _plain_ratio(row.label, reference, block)
        cells: list[TableCell] = [
            _text(tell("{count} of {all}", count=count_text(own[0]), all=count_text(own[1])) if own else "–"),
            _text(number_text(plain) if plain is not None else "–"),
        ]
        numbers = found.get(row.label, {})
        cells += [lexicon.show(numbers[metric]) if metric in numbers else None for metric in metrics]
        remark = tell(words.REFERENCE) if row.label == reference else ""
        lines.append(GridRow(row.label, remark, tuple(cells), row.small))
    heads = (tell(fairness_words.SELECTED_OF), tell(fairness_words.RATIO_OVER_ALL), *map(lexicon.head, metrics))
    return annotate(Grid(block.title, heads, tuple(lines)))


def _text(value: str) -> Shown:
    return Shown(value, "", "", "", True, True, "", "")
