"""Fitted scikit-learn preprocessing, written as input blocks.

Comes in: a fitted ColumnTransformer, Pipeline or transformer. Goes out: the blocks of one forward argument as plain
values, in the order of the transformer's output columns, or an error that names the step which no block expresses.
What is read are the fitted numbers; nothing of scikit-learn is needed to score afterwards.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from audit.errors import ConfigError

ADVICE = "move this step into the net's forward, or save the net as safetensors with a factory that does it"


@dataclass(slots=True)
class Affine:
    """A chain of numeric steps: fill, then ``(x - mean) / scale``, per column.

    Parameters
    ----------
    columns : list of str
        Columns in order.
    mean, scale : ndarray of float64, shape [columns]
        What the steps so far subtract and divide by.
    missing : ndarray of float64, shape [columns], or None
        Raw value that fills a missing one.
    indicator : bool
        Whether missing-value columns follow.
    """

    columns: list[str]
    mean: np.ndarray = field(init=False)
    scale: np.ndarray = field(init=False)
    missing: np.ndarray | None = None
    indicator: bool = False

    def __post_init__(self) -> None:
        self.mean, self.scale = np.zeros(len(self.columns)), np.ones(len(self.columns))

    def apply(self, centre: Any, spread: Any) -> None:
        """Append ``(y - centre) / spread`` to the chain."""
        if self.indicator:
            raise _cannot("a scaler after an imputer that adds missing-value columns")
        centre = np.zeros(len(self.columns)) if centre is None else np.asarray(centre, dtype=np.float64)
        spread = np.ones(len(self.columns)) if spread is None else np.asarray(spread, dtype=np.float64)
        self.mean = self.mean + self.scale * centre
        self.scale = self.scale * spread

    def blocks(self) -> list[dict[str, Any]]:
        """Return the chain as one numeric block."""
        block: dict[str, Any] = {"kind": "numeric", "columns": list(self.columns)}
        if self.mean.any():
            block["mean"] = self.mean.tolist()
        if (self.scale != 1).any():
            block["scale"] = self.scale.tolist()
        if self.missing is not None:
            block["missing"] = self.missing.tolist()
        if self.indicator:
            block["indicator"] = True
        return [block]


def write_blocks(transformer: Any, columns: Sequence[str] | None = None) -> list[dict[str, Any]]:
    """Return the input blocks of a fitted transformer.

    Parameters
    ----------
    transformer : scikit-learn transformer
        A fitted ColumnTransformer, Pipeline, imputer, scaler or encoder.
    columns : sequence of str, optional
        Columns it is given; default the names it was fitted on.

    Raises
    ------
    ConfigError
        It is not fitted, or a step cannot be written as a block.
    """
    steps = _unroll(transformer)
    if len(steps) == 1 and type(steps[0]).__name__ == "ColumnTransformer":
        return [block for item in _parts(steps[0]) for block in _write_chain(*item)]
    if any(type(step).__name__ == "ColumnTransformer" for step in steps):
        raise _cannot(
            "a step before or after a ColumnTransformer", "put it inside the ColumnTransformer's own pipelines"
        )
    names = list(columns) if columns is not None else _fitted_names(transformer)
    return _write_chain(steps, names)


def _fitted_names(transformer: Any) -> list[str]:
    try:
        return [str(name) for name in transformer.feature_names_in_]
    except AttributeError:
        raise ConfigError(
            f"the {type(transformer).__name__} does not know its columns: it was not fitted, or not on a DataFrame",
            place="preprocess",
            hint="fit it on a DataFrame with column names",
        ) from None


def _unroll(transformer: Any) -> list[Any]:
    """Return the steps of nested pipelines without those that do nothing."""
    if type(transformer).__name__ == "Pipeline":
        return [inner for _, step in transformer.steps for inner in _unroll(step)]
    if transformer is None or isinstance(transformer, str):
        return []
    idle = type(transformer).__name__ == "FunctionTransformer" and transformer.func is None
    return [] if idle else [transformer]


def _parts(mixed: Any) -> Iterator[tuple[list[Any], list[str]]]:
    """Yield the steps and columns of a ColumnTransformer's parts, in output order."""
    names = _fitted_names(mixed)
    if getattr(mixed, "transformer_weights", None):
        raise _cannot("transformer_weights of a ColumnTransformer")
    for _, transformer, chosen in mixed.transformers_:
        if isinstance(transformer, str) and transformer == "drop":
            continue
        columns = _resolve(chosen, names)
        if columns:
            yield _unroll(transformer), columns


