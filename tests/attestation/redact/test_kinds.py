"""Public editions of every kind of decision: whoever reads all that is told computes no count of 1 to 4 people."""

from __future__ import annotations

import itertools
import json
import re

import numpy as np
import pytest
from public_material import Attacker

from audit.attestation.redact.cells import is_small
from audit.attestation.redact.counted import find_small_counts
from audit.attestation.redact.publish import publish_dossier
from audit.attestation.redact.sections import NOT_SHOWN
from audit.attestation.render.formats import FORMATS
from audit.evidence import SUPPRESSED, Data, Dossier, Fairness

from .kinds_material import KINDS, RARE, run_kind

LABELS = {"positive": True, "negative": False, "unlabelled": None}
DECISIONS = {"favourable": True, "unfavourable": False, "undecided": None}
TWO_SIDED = tuple(itertools.product(LABELS, DECISIONS))
OTHER = re.compile(
    r"fairness\.(scoring_rate|counterfactual_\w+|unknown_group_share|label_missing_rate|weighted_\w+|worst_\w+|consistency)"
)
"""Metrics with counts that are no parts of the table of label by decision or class."""


SLOW = ("several good classes", "labels missing")
"""Kinds that say little beside the others; run with the long tests."""


@pytest.fixture(
    scope="module", params=[pytest.param(kind, marks=pytest.mark.slow if kind in SLOW else ()) for kind in KINDS]
)
def editions(request, tmp_path_factory):
    """The internal dossier and the public one of one kind."""
    whole = run_kind(request.param, tmp_path_factory.mktemp("kind")).dossier
    return whole, Dossier.parse(publish_dossier(whole, internal=whole.digest()).canonical())


class Table:
    """The cells of each group behind the numbers of an attribute, and what each number says of them."""

    def __init__(self, dossier, attribute):
        fairness, subject = dossier.evidence.fairness, dossier.evidence.subject
        table = next(t for t in fairness.tables if t.attributes == (attribute,))
        crossed = next((t for t in fairness.outcome_tables if t.attributes == (attribute,)), None)
        self.attribute, self.groups = attribute, [cell.values[0] for cell in table.cells]
        self.of_values = subject.task == "regression"
        self.by_class = crossed is not None and crossed.kind == "class"
        if self.by_class:
            self.keys = list(itertools.product((*subject.classes, None), crossed.outcomes))
            held = {(c.values[0], c.truth, c.outcome): c.n for c in crossed.cells}
            self.true = np.array([[held.get((group, *key), 0) for key in self.keys] for group in self.groups])
            favourable = subject.decision.favourable_outcomes if subject.decision else ()
            self.side = [None if t is None else t == subject.positive for t, _ in self.keys]
            self.good = [(o in favourable) if favourable else None for _, o in self.keys]
        else:
            self.keys = list(TWO_SIDED)
            self.true = np.array([[getattr(cell, f"{a}_{b}") for a, b in self.keys] for cell in table.cells])
            self.side, self.good = [LABELS[a] for a, _ in self.keys], [DECISIONS[b] for _, b in self.keys]

    def mask(self, label="any", decision="any"):
        """Return the cells of a label (True, False, None, ``known``) and a decision."""

        def fits(value, wanted):
            return wanted == "any" or (value is not None if wanted == "known" else value is wanted)

        pairs = zip(self.side, self.good, strict=True)
        return np.array([float(fits(a, label) and fits(b, decision)) for a, b in pairs])

    def of_class(self, truth="any", outcome="any"):
        return np.array([float(truth in ("any", t) and outcome in ("any", o)) for t, o in self.keys])

    @property
    def right(self):
        if self.by_class:
            return np.array([float(t == o) for t, o in self.keys])
        return self.mask(True, True) + self.mask(False, False)

    def read(self, metric, outcome):
        """Return the cells behind numerator and denominator of a rate."""
        known = self.mask("known")
        rates = {
            "selection_rate": (self.mask(decision=True), self.mask(decision="known")),
            "base_rate": (self.mask(True), known),
            "true_positive_rate": (self.mask(True, True), self.mask(True, "known")),
            "false_negative_rate": (self.mask(True, False), self.mask(True, "known")),
            "false_positive_rate": (self.mask(False, True), self.mask(False, "known")),
            "true_negative_rate": (self.mask(False, False), self.mask(False, "known")),
            "precision": (self.mask(True, True), self.mask("known", True)),
            "false_discovery_rate": (self.mask(False, True), self.mask("known", True)),
            "negative_predictive_value": (self.mask(False, False), self.mask("known", False)),
            "false_omission_rate": (self.mask(True, False), self.mask("known", False)),
            "accuracy": (self.right, known),
            "error_rate": (known - self.right, known),
            "label_missing_rate": (self.mask(None), self.mask()),
            "label_missing_rate_favourable": (self.mask(None, True), self.mask(decision=True)),
            "label_missing_rate_unfavourable": (self.mask(None, False), self.mask(decision=False)),
        }
        if self.by_class:
            rates |= {
                "outcome_rate": (self.of_class(outcome=outcome), self.mask()),
                "outcome_true_positive_rate": (self.of_class(outcome, outcome), self.of_class(outcome)),
                "outcome_precision": (self.of_class(outcome, outcome), self.of_class(outcome=outcome) * known),
            }
        if self.of_values:  # a label that is a number is in no cell of the table
            rates = {name: rates[name] for name in ("selection_rate",)}
        return rates.get(metric.removeprefix("fairness."))


