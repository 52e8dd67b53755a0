"""Every rule of every shipped pack, broken by one slip of the pen: refused, or at least never a pass that was none."""

from __future__ import annotations

import re
from copy import deepcopy
from datetime import date
from itertools import product

import pytest
import yaml

from audit.attestation.policy.bench import lay_out
from audit.attestation.policy.catalogue import METRICS
from audit.attestation.policy.judge import _judge_rule, find_applicability
from audit.attestation.policy.scopes import check_names
from audit.attestation.policy.select import list_shipped, read_packs
from audit.attestation.policy.staging import MetricEntry, Stage, stage_evidence
from audit.attestation.policy.vocabulary import FACTS
from audit.errors import PolicyError
from audit.evidence import Answer, Papers
from audit.yamlfile import read_yaml

TODAY = date(2029, 1, 2)
GROUPS = {"sex": ("F", "M"), "race_ethnicity": ("A", "B"), "age": ("old", "young")}
FEATURES = ("x0", "x1")
FREE = {"title", "why", "fix", "cite", "ask", "id", "asked_of", "approved_by_role"}
"""Fields in plain words: a slip in them changes no verdict, or leaves a question open."""
SIGNS = (("at least", "at most"), ("at most", "at least"), ("above", "below"), ("below", "above"))
EVERY = 9


def stage_world(value):
    """Return evidence in which every number of the catalogue is the same, on every scope it can have."""
    scopes = [{name: level} for name, levels in GROUPS.items() for level in levels]
    pair = ("sex", "race_ethnicity")
    scopes += [dict(zip(pair, levels, strict=True)) for levels in product(*(GROUPS[name] for name in pair))]
    entries = []
    for metric in METRICS.values():
        groups = scopes if "group" in metric.scopes else [{}]
        attributes = (*GROUPS, "sex * race_ethnicity") if "attribute" in metric.scopes else (None,)
        features = FEATURES if "feature" in metric.scopes else (None,)
        for model, feature, group, attribute in product(metric.models or (None,), features, groups, attributes):
            about = {"model": model, "feature": feature, "group": group, "attribute": None if group else attribute}
            numbers = {"value": value, "low": value - 0.01, "high": value + 0.01, "n": 5000}
            entries.append(MetricEntry(metric=metric.id, **numbers, **about))
    counts = [((n,), [{n: level, "selected": 2500, "total": 5000} for level in levels]) for n, levels in GROUPS.items()]
    return stage_evidence(Stage(counts=counts, metrics=entries, features=FEATURES))


def facts_of(pack):
    """Return facts under which a pack and all its rules apply."""
    facts = {}
    for conditions in (pack.pack.applies_when, *(rule.rule.applies_when for rule in pack.rules)):
        for name, wanted in conditions.items():
            value = wanted[0] if isinstance(wanted, tuple) else wanted
            if name in FACTS and FACTS[name].kind == "number":
                value = 1000
            facts.setdefault(name, str(value).replace("*", "x") if isinstance(value, str) else value)
    return facts


@pytest.fixture(scope="module")
def worlds():
    return [stage_evidence(Stage()), *(stage_world(value) for value in (0.05, 0.5, 0.97))]


def benches_for(pack, worlds):
    answers = tuple(
        Answer(rule=rule.name, answer="no", by="A. Person", role=rule.rule.asked_of, on="2029-01-01")
        for rule in pack.rules
        if hasattr(rule.rule, "asked_of")
    )
    papers = Papers(facts=facts_of(pack), answers=answers)
    return [lay_out(world, papers, TODAY) for world in worlds]


def slips(word):
    """Yield a word with one letter left out, two letters swapped, one letter doubled."""
    middle = len(word) // 2
    yield word[:middle] + word[middle + 1 :]
    if len(word) > 2 and word[middle - 1] != word[middle]:
        yield word[: middle - 1] + word[middle] + word[middle - 1] + word[middle + 1 :]
    yield word[:middle] + word[middle] + word[middle:]


def slips_of_text(text):
    """Yield a text with one slip in one of its words, its sign turned round, or its number mistyped."""
    for found in re.finditer(r"[A-Za-z_][A-Za-z_0-9.]{2,}", text):
        for wrong in slips(found.group()):
            yield text[: found.start()] + wrong + text[found.end() :]
    for sign, other in SIGNS:
        if text.startswith(sign):
            yield text.replace(sign, other, 1)
    if re.search(r"[0-9]\s*%", text):
        yield text.replace("%", "", 1)
    if re.search(r"[0-9]\.[0-9]", text):
        yield re.sub(r"([0-9])\.([0-9])", r"\1,\2", text, count=1)
        yield re.sub(r"([0-9])\.([0-9])", r"\1..\2", text, count=1)


