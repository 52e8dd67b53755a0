"""Robustness as a reader meets it: what small changes do to decisions, and for whom.

Comes in: the section. Goes out: a message, one figure and tables; None where the section was not carried out.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from audit.evidence import Evidence, Measurement, Robustness

from . import change_words, words
from .figures import FlipLine, draw_flips
from .footnotes import annotate
from .numbers import Shown
from .tables import Grid, GridRow, Lexicon, TableCell
from .tongue import echo, mark_points, tell

Column = tuple[str, str | None, str]
"""Metric without its section, outcome, heading."""
FIRST, MIDDLE = 0, 1


@dataclass(frozen=True, slots=True)
class RobustnessShown:
    """The section before it has a form."""

    message: str
    figure: Markup | None
    size: str
    at_once: Grid | None
    empty: str
    by_size: Grid | None
    by_group: Grid | None
    missing: Grid | None
    near: Grid | None
    conformal: Grid | None
    conformal_message: str
    moved: str
    attacked: str


def show_robustness(evidence: Evidence, lexicon: Lexicon) -> RobustnessShown | None:
    """Return the robustness section; None where it was not carried out.

    Parameters
    ----------
    evidence : Evidence
        The document.
    lexicon : Lexicon
        Titles and units.
    """
    part = evidence.robustness
    if not isinstance(part, Robustness):
        return None
    numbers = part.measurements
    middle = _sizes(part)[MIDDLE : MIDDLE + 1] or _sizes(part)[:1]
    missing = _by_feature(numbers, lexicon)
    return RobustnessShown(
        message=_message(part, lexicon),
        figure=_figure(part, lexicon),
        size=mark_points(middle[0].removesuffix(" sd")) if middle else "",
        at_once=_by_group(numbers, lexicon, _flip_columns(middle, sized=False)),
        empty=_say_empty(missing),
        by_size=_by_size(part, lexicon),
        by_group=_by_group(numbers, lexicon, _flip_columns(_sizes(part))),
        missing=missing,
        near=_by_group(numbers, lexicon, _near_columns(numbers)),
        conformal=_by_group(numbers, lexicon, [(name, outcome, tell(head)) for name, outcome, head in _CONFORMAL]),
        conformal_message=_conformal_message(numbers, lexicon),
        moved=", ".join(words.prettify(item.feature) for item in part.features),
        attacked=", ".join(words.prettify(item.feature) for item in part.features if item.attacked),
    )


_CONFORMAL: tuple[Column, ...] = (
    ("conformal_shared_coverage", None, change_words.CONFORMAL_HEADS[0]),
    ("conformal_coverage", None, change_words.CONFORMAL_HEADS[1]),
    ("conformal_set_size", None, change_words.CONFORMAL_HEADS[2]),
)


def _find(numbers: Sequence[Measurement], name: str, outcome: str | None) -> Measurement | None:
    """Return the number about all rows."""
    return next((m for m in numbers if m.metric == f"robustness.{name}" and m.outcome == outcome and not m.group), None)


def _sizes(part: Robustness) -> list[str]:
    return [f"{size:g} sd" for size in part.sizes]


def _message(part: Robustness, lexicon: Lexicon) -> str:
    sizes = _sizes(part)
    size = sizes[MIDDLE] if len(sizes) > MIDDLE else ""
    noise, attack = (_find(part.measurements, f"{kind}_flip_rate", size) for kind in ("noise", "attack"))
    if noise and noise.estimate.value is not None and attack and attack.estimate.value is not None:
        return tell(
            change_words.NOISE_AND_ATTACK,
            noise=lexicon.show(noise).text,
            attack=lexicon.show(attack).text,
            size=mark_points(f"{part.sizes[MIDDLE]:g}"),
        )
    if noise and noise.estimate.value is not None:
        size = mark_points(f"{part.sizes[MIDDLE]:g}")
        return tell(change_words.NOISE_ALONE, noise=lexicon.show(noise).text, size=size)
    return tell(change_words.ROBUSTNESS_PARTLY)


def _figure(part: Robustness, lexicon: Lexicon) -> Markup | None:
    lines, said = [], []
    for kind, line in (("attack", change_words.FLIP_LINES[1]), ("noise", change_words.FLIP_LINES[0])):
        points, label = [], tell(line)
        for size, name in zip(part.sizes, _sizes(part), strict=True):
            found = _find(part.measurements, f"{kind}_flip_rate", name)
            if found is not None and found.estimate.value is not None:
                points.append((size, found.estimate.value, found.estimate.low, found.estimate.high))
                said.append(f"{label}, {echo(name)}: {lexicon.show(found).text}")
        if points:
            lines.append(FlipLine(label, tuple(points)))
    if not lines:
        return None
    down, across = change_words.FLIP_AXES
    return draw_flips("flips", tell(change_words.FLIP_TITLE), "; ".join(said), lines, (tell(down), tell(across)))


def _by_size(part: Robustness, lexicon: Lexicon) -> Grid | None:
    names = ("noise_flip_rate", "noise_drop", "noise_score_change", "attack_flip_rate", "attack_score_change")
    held = [name for name in names if any(m.metric == f"robustness.{name}" for m in part.measurements)]
    if not held:
        return None
    rows = tuple(
        GridRow(echo(size), "", tuple(_cell(_find(part.measurements, name, size), lexicon) for name in held))
        for size in _sizes(part)
    )
    heads = tuple(tell(change_words.ROBUSTNESS_HEADS[name]) for name in held)
    return annotate(Grid(tell(change_words.SIZE_HEAD), heads, rows))


def _cell(measurement: Measurement | None, lexicon: Lexicon) -> TableCell:
    return lexicon.show(measurement) if measurement is not None else None


def _flip_columns(sizes: Sequence[str], *, sized: bool = True) -> tuple[Column, ...]:
    return tuple(
        (f"{kind}_flip_rate", size, f"{tell(label)} {mark_points(size.removesuffix(' sd'))}" if sized else tell(label))
        for kind, label in zip(("noise", "attack"), change_words.FLIP_LINES, strict=True)
        for size in sizes
    )


def _say_empty(missing: Grid | None) -> str:
    """Return which input, left empty, turns most decisions; nothing where that was not measured."""
    first = missing.rows[0] if missing else None
    cell = first.cells[0] if first else None
    if missing is None or missing.heads[0] != tell(change_words.ROBUSTNESS_HEADS["missing_flip_rate"]):
        return ""
    if first is None or not isinstance(cell, Shown) or not cell.measured:
        return ""
    return tell(change_words.EMPTIED, feature=first.label, share=cell.text)


def _near_columns(numbers: Sequence[Measurement]) -> tuple[Column, ...]:
    near = dict.fromkeys(m.outcome for m in numbers if m.metric == "robustness.near_cut_share")
    return tuple(("near_cut_share", outcome, _large(echo(outcome or ""))) for outcome in near)


def _large(text: str) -> str:
    return text[:1].upper() + text[1:]


def _by_group(numbers: Sequence[Measurement], lexicon: Lexicon, columns: Sequence[Column]) -> Grid | None:
    """Return a table with all rows first, then the groups of each attribute and their largest difference."""
    found: dict[tuple[str, str], dict[tuple[str, str | None], Shown]] = {}
    wanted = {(name, outcome) for name, outcome, _ in columns}
    largest = tell(change_words.LARGEST_GAP)
    for m in numbers:
        key = (m.metric.partition(".")[2], m.outcome)
        if m.attribute is not None:
            key = (key[0].replace("_gap", "_rate"), m.outcome)
        if key in wanted and m.feature is None:
            attribute = m.attribute or next(iter(m.group), "")
            label = largest if m.attribute else next(iter(m.group.values()), tell(change_words.ALL_ROWS))
            found.setdefault((attribute, label), {})[key] = lexicon.show(m)
    held = [column for column in columns if any(column[:2] in cells for cells in found.values())]
    if not held:
        return None
    rows, last = [], ""
    order = list(dict.fromkeys(attribute for attribute, _ in found))
    ranks = {key: (bool(key[0]), order.index(key[0]), key[1] == largest) for key in found}
    for attribute, label in sorted(found, key=ranks.__getitem__):
        cells = found[attribute, label]
        opens = words.prettify(attribute) if attribute and attribute != last else ""
        rows.append(GridRow(label, "", tuple(cells.get(column[:2]) for column in held), opens=opens))
        last = attribute
    return annotate(Grid(tell(change_words.GROUP_HEAD), tuple(column[2] for column in held), tuple(rows)))


def _by_feature(numbers: Sequence[Measurement], lexicon: Lexicon) -> Grid | None:
    names = ("missing_flip_rate", "missing_drop")
    found: dict[str, dict[str, Measurement]] = {}
    for m in numbers:
        name = m.metric.partition(".")[2]
        if name in names and m.feature is not None:
            found.setdefault(m.feature, {})[name] = m
    held = [name for name in names if any(name in cells for cells in found.values())]
    if not held:
        return None
    ranked = sorted(found.items(), key=lambda item: -(_size_of(item[1], held[FIRST])))
    rows = tuple(
        GridRow(words.prettify(feature), "", tuple(_cell(cells.get(name), lexicon) for name in held))
        for feature, cells in ranked
    )
    heads = tuple(tell(change_words.ROBUSTNESS_HEADS[name]) for name in held)
    return annotate(Grid(tell(change_words.FEATURE_HEAD), heads, rows))


def _size_of(cells: dict[str, Measurement], name: str) -> float:
    value = cells[name].estimate.value if name in cells else None
    return -1.0 if value is None else value


def _conformal_message(numbers: Sequence[Measurement], lexicon: Lexicon) -> str:
    coverage, size = (_find(numbers, f"conformal_{name}", None) for name in ("coverage", "set_size"))
    if coverage is None or size is None:
        return ""
    return tell(change_words.CONFORMAL_MESSAGE, coverage=lexicon.show(coverage).text, size=lexicon.show(size).text)
