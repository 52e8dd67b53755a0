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
NAMED = {
    "column": "column {name}",
    "library": "library {name}",
    "pack": "pack {name}",
    "parameter": "parameter {name}",
    "rule": "rule {name}",
    "about:": "about: {name}",
}
"""First word of what differs, where a name stands behind it."""
CUT = "column {name}, cut at {cuts}"
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

EVERYBODY_NAME = "Everybody"
POINTS = "pp"
"""Percentage points, in tables."""
RULED: dict[str, tuple[str, str, str, int]] = {
    "error": ("Not judged", "bad", "✗", 0),
    "fail": ("Beyond margin", "bad", "✗", 1),
    "inconclusive": ("Cannot be told", "open", "?", 2),
    "manual": ("Cannot be told", "open", "?", 2),
    "warn": ("Warning", "open", "!", 3),
    "waived": ("Waived", "mute", "≈", 4),
    "better": ("Better", "good", "✓", 6),
    "pass": ("Within margin", "good", "✓", 7),
}
"""Verdict of a rule on a move to word, tone, sign and rank."""
READ: dict[str, tuple[str, str, str, int]] = {
    "worse": ("Worse", "open", "!", 5),
    "better": ("Better", "good", "✓", 6),
    "moved": ("Moved", "mute", "≠", 8),
    "noise": ("Within noise", "mute", "–", 9),
    "not_compared": ("Cannot be told", "mute", "?", 10),
}
"""Reading of a move on which no rule is, to word, tone, sign and rank."""
AREAS: dict[str, str] = {
    "data": "Data",
    "features": "Features",
    "groups": "Groups",
    "decision": "Decision",
    "model": "Model",
    "policy": "Policies",
    "method": "Method",
}
"""Area of a difference to its name."""
AGAINST: dict[str, tuple[str, str]] = {
    "previous_audit": ("Changes since the last audit", "the previous audit"),
    "champion": ("Beside the champion", "the champion"),
    "other": ("Beside another audit", "another audit"),
}
"""What is compared with: title of the chapter, and its name in a sentence."""
WORSE_TITLE = "Worse by more than noise"
MOVED_TITLE = "Moved by more than noise, without a better side"
BETTER_TITLE = "Better by more than noise"
