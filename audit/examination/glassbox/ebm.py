"""Explainable boosting machine (interpret): the second glass box, from other hands.

Comes in: the same encoded rows as the additive net. Goes out: the same kind of tables: steps for numbers, a value per
level, pairs purified so that nothing of them belongs to one feature alone. The spread of its bags is drawn as what it
is: the bags share most of their rows, so it covers far less than a confidence band would and is never called one.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from .encoder import Encoder, Floats, LevelCode
from .shapes import Link, PairTerm, TableBox, Term
from .solver import Family

EBM_METHOD = "EBM term"

_QUICK: dict[str, Any] = {
    "max_bins": 256,
    "max_interaction_bins": 32,
    "outer_bags": 4,
    "learning_rate": 0.1,
    "max_rounds": 600,
    "smoothing_rounds": 50,
    "interaction_smoothing_rounds": 25,
    "early_stopping_rounds": 30,
    "early_stopping_tolerance": 1e-4,
}

SETTINGS: dict[str, dict[str, Any]] = {
    "fast": {**_QUICK, "interactions": 0},
    "standard": {**_QUICK, "outer_bags": 8, "interactions": 5},
    # interpret's own defaults; for a regression its 500 smoothing rounds take minutes and change little, so that both
    # kinds of target take the classifier's
    "thorough": {"learning_rate": 0.04, "smoothing_rounds": 75, "outer_bags": 14, "interactions": 10},
}
"""Settings by effort, on top of interpret's defaults."""

_QUICK_VALUE: dict[str, Any] = {"learning_rate": 0.2, "max_rounds": 300, "early_stopping_tolerance": 3e-3}

VALUE_SETTINGS: dict[str, dict[str, Any]] = {
    "fast": _QUICK_VALUE,
    "standard": _QUICK_VALUE,
    "thorough": {"learning_rate": 0.1, "max_rounds": 2_000, "early_stopping_tolerance": 1e-3},
}
"""What changes for a target that is a number: a black box's score has no noise, so that boosting on it would go on for
thousands of rounds that no longer show (R2 on unseen rows moves in the fourth digit, the time halves)."""


@dataclass(frozen=True, slots=True)
class EbmOrder:
    """How to fit.

    Parameters
    ----------
    name : str
        Name of the glass box.
    family : {"binary", "multiclass", "regression"}
        Kind of target.
    effort : str
        Key of `SETTINGS`.
    seed : int
        Seed of bags and splits.
    monotone : mapping of str to str
        Feature to ``increasing`` or ``decreasing``: imposed.
    bags : int, optional
        Bags instead of the effort's.
    jobs : int
        Processes that fit bags side by side.
    pairs : int, optional
        Pairs instead of the effort's.
    classes : tuple of str
        Names of the classes of a multiclass target.
    """

    name: str
    family: Family
    effort: str
    seed: int
    monotone: Mapping[str, str] | None = None
    bags: int | None = None
    jobs: int = 1
    pairs: int | None = None
    classes: tuple[str, ...] = ()


def fit_ebm(
    encoder: Encoder, encoded: Floats, target: Floats, order: EbmOrder, *, weights: Floats | None = None
) -> TableBox:
    """Fit an explainable boosting machine with one output and take its tables out.

    Parameters
    ----------
    encoder : Encoder
        The codes.
    encoded : ndarray of float64, shape [n, features]
        Rows.
    target : ndarray of float64, shape [n]
        0/1 with both present (binary), or numbers.
    order : EbmOrder
        Name, family, effort, seed.
    weights : ndarray of float64, shape [n], optional
        Row weights.
    """
    return _as_tables(_boost(encoder, encoded, target, order, weights), encoder, order, target.size, None)


def fit_ebm_classes(
    encoder: Encoder, encoded: Floats, target: Floats, order: EbmOrder, *, weights: Floats | None = None
) -> tuple[TableBox, ...]:
    """Fit an explainable boosting machine on several classes; one box per class, to be put through a softmax.

    Parameters
    ----------
    encoder, encoded, order, weights
        As in `fit_ebm`; pairs are left out, and directions are not imposed: interpret offers neither here.
    target : ndarray of float64, shape [n]
        Positions among ``order.classes``, all present.
    """
    machine = _boost(encoder, encoded, target, order, weights)
    return tuple(_as_tables(machine, encoder, order, target.size, c) for c in range(len(order.classes)))


