"""Small random changes of the numbers among the inputs: how many decisions flip, and what it costs in performance.

Comes in: a probe. Goes out: measurements per size of the noise. The same draw is used for every size, so that sizes
compare; every row is changed once, so that rows stay independent and Wilson's interval holds.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from audit.evidence import Estimate, Measurement, undefined
from audit.examination.measures.paired import paired_auc_gap, paired_rmse_gap
from audit.examination.measures.prediction import mean_estimate_of

from .probe import Answer, Probe, put_numbers
from .rates import Flips, measure_flips

Floats = NDArray[np.float64]
SIZES = (0.05, 0.1, 0.25)
"""Sizes of a change, in standard deviations of the feature."""


def name_size(size: float) -> str:
    """Return the size of a change as measurements name it.

    Examples
    --------
    >>> name_size(0.1)
    '0.1 sd'
    """
    return f"{size:g} sd"


def measure_noise(probe: Probe) -> Iterator[Measurement]:
    """Yield flip rates, drops of performance and changes of the score under Gaussian noise.

    Parameters
    ----------
    probe : Probe
        The rows; at least one number among the inputs varies.
    """
    bounds = probe.bounds
    numbers = probe.numbers(bounds)
    noise = probe.case.rng("robustness noise").standard_normal(numbers.shape)
    for size in SIZES:
        moved = bounds.hold(numbers + size * bounds.deviation * noise)
        answer = probe.ask(put_numbers(probe.people, bounds.names, moved))
        name = name_size(size)
        if (flips := compare(probe, answer)) is not None:
            yield from measure_flips(probe, flips, "robustness.noise_flip_rate", "robustness.noise_flip_gap", name)
        yield Measurement(metric="robustness.noise_drop", estimate=measure_drop(probe, answer), outcome=name)
        yield Measurement(metric="robustness.noise_score_change", estimate=mean_change(probe, answer), outcome=name)


def compare(probe: Probe, answer: Answer) -> Flips | None:
    """Return which decisions changed; None where no decision follows from the score."""
    if probe.base.favourable is None or answer.favourable is None:
        return None
    return Flips(probe.base.favourable != answer.favourable, answer.known)


def measure_drop(probe: Probe, answer: Answer) -> Estimate:
    """Return how much worse the model predicts the label on the changed rows, paired on the same rows.

    Parameters
    ----------
    probe : Probe
        Labels, and the answer to the rows as they are.
    answer : Answer
        The answer to the changed rows.

    Returns
    -------
    Estimate
        AUC before minus AUC after, or root mean squared error after minus before: positive is worse.
    """
    label = probe.label
    if label is None:
        return undefined("no label was given")
    known = np.isfinite(label) & answer.known
    if not known.any():
        return undefined("no row has both a label and a score after the change", n=0)
    before, after, truth = probe.base.score[known], answer.score[known], label[known]
    if np.array_equal(before, after):
        note = "no interval: the change moves no score"
        return Estimate(value=0.0, n=int(known.sum()), method="paired", note=note, assessable=True)
    if probe.case.subject.task == "regression":
        return paired_rmse_gap(after - truth, before - truth)
    return paired_auc_gap(before, after, truth)


def mean_change(probe: Probe, answer: Answer) -> Estimate:
    """Return the mean absolute change of the score, in standard deviations of the scores before."""
    known = answer.known
    spread = float(probe.base.score.std(ddof=1)) if probe.base.score.size > 1 else 0.0
    if spread <= 0:
        return undefined("every row has the same score", n=int(known.sum()))
    if not known.any():
        return undefined("the model gave no score for any of these rows once they were changed", n=0)
    change = np.abs(answer.score - probe.base.score)[known] / spread
    return mean_estimate_of(change, np.ones(change.size, dtype=np.int64), "mean, Student's interval")
