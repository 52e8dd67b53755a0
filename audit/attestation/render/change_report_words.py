"""Words about two audits compared, a further part of `words`.

Comes in: nothing. Goes out: headings and sentences with places for numbers. Nothing is computed here.
"""

from __future__ import annotations

HEAD = "What changes: {system}"
VERSIONS = (
    "Before: {before}. After: {after}. Of {numbers} numbers {worse} got worse, {better} got better and {moved} moved "
    "without a better side, each by more than noise; {material} are material: also more than the margin that a rule "
    "declares."
)
PAIRED = "People: {note}."
RULES = "### Rules on the change"
RULE_HEADS = ("Verdict", "Rule", "Where", "Why")
WORSE = "### Worse, or moved, by more than noise"
BETTER = "### Better by more than noise"
MOVE_HEADS = ("Number", "Where", "Before", "After", "After minus before, 95% interval", "Material")
MATERIAL = {True: "yes", False: "no"}
NO_MARGIN = "no margin declared"
SECTIONS = ("performance", "fairness", "calibration", "fidelity", "effects")
"""Sections whose numbers come first."""
EVERYBODY = "everybody"
DECISIONS = "### Decisions that changed"
DECISION_HEADS = ("Group", "People", "Changed", "Now favourable", "Now unfavourable", "of these wrongly")
REST = "everybody alike, and interactions"
DRIVERS = {
    "lost": "Behind decisions that are unfavourable now (mean move of the effect, share): {told}.",
    "gained": "Behind decisions that are favourable now (mean move of the effect, share): {told}.",
}
SHAPES = "### Shapes that moved"
SHAPE_MODELS = ("black_box", "net_surrogate", "ebm_surrogate", "net_label", "ebm_label")
"""Whose shapes are told: the first that is there."""
SHAPE_HEADS = ("Feature", "Distance, share of the range", "Largest move", "At", "Beyond both bands")
PARTED = {True: "yes", False: "no", None: "no band"}
VERDICTS = "### Verdicts that changed"
VERDICT_HEADS = ("Rule", "Before", "After", "The number moved")
NOISE = {True: "beyond noise", False: "within noise", None: "–"}
DIFFERENCES = "### Data, model, method and policies"
DIFFERENCE_HEADS = ("Part", "What", "Before", "After")
NOTES = "### To be read with it"
DIGESTS = "Evidence before `{before}`, after `{after}`. Not legal advice."
MORE = "… and {number} more in the full report."
SIGNS = {
    "error": "✗",
    "fail": "✗",
    "inconclusive": "?",
    "manual": "?",
    "warn": "!",
    "waived": "~",
    "pass": "✓",
    "not_applicable": "·",
}