def _boost(encoder: Encoder, encoded: Floats, target: Floats, order: EbmOrder, weights: Floats | None) -> Any:
    from interpret.glassbox import ExplainableBoostingClassifier, ExplainableBoostingRegressor

    several = order.family == "multiclass"
    kind = ExplainableBoostingRegressor if order.family == "regression" else ExplainableBoostingClassifier
    directions = None if several else _directions(encoder, order.monotone or {})
    settings = _settings_of(order)
    machine = kind(
        feature_names=list(encoder.names),
        feature_types=["nominal" if isinstance(code, LevelCode) else "continuous" for code in encoder.codes],
        random_state=order.seed % 2**31,
        n_jobs=order.jobs,
        monotone_constraints=directions,
        exclude=_pairs_to_avoid(directions),
        **{**settings, "interactions": settings["interactions"] if len(encoder.codes) > 1 and not several else 0},
    )
    with warnings.catch_warnings():
        # it warns that its own pictures leave missing values out; ours show them
        warnings.filterwarnings("ignore", message="Missing values detected", category=UserWarning)
        # a column without any value has no cuts, which is right
        warnings.filterwarnings("ignore", message="All-NaN", category=RuntimeWarning)
        labels = target if order.family == "regression" else target.astype(np.int64)
        machine.fit(encoded, labels, sample_weight=weights)
    return machine


def _settings_of(order: EbmOrder) -> dict[str, Any]:
    settings = dict(SETTINGS[order.effort])
    if order.family == "regression":
        settings |= VALUE_SETTINGS[order.effort]
    if order.bags is not None:
        settings["outer_bags"] = min(order.bags, settings["outer_bags"])
    if order.pairs is not None:
        settings["interactions"] = order.pairs
    return settings


def release_workers() -> None:
    """Send the processes home that fitted bags, so that their memory does not stand beside the rest of the audit."""
    from joblib.externals.loky import get_reusable_executor  # type: ignore[import-untyped]

    get_reusable_executor().shutdown(wait=True)


def _directions(encoder: Encoder, monotone: Mapping[str, str]) -> list[int] | None:
    signs = {"increasing": 1, "decreasing": -1}
    found = [0 if isinstance(code, LevelCode) else signs.get(monotone.get(code.name, ""), 0) for code in encoder.codes]
    return found if any(found) else None


def _pairs_to_avoid(directions: list[int] | None) -> list[tuple[int, int]] | None:
    """Return the pairs with a feature whose direction is imposed: in a pair it could turn back."""
    if directions is None:
        return None
    size = len(directions)
    return [(i, j) for i in range(size) for j in range(i + 1, size) if directions[i] or directions[j]]


def _as_tables(machine: Any, encoder: Encoder, order: EbmOrder, rows: int, output: int | None) -> TableBox:
    intercept = float(np.ravel(machine.intercept_)[output or 0])
    terms: list[Term] = []
    pairs: list[PairTerm] = []
    extra: list[Term] = []
    for place, features in enumerate(machine.term_features_):
        if len(features) == 1:
            terms.append(_main_term(machine, encoder, place, features[0], output))
            continue
        pair, parts, constant = _pure_pair(machine, encoder, place, features)
        pairs.append(pair)
        extra += parts
        intercept += constant
    for part in extra:
        j = encoder.names.index(part.feature)
        terms[j] = _add_terms(terms[j], part)
    links: dict[str, Link] = {"binary": "logit", "multiclass": "softmax", "regression": "identity"}
    return TableBox(
        name=order.name,
        link_name=links[order.family],
        encoder=encoder,
        intercept=intercept,
        terms=tuple(terms),
        pairs=tuple(pairs),
        method=EBM_METHOD,
        band=f"spread of {len(machine.bagged_intercept_)} bags, not an interval",
        band_is_interval=False,
        rows=rows,
        output="" if output is None else order.classes[output],
    )