def _resolve(chosen: Any, names: list[str]) -> list[str]:
    """Return the names behind a column choice: names, positions, a slice or a mask."""
    if isinstance(chosen, str):
        return [chosen]
    if isinstance(chosen, slice):
        ends = [names.index(end) if isinstance(end, str) else end for end in (chosen.start, chosen.stop)]
        if isinstance(chosen.stop, str):  # scikit-learn takes the end of a slice of names as part of it
            ends[1] += 1
        return names[ends[0] : ends[1] : chosen.step]
    if np.isscalar(chosen):
        return [names[int(chosen)]]  # type: ignore[arg-type]
    listed = list(chosen)
    if listed and all(isinstance(item, bool | np.bool_) for item in listed):
        return [name for name, take in zip(names, listed, strict=True) if take]
    return [item if isinstance(item, str) else names[int(item)] for item in listed]


def _write_chain(steps: Sequence[Any], columns: list[str]) -> list[dict[str, Any]]:
    """Write one chain of steps on some columns."""
    kinds = [type(step).__name__ for step in steps]
    if kinds and kinds[-1] in ENCODERS:
        if len(steps) > 2 or (len(steps) == 2 and kinds[0] != "SimpleImputer"):
            raise _cannot(f"{' then '.join(kinds)}")
        fill = _imputed_levels(steps[0], len(columns)) if len(steps) == 2 else None
        return ENCODERS[kinds[-1]](steps[-1], columns, fill)
    chain = Affine(columns)
    for kind, step in zip(kinds, steps, strict=True):
        if kind not in NUMERIC:
            raise _cannot(f"the step {kind}")
        NUMERIC[kind](chain, step)
    return chain.blocks()


def _impute(chain: Affine, step: Any) -> None:
    _check_marker(step)
    filled = np.asarray(step.statistics_, dtype=np.float64)
    if np.isnan(filled).any():
        raise _cannot("an imputer of a column without any value")
    if chain.missing is None:
        chain.missing = filled * chain.scale + chain.mean
    indicator = getattr(step, "indicator_", None)
    if indicator is not None and len(indicator.features_):
        if len(indicator.features_) != len(chain.columns):
            raise _cannot(
                "missing-value columns for some of the columns", "impute those columns in a part of their own"
            )
        chain.indicator = True


def _standardise(chain: Affine, step: Any) -> None:
    chain.apply(step.mean_ if step.with_mean else None, step.scale_ if step.with_std else None)


def _scale_to_range(chain: Affine, step: Any) -> None:
    if step.clip:
        raise _cannot("MinMaxScaler(clip=True)")
    # y * scale_ + min_ = (y - (-min_ / scale_)) / (1 / scale_)
    chain.apply(-np.asarray(step.min_) / np.asarray(step.scale_), 1.0 / np.asarray(step.scale_))


def _scale_to_largest(chain: Affine, step: Any) -> None:
    chain.apply(None, step.scale_)


def _scale_robustly(chain: Affine, step: Any) -> None:
    chain.apply(step.center_ if step.with_centering else None, step.scale_ if step.with_scaling else None)


NUMERIC: dict[str, Callable[[Affine, Any], None]] = {
    "SimpleImputer": _impute,
    "StandardScaler": _standardise,
    "MinMaxScaler": _scale_to_range,
    "MaxAbsScaler": _scale_to_largest,
    "RobustScaler": _scale_robustly,
}
"""Numeric step to what it adds to the chain."""


