"""Figures that others published, computed again: what an installation says about known numbers.

Comes in: nothing. Goes out: each published figure beside what this installation computes, with its source. A library
that was built wrongly, or a change of ours that broke a formula, shows here in a second and without any data.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

FOUR_FIFTHS_SOURCE = "EEOC, Uniform Guidelines, Questions and Answers 12 (44 FR 11996, 1979): 48 of 80, 12 of 40"
LL144_SOURCE = "NYC DCWP, 6 RCNY 5-301, example of a bias audit by sex: 667 of 1,390 men, 555 of 1,181 women"
BERKELEY_SOURCE = "Bickel, Hammel and O'Connell (1975), Science 187:398; R's mantelhaen.test(UCBAdmissions)"
WOMEN = ((89, 17, 202, 131, 94, 24), (19, 8, 391, 244, 299, 317))
MEN = ((512, 353, 120, 138, 53, 22), (313, 207, 205, 279, 138, 351))
"""Admitted and rejected in departments A to F."""


@dataclass(frozen=True, slots=True)
class Recomputed:
    """A published figure and what was computed.

    Parameters
    ----------
    name : str
        What it is.
    source : str
        Who published it, and from which numbers.
    published, computed : tuple of float
        The figures.
    tolerance : float
        Half a unit of the last published digit, or what a named difference of method accounts for.
    note : str
        Why they may differ by more than rounding; empty where they may not.
    """

    name: str
    source: str
    published: tuple[float, ...]
    computed: tuple[float, ...]
    tolerance: float
    note: str = ""

    @property
    def matches(self) -> bool:
        """Whether every figure agrees."""
        same = len(self.published) == len(self.computed)
        # a hair more, so that a last digit that was rounded at exactly one half is no mismatch
        reach = self.tolerance * (1 + 1e-9)
        return same and all(abs(a - b) <= reach for a, b in zip(self.published, self.computed, strict=True))


def recompute_all() -> list[Recomputed]:
    """Compute every published figure again."""
    return [make() for make in FIGURES]


def _wilson_81() -> Recomputed:
    from audit.statistics import wilson

    source = "Newcombe (1998), Statistics in Medicine 17:857, table I, method 3: 81 of 263"
    return Recomputed("Wilson interval", source, (0.2553, 0.3662), wilson(81, 263), 5e-5)


def _wilson_none() -> Recomputed:
    from audit.statistics import wilson

    source = "Newcombe (1998), Statistics in Medicine 17:857, table I, method 3: 0 of 20"
    return Recomputed("Wilson interval of nothing seen", source, (0.0, 0.1611), wilson(0, 20), 5e-5)


def _clopper() -> Recomputed:
    from audit.statistics import clopper_pearson

    source = "Newcombe (1998), Statistics in Medicine 17:857, table I, method 5: 81 of 263"
    return Recomputed("Clopper-Pearson interval", source, (0.2527, 0.3676), clopper_pearson(81, 263), 5e-5)


def _newcombe() -> Recomputed:
    from audit.statistics import newcombe_difference

    source = "Newcombe (1998), Statistics in Medicine 17:873, table II, method 10: 56 of 70, 48 of 80"
    computed = newcombe_difference(56, 70, 48, 80)
    return Recomputed("Newcombe interval of a difference", source, (0.0524, 0.3339), computed, 5e-5)


def _koopman() -> Recomputed:
    from audit.statistics import score_ratio

    source = "Koopman (1984), Biometrics 40:513: 36 of 40, 16 of 80"
    note = "ours has Miettinen and Nurminen's factor N/(N-1), which moves the second decimal"
    return Recomputed("Score interval of a ratio", source, (2.94, 7.15), score_ratio(36, 40, 16, 80), 0.02, note)


def _tea() -> Recomputed:
    from audit.statistics import fisher_exact

    source = "Fisher (1935), The Design of Experiments, chapter 2: 3 of 4 cups right; two-sided 34 in 70"
    return Recomputed("Fisher's exact test", source, (34 / 70,), (fisher_exact(3, 4, 1, 4)[0],), 1e-12)


def _four_fifths() -> Recomputed:
    from audit.statistics import ratio_reaches

    ratio = (12 / 40) / (48 / 80)
    computed = (ratio, float(bool(ratio_reaches(12, 40, 48, 80))))
    name = "Four-fifths rule: ratio, and whether it is reached"
    return Recomputed(name, FOUR_FIFTHS_SOURCE, (0.5, 0.0), computed, 1e-12)


def _local_law() -> Recomputed:
    from audit.statistics import compare_to_best

    compared = compare_to_best([(667, 1390), (555, 1181)], ["men", "women"])
    ratios = tuple(float(one.ratio.value) for one in compared if one.ratio.value is not None)
    return Recomputed("Impact ratios of Local Law 144", LL144_SOURCE, (1.0, 0.979), ratios, 5e-4)


def _berkeley_crude() -> Recomputed:
    admitted, applied = sum(WOMEN[0]), sum(map(sum, WOMEN))
    of_men, men = sum(MEN[0]), sum(map(sum, MEN))
    figures = (admitted / applied, of_men / men)
    name = "Berkeley admissions: women and men, all departments"
    return Recomputed(name, BERKELEY_SOURCE, (0.304, 0.445), figures, 5e-4)


def _berkeley_stratified() -> Recomputed:
    import numpy as np

    from audit.statistics.strata import common_odds_ratio, pair_strata

    women, men = np.array(WOMEN), np.array(MEN)
    odds = common_odds_ratio(pair_strata(women[0], women.sum(0), men[0], men.sum(0)))
    computed = tuple(1 / float(end) for end in (odds.value, odds.high, odds.low))  # R compares men with women
    published = (0.9046968, 0.7719074, 1.0603298)
    return Recomputed("Berkeley admissions: common odds ratio", BERKELEY_SOURCE, published, computed, 1e-6)


FIGURES: tuple[Callable[[], Recomputed], ...] = (
    _wilson_81, _wilson_none, _clopper, _newcombe, _koopman, _tea, _four_fifths, _local_law, _berkeley_crude,
    _berkeley_stratified,
)  # fmt: skip
"""What is computed again."""