def attack(public, table):
    """Return an attacker who has read all counts of an attribute, and all rates times their rows."""
    attacker, evidence, place = Attacker(table.groups, len(table.keys)), public.evidence, table.groups.index

    def learn(mask, value, group=None):
        attacker.learn(value, **{"all" if group is None else f"_{place(group)}": mask})

    if isinstance(evidence.data, Data):
        learn(table.mask(), evidence.data.rows)
        if evidence.subject.task != "regression":
            learn(table.mask("known"), evidence.data.label_known)
            learn(table.mask(True), evidence.data.label_positive)
    groups = evidence.data.groups if isinstance(evidence.data, Data) else ()
    for group in (*groups, *evidence.fairness.groups):
        if group.attributes == (table.attribute,):
            learn(table.mask(), group.n, group.values[0])
    for one in evidence.measurements():
        estimate, name = one.estimate, one.metric
        if name == "performance.accuracy" and one.model == "black_box" and estimate.value is not None:
            learn(table.right, estimate.count)
        if not name.startswith("fairness.") or estimate.value is None or estimate.n is None:
            continue
        if one.group and tuple(one.group) != (table.attribute,):
            continue
        read = None if one.attribute else table.read(name, one.outcome)
        if read is None or (one.outcome and not table.by_class):
            assert estimate.count is None or one.outcome or OTHER.match(name), f"what counts {name}?"
            continue
        learn(read[1], estimate.n, one.group.get(table.attribute))
        learn(read[0], round(estimate.value * estimate.n), one.group.get(table.attribute))
    for told in evidence.fairness.tables:
        for cell in told.cells if told.attributes == (table.attribute,) else ():
            for (label, side), (decision, good) in itertools.product(LABELS.items(), DECISIONS.items()):
                learn(table.mask(side, good), getattr(cell, f"{label}_{decision}"), cell.values[0])
    return attacker


@pytest.mark.parametrize("attribute", ["sex", "town"])
def test_attacker_pins_no_small_cell(editions, attribute):
    whole, public = editions
    table = Table(whole, attribute)
    attacker, attacked = attack(public, table), 0
    parts = [np.eye(len(table.keys))[k] for k in range(len(table.keys))]
    parts += [table.mask(a, b) for a in ("any", True, False, None, "known") for b in ("any", True, False)]
    parts += [table.right, table.mask("known") - table.right]
    distinct = {part.tobytes(): part for part in parts if part.any()}.values()
    for part in distinct:
        sums = table.true @ part
        for place in [k for k, held in enumerate(sums) if is_small(int(held))]:
            low, high = attacker.bounds(place, part)
            assert low < high, (table.groups[place], part)
            attacked += 1
        if is_small(int(sums.sum())):
            low, high = attacker.bounds("all", part)
            assert low < high, ("all", part)
    assert attacked or (whole.evidence.subject.task, attribute) == ("regression", "sex")


def test_nothing_is_counted_and_nobody_is_named(editions):
    whole, public = editions
    assert find_small_counts(whole)
    rows = whole.evidence.data.rows
    assert not find_small_counts(public, rows)
    made = {name: form.render(public).decode("utf-8", "replace") for name, form in FORMATS.items() if name != "pdf"}
    for name, text in {**made, "audit.json": public.canonical().decode()}.items():
        assert not [word for word in (*RARE, "hamlet") if re.search(rf"\b{word}\b", text)], name
    assert "withheld group 1" in made["html"]
    assert NOT_SHOWN in public.evidence.fairness.notes
    assert "suppressed (fewer than 5)" in made["html"]
    assert public.public.dossier_digest in made["html"]


