"""All words for readers that do not stand in a template: names of verdicts, models, roles, parts, and how names read.

Comes in: an id of the evidence or the judgement. Goes out: the word a reader sees. Tables hold English, the key of
every other language: whoever prints a word of a table tells it; the functions here tell what they return.
"""

from __future__ import annotations

from dataclasses import dataclass

from audit.evidence import VerdictWord

from .glyphs import shorten
from .tongue import mark_points, say_group, spoken, tell


@dataclass(frozen=True, slots=True)
class VerdictSign:
    """How one verdict is shown.

    Parameters
    ----------
    word : str
        One word for tables.
    sign : str
        A sign that tells it apart without colour.
    tone : str
        Colour family: ``bad``, ``open``, ``good``, ``mute``.
    means : str
        What it means, in one sentence.
    """

    word: str
    sign: str
    tone: str
    means: str


VERDICTS: dict[VerdictWord, VerdictSign] = {
    "error": VerdictSign("Error", "✗", "bad", "The rule could not be applied because something broke."),
    "fail": VerdictSign("Failed", "✗", "bad", "The evidence shows that the limit is not met."),
    "inconclusive": VerdictSign(
        "Undecided", "?", "open", "The data cannot tell: the interval holds the limit, or too few rows."
    ),
    "manual": VerdictSign("Needs a person", "?", "open", "Only a person can answer, and no answer was supplied."),
    "warn": VerdictSign("Warning", "!", "open", "The limit is met, the attention limit is not."),
    "waived": VerdictSign("Waived", "≈", "mute", "It did not pass; a named person accepted that until a date."),
    "pass": VerdictSign("Passed", "✓", "good", "The evidence shows that the limit is met."),
    "not_applicable": VerdictSign("Not applicable", "–", "mute", "The rule does not apply to this system."),
}

OUTCOMES: dict[str, tuple[str, str, str]] = {
    "passed": ("Passed", "good", "✓"),
    "failed": ("Failed", "bad", "✗"),
    "undecided": ("Undecided", "open", "?"),
    "incomplete": ("Incomplete", "open", "!"),
    "measured": ("Measured, not judged", "mute", "–"),
}
"""Outcome of the run to word, tone, sign."""

MODELS: dict[str, tuple[str, str]] = {
    "black_box": ("Black box", "Black box"),
    "ebm_label": ("Boosting machine, fitted on labels", "EBM, labels"),
    "net_label": ("Additive net, fitted on labels", "Net, labels"),
    "ebm_surrogate": ("Boosting machine, fitted on the black box", "EBM, surrogate"),
    "net_surrogate": ("Additive net, fitted on the black box", "Net, surrogate"),
}
"""Model id to long and short name."""

MODEL_ORDER = tuple(MODELS)

SECTIONS: dict[str, str] = {
    "intake": "Taking in the model",
    "data": "Data",
    "performance": "Performance",
    "calibration": "Calibration",
    "fairness": "Fairness",
    "slices": "Weak slices",
    "fidelity": "Fidelity of the glass boxes",
    "effects": "Effects of the features",
    "attributions": "Attributions of single scores",
    "explanations": "Quality of explanations",
    "decisions": "Individual decisions and reasons",
    "robustness": "Robustness",
    "drift": "Drift",
}
"""Evidence section to its name."""

SECTION_PAGE: dict[str, str] = {
    "intake": "model",
    "data": "data",
    "performance": "performance",
    "calibration": "calibration",
    "fairness": "fairness",
    "slices": "slices",
    "fidelity": "glassbox",
    "effects": "glassbox",
    "attributions": "attributions",
    "robustness": "robustness",
    "drift": "drift",
}
"""Evidence section to the anchor of the chapter that shows it; any other is on the page of what was not assessed."""

SEVERITIES = {"critical": "Critical", "high": "High", "medium": "Medium", "low": "Low", "info": "Information"}

BASES: dict[str, str] = {
    "regulation": "set by regulation",
    "guidance": "set by official guidance",
    "court_practice": "court practice",
    "industry_convention": "industry convention",
    "organisation": "set by the organisation",
}
"""Who set a limit."""

JUDGED_ON: dict[str, str] = {
    "interval": "the whole 95% interval must meet the limit; it fails when the whole interval breaks it",
    "court": "it fails when the point breaks the limit and equality is rejected; it passes on the whole interval",
    "estimate": "the point alone, in whole people",
    "proven": "it passes on the whole interval and fails otherwise",
}

FORMATS: dict[str, str] = {
    "pt2": "exported PyTorch program (pt2)",
    "torchscript": "TorchScript",
    "safetensors": "safetensors weights with a factory",
    "state_dict": "state dictionary with a factory",
    "onnx": "ONNX, evaluated by onnxruntime",
    "pickle": "pickled PyTorch net",
    "python": "Python callable",
    "scores": "stored scores",
    "decisions": "stored decisions",
}

