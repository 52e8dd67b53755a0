import pytest

from audit.attestation.policy.schema import policy_schema_of
from audit.attestation.policy.testing import run_policy_tests
from audit.errors import PolicyError

RULES = """rules:
  - {id: ratio, title: Rates are close, severity: high, measure: fairness.selection_rate_ratio,
     for_each: sex, must_be: at least 0.8, threshold_basis: guidance, judged_on: estimate}
"""
CASE = """schema: policy-test/1
pack: own.yaml
today: 2026-11-21
cases:
  - name: three quarters
    counts: {attributes: [sex], rows: [{sex: M, selected: 40, total: 80}, {sex: F, selected: 30, total: 80}]}
    expect: {"ratio[sex=F]": fail, ratio: fail}
    expect_values: {fairness.selection_rate_ratio: {sex=F: 0.75}}
"""


@pytest.fixture
def run(write_pack, tmp_path):
    write_pack(RULES)

    def go(text):
        path = tmp_path / "own.test.yaml"
        path.write_text(text)
        return run_policy_tests(path)

    return go


def test_a_case_that_comes_out_as_expected(run):
    (result,) = run(CASE)
    assert result.passed
    assert result.name == "three quarters"


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        ('sex=F]": fail', 'sex=F]": pass', "expected pass, came out fail"),
        ("0.75", "0.76", "expected 0.76, came out 0.7500"),
        ('ratio[sex=F]"', 'ratio[sex=Q]"', "no finding"),
        ("ratio: fail", "ration: fail", "did you mean 'own/ratio'?"),
        ("{sex=F: 0.75}", "{sex=Q: 0.75}", "no such value was judged"),
    ],
)
def test_a_case_that_does_not(run, old, new, problem):
    assert old in CASE
    (result,) = run(CASE.replace(old, new))
    assert not result.passed
    assert problem in " ".join(result.problems)


@pytest.mark.parametrize(
    ("old", "new", "what"),
    [
        ("counts:", "count:", "did you mean 'counts'?"),
        ("cases:", "case:", "did you mean 'cases'?"),
        ('"ratio[sex=F]": fail, ratio: fail', '"ratio[sex=F]": failed', "'failed' is no value"),
        ("    counts:", "    facts: {system.stag: production}\n    counts:", "did you mean 'system.stage'?"),
        ("pack: own.yaml", "pack: none.yaml", "no such policy file"),
        (
            '    expect: {"ratio[sex=F]": fail, ratio: fail}\n'
            "    expect_values: {fairness.selection_rate_ratio: {sex=F: 0.75}}\n",
            "",
            "expects nothing",
        ),
    ],
)
def test_texts_that_are_no_test(run, old, new, what):
    assert old in CASE
    with pytest.raises(PolicyError) as caught:
        run(CASE.replace(old, new))
    assert what in str(caught.value)


def test_schemas_list_every_name_and_no_null():
    for which in ("policy", "documents", "waivers"):
        schema = policy_schema_of(which)
        assert schema["$schema"].startswith("https://json-schema.org/")
        assert '"null"' not in str(schema).replace("'", '"')
        assert schema["additionalProperties"] is False
    policy = policy_schema_of("policy")
    assert "fairness.selection_rate_ratio" in policy["$defs"]["MeasureRule"]["properties"]["measure"]["enum"]
    assert "court" in str(policy["$defs"]["MeasureRule"]["properties"]["judged_on"])
    assert "system.stage" in policy_schema_of("documents")["$defs"]["facts"]["properties"]
    with pytest.raises(KeyError):
        policy_schema_of("nothing")
