"""Evidence with everything about fairness that an audit may hold, made by hand: the report must show all of it."""

from __future__ import annotations

import math

from dossier_fixture import ROWS, around, make_evidence, ratio, share

from audit.evidence import (
    Cell,
    CountTable,
    Definition,
    Estimate,
    Evidence,
    Fairness,
    Group,
    Measurement,
    OutcomeCell,
    OutcomeTable,
    Slice,
    Slices,
    StratifiedTable,
    Stratum,
    ThresholdCurve,
    ThresholdSweep,
)

BANDS = {"F": (900, 1100, 820), "M": (1500, 1000, 680), "unknown": (20, 20, 11)}
OUTCOMES = ("approve", "review", "decline")
CUTS = tuple(i / 50 for i in range(1, 50))
NEW_TITLES = {
    "fairness.outcome_rate": ("Share of an outcome", "share"),
    "fairness.outcome_rate_ratio": ("Ratio of shares of an outcome", ""),
    "fairness.conditional_selection_rate_ratio": ("Impact ratio among people alike", ""),
    "fairness.cmh_p": ("P-value of parity among people alike", ""),
    "fairness.breslow_day_p": ("P-value of the same odds ratio in all strata", ""),
    "fairness.counterfactual_flip_rate": ("Decisions that turn round with the attribute", "share"),
    "fairness.score_ks_distance": ("Kolmogorov-Smirnov distance of the scores", ""),
    "fairness.theil_index": ("Theil index", ""),
    "fairness.mean_residual": ("Mean residual", "EUR"),
    "fairness.mae": ("Mean absolute error", "EUR"),
    "slices.worst_excess": ("Largest confirmed excess", "share"),
}


def by_outcome() -> list[Measurement]:
    """Return rates and ratios by band."""
    numbers = []
    for group, counts in BANDS.items():
        for band, k, best in zip(OUTCOMES, counts, BANDS["M"], strict=True):
            about = {"group": {"sex": group}, "outcome": band}
            numbers.append(Measurement(metric="fairness.outcome_rate", estimate=share(k, sum(counts)), **about))
            if group == "F":
                pair = ratio(k, sum(counts), best, sum(BANDS["M"]))
                numbers.append(
                    Measurement(metric="fairness.outcome_rate_ratio", estimate=pair, reference="sex=M", **about)
                )
    return numbers


def bands() -> OutcomeTable:
    """Return people by sex and band."""
    cells = [
        OutcomeCell(values=(group,), truth=None, outcome=band, n=n)
        for group, counts in BANDS.items()
        for band, n in zip(OUTCOMES, counts, strict=True)
    ]
    return OutcomeTable(attributes=("sex",), kind="band", outcomes=OUTCOMES, cells=tuple(cells))


def strata() -> tuple[StratifiedTable, list[Measurement]]:
    """Return sex within grades, and what is common to them."""

    def cell(value: str, k: int, n: int) -> Cell:
        return Cell(
            values=(value,),
            positive_favourable=k,
            positive_unfavourable=0,
            negative_favourable=0,
            negative_unfavourable=n - k,
        )

    table = StratifiedTable(
        attribute="sex",
        by=("pay_grade", "home_region"),
        reference="sex=M",
        strata=(
            Stratum(name="pay_grade=A", cells=(cell("F", 300, 500), cell("M", 700, 1000))),
            Stratum(name="pay_grade=B", cells=(cell("F", 500, 1500), cell("M", 300, 900))),
        ),
    )
    numbers = []
    for name, estimate in {
        "conditional_selection_rate_ratio": around(0.94, 0.05, 5900, "Mantel-Haenszel"),
        "cmh_p": Estimate(value=0.031, n=5900, method="CMH"),
        "breslow_day_p": Estimate(value=0.004, n=5900, method="Breslow-Day"),
    }.items():
        numbers.append(Measurement(metric=f"fairness.{name}", estimate=estimate, group={"sex": "F"}, reference="sex=M"))
    return table, numbers


def sweep() -> ThresholdSweep:
    """Return what other cuts would give."""
    middles = {"F": 0.45, "M": 0.55}
    curves = {name: tuple(1 / (1 + math.exp(9 * (cut - at))) for cut in CUTS) for name, at in middles.items()}
    lowest = tuple(f / m if m > 0.01 else None for f, m in zip(curves["F"], curves["M"], strict=True))
    return ThresholdSweep(
        attribute="sex",
        thresholds=CUTS,
        today=0.5,
        curves=tuple(ThresholdCurve(values=(name,), selection_rate=rates) for name, rates in curves.items()),
        impact_ratio=lowest,
        selection_rate=tuple((f + m) / 2 for f, m in zip(curves["F"], curves["M"], strict=True)),
        error=0.0005,
    )


