"""From rows of a table to the tensors a model was trained on.

Comes in: a typed frame and the `inputs` blocks of the configuration. Goes out: one array per forward argument, float32
or int64, and the count of missing values and of levels that the blocks do not list. Everything is computed in float64
and cast once at the end, as preprocessing written with NumPy or scikit-learn does, so that scores agree to the last
digits.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from audit.config.model import CodesBlock, ModelInput, NumericBlock, OneHotBlock
from audit.config.settings import Level
from audit.errors import ConfigError, DataError, IntakeRefused, Mistake, suggest_name

from .levels import MISSING, UNKNOWN, LevelIndex

if TYPE_CHECKING:
    import pandas as pd


@dataclass(slots=True)
class Survey:
    """What the blocks met that they do not know.

    Parameters
    ----------
    rows : int
        Rows looked at.
    unknown : dict of str to Counter
        Column to level (as text) to rows, for levels that are not listed.
    missing : dict of str to int
        Column to rows without a value.
    """

    rows: int = 0
    unknown: dict[str, Counter[str]] = field(default_factory=dict)
    missing: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class EncodedInput:
    """The shape of one forward argument.

    Parameters
    ----------
    name : str
        Name of the argument, empty for the only one.
    width : int
        Columns.
    whole : bool
        True where it holds codes alone and is therefore int64.
    columns : tuple of str
        Column behind each position; a one-hot piece names its column.
    """

    name: str
    width: int
    whole: bool
    columns: tuple[str, ...]


class Encoder:
    """The `inputs` blocks, ready to be applied.

    Parameters
    ----------
    inputs : sequence of ModelInput
        Forward arguments in order.

    Raises
    ------
    ConfigError
        Lengths that do not fit, a scale of zero, a column without levels, a level listed twice.
    """

    def __init__(self, inputs: Sequence[ModelInput]) -> None:
        self.inputs = tuple(inputs)
        mistakes = list(_find_mistakes(self.inputs))
        if mistakes:
            raise ConfigError(mistakes=mistakes)
        self.columns = tuple(dict.fromkeys(name for item in inputs for block in item.blocks for name in block.columns))
        self._levels = {
            (at, nr, name): LevelIndex(block.levels[name])
            for at, item in enumerate(self.inputs)
            for nr, block in enumerate(item.blocks)
            if not isinstance(block, NumericBlock)
            for name in block.columns
        }
        self.shapes = tuple(_shape_of(item) for item in self.inputs)

    def list_levels(self) -> dict[str, list[LevelIndex]]:
        """Return the lists of levels that the blocks hold, by column."""
        listed: dict[str, list[LevelIndex]] = {}
        for (_, _, name), index in self._levels.items():
            listed.setdefault(name, []).append(index)
        return listed

    def encode(self, frame: pd.DataFrame) -> list[np.ndarray]:
        """Return one array per forward argument, shape ``[n, width]``, float32 or int64.

        Raises
        ------
        DataError
            A text where a number is wanted, or a level that is not listed where `unknown` refuses it.
        """
        return [self._encode_input(at, frame) for at in range(len(self.inputs))]

    def _encode_input(self, at: int, frame: pd.DataFrame) -> np.ndarray:
        parts = []
        for nr, block in enumerate(self.inputs[at].blocks):
            if isinstance(block, NumericBlock):
                parts.append(_encode_numeric(block, frame))
            else:
                found = [self._levels[at, nr, name].positions(frame[name]) for name in block.columns]
                parts.append(
                    _encode_codes(block, found) if isinstance(block, CodesBlock) else _encode_one_hot(block, found)
                )
        whole = self.shapes[at].whole
        joined = parts[0] if len(parts) == 1 else np.concatenate(parts, axis=1)
        return np.ascontiguousarray(joined, dtype=np.int64 if whole else np.float32)

    def survey(self, batches: Iterable[pd.DataFrame]) -> Survey:
        """Count missing values and unlisted levels over all rows.

        Raises
        ------
        DataError
            A text where a number is wanted.
        """
        found = Survey()
        numeric = {
            name for item in self.inputs for block in item.blocks if block.kind == "numeric" for name in block.columns
        }
        for frame in batches:
            found.rows += len(frame)
            # a column may stand in several blocks; its gaps are still the same rows
            gaps = {name: int(np.isnan(numbers_of(frame, name)).sum()) for name in numeric}
            strangers: dict[str, np.ndarray] = {}
            for (_, _, name), index in self._levels.items():
                positions = index.positions(frame[name])
                gaps[name] = int((positions == MISSING).sum())
                strangers[name] = (positions == UNKNOWN) | strangers.get(name, False)
            for name, count in gaps.items():
                found.missing[name] = found.missing.get(name, 0) + count
            for name, strange in strangers.items():
                if strange.any():
                    found.unknown.setdefault(name, Counter()).update(str(value) for value in frame[name][strange])
        return found

    def refuse_unlisted(self, survey: Survey) -> None:
        """Refuse data with levels or gaps for which a block names no code.

        Raises
        ------
        IntakeRefused
            The first such column, with its levels and rows.
        """
        for item in self.inputs:
            for block in item.blocks:
                if isinstance(block, NumericBlock):
                    continue
                for name in block.columns:
                    if _refuses_unknown(block) and survey.unknown.get(name):
                        raise IntakeRefused(
                            _unlisted(name, survey.unknown[name], block.levels[name]),
                            hint="list them in `levels`, or set `unknown` in this block",
                        )
                    if (
                        isinstance(block, CodesBlock)
                        and block.missing is None
                        and block.unknown is None
                        and (survey.missing.get(name))
                    ):
                        raise IntakeRefused(
                            f"column {name} has {survey.missing[name]:,} missing values, and its block names no "
                            "code for them",
                            hint="set `missing` (or `unknown`) in this block",
                        )

    def describe(self) -> tuple[str, ...]:
        """Say in one line per forward argument what it is made of."""
        return tuple(
            f"{shape.name or 'input'}: {shape.width} {'codes' if shape.whole else 'numbers'} from "
            + "; ".join(f"{block.kind} ({', '.join(block.columns)})" for block in item.blocks)
            for shape, item in zip(self.shapes, self.inputs, strict=True)
        )


def check_columns(columns: Iterable[str], known: Sequence[str], place: str) -> None:
    """Refuse column names that the data does not have.

    Raises
    ------
    ConfigError
        All of them, each with the nearest name.
    """
    mistakes = [
        Mistake(f"the data has no column {name}", place, suggest_name(name, known))
        for name in dict.fromkeys(columns)
        if name not in set(known)
    ]
    if mistakes:
        raise ConfigError(mistakes=mistakes)


def numbers_of(frame: pd.DataFrame, name: str) -> np.ndarray:
    """Return a column as float64, NaN where missing, shape ``[n]``.

    Raises
    ------
    DataError
        It holds something that is not a number.
    """
    import pandas as pd

    series = frame[name]
    if pd.api.types.is_numeric_dtype(series.dtype) and not pd.api.types.is_bool_dtype(series.dtype):
        return series.to_numpy(dtype=np.float64, na_value=np.nan)
    found = pd.to_numeric(series.astype(object).map(_number_from), errors="coerce")
    wrong = found.isna() & series.notna()
    if wrong.any():
        example = str(series[wrong].iloc[0])[:40]
        raise DataError(
            f"column {name} holds {example!r} where the model's numeric input wants a number",
            hint="use a codes or one_hot block for it",
        )
    return found.to_numpy(dtype=np.float64, na_value=np.nan)


def _number_from(value: Any) -> Any:
    return float(value) if isinstance(value, bool | np.bool_) else value


def _encode_numeric(block: NumericBlock, frame: pd.DataFrame) -> np.ndarray:
    if block.missing is None and block.mean is None and block.scale is None and not block.indicator:
        # nothing to compute: cast column by column, without a whole table of float64 on the way
        plain = np.empty((len(frame), len(block.columns)), dtype=np.float32)
        for place, name in enumerate(block.columns):
            plain[:, place] = numbers_of(frame, name)
        return plain
    raw = np.stack([numbers_of(frame, name) for name in block.columns], axis=1)
    gaps = np.isnan(raw)
    if block.missing is not None:
        raw = np.where(gaps, np.asarray(block.missing, dtype=np.float64), raw)
    if block.mean is not None:
        raw = raw - np.asarray(block.mean, dtype=np.float64)
    if block.scale is not None:
        raw = raw / np.asarray(block.scale, dtype=np.float64)
    return np.concatenate([raw, gaps.astype(np.float64)], axis=1) if block.indicator else raw


def _encode_codes(block: CodesBlock, found: list[np.ndarray]) -> np.ndarray:
    out = np.empty((len(found[0]), len(found)), dtype=np.int64)
    missing = block.unknown if block.missing is None else block.missing
    for at, positions in enumerate(found):
        codes = positions + block.offset
        for mark, code in ((UNKNOWN, block.unknown), (MISSING, missing)):
            hit = positions == mark
            if hit.any():
                if code is None:
                    raise _unlisted_error(block.columns[at], mark)
                codes = np.where(hit, code, codes)
        out[:, at] = codes
    return out


def _encode_one_hot(block: OneHotBlock, found: list[np.ndarray]) -> np.ndarray:
    parts = []
    for name, positions in zip(block.columns, found, strict=True):
        levels = block.levels[name]
        if block.unknown == "refuse" and (positions == UNKNOWN).any():
            raise _unlisted_error(name, UNKNOWN)
        if block.missing is not None:
            positions = np.where(positions == MISSING, LevelIndex(levels).position(block.missing), positions)
        parts.append((positions[:, None] == np.arange(len(levels))).astype(np.float64))
    return np.concatenate(parts, axis=1)


def _unlisted_error(name: str, mark: int) -> DataError:
    what = (
        "a level that its block does not list" if mark == UNKNOWN else "a missing value for which its block has no code"
    )
    return DataError(
        f"column {name} holds {what}", hint="list it in `levels`, or set `unknown` and `missing` in the block"
    )


def _refuses_unknown(block: CodesBlock | OneHotBlock) -> bool:
    return block.unknown is None if isinstance(block, CodesBlock) else block.unknown == "refuse"


def _unlisted(name: str, counted: Counter[str], levels: Sequence[Level]) -> str:
    shown = ", ".join(f"{level[:40]!r} ({rows:,} rows)" for level, rows in counted.most_common(5))
    more = f" and {len(counted) - 5} more" if len(counted) > 5 else ""
    return f"column {name} holds levels that the model does not know: {shown}{more}; it knows {len(levels)} levels"


def _shape_of(item: ModelInput) -> EncodedInput:
    columns: list[str] = []
    for block in item.blocks:
        columns += WIDTHS[block.kind](block)
    return EncodedInput(item.name, len(columns), all(block.kind == "codes" for block in item.blocks), tuple(columns))


def _numeric_columns(block: NumericBlock) -> list[str]:
    return list(block.columns) * (2 if block.indicator else 1)


def _one_hot_columns(block: OneHotBlock) -> list[str]:
    return [name for name in block.columns for _ in block.levels[name]]


WIDTHS: dict[str, Callable[[Any], list[str]]] = {
    "numeric": _numeric_columns,
    "codes": lambda block: list(block.columns),
    "one_hot": _one_hot_columns,
}
"""Kind of block to the column behind each position."""


def _find_mistakes(inputs: Sequence[ModelInput]) -> Iterable[Mistake]:
    for at, item in enumerate(inputs):
        place = f"model.inputs.{item.name or at}"
        if not item.blocks:
            yield Mistake("this input has no block", place, "list its columns")
        for block in item.blocks:
            if not block.columns:
                yield Mistake(f"this {block.kind} block has no columns", place)
            if isinstance(block, NumericBlock):
                yield from _numeric_mistakes(block, place)
            else:
                yield from _level_mistakes(block, place)


def _numeric_mistakes(block: NumericBlock, place: str) -> Iterable[Mistake]:
    for key in ("mean", "scale", "missing"):
        value = getattr(block, key)
        if isinstance(value, tuple) and len(value) != len(block.columns):
            yield Mistake(
                f"{key} has {len(value)} numbers for {len(block.columns)} columns",
                place,
                "give one number, or one per column",
            )
    if block.scale is not None and 0.0 in np.atleast_1d(block.scale):
        yield Mistake("a scale of 0 divides by zero", place, "a constant column has scale 1")


def _level_mistakes(block: CodesBlock | OneHotBlock, place: str) -> Iterable[Mistake]:
    for name in block.columns:
        if name not in block.levels:
            yield Mistake(
                f"column {name} has no levels", place, suggest_name(name, block.levels) or "list them in order"
            )
            continue
        twice = LevelIndex(block.levels[name]).twice
        if twice:
            yield Mistake(f"column {name} lists the level {twice[0]!r} twice", place)
        if (
            isinstance(block, OneHotBlock)
            and block.missing is not None
            and (LevelIndex(block.levels[name]).position(block.missing) < 0)
        ):
            yield Mistake(f"column {name} does not list {block.missing!r}, the level for missing values", place)
    for name in block.levels:
        if name not in block.columns:
            yield Mistake(
                f"levels are given for {name}, which is not a column of this block",
                place,
                suggest_name(name, block.columns),
            )