ROLES: dict[str, str] = {
    "data.audit": "audited data",
    "data.train": "training data of the glass boxes",
    "groups": "group file",
    "model": "black box",
    "factory": "model factory",
    "artifact": "written by the examination",
}

CHECKS: dict[str, tuple[str, str, str]] = {
    "pass": ("Passed", "good", "✓"),
    "fail": ("Failed", "bad", "✗"),
    "warn": ("Warning", "open", "!"),
    "not_done": ("Not done", "mute", "–"),
}

APPLIES: dict[str, str] = {
    "yes": "The pack applies",
    "no": "The pack does not apply",
    "unknown": "It is not known whether the pack applies",
    "not_yet": "The pack does not apply yet",
}

BETTER: dict[str, str] = {
    "higher": "higher is better",
    "lower": "lower is better",
    "nearer_one": "nearer 1 is better",
    "nearer_zero": "nearer 0 is better",
    "none": "neither direction is better by itself",
}

SHORT_METRICS: dict[str, str] = {
    "true_positive_rate": "True positive rate",
    "false_positive_rate": "False positive rate",
    "auc": "AUC",
    "mean_residual": "Mean residual",
    "conditional_selection_rate_ratio": "Impact ratio, people alike",
    "conditional_selection_rate_difference": "Difference, people alike",
    "conditional_odds_ratio": "Odds ratio, people alike",
    "cmh_p": "p of equality, people alike",
    "breslow_day_p": "p of one common ratio",
    "conditional_demographic_disparity": "Conditional disparity",
    "selection_rate": "Selection rate",
    "selection_rate_ratio": "Impact ratio",
    "selection_rate_difference": "Difference",
    "base_rate": "Base rate",
    "precision": "Precision",
    "accuracy": "Accuracy",
    "calibration_gap": "Calibration gap",
    "mean_score": "Mean score",
    "adverse_impact_z": "Two-proportion z",
    "minimum_detectable_ratio": "Smallest disparity these rows could show",
    "worst_selection_rate_ratio": "Lowest impact ratio of any two groups",
    "worst_selection_rate_difference": "Largest difference of any two groups",
    "rmse": "Root mean squared difference",
    "decision_agreement": "Same decision",
    "r2": "Variance explained",
    "rank_correlation": "Rank correlation",
}
"""Metric name without its section to a column heading; any other takes the title of its definition."""

TOPICS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("Among people alike", ("conditional_", "cmh_", "breslow_")),
    ("With row weights", ("weighted",)),
    ("Same person, other group", ("flip", "counterfactual")),
    ("Who has no label", ("label_missing",)),
    (
        "Spread of the scores",
        (
            *("standardi", "smd", "cohen", "kolmogorov", "ks_", "_ks", "wasserstein", "jensen", "distance", "abroca"),
            "xauc",
        ),
    ),
    (
        "Inequality",
        ("theil", "entropy", "gini", "inequality", "differential_fairness", "amplification", "consistency"),
    ),
    ("The value", ("residual", "mae", "rmse", "absolute_error", "squared_error", "r2", "prediction")),
    (
        "The decision",
        ("selection_rate", "base_rate", "adverse_impact", "minimum_detectable", "acceptance", "rejection"),
    ),
    (
        "The mistakes",
        (
            *("positive_rate", "negative_rate", "predictive", "precision", "accuracy", "error_rate", "discovery"),
            *("omission", "treatment", "odds"),
        ),
    ),
    ("The score", ("auc", "score", "calibrat", "scoring", "brier", "log_loss")),
)
"""Heading and the fragments of metric names that belong below it; the first that fits."""
OTHER_TOPIC = "Further numbers"
COMPARED_TOPIC = "Compared with the reference group of each measure"
OWN_TOPICS = frozenset(
    {
        "Among people alike",
        "With row weights",
        "Same person, other group",
        "Who has no label",
        "Spread of the scores",
        "Inequality",
    }
)
"""Headings that keep comparisons too; those of all others stand together."""
REFERENCE = "reference"
PARITY = "1"
ALL_GROUPS = "All groups"
BY_CHANCE = "by chance up to "
BOUNDS = "certainly"
"""Before the ends of bounds in which there is no sampling error."""
FRACTIONS: dict[float, str] = {0.8: "four fifths", 0.5: "half", 0.75: "three quarters", 0.9: "nine tenths", 1.0: "all"}

