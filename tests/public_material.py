"""What the tests of the public edition share: people in small groups, and an attacker who reads everything printed."""

from __future__ import annotations

import numpy as np
from scipy.optimize import Bounds, LinearConstraint, milp

LABELS, DECISIONS = ("positive", "negative", "unlabelled"), ("favourable", "unfavourable", "undecided")
CELLS = tuple(f"{label}_{decision}" for label in LABELS for decision in DECISIONS)
GROUP = ("n", "favourable", "unfavourable", "positive", "negative", "labelled", *CELLS)


def mask_of(part):
    """Return which of the nine cells a part of a group's table sums."""
    if part == "n":
        return np.ones(9)
    if part == "labelled":
        return np.array([1.0, 1, 1, 1, 1, 1, 0, 0, 0])
    words = part.split("_")
    return np.array([float(all(word in cell.split("_") for word in words)) for cell in CELLS])


class Attacker:
    """Knows linear equations over the cells of some groups; asks what a cell may be in whole people."""

    def __init__(self, groups, width=9):
        self.groups, self.width, self.rows, self.values = list(groups), width, [], []

    def learn(self, value, **masks):
        """Learn that the sum of some cells is `value`; `masks` by the place of a group, ``all`` for everybody."""
        row = np.zeros((len(self.groups), self.width))
        for key, mask in masks.items():
            row[slice(None) if key == "all" else int(key[1:])] += mask
        self.rows.append(row.ravel())
        self.values.append(value)

    def bounds(self, group, mask):
        """Return the smallest and largest whole number that a part of a group can hold; of all of them for ``all``."""
        goal = np.zeros((len(self.groups), self.width))
        goal[slice(None) if group == "all" else group] = mask
        rows = np.array(self.rows) if self.rows else np.zeros((1, goal.size))
        values = np.array(self.values) if self.rows else np.zeros(1)
        found = []
        for sign in (1, -1):
            result = milp(
                sign * goal.ravel(),
                constraints=LinearConstraint(rows, values, values),
                integrality=np.ones(goal.size),
                bounds=Bounds(0, 10_000),
            )
            assert result.success, result.message
            found.append(round(sign * result.fun))
        return tuple(found)
