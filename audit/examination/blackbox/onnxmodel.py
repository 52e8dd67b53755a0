"""ONNX models, evaluated by onnxruntime: vetted, loaded from memory, fed tensors; no gradients.

Comes in: the bytes of a ``.onnx``. Goes out: a `Loaded` without gradients. The runtime sees the bytes that were vetted
and no path, so that it cannot look for anything beside a file. A batch size that the export fixed is kept by padding.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from audit.config.model import ModelSource
from audit.config.settings import Level
from audit.errors import ConfigError, IntakeRefused, suggest_name

from .levels import level_text
from .loaded import Argument, Loaded
from .onnxgraph import DTYPES, TEXT, OnnxGraph, OnnxValue, shown_value, vet_onnx

FLOATS = (1, 10, 11)
LABELS = (6, 7, TEXT)


def load_onnx(data: bytes, source: ModelSource) -> Loaded:
    """Vet and load an ONNX model.

    Raises
    ------
    ConfigError
        onnxruntime is not installed; several outputs and none is named.
    IntakeRefused
        As `vet_onnx`; inputs that are no tables.
    """
    graph = vet_onnx(data)
    arguments = tuple(_describe_input(value) for value in graph.inputs)
    output = choose_output(graph.outputs, source.output.name)
    session = _open_session(data)
    rows = _fixed_rows(graph)
    return Loaded(
        call=OnnxCall(session, graph.inputs, output, tuple(source.output.classes)),
        arguments=arguments,
        parameters=graph.parameters,
        trust="ONNX, vetted before loading and evaluated by onnxruntime: standard operators, no code was run",
        vetted=_report(graph, output, rows),
        batch=(rows, rows) if rows else (1, None),
        differentiable=False,
    )


class OnnxCall:
    """An ONNX session as a function on tensors.

    Parameters
    ----------
    session : onnxruntime.InferenceSession
        The model.
    inputs : sequence of OnnxValue
        What it takes, in order.
    output : OnnxValue
        What is read of what it returns.
    classes : tuple
        Declared classes, which order a map of class to probability.
    """

    def __init__(
        self, session: Any, inputs: Sequence[OnnxValue], output: OnnxValue, classes: tuple[Level, ...]
    ) -> None:
        self._session, self._output, self._classes = session, output, classes
        self._names = [value.name for value in inputs]

    def __call__(self, *tensors: Any, **named: Any) -> Any:
        """Evaluate tensors and return the chosen output as a tensor, shape ``[n, outputs]``.

        Raises
        ------
        IntakeRefused
            A map that does not name the same classes for every row.
        """
        import torch

        feed = dict(zip(self._names, tensors, strict=False)) | named
        arrays = {name: np.ascontiguousarray(tensor.detach().numpy()) for name, tensor in feed.items()}
        found = self._session.run([self._output.name], arrays)[0]
        if self._output.kind == "maps":
            found = read_maps(found, self._classes)
        found = np.asarray(found)
        return torch.from_numpy(found.astype(np.float64 if found.dtype == np.float64 else np.float32))


def choose_output(outputs: Sequence[OnnxValue], named: str | None) -> OnnxValue:
    """Return the output that holds the scores.

    A classifier as scikit-learn's converter writes it returns labels and probabilities; the probabilities are taken.

    Raises
    ------
    ConfigError
        There are several, and none or an unknown one is named.
    IntakeRefused
        The output is no table of numbers.
    """
    names = [shown_value(value.name) for value in outputs]
    if named is not None:
        chosen = [value for value in outputs if value.name == named]
        if not chosen:
            raise ConfigError(
                f"the model has no output {named}; its outputs are {', '.join(names)}",
                place="model.output.name",
                hint=suggest_name(named, names),
            )
    else:
        chosen = list(outputs)
    if len(chosen) == 2:
        chosen = _without_labels(chosen)
    if len(chosen) > 1:
        raise ConfigError(
            f"the model has {len(outputs)} outputs: {', '.join(names)}",
            place="model.output",
            hint=f"name the one that holds the scores: output: {{name: {names[0]}, ...}}",
        )
    only = chosen[0]
    if only.kind == "other" or (only.kind == "tensor" and only.dtype not in FLOATS):
        raise IntakeRefused(
            f"the output {shown_value(only.name)} of the ONNX file is no table of floating-point scores",
            hint="export the model so that it returns probabilities or log-odds, not the decided class",
        )
    return only


def _without_labels(pair: list[OnnxValue]) -> list[OnnxValue]:
    """Return the probabilities alone where a pair is labels, one per row, and probabilities."""
    scores = [value for value in pair if value.kind == "maps" or (value.kind == "tensor" and value.dtype in FLOATS)]
    labels = [value for value in pair if value.kind == "tensor" and value.dtype in LABELS]
    return scores if len(scores) == 1 and len(labels) == 1 else pair


def read_maps(found: Sequence[dict[Any, float]], classes: tuple[Level, ...]) -> np.ndarray:
    """Return maps of class to probability, one per row, as a table, shape ``[n, classes]``.

    Columns stand in the order of the declared classes where all of them occur, else in that of the first row.

    Raises
    ------
    IntakeRefused
        Rows with different classes, or declared classes that the model does not know.

    Examples
    --------
    >>> read_maps([{0: 0.25, 1: 0.75}], (1, 0)).tolist()
    [[0.75, 0.25]]
    """
    if not found:
        return np.empty((0, max(1, len(classes))))
    keys = list(found[0])
    known = {level_text(key): key for key in keys}
    if classes:
        lacking = [level_text(level) for level in classes if level_text(level) not in known]
        if lacking or len(classes) != len(keys):
            raise ConfigError(
                f"the model's classes are {', '.join(str(key)[:40] for key in known)}, not the declared ones",
                place="model.output.classes",
                hint="list exactly these classes",
            )
        keys = [known[level_text(level)] for level in classes]
    if any(len(row) != len(keys) for row in found):
        raise IntakeRefused("the model gives other classes for some rows", hint="export it with zipmap: false")
    return np.array([[row[key] for key in keys] for row in found], dtype=np.float64)


def _describe_input(value: OnnxValue) -> Argument:
    shown = shown_value(value.name)
    if value.kind != "tensor" or value.dtype not in DTYPES:
        wants = "texts" if value.dtype == TEXT else "something else than numbers"
        raise IntakeRefused(
            f"the model's input {shown} takes {wants}",
            hint="export the model behind its encoding of texts, and give codes or one_hot blocks; or wrap it as a "
            "function (format: python)",
        )
    shape = value.shape
    if shape is not None and len(shape) not in (1, 2):
        raise IntakeRefused(
            f"the model's input {shown} is not a table: it has {len(shape)} dimensions",
            hint="tables only so far: inputs of shape [rows, columns]",
        )
    rank = 2 if shape is None else len(shape)
    width = None if shape is None else 1 if rank == 1 else shape[1]
    return Argument(value.name, True, width, DTYPES[value.dtype], rank)


def _fixed_rows(graph: OnnxGraph) -> int:
    """Return the number of rows that the export fixed; 0 where it is free.

    Raises
    ------
    IntakeRefused
        Two inputs with different numbers.
    """
    fixed = {value.shape[0] for value in graph.inputs if value.shape} - {None}
    if len(fixed) > 1:
        raise IntakeRefused(
            "the inputs of the ONNX file were exported for different numbers of rows",
            hint="export it with a free batch: torch.onnx.export(..., dynamic_shapes=...)",
        )
    return next((size for size in fixed if size), 0)


def _open_session(data: bytes) -> Any:
    try:
        import onnxruntime
    except ImportError:
        raise ConfigError(
            "an ONNX file needs the package onnxruntime, which is not installed",
            place="model.format",
            hint="pip install 'glassbox-audit[onnx]', or export the model as .pt2",
        ) from None
    import torch

    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4  # what the runtime prints repeats names of the file
    options.intra_op_num_threads = torch.get_num_threads()
    options.inter_op_num_threads = 1
    options.add_session_config_entry("session.load_model_format", "ONNX")
    try:
        return onnxruntime.InferenceSession(data, options, providers=["CPUExecutionProvider"])
    except Exception:  # the runtime's text repeats names of the file
        raise IntakeRefused(
            f"onnxruntime {onnxruntime.__version__} cannot load this ONNX file; it is damaged or of a newer version",
            hint="export it again for an older opset, or as .pt2 with torch.export",
        ) from None


def _report(graph: OnnxGraph, output: OnnxValue, rows: int) -> tuple[str, ...]:
    lines = [
        f"{graph.nodes} operators of {len(graph.operators)} kinds, all of the ONNX standard (opset {graph.opset})",
        "every tensor lies in the file; no path, no custom operator, no setting for the runtime",
        f"the output {shown_value(output.name)} is read",
    ]
    if len(graph.outputs) > 1:
        lines.append(f"other outputs left aside: {len(graph.outputs) - 1}")
    if rows:
        lines.append(f"exported for {rows} rows alone: rows are given {rows} at a time, the last ones repeated to fill")
    return tuple(lines)
