"""What an audit must be given before it holds certain numbers.

Comes in: a metric that a rule asks for and the evidence does not hold. Goes out: the key of audit.yaml that would bring
it, in words, so that "not measured" tells the reader what to do.
"""

from __future__ import annotations

_LATER = "name the rows of a later time under data.out_of_time in audit.yaml"
_ALIKE = "name under strata in audit.yaml the columns by which people are alike"
_EARLIER = "name the rows of an earlier time under data.baseline in audit.yaml"

NEEDS: tuple[tuple[str, str], ...] = (
    ("drift.performance_drop", _LATER),
    ("drift.", _EARLIER),
    ("data.representation_ratio", "declare under groups in audit.yaml how the population is made up (population)"),
    ("data.split_overlap", "name the training rows (data.model_train) and an id column (data.id) in audit.yaml"),
    ("data.duplicate_share", "name the training rows under data.model_train in audit.yaml"),
    ("fairness.conditional_", _ALIKE),
    ("fairness.cmh_p", _ALIKE),
    ("fairness.breslow_day_p", _ALIKE),
    ("fairness.weighted_", "name the column of weights under data.weight in audit.yaml"),
    ("decisions.recourse_", "declare under features in audit.yaml which ones a person can change (mutable: true)"),
    ("explanations.expected_share", "declare under features in audit.yaml which way they should go (expected)"),
    ("effects.reversal", "declare under features in audit.yaml which way they should go (expected)"),
)
"""Beginning of a metric's id, and what brings it; the first that fits counts."""


def say_need(metric: str) -> str:
    """Return which key of audit.yaml would bring a number; empty where none does by itself.

    Parameters
    ----------
    metric : str
        Metric id.

    Examples
    --------
    >>> say_need("drift.score_psi")
    'name the rows of an earlier time under data.baseline in audit.yaml'
    >>> say_need("performance.auc")
    ''
    """
    return next((need for start, need in NEEDS if metric.startswith(start)), "")
