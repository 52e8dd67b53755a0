"""Words of the figures and tables about groups of people.

Comes in: nothing. Goes out: English texts for readers; whoever prints one tells it in the language of the report.
"""

from __future__ import annotations

HEAT_ENDS = ("at parity", "half or less")
HEAT_SMALL = "too few people to judge"
SELECTED_OF = "Selected, all people"
RATIO_OVER_ALL = "Ratio, all people"
SWEEP = ("Selection rate by group", "Lowest impact ratio", "Cut on the score", "today")
"""Texts of the figure over all thresholds: above, below, axis, cut in use."""
SLICE_HEADS = ("Part of the rows", "Rows", "There", "Elsewhere", "Excess", "p, corrected", "Confirmed")
CONFIRMED = {True: "yes", False: "no"}
UNLABELLED_HEADS = ("People", "Without label", "Among favourable", "Among unfavourable")
