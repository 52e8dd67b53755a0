"""The shipped packs as a whole: on nothing, on ten people a group and on a real audit, nothing unmeasured passes."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from audit.attestation.policy.catalogue import METRICS
from audit.attestation.policy.judge import judge_with
from audit.attestation.policy.pack import AskRule, CompareRule, DocumentRule, FactRule, MeasureRule, ShapeRule
from audit.attestation.policy.papers import load_papers
from audit.attestation.policy.select import list_shipped, read_packs
from audit.attestation.policy.staging import MetricEntry, Stage, stage_evidence
from audit.attestation.policy.vocabulary import COMPUTED_FACTS, FACTS, FIELDS, SEAL_FACTS, STANDARD_ATTRIBUTES
from audit.evidence import Papers

TODAY = date(2026, 11, 22)
PACKS = {name: read_packs([name])[0] for name in list_shipped()}
MEASURING = (MeasureRule, ShapeRule, CompareRule)
ATTRIBUTES = ("sex", "race_ethnicity")


def applying_day(pack):
    """The first day from TODAY on which the pack's law applies."""
    return max(TODAY, pack.pack.law.applies_from or TODAY)


def meet(conditions):
    """Facts under which conditions hold: the first option of each, numbers from its phrase."""
    facts = {}
    for name, wanted in conditions.items():
        first = wanted[0] if isinstance(wanted, tuple) else wanted
        kind = FACTS[name].kind if name in FACTS else "flag"
        if name in COMPUTED_FACTS:
            continue
        if kind == "number":
            facts[name] = 10.0 ** (6 if any(word in str(first) for word in ("least", "above")) else -6)
        elif kind == "list":
            facts[name] = (str(first).rstrip("*").rstrip("-."),)
        elif isinstance(first, bool):
            facts[name] = first
        else:
            text = str(first).rstrip("*")
            facts[name] = f"{text}any" if text.endswith(".") else text
    return facts


def facts_for(pack, rule=None):
    """Facts under which the pack, and one of its rules, applies."""
    return meet(pack.pack.applies_when) | (meet(rule.rule.applies_when) if rule else {})


def judge(evidence, pack, facts=None, *, papers=None, as_of=None):
    return judge_with(
        evidence,
        [pack],
        papers or Papers(facts=facts or {}),
        (),
        as_of=as_of or applying_day(pack),
        evidence_signed="test",
        strict_names=False,
    )


def test_every_pack_loads_and_is_named_as_its_file():
    assert {pack.name for pack in PACKS.values()} == set(list_shipped())
    assert {"baseline-fairness", "nyc-ll144", "eeoc-four-fifths", "ecoa-adverse-action"} <= set(PACKS)
    assert all(pack.rules or pack.pack.uses for pack in PACKS.values())


@pytest.mark.parametrize("name", PACKS)
def test_on_nothing_at_all_nothing_passes(name):
    judgement = judge(stage_evidence(Stage()), PACKS[name])
    passed = [finding.rule for finding in judgement.findings if finding.status in ("pass", "warn", "error")]
    assert passed == []
    assert judgement.outcome in ("undecided", "failed")


@pytest.mark.parametrize("name", PACKS)
def test_where_a_rule_applies_but_nothing_was_measured_or_supplied_it_does_not_pass(name):
    pack, nothing = PACKS[name], stage_evidence(Stage())
    for rule in pack.rules:
        judgement = judge(nothing, pack, facts_for(pack, rule))
        finding = next(item for item in judgement.findings if item.rule == rule.name)
        assert finding.status not in ("warn", "error"), finding
        stated = isinstance(rule.rule, FactRule) and rule.rule.fact in facts_for(pack, rule)
        if finding.status == "pass":
            assert stated, f"{rule.name} passed on nothing"
        if isinstance(rule.rule, AskRule):
            assert finding.status == "manual", finding.verdicts[0].because
        if isinstance(rule.rule, DocumentRule):
            assert finding.status == "fail", finding.verdicts[0].because
        if isinstance(rule.rule, MeasureRule):
            assert finding.status == "inconclusive", (rule.name, finding.verdicts[0].because)


def ten_people_a_group():
    """Every number by group or attribute at its best, on ten people a group, where thirty are asked for."""
    values = {"sex": ("F", "M"), "race_ethnicity": ("A", "B")}
    pair = [{"sex": s, "race_ethnicity": e, "selected": 5, "total": 10} for s in "FM" for e in "AB"]
    counts = [((a,), [{a: v, "selected": 5, "total": 10} for v in values[a]]) for a in ATTRIBUTES]
    best = {"higher": 1.0, "lower": 0.0, "nearer_one": 1.0, "nearer_zero": 0.0, "none": 0.5}
    taken = {"fairness.selection_rate", "fairness.selection_rate_ratio", "fairness.selection_rate_difference"}
    entries = []
    for metric in METRICS.values():
        if metric.id in taken or metric.section in ("attributions", "robustness", "drift"):
            continue
        about = {"value": best[metric.better], "low": best[metric.better], "high": best[metric.better]}
        model = {"model": metric.models[0]} if metric.models else {}
        feature = {"feature": "income"} if "feature" in metric.scopes else {}
        for name in ATTRIBUTES:
            if "group" in metric.scopes:
                entries += [
                    MetricEntry(metric=metric.id, n=10, group={name: v}, p=1.0, **about, **model, **feature)
                    for v in values[name]
                ]
            elif "attribute" in metric.scopes:
                entries.append(MetricEntry(metric=metric.id, n=20, attribute=name, **about, **model, **feature))
    return stage_evidence(Stage([*counts, (ATTRIBUTES, pair)], {}, entries, ("income",), 30))


