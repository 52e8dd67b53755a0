"""The contract of a black box, tried on a sample of rows before anything is measured.

Comes in: a `BlackBox` and a seeded sample. Goes out: one `ContractCheck` per clause, in order. What makes every number
meaningless (scores that are not numbers, that change from call to call, that are not on the declared scale) is
refused; what limits them is listed with advice.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import numpy as np

from audit.errors import IntakeRefused
from audit.evidence import ContractCheck

from .blackbox import BlackBox
from .encode import numbers_of
from .network import Network
from .output import SEVERAL, OutputReading, check_outputs, log_odds
from .usage import Usage, find_unused

if TYPE_CHECKING:
    import pandas as pd

SAMPLE = 512
"""Rows on which the contract is tried."""
ALONE = 24
"""Rows that are also scored one by one."""
TOLERANCE = 1e-4
"""Largest difference of two scores that may come from the order of floating-point additions."""
SAME = 1e-5
"""Largest difference to the scores that the model is known to give."""
ROUNDED = 1e-3
"""Difference that rounding of stored scores explains."""

TITLES: dict[str, str] = {
    "outputs": "The number of outputs is the declared one",
    "finite": "Every score is a finite number",
    "scale": "The scores are on the declared scale",
    "deterministic": "Two equal calls give equal scores",
    "varies": "The scores differ between rows",
    "uses_columns": "Every column that is read can change a score",
    "row_independent": "A row's score does not depend on the rows beside it",
    "order_independent": "The order of the rows changes no score",
    "gradients": "Gradients reach every float input",
    "expected_score": "The scores that the model is known to give are reproduced",
}
"""Check id to its title for readers."""

Status = Literal["pass", "fail", "warn", "not_done"]


def check_contract(
    model: BlackBox,
    rows: pd.DataFrame,
    reading: OutputReading,
    expected: str | None,
    usage: Usage | None = None,
) -> tuple[ContractCheck, ...]:
    """Try the contract of a model on some rows.

    Parameters
    ----------
    model : BlackBox
        The model.
    rows : pandas.DataFrame
        A sample of typed rows.
    reading : OutputReading
        How its outputs are read.
    expected : str or None
        Column with scores that it is known to give.
    usage : Usage, optional
        Which columns it uses, where that was found before.

    Raises
    ------
    IntakeRefused
        Wrong number of outputs, scores that are not finite, a scale that is not the declared one, scores that change
        from call to call.
    """
    raw = model.raw(rows)
    usage = usage or find_unused(model, rows)
    checks = [
        *check_scores(raw, reading, rows),
        _check_deterministic(model, rows, raw),
        _check_varies(raw),
        _check_usage(usage),
        _check_alone(model, rows),
        _check_order(model, rows),
        _check_gradients(model, rows),
    ]
    if expected:
        checks.append(_check_expected(model, rows, expected))
    return tuple(checks)


def check_scores(raw: np.ndarray, reading: OutputReading, rows: pd.DataFrame | None = None) -> list[ContractCheck]:
    """Check number, finiteness and scale of raw outputs, shape ``[n, outputs]``.

    Raises
    ------
    IntakeRefused
        As `check_contract`.
    """
    check_outputs(raw, reading)
    return [
        _check("outputs", "pass", f"{raw.shape[1]} per row: {reading.words()}"),
        _check_finite(raw, rows),
        _check_scale(raw, reading),
    ]


def require_finite(scores: np.ndarray, rows: pd.DataFrame | None = None, columns: tuple[str, ...] = ()) -> None:
    """Refuse scores that are not finite numbers.

    Parameters
    ----------
    scores : ndarray of float64
        Scores, one or more per row.
    rows : pandas.DataFrame, optional
        The rows behind them, to name what they have in common.
    columns : tuple of str
        Columns to look at.

    Raises
    ------
    IntakeRefused
        With the number of rows and what may be the reason.
    """
    wrong = ~np.isfinite(scores.reshape(len(scores), -1)).all(axis=1)
    if not wrong.any():
        return
    gaps = (
        []
        if rows is None
        else [name for name in (columns or tuple(rows.columns)) if name in rows and rows.loc[wrong, name].isna().any()]
    )
    hint = "its weights or its scaling may overflow"
    if gaps:
        hint = f"these rows have no value in {', '.join(gaps[:5])}: set `missing` in the numeric block"
    raise IntakeRefused(
        f"the model's score is not a number (NaN or infinite) in {int(wrong.sum()):,} of {len(wrong):,} rows", hint=hint
    )


def _check(name: str, status: Status, detail: str, advice: str = "") -> ContractCheck:
    return ContractCheck(id=name, title=TITLES[name], status=status, detail=detail, advice=advice)


def _check_finite(raw: np.ndarray, rows: pd.DataFrame | None) -> ContractCheck:
    require_finite(raw, rows)
    return _check("finite", "pass", f"{len(raw):,} rows of the sample")


def _check_scale(raw: np.ndarray, reading: OutputReading) -> ContractCheck:
    low, high = float(raw.min(initial=np.inf)), float(raw.max(initial=-np.inf))
    span = f"outputs from {low:.4g} to {high:.4g}"
    bounded = low >= -1e-6 and high <= 1 + 1e-6
    if reading.kind == "probability":
        if not bounded:
            right = "logits" if reading.scale in SEVERAL else "logit"
            raise IntakeRefused(
                f"the outputs are declared as {reading.scale}, but they run from {low:.4g} to {high:.4g}",
                hint=f"are they log-odds? then set `scale: {right}`",
            )
        if reading.scale in SEVERAL and not np.allclose(raw.sum(axis=1), 1, atol=1e-3):
            raise IntakeRefused(
                "the outputs are declared as probabilities, but they do not sum to 1 in a row",
                hint="are they logits? then set `scale: logits`",
            )
        return _check("scale", "pass", span)
    if reading.kind == "logit" and bounded and len(raw) > 1:
        right = "probabilities" if reading.scale in SEVERAL else "probability"
        return _check(
            "scale",
            "warn",
            f"{span}: all between 0 and 1, as probabilities are",
            f"if the model ends in a sigmoid or softmax, set `scale: {right}`",
        )
    return _check("scale", "pass", span)


def _check_deterministic(model: BlackBox, rows: pd.DataFrame, raw: np.ndarray) -> ContractCheck:
    gap = float(np.abs(model.raw(rows) - raw).max(initial=0.0))
    if gap > TOLERANCE * (1 + float(np.abs(raw).max(initial=0.0))):
        raise IntakeRefused(
            f"two equal calls gave outputs that differ by {gap:.3g}",
            hint="is dropout on, or does the model draw random numbers? call net.eval() before exporting it",
        )
    return _check("deterministic", "pass", f"largest difference {gap:.1g}")


def _check_varies(raw: np.ndarray) -> ContractCheck:
    distinct = len(np.unique(raw, axis=0))
    if distinct == 1 and len(raw) > 1:
        return _check(
            "varies",
            "warn",
            f"all {len(raw):,} rows of the sample get the same score",
            "does the model get the columns it was trained on, scaled as in training?",
        )
    return _check("varies", "pass", f"{distinct:,} distinct outputs in {len(raw):,} rows")


def _check_usage(usage: Usage) -> ContractCheck:
    fixed = f"; one value alone in the sample: {_list_names(usage.constant)}" if usage.constant else ""
    if usage.unused:
        return _check(
            "uses_columns",
            "warn",
            f"not used: {_list_names(usage.unused)}; moving their values between rows changed no score{fixed}",
            "is a weight zero, or a column scaled away? a reason for a decision that names them would be wrong",
        )
    return _check("uses_columns", "pass", f"moving the values of a column between rows changes scores{fixed}")


def _list_names(names: tuple[str, ...]) -> str:
    return ", ".join(names[:8]) + (f" and {len(names) - 8} more" if len(names) > 8 else "")


def _check_alone(model: BlackBox, rows: pd.DataFrame) -> ContractCheck:
    few = rows.iloc[:ALONE]
    together = model.link(rows)[: len(few)]
    try:
        alone = np.concatenate([model.link(few.iloc[[at]]) for at in range(len(few))])
    except IntakeRefused:
        return _check(
            "row_independent",
            "fail",
            "the model cannot score one row by itself",
            "a function or an export that needs several rows depends on them",
        )
    gap = _widest(alone, together)
    if gap > TOLERANCE:
        return _check(
            "row_independent",
            "fail",
            f"a row scored alone differs by {gap:.3g} on the link scale",
            "is batch normalisation in training mode, or a scaler fitted on the batch? no single score is then "
            "the person's own",
        )
    return _check(
        "row_independent", "pass", f"{len(few)} rows scored alone and among {len(rows):,}: difference {gap:.1g}"
    )


def _check_order(model: BlackBox, rows: pd.DataFrame) -> ContractCheck:
    gap = _widest(model.link(rows.iloc[::-1])[::-1], model.link(rows))
    if gap > TOLERANCE:
        return _check(
            "order_independent",
            "fail",
            f"in reverse order a score differs by {gap:.3g} on the link scale",
            "does the model carry a state from row to row?",
        )
    return _check("order_independent", "pass", f"the same rows in reverse order: difference {gap:.1g}")


def _check_gradients(model: BlackBox, rows: pd.DataFrame) -> ContractCheck:
    if not isinstance(model, Network) or not model.differentiable:
        return _check("gradients", "not_done", f"the format {model.format} has none; methods that need none are used")
    try:
        found = model.gradients(rows)
    except (RuntimeError, ValueError):
        return _check(
            "gradients", "warn", "the model does not let gradients through", "methods that need none are used instead"
        )
    floats = [grad for grad in found if grad is not None]
    if not floats:
        return _check("gradients", "not_done", "the model takes codes alone")
    if not all(np.isfinite(grad).all() for grad in floats):
        return _check("gradients", "warn", "some gradients are not finite", "methods that need none are used instead")
    if not all(grad.any() for grad in floats):
        return _check(
            "gradients",
            "warn",
            "no gradient reaches a float input",
            "is a detach(), an argmax or torch.no_grad() inside the model? methods that need none are used instead",
        )
    model.has_gradients = True
    return _check("gradients", "pass", f"{len(floats)} float inputs, {_list_still(model, found)}")


def _list_still(model: Network, found: list[np.ndarray | None]) -> str:
    """Name the columns on which no gradient falls in the sample."""
    moved, all_columns = set[str](), dict[str, None]()
    for shape, grad in zip(model.input_shapes, found, strict=True):
        if grad is not None:
            moving = [bool(row.any()) for row in np.atleast_2d(grad.T)]
            all_columns.update(dict.fromkeys(shape.columns))
            moved |= {name for name, moves in zip(shape.columns, moving, strict=True) if moves}
    still = [name for name in all_columns if name not in moved]
    return f"none at {', '.join(still[:5])} in the sample" if still else "non-zero at every column of them"


def _check_expected(model: BlackBox, rows: pd.DataFrame, column: str) -> ContractCheck:
    expected = numbers_of(rows, column)
    known = np.isfinite(expected)
    if not known.any():
        return _check("expected_score", "not_done", f"column {column} is empty in the sample")
    score = model.score(rows)
    gap = float(np.abs(score - expected)[known].max())
    detail = f"largest difference to column {column} in {int(known.sum()):,} rows: {gap:.2g}"
    if gap <= SAME:
        return _check("expected_score", "pass", detail)
    if gap <= ROUNDED:
        return _check("expected_score", "warn", detail, "are the stored scores rounded?")
    turned = float(np.abs(1 - score - expected)[known].max())
    linked = float(np.abs(log_odds(score) - expected)[known].max())
    advice = "the preprocessing in `inputs` is not the one that the model was trained with, or the model is another one"
    if model.scale != "value" and turned <= ROUNDED:
        advice = "the column holds the probability of the other class: check `positive` and `index` of the output"
    elif model.scale != "value" and linked <= ROUNDED * 10:
        advice = f"column {column} holds log-odds; store probabilities"
    return _check("expected_score", "fail", detail, advice)


def _widest(a: np.ndarray, b: np.ndarray) -> float:
    """Return the largest difference relative to ``1 + |b|``."""
    return float((np.abs(a - b) / (1 + np.abs(b))).max(initial=0.0))
