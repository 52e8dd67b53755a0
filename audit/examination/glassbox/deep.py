"""The additive net by gradient descent: deep blocks per feature, run on the knots alone, many replicas at once.

Comes in: encoded rows, a target, perhaps a loss of the caller's own. Goes out: the same `TableBox` as from the solver:
the mean of the replicas' tables, with a bootstrap band. The cost of a step hardly depends on the rows, because the
blocks see each knot once and rows are a sparse product with the tables; so it runs on a GPU where there is one.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from .additive import NetOrder, box_of_tables
from .choice import rank_for
from .encoder import Encoder, Floats
from .ground import Ground, lay_ground
from .pairs import plan_pair
from .shapes import TableBox
from .spmm import multiply_rows
from .subnets import SubNets

LossOf = Callable[[Tensor, Tensor], Tensor]

CHECK_EVERY = 10
PATIENCE = 8
BAND_FROM = 16
"""Replicas from which on their spread over bootstrap samples is drawn as a band."""


@dataclass(frozen=True, slots=True)
class DeepOrder:
    """How to descend.

    Parameters
    ----------
    replicas : int
        Networks side by side, each on its own bootstrap sample and judged on the rows it did not draw.
    steps : int
        Most steps.
    rate : float
        First learning rate; it falls as a cosine.
    decay : float
        Weight decay.
    loss : callable, optional
        From scores and target to a loss per row: shapes ``[n, replicas]`` (several classes ``[n, replicas, classes]``)
        and ``[n, 1]``, to ``[n, replicas]``.
    device : str
        ``cpu``, ``cuda``.
    seed : int
        Seed.
    """

    replicas: int = 8
    steps: int = 400
    rate: float = 0.02
    decay: float = 1e-4
    loss: LossOf | None = None
    device: str = "cpu"
    seed: int = 0


def fit_deep(
    encoder: Encoder,
    encoded: Floats,
    target: Floats,
    order: NetOrder,
    deep: DeepOrder,
    *,
    weights: Floats | None = None,
) -> tuple[TableBox, ...]:
    """Fit by gradient descent.

    Parameters
    ----------
    encoder, encoded, target, order, weights
        As in `additive.fit_outputs`; ``order.pairs`` pairs are kept, ranked by FAST on a first fit without them.
    deep : DeepOrder
        Replicas, steps, loss, device, seed.

    Returns
    -------
    tuple of TableBox
        One per output.
    """
    even = np.ones(target.size) if weights is None else weights / weights.mean()
    ground = lay_ground(encoder, encoded, even, order.monotone or {})
    outputs = max(1, len(order.classes))
    tables = _descend(ground, target, order, deep, outputs)
    if order.pairs:
        scores = np.stack([ground.design @ tables[:, :, c].mean(axis=0) for c in range(outputs)], axis=1)
        rng = np.random.default_rng(deep.seed)
        ranked = rank_for(ground, scores, target, order.family != "regression", rng)[: order.pairs]
        if ranked:
            ground = ground.with_plans([plan_pair(encoder, encoded, pair) for pair in ranked])
            tables = _descend(ground, target, order, deep, outputs)
    return _as_boxes(ground, tables, order, deep)


def _descend(ground: Ground, target: Floats, order: NetOrder, deep: DeepOrder, outputs: int) -> Floats:
    """Return each replica's best tables, shape [replicas, slots + 1, outputs]."""
    device = torch.device(deep.device)
    draw = torch.Generator().manual_seed(deep.seed % 2**63)
    nets = SubNets(ground, deep.replicas, outputs, draw).to(device)
    counts = _bootstrap(target.size, deep, draw)
    row_weights = torch.from_numpy(ground.weights).float()[:, None]
    learn = (counts * row_weights).to(device)
    judge = ((counts == 0) * row_weights).to(device) if deep.replicas > 1 else learn
    y, shift, scale = _standardised(target, order)
    goal = torch.from_numpy(y).to(device)[:, None]
    loss_of = deep.loss or _LOSSES[order.family]
    nets.set_intercept(_first_intercept(y, order, outputs, ground.weights))
    product = multiply_rows(ground.design, device)
    best = torch.full((deep.replicas,), torch.inf, device=device)
    kept = torch.zeros(nets.shape, device=device)
    optimiser = torch.optim.AdamW(nets.parameters(), lr=deep.rate, weight_decay=deep.decay)
    falling = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, deep.steps)
    waited = 0
    for step in range(deep.steps):
        tables = nets()
        loss = loss_of(_scores(product, tables), goal)
        if step % CHECK_EVERY == 0 or step == deep.steps - 1:
            found = (loss.detach() * judge).sum(0) / judge.sum(0).clamp_min(1e-12)
            better = found < best - 1e-6
            best, kept = torch.where(better, found, best), torch.where(better[:, None, None], tables.detach(), kept)
            waited = 0 if bool(better.any()) else waited + 1
            if waited >= PATIENCE:
                break
        optimiser.zero_grad(set_to_none=True)
        torch.autograd.backward((loss * learn).sum() / learn.shape[0])
        optimiser.step()
        falling.step()
    final: Floats = kept.double().cpu().numpy() * scale
    final[:, -1] += shift
    return final


