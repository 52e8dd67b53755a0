"""Embeddings on the straight line: looked-up rows of a table are moved like numbers, wherever the net looks them up.

Comes in: a net, encoded rows and a reference. Goes out: what was looked up, the column behind each look-up, and a mode
under which the net receives points on the line instead. It sees ``embedding`` in modules and in exported programs; a
scripted program, ``table[codes]`` and ``one_hot @ table`` it does not see, which the sums then show.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np
import torch
from torch.overrides import TorchFunctionMode

Calls = list[tuple[torch.Tensor, torch.Tensor]]
"""Codes and looked-up rows of each call, in order."""


class Listener(TorchFunctionMode):
    """Keep codes and results of every look-up."""

    def __init__(self) -> None:
        super().__init__()
        self.calls: Calls = []

    def __torch_function__(
        self, func: Callable[..., Any], types: Any, args: Sequence[Any] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        result = func(*args, **(kwargs or {}))
        if is_embedding(func):
            self.calls.append((_codes_of(args, kwargs or {}), result.detach()))
        return result


class Replacer(TorchFunctionMode):
    """Give other tensors in place of what would be looked up.

    Parameters
    ----------
    leaves : iterable of torch.Tensor
        One per call, in order.
    """

    def __init__(self, leaves: Iterable[torch.Tensor]) -> None:
        super().__init__()
        self._leaves = iter(leaves)

    def __torch_function__(
        self, func: Callable[..., Any], types: Any, args: Sequence[Any] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        return next(self._leaves) if is_embedding(func) else func(*args, **(kwargs or {}))


def is_embedding(func: Callable[..., Any]) -> bool:
    """Return whether a torch function looks rows up in a table: ``F.embedding`` or ``aten.embedding.default``."""
    return str(getattr(func, "__name__", "")).partition(".")[0] == "embedding"


def _codes_of(args: Sequence[Any], kwargs: dict[str, Any]) -> torch.Tensor:
    """Return the codes among the arguments: ``F.embedding`` takes them first, ``aten.embedding`` last."""
    tensors = [item for item in (*args, *kwargs.values()) if isinstance(item, torch.Tensor)]
    found: torch.Tensor = next(item for item in tensors if not item.is_floating_point())
    return found.detach()


def listen(call: Callable[[list[torch.Tensor]], torch.Tensor], tensors: list[torch.Tensor]) -> Calls:
    """Return what the net looks up for these tensors."""
    listener = Listener()
    with torch.no_grad(), listener:
        call(tensors)
    return listener.calls


def map_lookups(
    call: Callable[[list[torch.Tensor]], torch.Tensor],
    some: list[torch.Tensor],
    pairs: Iterable[tuple[list[torch.Tensor], list[torch.Tensor]] | None],
) -> list[np.ndarray] | None:
    """Find the column behind every look-up, by giving one column after the other its reference value.

    Parameters
    ----------
    call : callable
        The net on tensors.
    some : list of torch.Tensor
        Rows.
    pairs : iterable
        Per column rows that differ from the reference in it, and the same rows with that column at the reference;
        None where no row differs.

    Returns
    -------
    list of ndarray of int, or None
        Per call the place of the column behind each position of its codes, -1 where none moves it, shape
        ``codes.shape[1:]`` flattened; None where a code follows several columns.
    """
    known = listen(call, some)
    owner = [np.full(int(np.prod(codes.shape[1:], dtype=np.int64)), -1) for codes, _ in known]
    for place, pair in enumerate(pairs if known else ()):
        if pair is None:
            continue
        before, after = listen(call, pair[0]), listen(call, pair[1])
        if not len(known) == len(before) == len(after):
            return None
        for at, ((codes, _), (others, _)) in enumerate(zip(before, after, strict=True)):
            if codes.shape != others.shape or int(np.prod(codes.shape[1:], dtype=np.int64)) != owner[at].size:
                return None
            moved = (codes != others).reshape(len(codes), -1).any(dim=0).numpy() if codes.ndim else np.zeros(1, bool)
            if (owner[at][moved] >= 0).any():
                return None
            owner[at][moved] = place
    return owner
