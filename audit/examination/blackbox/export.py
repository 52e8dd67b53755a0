"""A trained net and its fitted preprocessing, written as a ``.pt2`` and the `model` block that feeds it.

Comes in: a torch module, a scikit-learn transformer, a few raw rows. Goes out: the file, and the mapping that
audit.yaml takes under ``model``. The file is read back through the project's own door and must give what transformer
and net give on the example rows, before it is put in its place.
"""

from __future__ import annotations

import copy
import io
import warnings
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from audit.config.model import ModelSource
from audit.errors import ConfigError, IntakeRefused

from .encode import Encoder, check_columns
from .exported import load_exported
from .network import Network, as_table
from .output import OutputReading
from .steps import write_blocks

if TYPE_CHECKING:
    import pandas as pd
    import torch

SAME = 1e-5
"""Largest difference between the pipeline and the exported model on the example rows."""


def export_model(
    net: torch.nn.Module,
    *,
    preprocess: Any = None,
    example: pd.DataFrame,
    to: str | Path,
    columns: Sequence[str] | None = None,
    output: str | Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """Write a net and its fitted scikit-learn preprocessing as a ``.pt2`` and the ``model:`` block that feeds it.

    Parameters
    ----------
    net : torch.nn.Module
        The trained net. It takes the float tensor that `preprocess` gives, shape ``[n, features]``, or one tensor per
        entry where `preprocess` is a mapping.
    preprocess : ColumnTransformer, Pipeline, transformer or mapping of str to these, optional
        Fitted on a DataFrame. A mapping names the net's forward arguments. Without it the net takes raw numbers.
    example : pandas.DataFrame
        Some raw rows, to trace with and to check against.
    to : path
        The file to write.
    columns : sequence of str, optional
        Without `preprocess`: the columns of the net's input, in order; default all columns of `example`.
    output : str or mapping, optional
        The ``output:`` block; by default inferred from what the net returns.

    Returns
    -------
    dict
        ``path``, ``inputs`` and ``output``, as audit.yaml takes them under ``model``.

    Raises
    ------
    ConfigError
        A step that no input block expresses, or columns that the example does not have.
    IntakeRefused
        The net cannot be exported, or the export does not give what pipeline and net give.
    """
    target = Path(to)
    inputs = _write_inputs(net, preprocess, example, columns)
    source = ModelSource.model_validate({"format": "pt2", "path": str(target), "inputs": inputs})
    encoder = Encoder(source.inputs)
    check_columns(encoder.columns, [str(name) for name in example.columns], "example")
    exported = _export_net(net, encoder.encode(example), encoder)
    network = Network(load_exported(exported), encoder, OutputReading("value"), "pt2")
    found = network.raw(example)
    _check_same(found, _run_pipeline(net, preprocess, example, encoder))
    _write_file(target, exported)
    return {"path": str(target), "inputs": inputs, "output": _shape_output(output, found)}


def _write_inputs(net: Any, preprocess: Any, example: pd.DataFrame, columns: Sequence[str] | None) -> dict[str, Any]:
    """Return argument name to blocks."""
    from .module import wrap_net

    names = [item.name for item in wrap_net(copy.deepcopy(net), trust="").arguments if item.required]
    if isinstance(preprocess, Mapping):
        return {str(name): write_blocks(part) for name, part in preprocess.items()}
    if preprocess is None:
        chosen = [str(name) for name in (columns if columns is not None else example.columns)]
        check_columns(chosen, [str(name) for name in example.columns], "columns")
        blocks: list[dict[str, Any]] = [{"kind": "numeric", "columns": chosen}]
    else:
        blocks = write_blocks(preprocess, columns)
    if len(names) > 1:
        raise ConfigError(
            f"the net takes {len(names)} inputs: {', '.join(names)}",
            place="preprocess",
            hint="give a mapping from each of them to its transformer",
        )
    return {names[0] if names else "x": blocks}


def _export_net(net: Any, arrays: list[np.ndarray], encoder: Encoder) -> bytes:
    import torch

    # two rows at least: with one row torch takes the batch for a constant
    tensors = [torch.from_numpy(np.concatenate([array, array])[: max(2, len(array))]) for array in arrays]
    tensors = [tensor.to(_float_of(net)) if tensor.is_floating_point() else tensor for tensor in tensors]
    still = copy.deepcopy(net).eval()
    batch = torch.export.Dim("batch", min=1)
    names = [shape.name for shape in encoder.shapes]
    buffer = io.BytesIO()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            program = torch.export.export(
                still, (), dict(zip(names, tensors, strict=True)), dynamic_shapes={name: {0: batch} for name in names}
            )
            torch.export.save(program, buffer)
    except Exception as error:
        raise IntakeRefused(
            f"torch cannot export this net: {type(error).__name__}: {str(error).strip().splitlines()[0][:200]}",
            hint="its forward must compute on tensors alone and treat every row alike",
        ) from None
    return buffer.getvalue()


def _float_of(net: Any) -> Any:
    import torch

    return next((tensor.dtype for tensor in net.parameters() if tensor.is_floating_point()), torch.float32)


def _run_pipeline(net: Any, preprocess: Any, example: pd.DataFrame, encoder: Encoder) -> np.ndarray:
    """Return what transformer and net give, the way that training code calls them, float64, shape ``[n, outputs]``."""
    import torch

    if preprocess is None:
        return _call_net(net, {shape.name: example[list(shape.columns)] for shape in encoder.shapes}, encoder)
    parts = preprocess if isinstance(preprocess, Mapping) else {encoder.shapes[0].name: preprocess}
    with torch.no_grad(), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a frame with more columns than a transformer was fitted on is in order
        return _call_net(net, {name: _transform(part, example) for name, part in parts.items()}, encoder)


def _transform(part: Any, example: pd.DataFrame) -> Any:
    names = getattr(part, "feature_names_in_", None)
    return part.transform(example if names is None else example[list(names)])


def _call_net(net: Any, tables: Mapping[str, Any], encoder: Encoder) -> np.ndarray:
    import torch

    still = copy.deepcopy(net).eval()
    tensors = {}
    for shape in encoder.shapes:
        table = tables[shape.name]
        dense = table.toarray() if hasattr(table, "toarray") else table
        table = np.ascontiguousarray(np.asarray(dense, dtype=np.float64))
        tensors[shape.name] = torch.tensor(table, dtype=torch.int64 if shape.whole else _float_of(net))
    with torch.no_grad():
        out = as_table(still(**tensors), len(table))
    return np.asarray(out.double().numpy())


def _check_same(found: np.ndarray, wanted: np.ndarray) -> None:
    if found.shape != wanted.shape:
        raise IntakeRefused(
            f"the exported model returns shape {list(found.shape)}, pipeline and net {list(wanted.shape)}",
            hint="the net must return one tensor",
        )
    both_gaps = np.isnan(found) & np.isnan(wanted)
    gap = np.where(both_gaps, 0.0, np.abs(found - wanted) / (1 + np.abs(wanted)))
    if not (gap <= SAME).all():
        raise IntakeRefused(
            f"the exported model differs from pipeline and net by {np.nanmax(gap):.3g} on the example rows",
            hint="does the net depend on more than its inputs, or do do example rows hold levels it was not fitted on?",
        )


def _shape_output(output: str | Mapping[str, Any] | None, found: np.ndarray) -> dict[str, Any]:
    """Return the declared output, or the one that the net's outputs show."""
    if output is not None:
        return {"scale": output} if isinstance(output, str) else dict(output)
    bounded = bool(((found >= 0) & (found <= 1)).all())
    if found.shape[1] == 1:
        return {"scale": "probability" if bounded else "logit"}
    several = bounded and np.allclose(found.sum(axis=1), 1, atol=1e-4)
    return {
        "scale": "probabilities" if several else "logits",
        "classes": list(range(found.shape[1])),
        "positive": found.shape[1] - 1,
    }


def _write_file(target: Path, content: bytes) -> None:
    """Write the file whole or not at all."""
    partial = target.with_name(target.name + ".part")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        partial.write_bytes(content)
        partial.replace(target)
    except OSError as error:
        with suppress(OSError):
            partial.unlink(missing_ok=True)
        raise ConfigError(f"{target.name} cannot be written: {error.strerror}", place="to") from None
