"""Rows that a model raises on are left out and counted, one by one as in memory, however the table is cut."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
import torch
from material import make_net
from torch import nn

from audit.errors import IntakeRefused
from audit.examination.sweep.files import read_sweep, write_sweep
from audit.examination.sweep.sweep import add_sweeps


class Picky(nn.Module):
    """Raises where anybody of a batch earns more than it was made for."""

    def __init__(self, most: float):
        super().__init__()
        self.body, self.most = make_net(), most

    def forward(self, x):
        if bool((x[:, 0] > self.most).any()):
            raise ValueError("too rich")
        return self.body(x)


def save_picky(folder, most):
    path = folder / "picky.pt"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.jit.script(Picky(most).eval()).save(str(path))
    return path


def richest_but(frame, count):
    """Return an income that `count` people at most are above, and who they are."""
    income = np.sort(frame["income"].to_numpy())[-count - 1]
    return float(income), (frame["income"] > income).to_numpy()


@pytest.fixture
def picky(table, tools, tmp_path):
    most, lost = richest_but(table.frame, 25)
    assert lost.sum() > 3
    return tools.settings(table.folder, save_picky(tmp_path, most)), lost


def test_swept_rows_without_a_score_are_counted_by_group_as_in_memory(table, picky, few, tools):
    config, lost = picky
    held = tools.gather(config)
    few()
    swept = tools.gather(config)
    assert swept.roll.rows == held.roll.rows == 3_000 - lost.sum()
    assert swept.tally.table(("sex", "region")) == held.tally.table(("sex", "region"))
    note = swept.scores.notes[0]
    assert note == held.scores.notes[0]
    assert f"{lost.sum():,} of 3,000 rows" in note
    men = (table.frame["sex"] == "M").to_numpy()
    assert f"M {int((lost & men).sum())} of {int(men.sum()):,}" in note
    assert len(swept.frame) == len(swept.scores.score)
    assert swept.frame["income"].max() <= np.sort(table.frame["income"].to_numpy())[-26]


def test_neither_shards_nor_their_sum_nor_a_file_change_the_count(picky, few, tools, tmp_path):
    config, lost = picky
    few(shard=500)
    one = tools.sweep_all(config)
    few(shard=10_000)
    other = tools.sweep_all(config)
    assert one.unscored == other.unscored == lost.sum()
    assert one.unscored_groups == other.unscored_groups
    assert one.rows == 3_000
    for levels in one.unscored_groups.values():
        assert sum(levels.values()) == lost.sum()
    write_sweep(one, tmp_path / "one.sweep")
    again = read_sweep(tmp_path / "one.sweep")
    assert (again.unscored, again.unscored_groups) == (one.unscored, one.unscored_groups)
    twice = add_sweeps([one])
    assert twice.unscored == one.unscored


def test_more_than_a_few_are_refused(table, few, tools, tmp_path):
    most, lost = richest_but(table.frame, 45)
    assert lost.sum() > 30
    few()
    with pytest.raises(IntakeRefused):
        tools.gather(tools.settings(table.folder, save_picky(tmp_path, most)))