@pytest.mark.parametrize("name", PACKS)
def test_ten_people_a_group_pass_no_limit_however_good_the_numbers_look(name):
    pack, evidence = PACKS[name], ten_people_a_group()
    seen = 0
    for rule in pack.rules:
        own = rule.rule
        if not isinstance(own, MeasureRule) or not own.for_each or rule.limit.kind == "reported":
            continue
        if METRICS[own.measure].section == "data":
            continue  # numbers about the rows themselves rest on all rows, and carry their own interval
        finding = next(item for item in judge(evidence, pack, facts_for(pack, rule)).findings if item.rule == rule.name)
        assert finding.status in ("inconclusive", "fail", "not_applicable"), (rule.name, finding.verdicts)
        seen += any(verdict.observed is not None for verdict in finding.verdicts)
    if name in ("baseline-fairness", "eeoc-four-fifths"):
        assert seen >= 1, "the numbers were there to be refused"


@pytest.mark.parametrize("name", PACKS)
def test_before_its_law_applies_a_pack_decides_nothing(name):
    pack = PACKS[name]
    begins = pack.pack.law.applies_from
    if begins is None:
        pytest.skip("its law has no first day")
    judgement = judge(ten_people_a_group(), pack, facts_for(pack), as_of=begins - timedelta(days=1))
    early = {rule.name for rule in pack.rules if rule.rule.applies_from and rule.rule.applies_from < begins}
    waiting = [finding for finding in judgement.findings if finding.rule not in early]
    assert {finding.status for finding in waiting} == {"not_applicable"}
    would = [verdict for finding in waiting for verdict in finding.verdicts if verdict.original]
    assert would, "what it would say is said"
    assert all(verdict.because.startswith("would be ") for verdict in would)


@pytest.mark.parametrize("name", PACKS)
def test_every_name_of_a_pack_has_a_place_where_it_can_be_supplied(name, tmp_path):
    """One documents.yaml with every fact, text and answer that the pack asks for is read without a mistake."""
    pack = PACKS[name]
    facts, texts, answers = {}, set(), {}
    for rule in pack.rules:
        own = rule.rule
        named = [*pack.pack.applies_when, *own.applies_when, *([own.fact] if isinstance(own, FactRule) else [])]
        facts |= {fact: FACTS[fact] for fact in named if fact not in {**COMPUTED_FACTS, **SEAL_FACTS}}
        if isinstance(own, DocumentRule):
            texts |= set(own.document)
        if isinstance(own, AskRule):
            answers[rule.name] = own
        if isinstance(own, MeasureRule | CompareRule):
            assert (own.measure if isinstance(own, MeasureRule) else own.compare) in METRICS
            parts = {part.strip() for item in own.for_each for part in item.split("*")}
            assert parts <= {*STANDARD_ATTRIBUTES, "protected", "protected pairs"}
    assert texts <= set(FIELDS)
    example = {"text": "a text", "list": "[a]", "flag": "true", "number": "1"}
    lines = ["schema: documents/1"]
    if facts:
        lines += ["facts:", *(f"  {n}: {f.values[0] if f.values else example[f.kind]}" for n, f in facts.items())]
    if texts:
        lines += ["texts:", *(f"  {field}: {{text: some words}}" for field in sorted(texts))]
    if answers:
        lines.append("answers:")
        for rule, own in answers.items():
            said = own.answer_must_be[0] if own.answer_must_be else "said"
            lines.append(f'  {rule}: {{answer: "{said}", by: A. Person, role: {own.asked_of}, on: {TODAY}}}')
    file = tmp_path / "documents.yaml"
    file.write_text("\n".join(lines) + "\n", encoding="utf-8")
    papers = load_papers(file)
    assert set(papers.facts) == set(facts)
    assert {text.field for text in papers.texts} == texts
    findings = judge(stage_evidence(Stage()), pack, papers=papers).findings
    for finding in findings:
        if finding.rule in answers and finding.status != "not_applicable":
            assert finding.status in ("pass", "inconclusive"), (finding.rule, finding.verdicts[0].because)


@pytest.mark.parametrize("name", PACKS)
def test_a_real_audit_is_judged_without_a_rule_that_breaks(name, small_report):
    pack, evidence = PACKS[name], small_report.dossier.evidence
    measured = {item.metric for item in evidence.measurements()}
    judgement = judge(evidence, pack, facts_for(pack))
    assert judgement.count("error") == 0
    for finding in judgement.findings:
        for verdict in finding.verdicts:
            assert verdict.because
            if verdict.status in ("pass", "fail", "warn") and verdict.metric and verdict.observed:
                assert verdict.metric in measured, finding.rule


def test_the_first_packs_say_who_set_every_number_and_bound_every_parameter():
    for name in ("baseline-fairness", "nyc-ll144", "eeoc-four-fifths", "ecoa-adverse-action"):
        pack = PACKS[name]
        for parameter in pack.pack.parameters.values():
            assert parameter.minimum <= parameter.default <= parameter.maximum
            assert parameter.minimum < parameter.maximum
        for rule in pack.rules:
            if isinstance(rule.rule, MEASURING) and rule.limit is not None and rule.limit.kind != "reported":
                assert rule.rule.threshold_basis, rule.name
            if isinstance(rule.rule, MeasureRule):
                assert rule.rule.judged_on, rule.name
        if pack.pack.law.status != "internal":
            assert pack.pack.maturity == "draft"
            assert pack.pack.law.unverified


def test_credit_reasons_know_no_effects_test():
    """Since 2026-07-21 Regulation B says that the Act knows none; the pack must not bring it back."""
    measured = {rule.rule.measure for rule in PACKS["ecoa-adverse-action"].rules if isinstance(rule.rule, MeasureRule)}
    assert not {metric for metric in measured if "selection_rate" in metric or "adverse_impact" in metric}
