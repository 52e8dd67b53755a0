"""Trains the two black boxes of the example and stores each in two formats.

Comes in: ``train.csv`` and ``applicants.csv`` of `generate`. Goes out, in the same folder: ``repaid.pt2``,
``legacy.pt2`` (torch.export with a dynamic batch), the same weights as ``.safetensors``, and in ``applicants.csv`` the
scores that each net gave, which the audit must reproduce (``expected_score``). The nets see neither sex nor ethnicity.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from generate import BANDS, FILL, HOUSING, MEANS, NUMBERS, SCALES, SEED
from net import build
from safetensors.torch import save_file

MODELS = {"repaid": "repaid", "legacy": "legacy_decision"}
EPOCHS = 30
BATCH = 128


def encode(table: pd.DataFrame) -> torch.Tensor:
    """Return the nets' input, shape ``[n, 19]``: what the `inputs` block of audit-repaid.yaml says in words.

    Parameters
    ----------
    table : pandas.DataFrame
        Applicants, missing values included.
    """
    raw = table[list(NUMBERS)].to_numpy(float)
    missing = np.isnan(raw)
    filled = (np.where(missing, FILL, raw) - MEANS) / SCALES
    housing = table["housing"].to_numpy(object)[:, None] == np.array(HOUSING, dtype=object)
    bands = table["postcode_band"].to_numpy(object)[:, None] == np.array(BANDS, dtype=object)
    return torch.from_numpy(np.hstack([filled, missing, housing, bands]).astype(np.float32))


def train_net(table: pd.DataFrame, label: str, seed: int) -> torch.nn.Module:
    """Return a net trained on one label, in evaluation mode.

    Parameters
    ----------
    table : pandas.DataFrame
        Training rows.
    label : str
        Column of 0 and 1.
    seed : int
        Seed of weights, dropout and the order of rows.
    """
    torch.manual_seed(seed)
    rows, wanted = encode(table), torch.tensor(table[label].to_numpy(np.float32))
    net = build(rows.shape[1])
    steps = EPOCHS * (len(rows) // BATCH)
    optimizer = torch.optim.AdamW(net.parameters(), lr=4e-3, weight_decay=0.02)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, max_lr=4e-3, total_steps=steps)
    for _ in range(EPOCHS):
        for batch in torch.randperm(len(rows))[: BATCH * (len(rows) // BATCH)].split(BATCH):
            loss = torch.nn.functional.binary_cross_entropy_with_logits(net(rows[batch]), wanted[batch])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
    return net.eval()


def store_net(net: torch.nn.Module, example: torch.Tensor, stem: Path) -> None:
    """Write ``STEM.pt2`` for any number of rows, and ``STEM.safetensors``.

    Parameters
    ----------
    net : torch.nn.Module
        In evaluation mode: what is exported in training mode keeps its dropout.
    example : torch.Tensor
        A few encoded rows to trace with.
    stem : Path
        Path without ending.
    """
    batch = torch.export.Dim("batch", min=1, max=1_000_000)
    # a file keeps its example rows, and a view would take the whole table with it: zeros say nothing about anybody
    example = torch.zeros_like(example)
    program = torch.export.export(net, (example,), dynamic_shapes={"x": {0: batch}})
    torch.export.save(program, stem.with_suffix(".pt2"))
    save_file(net.state_dict(), stem.with_suffix(".safetensors"))


def train_all(folder: Path, seed: int = SEED) -> None:
    """Train, store and score with both nets.

    Parameters
    ----------
    folder : Path
        Where `generate` wrote its tables.
    seed : int
        Seed of the training.
    """
    text = {"applicant_id": str}
    table = pd.read_csv(folder / "train.csv", dtype=text)
    applicants = pd.read_csv(folder / "applicants.csv", dtype=text)
    rows = encode(applicants)
    for name, label in MODELS.items():
        net = train_net(table, label, seed)
        store_net(net, rows[:8], folder / name)
        with torch.no_grad():
            applicants[f"score_{name}"] = torch.sigmoid(net(rows).double()).numpy()
        print(folder / f"{name}.pt2")
    applicants.to_csv(folder / "applicants.csv", index=False, lineterminator="\n")


if __name__ == "__main__":
    reader = argparse.ArgumentParser(description="Train the example's black boxes.")
    reader.add_argument("--out", type=Path, default=Path(__file__).parent / "out")
    reader.add_argument("--seed", type=int, default=SEED)
    given = reader.parse_args()
    # the order of additions depends on the number of threads; one thread gives the same net each time
    torch.set_num_threads(1)
    train_all(given.out, given.seed)
