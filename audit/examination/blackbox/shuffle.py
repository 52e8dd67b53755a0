"""The same net with other weights: shuffled for a while, and put back whatever happens.

Comes in: a model and a generator. Goes out: its weights, and a context within which they are shuffled. Shuffling keeps
the size of the weights of every layer, so that the net stays one that might have been; signs are drawn anew.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import torch


def find_weights(blackbox: object) -> list[torch.Tensor]:
    """Return the weights of a model that are numbers; empty where its format does not give them.

    Parameters
    ----------
    blackbox : BlackBox or None
        The model.
    """
    net = getattr(blackbox, "net", None)
    parameters = getattr(net, "parameters", None)
    if not callable(parameters):
        return []
    return [weight for weight in parameters() if weight.is_floating_point() and weight.numel()]


@contextmanager
def shuffle_weights(weights: Sequence[torch.Tensor], rng: np.random.Generator) -> Iterator[None]:
    """Hold weights shuffled within each tensor, with signs drawn anew, and put them back at the end.

    Parameters
    ----------
    weights : sequence of torch.Tensor
        As `find_weights` gives them; changed in place.
    rng : numpy.random.Generator
        Source of chance.
    """
    import torch

    kept = [weight.detach().clone() for weight in weights]
    try:
        with torch.no_grad():
            for weight, own in zip(weights, kept, strict=True):
                order = torch.from_numpy(rng.permutation(own.numel()))
                signs = torch.from_numpy(rng.choice([-1.0, 1.0], own.numel())).to(own.dtype)
                weight.copy_((own.flatten()[order] * signs).reshape(own.shape))
        yield
    finally:
        with torch.no_grad():
            for weight, own in zip(weights, kept, strict=True):
                weight.copy_(own)