def weak_slices() -> Slices:
    """Return one slice that held and one that did not."""

    def one(name: str, excess: float, p: float, *, holds: bool) -> Slice:
        return Slice(
            name=name,
            features=("income",),
            found_rows=210,
            found_excess=excess + 0.05,
            rate=share(80, 200),
            rest=share(500, 2800),
            excess=around(excess, 0.06, 3000, "Newcombe"),
            p=p / 10,
            p_adjusted=p,
            holds=holds,
            groups={"sex": {"F": 0.61, "M": 0.39}},
        )

    return Slices(
        of="error rate",
        searched=412,
        tested=2,
        found_on=3000,
        tested_on=3000,
        slices=(
            one("income under 1200 and home region = north", 0.22, 0.0004, holds=True),
            one("savings over 90000", 0.01, 0.41, holds=False),
        ),
        measurements=(Measurement(metric="slices.worst_excess", estimate=around(0.22, 0.06, 3000, "Newcombe")),),
    )


def others() -> list[Measurement]:
    """Return numbers for the annex and a flip."""
    distance = Estimate(value=0.11, n=ROWS, method="exact", note="no interval: a distance", chance=0.04)
    return [
        Measurement(
            metric="fairness.counterfactual_flip_rate", estimate=share(42, 4000), attribute="sex", model="black_box"
        ),
        Measurement(metric="fairness.score_ks_distance", estimate=distance, group={"sex": "F"}, reference="sex=M"),
        Measurement(metric="fairness.theil_index", estimate=around(0.08, 0.01), attribute="sex"),
    ]


def hide_labels(table: CountTable) -> CountTable:
    """Return the table with the label of everybody refused unknown: an outcome that the decision hides."""
    cells = tuple(
        cell.model_copy(
            update={
                "positive_unfavourable": 0,
                "negative_unfavourable": 0,
                "unlabelled_unfavourable": cell.positive_unfavourable + cell.negative_unfavourable,
            }
        )
        for cell in table.cells
    )
    return table.model_copy(update={"cells": cells})


def definitions(evidence: Evidence) -> tuple[Definition, ...]:
    """Return the definitions with those of the new numbers."""
    known = {d.id for d in evidence.definitions}
    new = [Definition(id=i, title=t, formula="by hand", unit=u, source="test") for i, (t, u) in NEW_TITLES.items()]
    return (*evidence.definitions, *(d for d in new if d.id not in known))


def make_full() -> Evidence:
    """Return evidence with every form that fairness may take."""
    evidence = make_evidence()
    fairness = evidence.fairness
    table, within = strata()
    sex = next(t for t in fairness.tables if t.attributes == ("sex",))
    three = Group(attributes=("sex", "ethnicity", "age"), values=("F", "C", "60+"), n=44, small=True)
    third = Measurement(
        metric="fairness.selection_rate",
        estimate=share(12, 44),
        group=dict(zip(three.attributes, three.values, strict=True)),
    )
    full = fairness.model_copy(
        update={
            "groups": (*fairness.groups, three),
            "tables": (hide_labels(sex), *(t for t in fairness.tables if t is not sex)),
            "measurements": (*fairness.measurements, *by_outcome(), *within, *others(), third),
            "outcome_tables": (bands(),),
            "strata": (table,),
            "sweeps": (sweep(),),
        }
    )
    return evidence.model_copy(update={"fairness": full, "slices": weak_slices(), "definitions": definitions(evidence)})


def make_undecided(*, value: bool) -> Evidence:
    """Return evidence without a decision: groups have a mean score, or with `value` a residual."""
    evidence = make_evidence()
    tables = []
    for table in evidence.fairness.tables:
        cells = tuple(
            Cell(
                values=cell.values,
                **dict.fromkeys(
                    ("positive_favourable", "positive_unfavourable", "negative_favourable", "negative_unfavourable"), 0
                ),
                positive_undecided=cell.n // 2,
                negative_undecided=cell.n - cell.n // 2,
            )
            for cell in table.cells
        )
        tables.append(CountTable(attributes=table.attributes, cells=cells))
    numbers = []
    for group in evidence.fairness.groups:
        place = sum(map(ord, group.values[-1])) % 7
        shift = (place - 3) * 4.0 if value else 0.02 * place
        pair = (
            {"mean_residual": around(shift, 4, group.n), "mae": around(40 + shift, 3, group.n)}
            if value
            else {"mean_score": around(0.4 + shift, 0.03, group.n), "base_rate": share(group.n // 2, group.n)}
        )
        numbers += [Measurement(metric=f"fairness.{k}", estimate=e, group=group.scope) for k, e in pair.items()]
    fairness = Fairness(groups=evidence.fairness.groups, tables=tuple(tables), measurements=tuple(numbers))
    subject = evidence.subject.model_copy(
        update={"decision": None, **({"task": "regression", "positive": ""} if value else {})}
    )
    return evidence.model_copy(update={"fairness": fairness, "subject": subject, "definitions": definitions(evidence)})
