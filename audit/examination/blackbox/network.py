"""A loaded net, fed with rows of a table.

Comes in: a `Loaded`, an `Encoder` and how to read the outputs. Goes out: a `BlackBox`. Whatever torch says when a net
does not fit its inputs is turned into what was expected and what it got.
"""

from __future__ import annotations

import re
from copy import deepcopy
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from audit.errors import AuditError, ConfigError, IntakeRefused, TryAgain, suggest_name

from .encode import EncodedInput, Encoder
from .exported import is_float, is_whole
from .loaded import Argument, Loaded
from .output import CLIP, OutputReading, Scale

if TYPE_CHECKING:
    import pandas as pd
    import torch

CHUNK = 8192
"""Rows per call of the net: its activations then stay in the processor's cache."""


class Network:
    """A torch model as a `BlackBox`.

    Parameters
    ----------
    loaded : Loaded
        The model in memory.
    encoder : Encoder
        From rows to tensors.
    reading : OutputReading
        From outputs to scores.
    format : str
        Format of the file.

    Raises
    ------
    ConfigError
        Inputs that the model's forward does not take, or lacks.
    IntakeRefused
        An input of another width or type.
    """

    def __init__(self, loaded: Loaded, encoder: Encoder, reading: OutputReading, format: str) -> None:
        self.format = format
        self.columns = encoder.columns
        self.reading = reading
        self.has_gradients = False
        self._loaded, self._encoder = loaded, encoder
        self._order = arrange_inputs(loaded.arguments, encoder)

    @property
    def differentiable(self) -> bool:
        """Whether gradients can be asked for; whether they arrive, the contract tells."""
        return self._loaded.differentiable

    @property
    def input_shapes(self) -> tuple[EncodedInput, ...]:
        """Shape of each forward argument."""
        return self._encoder.shapes

    @property
    def scale(self) -> Scale:
        """Scale of what the model returns."""
        return self.reading.kind

    def score(self, frame: pd.DataFrame) -> np.ndarray:
        """Return scores on the decision scale, shape ``[n]``."""
        return self.reading.score(self.raw(frame))

    def link(self, frame: pd.DataFrame) -> np.ndarray:
        """Return scores on the link scale, shape ``[n]``."""
        return self.reading.link(self.raw(frame))

    def raw(self, frame: pd.DataFrame) -> np.ndarray:
        """Return the outputs as they come, float64, shape ``[n, outputs]``.

        Raises
        ------
        IntakeRefused
            The model cannot take these rows.
        """
        import torch

        arrays = self._encoder.encode(frame)
        (low, step), parts = self.batch, []
        with torch.no_grad():
            for start in range(0, len(frame), step):
                pieces = [array[start : start + step] for array in arrays]
                parts.append(self._call(pieces, low))
        return np.concatenate(parts) if parts else np.empty((0, 1))

    def copy(self) -> Network:
        """Return the same model around a net of its own, for whatever hooks into its layers."""
        own = replace(self._loaded, call=deepcopy(self._loaded.call))
        return Network(own, self._encoder, self.reading, self.format)

    @property
    def net(self) -> Any:
        """What is called with tensors: a module, a scripted or an exported program."""
        return self._loaded.call

    @property
    def batch(self) -> tuple[int, int]:
        """Fewest rows per call, and how many to give at once."""
        low, high = self._loaded.batch
        return low, max(low, min(CHUNK, high or CHUNK))

    @property
    def is_fixed(self) -> bool:
        """Whether the file takes one number of rows per call and no other."""
        low, high = self._loaded.batch
        return low == high

    def encode(self, frame: pd.DataFrame) -> list[np.ndarray]:
        """Return one array per forward argument, shape ``[n, width]``, float32 or int64.

        Raises
        ------
        DataError
            A value that the blocks do not know.
        """
        return self._encoder.encode(frame)

    def to_tensors(self, arrays: list[np.ndarray]) -> list[torch.Tensor]:
        """Return what forward is called with, one tensor per encoded array, repeated to the fewest rows per call."""
        return self._tensors(_at_least(arrays, self._loaded.batch[0]))

    def torch_link(self, tensors: list[torch.Tensor]) -> torch.Tensor:
        """Return the link of each row of tensors, differentiable, shape ``[n]``.

        Raises
        ------
        IntakeRefused
            The model cannot take these rows.
        """
        return self._torch_link(self._forward(tensors))

    def link_encoded(self, arrays: list[np.ndarray]) -> np.ndarray:
        """Return the link of rows that were encoded before, float64, shape ``[n]``.

        Raises
        ------
        IntakeRefused
            The model cannot take these rows.
        """
        import torch

        low, step = self.batch
        with torch.no_grad():
            parts = [
                self.reading.link(self._call([array[at : at + step] for array in arrays], low))
                for at in range(0, len(arrays[0]), step)
            ]
        return np.concatenate(parts) if parts else np.empty(0)

    def gradients(self, frame: pd.DataFrame) -> list[np.ndarray | None]:
        """Return the gradient of the link per forward argument, shape ``[n, width]``; None for codes.

        Raises
        ------
        IntakeRefused
            The model cannot take these rows.
        """
        arrays = self._encoder.encode(frame)
        low, step = self.batch
        parts = [self._gradients([array[at : at + step] for array in arrays], low) for at in range(0, len(frame), step)]
        return [None if pieces[0] is None else np.concatenate(pieces) for pieces in zip(*parts, strict=True)]

    def _gradients(self, arrays: list[np.ndarray], low: int) -> list[Any]:
        import torch

        rows = len(arrays[0])
        tensors = self._tensors(_at_least(arrays, low))
        floats = [tensor.requires_grad_(True) for tensor in tensors if tensor.is_floating_point()]
        with torch.enable_grad():
            link = self._torch_link(self._forward(tensors))
            reached = link.requires_grad and bool(floats)
            found = iter(
                torch.autograd.grad(link.sum(), floats, allow_unused=True) if reached else [None] * len(floats)
            )
        grads = [next(found) if tensor.is_floating_point() else None for tensor in tensors]
        return [
            None
            if not tensor.is_floating_point()
            else np.zeros((rows, *tensor.shape[1:]))
            if grad is None
            else grad.double().numpy()[:rows]
            for tensor, grad in zip(tensors, grads, strict=True)
        ]

    def _torch_link(self, out: torch.Tensor) -> torch.Tensor:
        """Return the output whose gradient is asked for, differentiable."""
        import torch

        if self.reading.scale == "logits":
            at = self.reading.positive(out.shape[1])
            return out[:, at] - torch.logsumexp(out[:, [nr for nr in range(out.shape[1]) if nr != at]], dim=1)
        if self.reading.kind == "probability":
            # double: a float32 that rounds to one has no log-odds
            at = self.reading.positive(out.shape[1]) if self.reading.scale == "probabilities" else 0
            held = out[:, at].double().clamp(CLIP, 1.0 - CLIP)
            return torch.log(held) - torch.log1p(-held)
        return out[:, 0]

    def _call(self, arrays: list[np.ndarray], low: int) -> np.ndarray:
        rows = len(arrays[0])
        out = self._forward(self._tensors(_at_least(arrays, low)))
        return np.asarray(out.detach().double().numpy()[:rows])

    def _tensors(self, arrays: list[np.ndarray]) -> list[torch.Tensor]:
        import torch

        tensors = []
        for array, argument in zip(arrays, self._order, strict=True):
            wanted = argument.dtype or (self._loaded.float_type if array.dtype == np.float32 else "int64")
            tensor = torch.from_numpy(array).to(getattr(torch, wanted))
            tensors.append(tensor[:, 0] if argument.rank == 1 else tensor)
        return tensors

    def _forward(self, tensors: list[torch.Tensor]) -> torch.Tensor:
        """Call the model and return its output, shape ``[n, outputs]``."""
        known = [argument.name for argument in self._loaded.arguments]
        positional, named = list[Any](), dict[str, Any]()
        pairs = zip(self._order, tensors, strict=True)
        for argument, tensor in sorted(pairs, key=lambda pair: known.index(pair[0].name)) if known else pairs:
            # an optional argument that is left out makes a gap; what follows it goes by name
            if argument.keyword or (known and known.index(argument.name) != len(positional)):
                named[argument.name] = tensor
            else:
                positional.append(tensor)
        try:
            out = self._loaded.call(*positional, **named)
        except (MemoryError, KeyboardInterrupt, AuditError):
            raise
        except Exception as error:
            raise explain_failure(str(error), self._encoder) from None
        return as_table(out, len(tensors[0]))


