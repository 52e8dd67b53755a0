"""The `model` block of audit.yaml: where the black box comes from, how rows become its inputs, what it returns.

Comes in: plain values, in their short forms too. Goes out: a resolved `ModelSource`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import Field, field_validator, model_validator

from .settings import Level, Settings


class NumericBlock(Settings):
    """Numbers, filled and scaled: ``(x - mean) / scale``."""

    kind: Literal["numeric"] = "numeric"
    """Kind of block."""
    columns: tuple[str, ...]
    """Columns in order."""
    mean: tuple[float, ...] | float | None = None
    """Subtracted; one number or one per column."""
    scale: tuple[float, ...] | float | None = None
    """Divided by; one number or one per column."""
    missing: tuple[float, ...] | float | None = None
    """Raw value that fills a missing one, before scaling; one number or one per column."""
    indicator: bool = False
    """Append one 0/1 column per column: was it missing."""


class CodesBlock(Settings):
    """Categories as integer codes."""

    kind: Literal["codes"]
    """Kind of block."""
    columns: tuple[str, ...]
    """Columns in order."""
    levels: dict[str, tuple[Level, ...]]
    """Column to levels; a level's code is its position plus `offset`."""
    unknown: int | None = None
    """Code of a level that is not listed; None refuses such rows."""
    missing: int | None = None
    """Code of a missing value; None takes `unknown`."""
    offset: int = 0
    """Code of the first level."""


class OneHotBlock(Settings):
    """Categories as 0/1 columns, one per level."""

    kind: Literal["one_hot"]
    """Kind of block."""
    columns: tuple[str, ...]
    """Columns in order."""
    levels: dict[str, tuple[Level, ...]]
    """Column to levels, in order."""
    unknown: Literal["zeros", "refuse"] = "zeros"
    """What a level that is not listed becomes; missing values become zeros too."""
    missing: Level | None = None
    """Listed level that a missing value counts as; None: zeros."""


Block = Annotated[NumericBlock | CodesBlock | OneHotBlock, Field(discriminator="kind")]


def _as_blocks(value: Any) -> Any:
    """Write a plain list of columns out as one numeric block; add the default kind."""
    if isinstance(value, Mapping):
        value = [value]
    if isinstance(value, list | tuple) and value and all(isinstance(item, str) for item in value):
        return [{"kind": "numeric", "columns": list(value)}]
    if isinstance(value, list | tuple):
        return [{"kind": "numeric", **item} if isinstance(item, Mapping) else item for item in value]
    return value


def _has_blocks(value: Any) -> bool:
    return isinstance(value, Mapping) and "blocks" in value


class ModelInput(Settings):
    """One argument of the model's forward: blocks concatenated along columns."""

    name: str = ""
    """Name of the argument; empty for the only one."""
    blocks: tuple[Block, ...]
    """Blocks in order."""


class ModelOutput(Settings):
    """What the model returns."""

    task: Literal["binary", "multiclass", "regression"] = "binary"
    """What it predicts."""
    scale: Literal["logit", "probability", "logits", "probabilities", "value"] = "logit"
    """logit or probability (one column), logits or probabilities (one column per class), value (regression)."""
    classes: tuple[Level, ...] = ()
    """Class per output column, in order, where there are several."""
    positive: Level | None = None
    """Positive class among `classes`; default the last, of more than two the first favourable one."""
    index: int | None = None
    """Output column of the positive class; default from `positive`."""
    name: str | None = None
    """Name of the output that holds the scores, where a file (ONNX) has several."""

    @model_validator(mode="before")
    @classmethod
    def _choose_task(cls, value: Any) -> Any:
        """Take more than two classes for what they are."""
        if not isinstance(value, Mapping) or "task" in value or value.get("scale") == "value":
            return value
        classes = value.get("classes")
        return {**value, "task": "multiclass"} if isinstance(classes, list | tuple) and len(classes) > 2 else value


FORMATS = ("pt2", "torchscript", "safetensors", "state_dict", "python", "onnx", "mlflow", "pickle", "scores", "none")


class ModelSource(Settings):
    """The black box: a file and how to feed it, stored scores, or none."""

    format: Literal[
        "auto",
        "pt2",
        "torchscript",
        "safetensors",
        "state_dict",
        "python",
        "onnx",
        "mlflow",
        "pickle",
        "scores",
        "none",
    ] = "auto"
    """Format; read from the file where it can be."""
    path: str | None = None
    """Model file."""
    sha256: str | None = None
    """Pinned digest: 64 hexadecimal digits."""
    factory: str | None = None
    """``module.py:name`` or ``package.module:name`` that builds the net (safetensors, state_dict) or is the callable
    (python)."""
    factory_args: dict[str, Any] = {}
    """Arguments of the factory."""
    prefix: str = ""
    """Prefix to strip from the keys of the state."""
    trust_code: bool = False
    """Allow loading to import code that you name."""
    inputs: tuple[ModelInput, ...] = ()
    """Forward arguments in order."""
    output: ModelOutput = ModelOutput()
    """What it returns."""
    scores: str | None = None
    """Column of stored scores, instead of a model."""
    expected_score: str | None = None
    """Column of scores that the model is known to give."""
    isolation: Literal["none", "subprocess", "required"] = "none"
    """subprocess: load and evaluate in a process of its own, without network where the platform allows it; required:
    refuse where it does not."""
    time_limit: float | None = Field(default=None, gt=0)
    """Longest time, in seconds, that scoring every row may take."""
    pace: int | None = Field(default=None, gt=0)
    """Rows per second that sizes of samples are chosen by, instead of what is counted or measured: as an earlier report
    printed it, so that a slow model is asked about the same rows again."""

    @field_validator("inputs", mode="before")
    @classmethod
    def _read_inputs(cls, value: Any) -> Any:
        """Accept a list of columns, a list of blocks, or argument name to either."""
        if isinstance(value, Mapping) and "kind" not in value and "columns" not in value:
            return [{"name": str(name), "blocks": _as_blocks(blocks)} for name, blocks in value.items()]
        if isinstance(value, Mapping):
            return [{"blocks": _as_blocks(value)}]
        if isinstance(value, list | tuple) and value:
            if _has_blocks(value[0]):
                return [{**item, "blocks": _as_blocks(item["blocks"])} if _has_blocks(item) else item for item in value]
            if isinstance(value[0], ModelInput):
                return value
            return [{"blocks": _as_blocks(value)}]
        return value

    @model_validator(mode="before")
    @classmethod
    def _choose_scale(cls, value: Any) -> Any:
        """Read stored scores and a callable's as probabilities, unless it says otherwise; a net's output as a logit."""
        if not isinstance(value, Mapping) or not (value.get("scores") or value.get("format") == "python"):
            return value
        output = value.get("output", {})
        several = isinstance(output, Mapping) and len(output.get("classes", ())) > 2
        if (
            isinstance(output, Mapping)
            and not several
            and "scale" not in output
            and output.get("task", "binary") == "binary"
        ):
            return {**value, "output": {**output, "scale": "probability"}}
        return value

    @field_validator("output", mode="before")
    @classmethod
    def _read_output(cls, value: Any) -> Any:
        """Accept the scale alone: ``output: logit``."""
        if not isinstance(value, str):
            return value
        return {"task": "regression", "scale": "value"} if value == "value" else {"scale": value}
