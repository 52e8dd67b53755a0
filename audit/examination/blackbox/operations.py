"""What torch computes for a call: how many operations, and how many numbers they write.

Comes in: nothing. Goes out: a mode under which everything that runs in torch is counted, scripted programs included.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch.utils._python_dispatch import TorchDispatchMode


class Operations(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Count operations and the numbers of their results while the mode is on."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.calls = 0
        self.numbers = 0

    def __torch_dispatch__(
        self, func: Callable[..., Any], types: Any, args: Sequence[Any] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        """Run an operation and count it."""
        result = func(*args, **(kwargs or {}))
        self.calls += 1
        parts = result if isinstance(result, tuple | list) else (result,)
        self.numbers += sum(part.numel() for part in parts if isinstance(part, torch.Tensor))
        return result
