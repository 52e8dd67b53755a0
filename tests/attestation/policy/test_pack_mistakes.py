"""A text that is no policy is an error with its place; all mistakes at once, and none of them a pass."""

import re

import pytest

from audit.attestation.policy.catalogue import METRICS
from audit.attestation.policy.select import list_shipped, read_packs
from audit.errors import PolicyError

RULE = "rules:\n  - {id: r, title: A rule under test, severity: high, %s}\n"
SOUND = "measure: fairness.selection_rate_ratio, for_each: sex, must_be: at least 0.8, threshold_basis: organisation"


def mistakes_of(path, **how):
    with pytest.raises(PolicyError) as caught:
        read_packs([str(path)], **how)
    return caught.value.mistakes


@pytest.mark.parametrize(
    ("rule", "what", "hint"),
    [
        (
            "measure: fairness.selection_rate_ration, for_each: sex, must_be: reported",
            "unknown metric",
            "did you mean 'fairness.selection_rate_ratio'?",
        ),
        (
            "measure: fairness.selection_rate_ratio, for_each: sex, must_be: at least 0.8",
            "without threshold_basis",
            "regulation",
        ),
        (f"{SOUND}, judged_on: curt", "'curt' is no value of 'judged_on'", "did you mean 'court'?"),
        (f"{SOUND}, judge_on: court", "unknown key 'judge_on'", "did you mean 'judged_on'?"),
        (f"{SOUND}, compared_to: bets", "'bets' is no value", "did you mean 'best'?"),
        (SOUND.replace("at least 0.8", "'>= 0.8'"), "is no limit", "at least X"),
        (SOUND.replace("at least", "atleast"), "is no limit", "at least"),
        (SOUND.replace("at least 0.8", "0.8"), "a limit is a phrase", ""),
        (SOUND.replace("0.8", "$missing"), "unknown parameter '$missing'", "declare it"),
        (SOUND.replace("for_each: sex, ", ""), "is measured by group", "for_each"),
        (SOUND.replace("organisation", "organization"), "is no value of 'threshold_basis'", "organisation"),
        (f"{SOUND}, warn_unless: at least 0.9", "without warn_basis", ""),
        (f"{SOUND}, adjust_for_many: true", "only with 'judged_on: court'", ""),
        (f"{SOUND}, of_model: black_box", "is not measured by model", ""),
        (f"{SOUND}, for_features: all", "is not measured by feature", ""),
        (f"{SOUND}, min_samples: {{per_grup: 30}}", "unknown key 'per_grup'", "did you mean 'per_group'?"),
        (f"{SOUND}, leave_out_groups_below: 70%", "leave_out_groups_below", ""),
        (f"{SOUND}, severity_: low", "unknown key 'severity_'", "did you mean 'severity'?"),
        (f"{SOUND}, fact: system.stage", "exactly one of", ""),
        ("measure: fairness.selection_rate_ratio, for_each: sex", "no limit", "must_be"),
        ("measure: performance.auc, of_model: black_bax, must_be: reported", "unknown model 'black_bax'", "black_box"),
        (
            "measure: performance.auc, of_model: net_surrogate, must_be: reported",
            "is not measured for net_surrogate",
            "",
        ),
        (
            "measure: performance.auc, judged_on: court, must_be: at least 0.6, threshold_basis: organisation",
            "court is for comparisons",
            "",
        ),
        ("measure: performance.auc, for_each: sex, must_be: reported", "is not measured by group", ""),
        ("measure: effects.importance_share, must_be: reported", "is measured by feature", "for_features"),
        (
            "measure: effects.importance_share, for_features: role:important, must_be: reported",
            "needs a parameter",
            "5%",
        ),
        ("fact: system.jurisdiction, must_be: one of EU", "unknown fact", "did you mean 'system.jurisdictions'?"),
        ("fact: performance.auc, must_be: true", "unknown fact", "this is a metric"),
        ("fact: system.stage, must_be: at least 2", "is no limit for this", ""),
        ("fact: system.stage, verdicts: {produktion: pass}", "is no value of 'system.stage'", "production"),
        ("fact: system.is_first_audit", "exactly one of must_be and verdicts", ""),
        ("document: [system.intended_purpos]", "unknown document", "did you mean 'system.intended_purpose'?"),
        ("document: []", "names no document", ""),
        ("ask: Say yes., asked_of: owner", "question mark", ""),
        ("ask: 'Why?'", "'asked_of' is missing", ""),
        ("shape_of: role:increasing, must_be: rising, tolerance: 1%, threshold_basis: organisation", "'rising'", ""),
        ("shape_of: role:increasing, must_be: increasing, tolerance: 1%", "without threshold_basis", ""),
        (
            "shape_of: role:increasing, must_be: increasing, tolerance: 1%, within_quantiles: [0.02, 0.98], "
            "threshold_basis: organisation",
            "not in the evidence",
            "0.01",
        ),
        (
            "compare: performance.auc, with: last_audit, may_worsen_by: 0.01, threshold_basis: organisation",
            "'last_audit'",
            "",
        ),
        (
            "compare: performance.acu, with: previous_audit, may_worsen_by: 0.01, threshold_basis: organisation",
            "unknown metric",
            "did you mean 'performance.auc'?",
        ),
        (
            "compare: performance.auc, with: previous_audit, may_worsen_by: a lot, threshold_basis: organisation",
            "is no limit",
            "",
        ),
        (f"{SOUND}, applies_when: {{system.stag: production}}", "unknown fact 'system.stag'", "system.stage"),
        (f"{SOUND}, applies_when: {{system.stage: prod}}", "'prod' is no value of 'system.stage'", ""),
        (f"{SOUND}, applies_when: {{system.is_first_audit: 'yes'}}", "is true or false", ""),
        ("why: nothing to judge", "exactly one of", ""),
    ],
)
def test_every_mistake_has_its_place_and_its_cure(write_pack, rule, what, hint):
    path = write_pack(RULE % rule)
    found = mistakes_of(path)
    assert any(what in m.what and hint in m.hint for m in found), [str(m) for m in found]
    assert all(re.match(rf"{re.escape(str(path))}:\d+:\d+$", m.place) for m in found), [m.place for m in found]