def mutate(value, skip=frozenset()):
    """Yield copies of a rule with one slip anywhere in it."""
    if isinstance(value, dict):
        for key, item in value.items():
            rest = {name: other for name, other in value.items() if name != key}
            if key not in FREE:
                yield from ({**rest, wrong: item} for wrong in slips(key))
                yield from ({**value, key: wrong} for wrong in mutate(item))
    elif isinstance(value, list):
        for place, item in enumerate(value):
            yield from ([*value[:place], wrong, *value[place + 1 :]] for wrong in mutate(item))
    elif isinstance(value, str):
        yield from slips_of_text(value)


def alone(tree, rule):
    """Return a pack with one rule, and only what it needs."""
    value = {key: deepcopy(item) for key, item in tree.value.items() if key not in ("rules", "parameters")}
    used = {name: item for name, item in tree.value.get("parameters", {}).items() if f"${name}" in str(rule)}
    if "role:important" in str(rule) and "important_share" in tree.value.get("parameters", {}):
        used["important_share"] = tree.value["parameters"]["important_share"]
    return {**value, "parameters": used, "rules": [rule]}


def judge_alone(value, path, worlds, benches=None):
    """Return the verdict of a pack's one rule in every world; None where the pack is refused."""
    path.write_text(
        yaml.dump(value, sort_keys=False, allow_unicode=True, Dumper=getattr(yaml, "CSafeDumper", yaml.SafeDumper))
    )
    try:
        (pack,) = read_packs([str(path)], attributes=list(GROUPS))
    except PolicyError:
        return None, benches
    benches = benches or benches_for(pack, worlds)
    try:
        check_names([pack], benches[-1])
    except PolicyError:
        return None, benches
    return [_judge_rule(pack.rules[0], pack, find_applicability(pack, b), b).status for b in benches], benches


def list_bad(name, numbers, worlds, path):
    """Return slips in some rules of a pack that turned into a pass, how many were refused, how many were tried."""
    tree = read_yaml(list_shipped()[name])
    bad, refused, tried = [], 0, 0
    for number in numbers:
        rule = tree.value["rules"][number]
        before, benches = judge_alone(alone(tree, rule), path, worlds)
        assert before is not None, f"{name}/{rule['id']} alone is no pack: {read_error(path)}"
        for wrong in mutate(rule):
            after, _ = judge_alone(alone(tree, wrong), path, worlds, benches)
            tried, refused = tried + 1, refused + (after is None)
            for old, new in zip(before, after or before, strict=True):
                if new == "pass" and old != "pass":
                    bad.append((f"{name}/{rule['id']}", old, {k: v for k, v in wrong.items() if rule.get(k) != v}))
    return bad, refused, tried


def read_error(path):
    try:
        read_packs([str(path)], attributes=list(GROUPS))
    except PolicyError as error:
        return str(error)
    return ""


@pytest.mark.parametrize("name", sorted(list_shipped()))
def test_no_slip_in_some_rules_becomes_a_pass(name, worlds, tmp_path):
    rules = len(read_yaml(list_shipped()[name]).value["rules"])
    bad, refused, tried = list_bad(name, range(0, rules, EVERY), worlds, tmp_path / f"{name}.yaml")
    assert bad == []
    assert refused > 0.8 * tried > 0


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(list_shipped()))
def test_no_slip_in_any_rule_becomes_a_pass(name, worlds, tmp_path):
    rules = len(read_yaml(list_shipped()[name]).value["rules"])
    bad, _, tried = list_bad(name, range(rules), worlds, tmp_path / f"{name}.yaml")
    assert bad == []
    assert tried > 10 * rules


def test_the_worlds_fail_and_pass_something(worlds, tmp_path):
    """A world in which nothing fails or nothing passes would prove nothing."""
    tree, words = read_yaml(list_shipped()["baseline-fairness"]), set()
    for rule in tree.value["rules"]:
        found, _ = judge_alone(alone(tree, rule), tmp_path / "baseline-fairness.yaml", worlds)
        words.update(found)
    assert {"pass", "fail", "inconclusive", "warn"} <= words
