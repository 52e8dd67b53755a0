"""Conditions on the score: cuts, bands and segments, and which side of the score they favour.

Comes in: a `DecisionRule` and scores. Goes out: which condition holds, the band of each row, and whether the favourable
side is the high one, the low one or neither.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from itertools import pairwise
from typing import Literal

import numpy as np

from audit.config.schema import DecisionRule
from audit.config.settings import Level
from audit.errors import ConfigError, suggest_name

OTHERWISE = "otherwise"

Side = Literal["", "high", "low"]

_CONDITION = re.compile(r"^\s*score\s*(>=|<=|>|<)\s*([-+0-9.eE]+)\s*$")
_COMPARE = {">=": np.greater_equal, ">": np.greater, "<=": np.less_equal, "<": np.less}


def is_condition(text: object) -> bool:
    """Return whether a favourable value is a cut on the score, ``score >= 0.5``, rather than a name."""
    return bool(_CONDITION.match(str(text)))


def list_levels(favourable: Level | tuple[Level, ...]) -> tuple[Level, ...]:
    """Return one favourable value, or several, as several."""
    return favourable if isinstance(favourable, tuple) else (favourable,)


def apply_condition(condition: str, score: np.ndarray) -> np.ndarray:
    """Return where ``score >= 0.5`` (or ``<``, ``<=``, ``>``) holds, bool, shape ``[n]``.

    Raises
    ------
    ConfigError
        It is no such condition.
    """
    match = _CONDITION.match(condition)
    if not match:
        raise ConfigError(f"{condition!r} is no condition on the score", place="decision", hint="score >= 0.5")
    return np.asarray(_COMPARE[match.group(1)](score, float(match.group(2))))


def assign_bands(bands: Mapping[str, str], score: np.ndarray) -> np.ndarray:
    """Return the band of each row, the first whose condition holds, as str, shape ``[n]``.

    Raises
    ------
    ConfigError
        A row falls into none.
    """
    names = np.array([*bands, ""], dtype=object)
    return np.asarray(names[place_bands(bands, score)])


def favourable_of_bands(rule: DecisionRule, bands: np.ndarray, score: np.ndarray) -> np.ndarray:
    """Return whether a row's band is a favourable one, or the favourable condition holds, bool, shape ``[n]``.

    Raises
    ------
    ConfigError
        `favourable` names no band and is no condition.
    """
    favoured = list_favoured(rule)
    if favoured:
        return np.isin(bands.astype(str), np.array(favoured))
    return apply_condition(str(rule.favourable), score)


def list_favoured(rule: DecisionRule) -> tuple[str, ...]:
    """Return the favourable bands: those named, the first where none is; empty where a condition is given.

    Raises
    ------
    ConfigError
        A name that is no band.
    """
    if "favourable" not in rule.model_fields_set:
        return (next(iter(rule.bands)),)
    named = [str(level) for level in list_levels(rule.favourable)]
    if len(named) == 1 and named[0] not in rule.bands and is_condition(named[0]):
        return ()
    for name in named:
        if name not in rule.bands:
            raise ConfigError(f"{name!r} is no band", place="decision.favourable", hint=suggest_name(name, rule.bands))
    return tuple(band for band in rule.bands if band in named)


def favourable_side(rule: DecisionRule) -> Side:
    """Return which side of the score a rule favours: high, low, or neither (a band in the middle).

    Raises
    ------
    ConfigError
        Segments whose conditions point different ways.
    """
    if rule.segments:
        sides = {_side_of(condition) for condition in rule.segments.values()}
        if len(sides) > 1:
            raise ConfigError(
                "the segments disagree on which side is favourable: some favour high scores and some low ones",
                place="decision.segments",
                hint="write all conditions with >=, or all with <",
            )
        return sides.pop()
    if not rule.bands:
        return _side_of(str(rule.favourable))
    along = _favour_along(rule)
    rises = [bool(b) - bool(a) for a, b in pairwise(along)]
    if sum(map(abs, rises)) != 1:
        return ""
    return "high" if 1 in rises else "low"


def cut_of(rule: DecisionRule) -> float | None:
    """Return the one cut on the score between favourable and not; None where there is none, or several."""
    if rule.column is not None or rule.segments:
        return None
    if not rule.bands:
        return rule.threshold
    if not favourable_side(rule):
        return None
    along, cuts = _favour_along(rule), _cuts_of(rule)
    # points alternate: below the first cut, the cut itself, between it and the next, ...
    turn = next(at for at in range(1, len(along)) if along[at] != along[at - 1])
    return cuts[(turn - 1) // 2]


def _side_of(condition: str) -> Side:
    match = _CONDITION.match(condition)
    if not match:
        raise ConfigError(f"{condition!r} is no condition on the score", place="decision", hint="score >= 0.5")
    return "high" if match.group(1) in (">=", ">") else "low"


def _cuts_of(rule: DecisionRule) -> list[float]:
    conditions: Iterable[str] = (*rule.bands.values(), *(str(level) for level in list_levels(rule.favourable)))
    found = (_CONDITION.match(condition) for condition in conditions)
    return sorted({float(match.group(2)) for match in found if match})


def _favour_along(rule: DecisionRule) -> list[bool]:
    """Return whether the rule favours scores below, at, between and above all its cuts, in ascending order."""
    cuts = _cuts_of(rule)
    if not cuts:
        return []
    between = [(low + high) / 2 for low, high in pairwise(cuts)]
    points = np.array([cuts[0] - 1, *(x for pair in zip(cuts, [*between, cuts[-1] + 1], strict=True) for x in pair)])
    names = np.array([*rule.bands, ""], dtype=object)[place_bands(rule.bands, points, gaps=True)]
    return [bool(x) for x in favourable_of_bands(rule, names, points)]


def place_bands(bands: Mapping[str, str], score: np.ndarray, *, gaps: bool = False) -> np.ndarray:
    """Return the place of each row's band, the first whose condition holds, int32, shape ``[n]``.

    Parameters
    ----------
    bands : mapping of str to str
        Band to condition.
    score : ndarray of float64, shape [n]
        Scores.
    gaps : bool
        Allow scores that fall into no band; their place is -1.

    Raises
    ------
    ConfigError
        A row falls into none.
    """
    found = np.full(len(score), -1, dtype=np.int32)
    for place, condition in enumerate(bands.values()):
        hit = found < 0
        if condition.strip() != OTHERWISE:
            hit &= apply_condition(condition, score)
        found[hit] = place
    if (found < 0).any() and not gaps:
        raise ConfigError(
            f"{int((found < 0).sum()):,} rows fall into no band",
            place="decision.bands",
            hint="let the last band be `otherwise`",
        )
    return found