def test_the_place_is_that_of_the_value(write_pack):
    path = write_pack(
        "rules:\n  - id: a\n    title: A rule under test\n    severity: high\n"
        "    measure: fairness.selection_rate_ration\n    for_each: sex\n    must_be: reported\n"
    )
    (mistake,) = mistakes_of(path)
    assert str(mistake) == (
        f"{path}:10:14: rule a: unknown metric 'fairness.selection_rate_ration'; "
        "did you mean 'fairness.selection_rate_ratio'?"
    )


def test_all_mistakes_come_at_once(write_pack):
    structure = write_pack(RULE % f"{SOUND}, judge_on: x" + "paramters: {}\nmaturity: ripe\n")
    assert len(mistakes_of(structure)) == 3
    meaning = write_pack(
        "applies_when: {system.us_case: x}\nparameters:\n"
        "  p: {title: t, default: 2, minimum: 0, maximum: 1, basis: guidance}\n"
        "rules:\n  - {id: a, title: A rule under test, severity: low, measure: x.y, must_be: at least}\n"
        "  - {id: a, title: A rule under test, severity: low, fact: nothing, must_be: true}\n"
    )
    found = " | ".join(str(m) for m in mistakes_of(meaning))
    for what in (
        "system.us_case",
        "outside its own bounds",
        "no rule uses",
        "unknown metric",
        "is no limit",
        "stands twice",
        "unknown fact 'nothing'",
    ):
        assert what in found


def test_a_broken_rule_does_not_hide_what_is_wrong_with_the_others(write_pack):
    path = write_pack(
        "rules:\n"
        "  - {id: a, title: A rule under test, severity: low, measure: x.y, must_be: reported}\n"
        "  - {id: b, title: A rule under test, severity: lwo, measure: data.rows, must_be: reported}\n"
        "  - {id: c, title: A rule under test, severity: low, fact: nothing, must_be: true}\n"
    )
    found = mistakes_of(path)
    assert [(m.place.split(":")[-2], m.what) for m in found] == [
        ("7", "rule a: unknown metric 'x.y'"),
        ("8", "'lwo' is no value of 'severity'"),
        ("9", "rule c: unknown fact 'nothing'"),
    ]


@pytest.mark.parametrize(
    ("text", "what", "place"),
    [
        ("pack: b\npack: c\n", "stands twice", ":2:1"),
        ("rules:\n\t- a\n", "not YAML", ":"),
        ("- a\n- b\n", "not a list of", ":1:1"),
        ("", "not a list of", ":1:1"),
        ("schema: policy/2\n", "'policy/2' is no value", ":1:9"),
    ],
)
def test_texts_that_are_no_pack(tmp_path, text, what, place):
    path = tmp_path / "bad.yaml"
    path.write_text(text)
    found = mistakes_of(path)
    assert any(what in m.what and place in m.place for m in found), [str(m) for m in found]


