"""Drift as a reader meets it: which features, scores and groups differ from the baseline by more than chance.

Comes in: the section. Goes out: a message and tables; None where the section was not carried out.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from audit.evidence import Drift, Estimate, Evidence, Measurement

from . import change_words, words
from .footnotes import annotate
from .numbers import number_text
from .tables import Grid, GridRow, Lexicon, TableCell
from .tongue import tell

_FEATURE = ("feature_psi", "feature_ks", "feature_wasserstein", "unseen_share", "missing_change")
_GROUP = ("group_share_change", "score_psi", "selection_rate_change", "label_rate_change", "performance_drop")


@dataclass(frozen=True, slots=True)
class DriftShown:
    """The section before it has a form."""

    message: str
    features: Grid | None
    groups: Grid | None
    missing: Grid | None


def show_drift(evidence: Evidence, lexicon: Lexicon) -> DriftShown | None:
    """Return the drift section; None where it was not carried out.

    Parameters
    ----------
    evidence : Evidence
        The document.
    lexicon : Lexicon
        Titles and units.
    """
    part = evidence.drift
    if not isinstance(part, Drift):
        return None
    by_feature = [m for m in part.measurements if m.feature is not None and not m.group]
    return DriftShown(
        message=_message(part, lexicon),
        features=_lay(by_feature, _FEATURE, change_words.FEATURE_HEAD, lexicon),
        groups=_lay([m for m in part.measurements if m.feature is None], _GROUP, change_words.GROUP_HEAD, lexicon),
        missing=_missing_by_group(part, lexicon),
    )


def is_beyond_chance(measurement: Measurement) -> bool:
    """Whether a distance is larger than chance shows in 19 of 20 samples."""
    estimate = measurement.estimate
    return estimate.value is not None and estimate.chance is not None and estimate.value > estimate.chance


def _message(part: Drift, lexicon: Lexicon) -> str:
    sentences = []
    psi = [m for m in part.measurements if m.metric == "drift.feature_psi" and m.estimate.value is not None]
    if psi:
        beyond = sorted(filter(is_beyond_chance, psi), key=lambda m: -(m.estimate.value or 0.0))
        named = ", ".join(words.prettify(m.feature or "") for m in beyond[:3])
        sentences.append(tell(change_words.DRIFT_FEATURES, beyond=len(beyond), known=len(psi)))
        sentences += [tell(change_words.DRIFT_MOST, named=named)] if beyond else []
    drop = next((m for m in part.measurements if m.metric == "drift.performance_drop" and not m.group), None)
    if drop is not None and drop.estimate.value is not None:
        sentences.append(tell(change_words.DRIFT_LATER[_way(drop.estimate)], drop=lexicon.show(drop).text))
    return " ".join(sentences) or tell(change_words.DRIFT_PLAIN)


def _way(drop: Estimate) -> str:
    """Return whether a drop of performance is shown by its whole interval."""
    if drop.low is not None and drop.low > 0:
        return "worse"
    return "better" if drop.high is not None and drop.high < 0 else "open"


def _show(measurement: Measurement | None, lexicon: Lexicon) -> TableCell:
    """Return a number; beside a distance stands what chance shows, in place of an interval."""
    if measurement is None:
        return None
    shown = lexicon.show(measurement)
    chance = measurement.estimate.chance
    if chance is None or not shown.measured:
        return shown
    return replace(shown, interval=tell(change_words.BY_CHANCE, chance=number_text(chance)), reason="")


def _lay(numbers: Sequence[Measurement], names: Sequence[str], corner: str, lexicon: Lexicon) -> Grid | None:
    """Return a table with a row per feature or group."""
    found: dict[tuple[str, str], dict[str, Measurement]] = {}
    for m in numbers:
        attribute, label = next(iter(m.group.items()), ("", ""))
        row = label or (words.prettify(m.feature) if m.feature else tell(change_words.ALL_ROWS))
        found.setdefault((attribute, row), {})[m.metric.partition(".")[2]] = m
    held = [name for name in names if any(name in cells for cells in found.values())]
    if not held:
        return None
    rows, last, order = [], "", list(dict.fromkeys(attribute for attribute, _ in found))
    for (attribute, row), cells in sorted(found.items(), key=lambda item: (bool(item[0][0]), order.index(item[0][0]))):
        opens = words.prettify(attribute) if attribute and attribute != last else ""
        rows.append(GridRow(row, "", tuple(_show(cells.get(name), lexicon) for name in held), opens=opens))
        last = attribute
    return annotate(Grid(tell(corner), tuple(tell(change_words.DRIFT_HEADS[name]) for name in held), tuple(rows)))


def _missing_by_group(part: Drift, lexicon: Lexicon) -> Grid | None:
    """Return the change of missing values by group, for features in which any is missing."""
    chosen = [m for m in part.measurements if m.metric == "drift.missing_change" and m.group]
    if not chosen:
        return None
    features = tuple(dict.fromkeys(m.feature or "" for m in chosen))[: change_words.MOST_MISSING]
    found: dict[tuple[str, str], dict[str, Measurement]] = {}
    for m in chosen:
        found.setdefault(next(iter(m.group.items())), {})[m.feature or ""] = m
    rows, last = [], ""
    for (attribute, group), cells in found.items():
        opens = words.prettify(attribute) if attribute != last else ""
        rows.append(GridRow(group, "", tuple(_show(cells.get(name), lexicon) for name in features), opens=opens))
        last = attribute
    return annotate(Grid(tell(change_words.GROUP_HEAD), tuple(map(words.prettify, features)), tuple(rows)))
