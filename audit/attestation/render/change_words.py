"""Words about changes, a further part of `words`: inputs moved a little, rows before and after, claimed figures.

Comes in: nothing. Goes out: headings and sentences with places for numbers. Nothing is computed here.
"""

from __future__ import annotations

ALL_ROWS = "All rows"
GROUP_HEAD = "Group"
FEATURE_HEAD = "Feature"
SIZE_HEAD = "Size of the change"
LARGEST_GAP = "Largest difference"
FLIP_LINES = ("Noise", "Deliberate")
FLIP_TITLE = "Decisions that change with the inputs"
FLIP_AXES = ("Decisions flipped, 95% interval", "Size of the change in standard deviations of each feature")
NOISE_AND_ATTACK = (
    "Random noise of {size} standard deviations flips {noise} of the decisions; a deliberate change of the same size "
    "that turns the decision was found for {attack}."
)
NOISE_ALONE = "Random noise of {size} standard deviations flips {noise} of the decisions."
EMPTIED = "Of all inputs that were left empty, {feature} turns most decisions: {share}."
ROBUSTNESS_PARTLY = "What small changes of the inputs do to scores, and what sets of predictions promise."
CONFORMAL_MESSAGE = "Sets that promise 90% hold the truth for {coverage}; their mean size is {size}."
ROBUSTNESS_HEADS = {
    "noise_flip_rate": "Flipped by noise",
    "noise_drop": "Performance lost to noise",
    "noise_score_change": "Score moved by noise (sd)",
    "attack_flip_rate": "Flipped deliberately",
    "attack_score_change": "Score moved deliberately (sd)",
    "missing_flip_rate": "Flipped when empty",
    "missing_drop": "Performance lost when empty",
}
CONFORMAL_HEADS = ("Coverage, one threshold for all", "Coverage, own threshold", "Size, own threshold")
DRIFT_HEADS = {
    "feature_psi": "Stability index",
    "feature_ks": "Kolmogorov-Smirnov",
    "feature_wasserstein": "Wasserstein (sd)",
    "unseen_share": "Not in the baseline",
    "missing_change": "Change of missing",
    "group_share_change": "Change of share",
    "score_psi": "Stability of the score",
    "selection_rate_change": "Change of selection rate",
    "label_rate_change": "Change of base rate",
    "performance_drop": "Performance lost later",
}
BY_CHANCE = "chance {chance}"
DRIFT_FEATURES = "{beyond} of {known} features differ from the baseline by more than chance shows in 19 of 20 samples."
DRIFT_MOST = "Most: {named}."
DRIFT_LATER = {
    "worse": "In the later period the model predicts worse: performance lost {drop}.",
    "better": "In the later period the model predicts better: performance lost {drop}.",
    "open": "No loss of performance in the later period is shown: {drop}.",
}
DRIFT_PLAIN = "The judged rows beside the rows before and after them."
MOST_MISSING = 6
"""Features in the table of missing values by group."""
CLAIMS: dict[str, tuple[str, str, str]] = {
    "worse": ("Measured is worse", "bad", "!"),
    "differs": ("Measured differs", "open", "!"),
    "open": ("Open", "open", "?"),
    "not_measured": ("Not measured", "mute", "–"),
    "inside": ("Borne out", "good", "✓"),
    "better": ("Measured is better", "good", "✓"),
}
"""Status of a claim to word, tone and sign; those that are not borne out first."""