def test_verdicts_are_those_of_the_whole_audit(editions):
    whole, public = editions
    assert public.judgement.outcome == whole.judgement.outcome
    for before, after in zip(whole.judgement.findings, public.judgement.findings, strict=True):
        assert (before.rule, before.status) == (after.rule, after.status)
        assert [one.status for one in before.verdicts] == [one.status for one in after.verdicts]
    scopes = [one.scope for finding in public.judgement.findings for one in finding.verdicts]
    assert len(scopes) == len(set(scopes))


def test_reasons_count_no_group_that_is_withheld(editions):
    """Why a group is not judged says how many it is; of a larger one that is withheld with a small one, too."""
    whole, public = editions
    for before, after in zip(whole.judgement.findings, public.judgement.findings, strict=True):
        for one, told in zip(before.verdicts, after.verdicts, strict=True):
            if {"islet", "hamlet"} & set(one.group.values()):
                assert not re.search(r"\d", told.because.replace("fewer than 5", "")), told.because
                assert one.id != told.id
                assert told.observed is None or told.observed.note == SUPPRESSED


def test_no_rate_follows_from_a_comparison(editions):
    """A ratio or difference with a known side gives the other; what follows counts nobody's few."""
    whole, public = editions
    rates = {}
    for one in public.evidence.measurements():
        if len(one.group) == 1 and one.estimate.value is not None:
            rates[one.metric, one.feature, one.model, one.outcome, *one.group.items()] = one.estimate
    truth = {
        (one.metric, one.feature, one.model, one.outcome, *one.group.items()): one.estimate
        for one in whole.evidence.measurements()
        if len(one.group) == 1 and one.estimate.count is not None
    }
    for one in public.evidence.measurements():
        base = re.sub(r"_(ratio|difference)$", "", one.metric)
        if base == one.metric or not one.reference or one.estimate.value is None or len(one.group) != 1:
            continue
        ((attribute, value),) = one.group.items()
        scope = (one.feature, one.model, one.outcome)
        sides = [(attribute, value), (attribute, one.reference.partition("=")[2])]
        for side in sides:
            for name in (base, f"{base}_rate"):
                hidden = truth.get((name, *scope, side))
                if hidden is not None and (name, *scope, side) not in rates:
                    other = sides[1 - sides.index(side)]
                    assert (name, *scope, other) not in rates, (one.metric, one.group, one.reference)


def test_exact_numbers_are_told_only_with_their_tables(editions):
    """Sixteen digits of a mean over classes or strata can be solved for the people behind it."""
    whole, public = editions
    fairness = whole.evidence.fairness
    few = (
        {" * ".join(t.attributes) for t in fairness.outcome_tables if any(is_small(cell.n) for cell in t.cells)}
        if whole.evidence.subject.task == "multiclass"
        else set()
    )
    stratified = {
        table.attribute
        for table in fairness.strata
        if any(is_small(c.favourable) or is_small(c.n) for stratum in table.strata for c in stratum.cells)
    }
    crossed = {}
    for cell in fairness.outcome_tables[0].cells if whole.evidence.subject.task == "multiclass" else ():
        crossed[cell.truth, cell.outcome] = crossed.get((cell.truth, cell.outcome), 0) + cell.n
    for one in public.evidence.measurements():
        name, about = one.metric, " * ".join(one.group) or one.attribute
        if one.estimate.value is not None and about:
            assert not (about in few and ("macro" in name or name.startswith(("fairness.accuracy", "fairness.error"))))
            assert not (about in stratified and ("conditional" in name or "cmh" in name or "breslow" in name)), name
        if one.estimate.value is not None and one.estimate.n and not one.group:
            assert not is_small(whole.evidence.data.rows - one.estimate.n), name
        if name in ("performance.balanced_accuracy", "performance.macro_f1") and any(map(is_small, crossed.values())):
            assert one.estimate.value is None, one.model
    if fairness.strata:
        assert stratified


def test_no_value_of_a_single_person_is_told(editions):
    public = editions[1]
    plain = json.loads(public.canonical())["evidence"]
    if "columns" in plain["data"]:
        for column in plain["data"]["columns"]:
            for value in column["quantiles"]:
                assert value == float(f"{value:.3g}")
            assert not [count for count in column["top"].values() if count < 5]
    for feature in plain["decisions"].get("changeable", ()):
        assert feature["low"] == float(f"{feature['low']:.3g}")
    assert not plain["decisions"].get("individuals")
    assert plain["slices"].get("slices") is None
    if isinstance(public.evidence.fairness, Fairness) and public.evidence.fairness.cross_check:
        assert not public.evidence.fairness.cross_check.skipped