def _write_one_hot(step: Any, columns: list[str], fill: list[Any] | None) -> list[dict[str, Any]]:
    if getattr(step, "min_frequency", None) is not None or getattr(step, "max_categories", None) is not None:
        raise _cannot("OneHotEncoder that joins infrequent levels")
    dropped = step.drop_idx_ if step.drop_idx_ is not None else [None] * len(columns)
    blocks = []
    for at, name in enumerate(columns):
        levels = _levels(step.categories_[at], name)
        drop = dropped[at]
        if drop is not None:  # it becomes zeros, as an unlisted level does
            levels.pop(int(drop))
        refuse = step.handle_unknown == "error" and drop is None
        block: dict[str, Any] = {
            "kind": "one_hot",
            "columns": [name],
            "levels": {name: levels},
            "unknown": "refuse" if refuse else "zeros",
        }
        if fill is not None and fill[at] in levels:
            block["missing"] = fill[at]
        blocks.append(block)
    return blocks


def _write_codes(step: Any, columns: list[str], fill: list[Any] | None) -> list[dict[str, Any]]:
    if getattr(step, "min_frequency", None) is not None or getattr(step, "max_categories", None) is not None:
        raise _cannot("OrdinalEncoder that joins infrequent levels")
    unknown = step.unknown_value if step.handle_unknown == "use_encoded_value" else None
    if unknown is not None and (isinstance(unknown, float) and not unknown.is_integer()):
        raise _cannot("OrdinalEncoder(unknown_value=nan)", "use a whole number, such as -1")
    coded = step.encoded_missing_value
    blocks = []
    for at, name in enumerate(columns):
        levels = [level for level in step.categories_[at].tolist() if not _is_gap(level)]
        block: dict[str, Any] = {"kind": "codes", "columns": [name], "levels": {name: levels}}
        if unknown is not None:
            block["unknown"] = int(unknown)
        if fill is not None and fill[at] in levels:
            block["missing"] = levels.index(fill[at])
        elif len(levels) < len(step.categories_[at]):
            if isinstance(coded, float) and not coded.is_integer():
                raise _cannot(
                    f"OrdinalEncoder with missing values in {name} and no encoded_missing_value",
                    "impute the column, or set encoded_missing_value to a whole number",
                )
            block["missing"] = int(coded)
        blocks.append(block)
    return blocks


ENCODERS: dict[str, Callable[[Any, list[str], list[Any] | None], list[dict[str, Any]]]] = {
    "OneHotEncoder": _write_one_hot,
    "OrdinalEncoder": _write_codes,
}
"""Last step of a chain on categories to its blocks."""


def _imputed_levels(step: Any, count: int) -> list[Any]:
    _check_marker(step)
    if getattr(step, "indicator_", None) is not None and len(step.indicator_.features_):
        raise _cannot("an imputer of categories that adds missing-value columns")
    filled = np.asarray(step.statistics_, dtype=object).tolist()
    if len(filled) != count or any(_is_gap(value) for value in filled):
        raise _cannot("an imputer of a column without any value")
    return [_plain(value) for value in filled]


def _levels(values: Any, name: str) -> list[Any]:
    levels = values.tolist()
    if any(_is_gap(level) for level in levels):
        raise _cannot(
            f"OneHotEncoder that counts missing values of {name} as a level",
            "impute the column first: SimpleImputer(strategy='constant', fill_value='missing')",
        )
    return [_plain(level) for level in levels]


def _check_marker(step: Any) -> None:
    if not _is_gap(step.missing_values):
        raise _cannot(
            f"SimpleImputer(missing_values={step.missing_values!r})", "list the marker under data.missing instead"
        )


def _is_gap(value: Any) -> bool:
    return value is None or (isinstance(value, float) and value != value) or type(value).__name__ == "NAType"


def _plain(value: Any) -> Any:
    return value.item() if isinstance(value, np.generic) else value


def _cannot(what: str, hint: str = ADVICE) -> ConfigError:
    return ConfigError(f"{what} cannot be written as input blocks", place="preprocess", hint=hint)