def _at_least(arrays: list[np.ndarray], low: int) -> list[np.ndarray]:
    """Repeat the last row until there are `low` rows, which some exports ask for; the answers are dropped again."""
    lacking = low - len(arrays[0])
    if lacking <= 0:
        return arrays
    return [np.concatenate([array, np.repeat(array[-1:], lacking, axis=0)]) for array in arrays]


def arrange_inputs(arguments: tuple[Argument, ...], encoder: Encoder) -> tuple[Argument, ...]:
    """Return the forward argument behind each input of the configuration, in the configuration's order.

    Raises
    ------
    ConfigError
        An input that forward does not take, or one that it lacks.
    IntakeRefused
        Another width or type than the file declares.
    """
    names = [shape.name for shape in encoder.shapes]
    if not arguments:
        return tuple(Argument(name, rank=2) for name in names)
    known = [argument.name for argument in arguments]
    required = [argument.name for argument in arguments if argument.required]
    if names == [""]:
        if len(required) > 1:
            raise ConfigError(
                f"the model takes {len(required)} inputs: {', '.join(required)}",
                place="model.inputs",
                hint="name them: inputs: {" + ", ".join(f"{name}: [...]" for name in required) + "}",
            )
        chosen = [arguments[0]]
    else:
        for name in names:
            if name not in known:
                raise ConfigError(
                    f"the model takes no input {name}; it takes {', '.join(known)}",
                    place="model.inputs",
                    hint=suggest_name(name, known),
                )
        lacking = [name for name in required if name not in names]
        if lacking:
            raise ConfigError(
                f"the model also takes {', '.join(lacking)}",
                place="model.inputs",
                hint="give blocks for each of its inputs",
            )
        chosen = [arguments[known.index(name)] for name in names]
    for argument, shape in zip(chosen, encoder.shapes, strict=True):
        _check_shape(argument, shape.name or argument.name, shape.width, shape.whole)
    return tuple(chosen)


