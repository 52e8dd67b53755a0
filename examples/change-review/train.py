"""Trains the two versions of the example's model: the second is better for most people, and one group pays for it.

Comes in: ``train.csv`` and ``applicants.csv`` of ``../credit/generate.py``. Goes out, in the same folder: ``v1.pt2``
and ``v2.pt2``. Version 1 learned from the first `PILOT` applicants alone. Version 2 learned from all 6,000; but for
every third applicant from the postcode bands ``D E F`` nobody had waited for the repayment, and what a clerk had
decided was taken for it. Those decisions were unfair (see ``generate.py``), so that version 2 ranks people better and
treats the community that lives there worse. An overall number does not show it; the review of the change must.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import pandas as pd
import torch

CREDIT = Path(__file__).resolve().parents[1] / "credit"
sys.path.insert(0, str(CREDIT))

from generate import BANDS, SEED  # noqa: E402 - stands in the folder beside this one
from train import encode, store_net, train_net  # noqa: E402

PILOT = 256
CLERKS = 3
"""One in how many of the applicants from ``D E F`` carries a clerk's decision as its label."""


def mix_labels(table: pd.DataFrame) -> pd.Series:
    """Return what version 2 took for repayment.

    Parameters
    ----------
    table : pandas.DataFrame
        Training rows.
    """
    clerk = table["postcode_band"].isin(BANDS[3:]) & (table["applicant_id"].astype(int) % CLERKS == 0)
    return table["repaid"].mask(clerk, table["legacy_decision"])


def train_versions(folder: Path, seed: int = SEED) -> None:
    """Train and store both versions.

    Parameters
    ----------
    folder : Path
        Where `generate` wrote its tables.
    seed : int
        Seed of the training.
    """
    table = pd.read_csv(folder / "train.csv", dtype={"applicant_id": str})
    mixed = table.assign(repaid=mix_labels(table))
    for name, rows in (("v1", table[:PILOT]), ("v2", mixed)):
        store_net(train_net(rows, "repaid", seed), encode(rows[:8]), folder / name)
        print(folder / f"{name}.pt2")


if __name__ == "__main__":
    reader = argparse.ArgumentParser(description="Train both versions of the example's model.")
    reader.add_argument("--out", type=Path, default=Path(__file__).parent / "out")
    given = reader.parse_args()
    torch.set_num_threads(1)  # the order of additions depends on it
    train_versions(given.out)
