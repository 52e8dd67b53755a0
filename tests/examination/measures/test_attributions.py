"""The section on attributions: every task and format, reasons where a method cannot run, the same numbers twice."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from attribution_material import frame_of, make_mixed_net, open_net
from glass_material import Formula, make_case, make_truth, true_link
from torch import nn

from audit.errors import DataError
from audit.evidence import FeatureUsed, NotDone
from audit.examination.glassbox.fit import fit_glassboxes
from audit.examination.measures.attributions import DEFINITIONS, METHODS, measure_attributions


def formula_case(rows=800, **over):
    frame, truth, label = make_truth(rows)
    over.setdefault("blackbox", Formula(true_link))
    return make_case(frame, link=truth, label=label, **over)


def net_case(task="binary", **over):
    scale = {"binary": "logit", "regression": "value"}[task]
    box = open_net(make_mixed_net(numbers=3, codes=2, seed=0), numbers=3, codes=2, scale=scale)
    frame = frame_of(500, numbers=3, codes=2)
    features = tuple(FeatureUsed(name=n, kind="number" if n[0] == "n" else "category") for n in frame.columns)
    link = box.link(frame)
    label = (link > 0).astype(float) if task == "binary" else link + 0.1
    groups = {"c0": frame["c0"].to_numpy().astype(str)}
    return make_case(frame, link=link, label=label, blackbox=box, groups=groups, features=features, task=task, **over)


def by_metric(section, name):
    return {m.feature: m.estimate for m in section.measurements if m.metric == f"attributions.{name}"}


def test_a_format_without_gradients_has_shapley_values_and_a_reason():
    found = measure_attributions(formula_case())
    told = {item.method: item for item in found.methods}
    assert list(told) == list(METHODS["standard"])
    assert "no gradients" in told["integrated_gradients"].not_done
    assert any("integrated gradients" in note for note in found.notes)
    shapley = by_metric(found, "shapley")
    assert set(shapley) == {"age", "income", "idle", "job", "owns"}
    assert shapley["idle"].value == pytest.approx(0, abs=1e-9)
    assert min(shapley[name].value for name in ("age", "income")) > shapley["owns"].value > 0.1
    assert sum(item.value for item in by_metric(found, "importance").values()) == pytest.approx(1)
    assert by_metric(found, "permutation")["income"].low > 0
    assert not by_metric(found, "integrated_gradients")


def test_additive_scores_give_every_row_its_own_terms():
    """Shapley values of an additive score are its terms less their mean: importance has a closed form."""
    case = formula_case(400, config={"effort": "fast"})
    found = measure_attributions(case)
    owns = np.array([value is True for value in case.frame["owns"]], dtype=float) * 0.5
    assert by_metric(found, "shapley")["owns"].value == pytest.approx(np.abs(owns - owns.mean()).mean(), abs=0.02)


@pytest.mark.parametrize("task", ["binary", "regression"])
def test_a_net_has_both_and_they_are_complete(task):
    found = measure_attributions(net_case(task))
    told = {item.method: item for item in found.methods}
    assert not told["integrated_gradients"].not_done
    assert told["integrated_gradients"].completeness.value <= found.tolerance
    assert told["shapley"].completeness.value < 1e-6
    assert 0 < told["shapley"].standard_error < 0.2
    assert told["permutation"].unit == ("AUC lost" if task == "binary" else "root mean squared error gained")
    (error,) = by_metric(found, "completeness_error").values()
    assert 0 <= error.value <= 0.01
    assert found.scale == ("log-odds of y = 1" if task == "binary" else "value of the score")
    assert {m.metric for m in found.measurements} == {definition.id for definition in DEFINITIONS}


def test_the_reference_row_is_printed():
    found = measure_attributions(net_case())
    values = {item.feature: item.value for item in found.reference}
    assert set(values) == {"n0", "n1", "n2", "c0", "c1"}
    assert values["c0"] in "abcde"
    assert abs(float(values["n0"])) < 0.2


def test_a_glass_box_takes_out_chance_and_is_named():
    frame, truth, label = make_truth(800)
    case = make_case(frame, link=truth, label=label, blackbox=Formula(lambda f: true_link(f) + 0.3 * np.sin(f["age"])))
    fits = fit_glassboxes(case.frame, case.subject.features, link=case.scores.link, effort="fast", seed=0, n_jobs=1)
    alone = measure_attributions(case)
    helped = measure_attributions(make_case(frame, link=truth, label=label, blackbox=case.blackbox, fits=fits))
    assert alone.control == ""
    assert helped.control in ("net_surrogate", "ebm_surrogate")
    told = [{item.method: item for item in part.methods}["shapley"] for part in (alone, helped)]
    assert told[1].standard_error < 0.8 * told[0].standard_error


def test_stored_scores_cannot_be_asked():
    frame, truth, label = make_truth(100)
    found = measure_attributions(make_case(frame, link=truth, label=label))
    assert isinstance(found, NotDone)
    assert "stored scores" in found.not_done


def test_a_model_that_refuses_mixed_rows_says_so():
    def choosy(frame):
        if (frame["job"] == "own").any() and len(frame) > 2000:
            raise DataError("no own business in a batch of this size")
        return true_link(frame)

    found = measure_attributions(formula_case(800, blackbox=Formula(choosy)))
    told = found if isinstance(found, NotDone) else next(m for m in found.methods if m.method == "shapley")
    assert "refuses rows" in told.not_done


def test_a_constant_model_has_no_importances_but_a_section():
    frame, _, label = make_truth(300)
    case = make_case(
        frame, link=np.zeros(300), label=label, blackbox=Formula(lambda f: np.zeros(len(f))), config={"effort": "fast"}
    )
    found = measure_attributions(case)
    assert by_metric(found, "importance") == {}
    assert {item.value for item in by_metric(found, "shapley").values()} == {0.0}


def test_same_seed_same_numbers_and_another_seed_others():
    one, two, other = (measure_attributions(net_case(config={"effort": "fast", "seed": seed})) for seed in (3, 3, 4))
    first, second = (
        part.model_copy(
            update={"seconds": None, "methods": tuple(m.model_copy(update={"seconds": None}) for m in part.methods)}
        )
        for part in (one, two)
    )
    assert first == second
    assert by_metric(other, "shapley") != by_metric(one, "shapley")


def test_selective_labels_bar_verdicts_on_permutation_alone():
    frame, truth, label = make_truth(800)
    label = np.where(truth > 0, label, np.nan)
    found = measure_attributions(make_case(frame, link=truth, label=label, blackbox=Formula(true_link)))
    assert not any(item.assessable for item in by_metric(found, "permutation").values())
    assert by_metric(found, "shapley")["age"].assessable


def test_of_several_classes_the_positive_one_is_explained_against_the_rest():
    torch.manual_seed(0)
    box = open_net(
        nn.Sequential(nn.Linear(3, 8), nn.Tanh(), nn.Linear(8, 3)).eval(), numbers=3, scale="logits", index=1
    )
    frame = frame_of(400, numbers=3)
    link = box.link(frame)
    features = tuple(FeatureUsed(name=name, kind="number") for name in frame.columns)
    groups = {"half": np.where(frame["n0"] > 0, "up", "down")}
    label = (box.raw(frame).argmax(axis=1) == 1).astype(float)
    case = make_case(
        frame,
        link=link,
        label=label,
        blackbox=box,
        groups=groups,
        features=features,
        task="multiclass",
        config={"effort": "fast"},
    )
    found = measure_attributions(case)
    told = {item.method: item for item in found.methods}
    assert not any(item.not_done for item in found.methods)
    assert told["integrated_gradients"].completeness.value <= 0.01
    assert told["permutation"].unit == "AUC lost"