def _check_shape(argument: Argument, name: str, width: int, whole: bool) -> None:
    if argument.width is not None and argument.width != width:
        raise IntakeRefused(
            f"the model's input {name} has {argument.width} columns, but the blocks give {width}",
            hint="a one_hot block gives a column per level, `indicator` one per column",
        )
    if (whole and is_float(argument.dtype)) or (not whole and is_whole(argument.dtype)):
        wants, gives = ("numbers", "codes alone") if whole else ("codes", "numbers")
        raise IntakeRefused(
            f"the model's input {name} takes {wants}, but the blocks give {gives}",
            hint="codes blocks give integers, numeric and one_hot blocks floats",
        )


def as_table(out: Any, rows: int) -> torch.Tensor:
    """Return a model's output as a float tensor of shape ``[n, outputs]``.

    Raises
    ------
    IntakeRefused
        It returns something else than one tensor with one row per row.
    """
    import torch

    if not isinstance(out, torch.Tensor):
        inner = getattr(out, "logits", None)
        if inner is None and isinstance(out, dict):
            inner = out.get("logits", next(iter(out.values())) if len(out) == 1 else None)
        if inner is None and isinstance(out, tuple | list) and len(out) == 1:
            inner = out[0]
        if not isinstance(inner, torch.Tensor):
            raise IntakeRefused(
                f"the model returns a {type(out).__name__} instead of one tensor",
                hint="wrap it in a module that returns the scores alone",
            )
        out = inner
    if out.ndim == 0 and rows == 1:
        out = out.reshape(1)
    if out.ndim == 1:
        out = out.unsqueeze(1)
    if out.ndim == 3 and out.shape[1] == 1:
        out = out.squeeze(1)
    if out.ndim != 2 or out.shape[0] != rows:
        raise IntakeRefused(
            f"the model returns shape {list(out.shape)} for {rows} rows",
            hint="it must return one row of outputs per row of the table",
        )
    table: torch.Tensor = out
    return table


_LINEAR = re.compile(r"mat1 and mat2 shapes cannot be multiplied \(\d+x(\d+) and (\d+)x\d+\)")
_BROADCAST = re.compile(
    r"The size of tensor a \((\d+)\) must match the size of tensor b \((\d+)\) at non-singleton dimension 1"
)

_DEVICE = re.compile(
    r"from the '(?:CUDA|MPS|XPU|HIP)' backend|not compiled with|NVIDIA|on the same device|'(?:cuda|mps|xpu)'|cuda:[0-9]"
)


def explain_failure(message: str, encoder: Encoder) -> IntakeRefused | TryAgain:
    """Turn a message of torch into what was expected and what it got, and repeat nothing of the message."""
    widths = " and ".join(f"{shape.name or 'the input'} [rows, {shape.width}]" for shape in encoder.shapes)
    match = _LINEAR.search(message) or _BROADCAST.search(message)
    if match:
        return IntakeRefused(
            f"the model expects {match.group(2)} columns where it gets {match.group(1)} (it is fed {widths})",
            hint="check the blocks: a one_hot block gives a column per level, `indicator` one per column",
        )
    if "index out of range" in message or "out of bounds" in message:
        return IntakeRefused(
            "a code is larger than the model's table of levels",
            hint="check `levels` and `offset` of the codes blocks: the model knows fewer levels",
        )
    if _DEVICE.search(message):
        return IntakeRefused(
            "the model asks for a device that is not here (a GPU), although its weights were placed on the CPU",
            hint="export it on the CPU: net.cpu() before exporting, and no device='cuda' inside forward",
        )
    if "Expected tensor for argument" in message or "scalar type" in message or "dtype" in message:
        return IntakeRefused(
            f"the model expects another type of input (it is fed {widths})",
            hint="codes blocks give int64, numeric and one_hot blocks float32",
        )
    if "memory" in message and "alloc" in message:
        return TryAgain("the model ran out of memory")
    return IntakeRefused(
        f"the model cannot take the rows that it is fed ({widths})",
        hint="check the order and width of its inputs against the code that it was trained with",
    )