def test_a_whole_version_number_must_be_quoted(write_pack, head):
    path = write_pack(head.replace("1.0.0", "1") + RULE % SOUND)
    assert "'version' must be a text, not 1" in str(mistakes_of(path)[0])


def test_unknown_attribute_is_an_error_once_the_audit_is_known(write_pack):
    path = write_pack(RULE % SOUND.replace("for_each: sex", "for_each: [sex, ethnicty, sex * agee]"))
    found = mistakes_of(path, attributes=["sex", "ethnicity", "age"])
    assert [m.hint for m in found] == ["did you mean 'ethnicity'?", "did you mean 'age'?"]
    read_packs([str(path)])  # before an audit is known nothing can be said


def test_shipped_packs_may_name_a_standard_attribute_that_an_audit_lacks():
    assert read_packs(["nyc-ll144"], attributes=["age"])


def _misspell(word):
    middle = max(len(word) // 2, 1)
    return word[:middle] + word[middle + 1 :] if len(word) > 3 else word + "x"


def _mutations():
    """Every name in every shipped pack, misspelled by one letter."""
    names = re.compile(
        r"^(\s+)(measure|for_each|of_model|fact|judged_on|compared_to|threshold_basis|warn_basis|severity|"
        r"when_no_such_scope|must_be|warn_unless|document|shape_of|for_features): (.+)$"
    )
    for pack, path in list_shipped().items():
        lines = path.read_text().splitlines()
        for number, line in enumerate(lines):
            match = names.match(line)
            if not match:
                continue
            value = match[3]
            word = re.findall(r"[a-z_]+\.[a-z_0-9]+|\$?[a-z_]{3,}", value.replace("role:", "role:"))
            for target in dict.fromkeys(word):
                if target in ("role", "and", "all", "sex", "race_ethnicity") or (
                    target == "protected" and "role:" in value
                ):
                    continue
                changed = line.replace(target, _misspell(target), 1)
                yield pytest.param(pack, number, changed, id=f"{pack}:{number + 1}:{target}")


@pytest.mark.parametrize(("pack", "number", "changed"), list(_mutations())[::20])
def test_a_misspelled_name_in_a_shipped_pack_is_an_error(tmp_path, pack, number, changed):
    lines = list_shipped()[pack].read_text().splitlines()
    lines[number] = changed
    path = tmp_path / f"{pack}.yaml"
    path.write_text("\n".join(lines) + "\n")
    found = mistakes_of(path, attributes=["sex", "race_ethnicity"])
    assert any(f":{number + 1}:" in m.place for m in found), [str(m) for m in found]


@pytest.mark.parametrize("key", ["measure", "for_each", "must_be", "judged_on", "severity", "title", "id"])
def test_a_misspelled_key_in_a_shipped_pack_is_an_error(tmp_path, key):
    text = list_shipped()["baseline-fairness"].read_text()
    path = tmp_path / "baseline-fairness.yaml"
    path.write_text(re.sub(rf"(?m)^(\s+-? ?){key}:", rf"\g<1>{key}e:", text, count=1))
    assert mistakes_of(path)


def test_metrics_have_one_meaning():
    for metric in METRICS.values():
        assert ("model" in metric.scopes) == bool(metric.models), metric.id
        if metric.base:
            assert metric.base in METRICS, metric.id
        if metric.compares in ("ratio", "difference"):
            assert metric.base, metric.id
            assert "group" in metric.scopes, metric.id


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("uses: [baseline-fairness]\n", "'uses' holds 'baseline-fairness' alone; write {pack: NAME}"),
        ("uses: baseline-fairness\n", "'uses' is 'baseline-fairness' alone; write a list"),
        ("parameters: 3\n", "'parameters' is '3' alone; write keys and values"),
    ],
)
def test_a_value_of_another_form_is_told_in_plain_words(write_pack, text, what):
    with pytest.raises(PolicyError) as caught:
        read_packs([str(write_pack(text + RULES_OF_FORM))])
    assert what in str(caught.value)


RULES_OF_FORM = """rules:
  - {id: r, title: A rule under test, severity: high, measure: data.rows, must_be: at least 1,
     threshold_basis: guidance, judged_on: estimate}
"""