def _scores(product: Callable[[Tensor], Tensor], tables: Tensor) -> Tensor:
    """Return scores, shape [n, replicas] or [n, replicas, outputs], of tables, shape [replicas, slots + 1, outputs]."""
    replicas, slots, outputs = tables.shape
    found = product(tables.permute(1, 0, 2).reshape(slots, replicas * outputs))
    return found if outputs == 1 else found.reshape(-1, replicas, outputs)


def _bootstrap(n: int, deep: DeepOrder, draw: torch.Generator) -> Tensor:
    """Return how often each replica draws each row, shape [n, replicas]; a single replica takes all rows once."""
    if deep.replicas == 1:
        return torch.ones(n, 1)
    counts = torch.zeros(n, deep.replicas)
    for r in range(deep.replicas):
        counts[:, r] = torch.bincount(torch.randint(n, (n,), generator=draw), minlength=n)
    return counts


def _standardised(target: Floats, order: NetOrder) -> tuple[np.ndarray, float, float]:
    if order.family == "multiclass":
        return target.astype(np.int64), 0.0, 1.0
    if order.family == "binary":
        return target.astype(np.float32), 0.0, 1.0
    shift, scale = float(target.mean()), float(target.std()) or 1.0
    return ((target - shift) / scale).astype(np.float32), shift, scale


def _first_intercept(y: np.ndarray, order: NetOrder, outputs: int, weights: Floats) -> Floats:
    if order.family == "regression":
        return np.zeros(1)
    rates = np.bincount(y.astype(np.intp), weights=weights, minlength=max(2, outputs)) / weights.sum()
    logs = np.log(np.maximum(rates, 1e-9))
    return np.asarray(logs if outputs > 1 else logs[1:] - logs[:1])


def _binary_loss(score: Tensor, target: Tensor) -> Tensor:
    return torch.nn.functional.softplus(score) - target * score


def _class_loss(score: Tensor, target: Tensor) -> Tensor:
    logs = torch.log_softmax(score, dim=-1)
    return -logs.gather(-1, target.expand(logs.shape[:-1])[..., None]).squeeze(-1)


def _square_loss(score: Tensor, target: Tensor) -> Tensor:
    return (score - target) ** 2


_LOSSES: dict[str, LossOf] = {"binary": _binary_loss, "multiclass": _class_loss, "regression": _square_loss}


def _as_boxes(ground: Ground, tables: Floats, order: NetOrder, deep: DeepOrder) -> tuple[TableBox, ...]:
    """Return the replicas' mean as boxes, with the spread of their centred tables as a band."""
    band = order.band != "none" and deep.replicas >= BAND_FROM
    boxes: list[TableBox] = []
    for c in range(tables.shape[2]):
        centred = np.stack([ground.centred(replica) for replica in tables[:, :, c]])
        errors = centred.std(axis=0, ddof=1) if band else None
        words = f"pointwise 95 %, bootstrap of {deep.replicas} replicas" if band else ""
        boxes.append(box_of_tables(ground, centred.mean(axis=0), errors, order, c, words))
    return tuple(boxes)
