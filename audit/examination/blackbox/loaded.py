"""What every loader hands over: a function on tensors, and what it takes.

Comes in: nothing. Goes out: the record `Loaded` between loaders and the network that feeds them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Argument:
    """One tensor that the model's forward takes.

    Parameters
    ----------
    name : str
        Name in forward.
    required : bool
        Whether it has no default.
    width : int or None
        Columns, where the file tells.
    dtype : str
        torch's name of its type, where the file tells; empty otherwise.
    rank : int
        Dimensions; 1 means one column without a column axis.
    keyword : bool
        Whether it must be passed by name.
    """

    name: str
    required: bool = True
    width: int | None = None
    dtype: str = ""
    rank: int = 2
    keyword: bool = False


@dataclass(frozen=True, slots=True)
class Loaded:
    """A model in memory.

    Parameters
    ----------
    call : callable
        Takes tensors, returns what the model returns.
    arguments : tuple of Argument
        What forward takes; empty where that is not known.
    parameters : int or None
        Number of weights.
    trust : str
        The trust decision in words.
    vetted : tuple of str
        What was looked at before loading, one line each.
    batch : tuple of int and (int or None)
        Fewest and most rows per call.
    float_type : str
        torch's name of the type that float inputs are given in.
    differentiable : bool
        Whether gradients can be asked for at all.
    isolation : str
        How it is kept apart from this process, in words; empty where it is not.
    """

    call: Callable[..., Any]
    arguments: tuple[Argument, ...]
    parameters: int | None
    trust: str
    vetted: tuple[str, ...]
    batch: tuple[int, int | None] = (1, None)
    float_type: str = "float32"
    differentiable: bool = True
    isolation: str = ""