def _main_term(machine: Any, encoder: Encoder, place: int, j: int, output: int | None) -> Term:
    scores, weights = machine.term_scores_[place], machine.bin_weights_[place]
    scores, bags = (part if output is None else part[..., output] for part in (scores, machine.bagged_scores_[place]))
    if weights.sum() > 0:
        bags = bags - (bags @ weights / weights.sum())[:, None]
    low, high = np.minimum(bags.min(axis=0), scores), np.maximum(bags.max(axis=0), scores)
    code = encoder.codes[j]
    if isinstance(code, LevelCode):
        at, unknown = np.split(_level_rows(machine.bins_[j][0], code, scores.size), [-1])
        return Term(
            feature=code.name,
            form="level",
            at=np.empty(0),
            levels=code.levels,
            y=scores[at],
            missing=float(scores[0]),
            unknown=float(scores[unknown[0]]),
            low=low[at],
            high=high[at],
        )
    cuts = np.asarray(machine.bins_[j][0], dtype=np.float64)
    return Term(code.name, "step", cuts, (), scores[1:-1], float(scores[0]), 0.0, low[1:-1], high[1:-1])


def _level_rows(bins: Mapping[str, int], code: LevelCode, size: int) -> np.ndarray:
    """Return the row of each level's score, then that of the code for "no slot"; the last one where it has none."""
    return np.array([bins.get(str(i), size - 1) for i in [*range(len(code.levels)), -1]], dtype=np.intp)


def _pure_pair(
    machine: Any, encoder: Encoder, place: int, features: tuple[int, int]
) -> tuple[PairTerm, list[Term], float]:
    """Return the pure interaction, what of it belonged to either feature alone, and its constant.

    Notes
    -----
    Lengerich et al. (2020), Purifying interaction effects with the functional ANOVA, by ``interpret.utils.purify``.
    """
    from interpret.utils import purify

    weights = np.asarray(machine.bin_weights_[place], dtype=np.float64)
    pure, impurities, constant = purify(
        np.asarray(machine.term_scores_[place], dtype=np.float64), np.maximum(weights, 1e-9), is_randomized=False
    )
    cuts, rows = zip(*(_pair_axis(machine, encoder, j, pure.shape[k]) for k, j in enumerate(features)), strict=True)
    names = (encoder.names[features[0]], encoder.names[features[1]])
    parts = []
    for dimensions, values in impurities:
        side = dimensions[0]
        code = encoder.codes[features[side]]
        if isinstance(code, LevelCode):
            by_level = values[rows[side]]
            parts.append(
                Term(code.name, "level", cuts[side], code.levels, by_level[:-1], float(values[0]), float(by_level[-1]))
            )
        else:
            parts.append(Term(code.name, "step", cuts[side], (), values[1:-1], float(values[0])))
    pair = PairTerm(names, (features[0], features[1]), (cuts[0], cuts[1]), (rows[0], rows[1]), pure)
    return pair, parts, float(np.ravel(constant)[0])


def _pair_axis(machine: Any, encoder: Encoder, j: int, size: int) -> tuple[Floats, np.ndarray]:
    """Return cuts (number) or rows of the table by level (category) along one side of a pair."""
    code, bins = encoder.codes[j], machine.bins_[j][min(1, len(machine.bins_[j]) - 1)]
    if isinstance(code, LevelCode):
        return np.empty(0), _level_rows(bins, code, size)
    return np.asarray(bins, dtype=np.float64), np.empty(0, dtype=np.intp)


def _add_terms(main: Term, part: Term) -> Term:
    """Return the sum of two tables of one feature; the band moves with the sum."""
    cuts = np.union1d(main.at, part.at)
    inside = np.append(cuts, np.inf)
    # a step table is constant up to the next cut: any value just below that cut stands for the piece
    probe = np.nextafter(inside, -np.inf) if main.form == "step" else np.arange(len(main.levels), dtype=np.float64)
    shift = part.look_up(probe)
    y, low, high = (main.look_up(probe, table) + shift for table in (main.y, main.low, main.high))
    return Term(
        main.feature,
        main.form,
        cuts,
        main.levels,
        y,
        main.missing + part.missing,
        main.unknown + part.unknown,
        low,
        high,
    )
