"""Rows times tables, differentiable: a sparse product whose two directions are both fast.

Comes in: the design in scipy's CSR form. Goes out: a function from tables to scores. On a CPU scipy multiplies, forward
and backward, because torch's own sparse product is several times slower there; on a GPU torch does.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import Tensor


class SparseProduct(torch.autograd.Function):
    """``A @ T`` with ``A.T @ G`` as its gradient, `A` fixed."""

    @staticmethod
    def forward(ctx: Any, tables: Tensor, design: Any, back: Any) -> Tensor:
        """Return scores, shape [n, m], of tables, shape [slots, m].

        Parameters
        ----------
        ctx : context
            Keeps the transposed design.
        tables : Tensor of float32, shape [slots, m]
            Tables side by side.
        design, back : scipy.sparse.csr_matrix
            The design and its transpose.
        """
        ctx.back = back
        return torch.from_numpy(np.asarray(design @ tables.detach().numpy()))

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, None, None]:
        """Return the gradient with respect to the tables."""
        return torch.from_numpy(np.asarray(ctx.back @ np.ascontiguousarray(grads[0].numpy()))), None, None


def multiply_rows(design: Any, device: torch.device) -> Callable[[Tensor], Tensor]:
    """Return a differentiable function from tables, shape [slots, m], to scores, shape [n, m], single precision.

    Parameters
    ----------
    design : scipy.sparse.csr_matrix, shape [n, slots]
        Which slots each row looks up.
    device : torch.device
        Where the tables are.
    """
    design = design.astype(np.float32)
    if device.type == "cpu":
        back = design.T.tocsr()

        def product(tables: Tensor) -> Tensor:
            found: Tensor = SparseProduct.apply(  # type: ignore[no-untyped-call]
                tables.contiguous(), design, back
            )
            return found

        return product
    placed = torch.sparse_csr_tensor(
        torch.from_numpy(design.indptr.astype(np.int64)),
        torch.from_numpy(design.indices.astype(np.int64)),
        torch.from_numpy(design.data),
        size=design.shape,
        device=device,
    )
    return lambda tables: placed @ tables