SHARE_UNITS = frozenset({"share", "rate", "%", "percent", "proportion"})
SHARE_NAMES = frozenset(
    {
        "selection_rate",
        "base_rate",
        "true_positive_rate",
        "false_positive_rate",
        "true_negative_rate",
        "false_negative_rate",
        "precision",
        "accuracy",
        "error_rate",
        "missing_rate",
        "unknown_group_share",
        "importance_share",
        "decision_agreement",
        "scoring_rate",
        "negative_predictive_value",
        "label_missing_rate_favourable",
        "label_missing_rate_unfavourable",
        "counterfactual_favourable_gain",
        "counterfactual_favourable_loss",
        "selection_rate_shrunk",
        "worst_group_accuracy",
        "outcome_precision",
        "macro_precision",
        "weighted_precision",
        "weighted_accuracy",
        "group_share",
    }
)
"""Metrics (name without section) that are shares of people and are shown in per cent."""
WHOLE_UNITS = frozenset({"rows", "people", "persons", "days", "count", "slices", "parts"})

_NOUNS_LARGE = frozenset({"de"})
"""Languages that write nouns with a capital wherever they stand."""

ABBREVIATIONS = {
    "auc": "AUC",
    "id": "ID",
    "ebm": "EBM",
    "roc": "ROC",
    "zip": "ZIP",
    "r2": "R²",
    "usd": "USD",
    "eur": "EUR",
}


def prettify(name: str) -> str:
    """Return a machine name as a reader's phrase.

    Parameters
    ----------
    name : str
        A column, attribute or field name.

    Examples
    --------
    >>> prettify("credit_enquiries_12m")
    'Credit enquiries 12m'
    >>> prettify("sex * ethnicity")
    'Sex and ethnicity'
    """
    if " * " in name:
        first, *others = name.split(" * ")
        *middle, last = [prettify(first), *(lower_first(prettify(other)) for other in others)]
        return tell("{names} and {name}", names=", ".join(middle), name=last)
    words = name.replace("_", " ").replace(".", " ").split()
    words = [ABBREVIATIONS.get(word.lower(), word) for word in words]
    phrase = " ".join(words) or name
    return shorten(phrase[:1].upper() + phrase[1:], 120)


def topic_of(metric: str, *, compared: bool = False) -> str:
    """Return the heading below which a metric stands.

    Parameters
    ----------
    metric : str
        Metric id.
    compared : bool
        Whether it compares a group with another one.

    Examples
    --------
    >>> topic_of("fairness.true_positive_rate")
    'The mistakes'
    """
    name = metric.rpartition(".")[2]
    topic = next((title for title, parts in TOPICS if any(part in name for part in parts)), OTHER_TOPIC)
    return COMPARED_TOPIC if compared and topic not in OWN_TOPICS else topic


def ratio_words(limit: float) -> str:
    """Return a ratio as one says it: ``four fifths of``, ``0.85 times``."""
    if limit in FRACTIONS:
        return tell("{fraction} of", fraction=tell(FRACTIONS[limit]))
    return tell("{number} times", number=mark_points(f"{limit:g}"))


def lower_first(phrase: str) -> str:
    """Return `phrase` as it stands within a sentence; abbreviations and, in German, all words keep their capitals."""
    return phrase if phrase[:2].isupper() or spoken() in _NOUNS_LARGE else phrase[:1].lower() + phrase[1:]


def lowered(phrase: str) -> str:
    """Return `phrase` in small letters, as it stands within a sentence; in German as it is."""
    return phrase if spoken() in _NOUNS_LARGE else phrase.lower()


def sentence(text: str) -> str:
    """Return `text` as a sentence: first letter large, one full stop at its end."""
    text = text.strip().rstrip(".")
    return text[:1].upper() + text[1:] + "." if text else ""


def model_name(model: str | None, *, short: bool = False) -> str:
    """Return the reader's name of a model id."""
    if model is None:
        return ""
    return tell(MODELS[model][int(short)]) if model in MODELS else prettify(model)


def scope_words(
    group: dict[str, str], feature: str | None = None, model: str | None = None, outcome: str | None = None
) -> str:
    """Return the scope of a number or verdict in words; empty where it is about everything."""
    parts = [f"{prettify(name)}: {shorten(say_group(value), 120)}" for name, value in group.items()]
    if feature:
        parts.append(prettify(feature))
    if model:
        parts.append(model_name(model, short=True))
    if outcome:
        parts.append(shorten(outcome, 80))
    return ", ".join(parts)


def prettify_scope(reference: str | None, attributes: tuple[str, ...] = ()) -> str:
    """Return the group that others are compared with: ``sex=M, age=40`` or ``sex=M * age=40`` becomes ``M · 40``."""
    if not reference:
        return ""
    rest = reference
    for name in attributes:
        rest = rest.replace(f", {name}=", "\x00").replace(f" * {name}=", "\x00").removeprefix(f"{name}=")
    return " · ".join(rest.split("\x00"))
