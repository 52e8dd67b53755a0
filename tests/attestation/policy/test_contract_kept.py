"""A model that breaks its contract fails the baseline; one that was never asked is left open, and none is not asked."""

import pytest

from audit.attestation.policy.vocabulary import COMPUTED_FACTS
from audit.evidence import ContractCheck, Intake

from ..conftest import make_evidence

SAME_SCORE = ("deterministic", "row_independent", "order_independent")
KEPT, MODEL = COMPUTED_FACTS["audit.contract_kept"][1], COMPUTED_FACTS["audit.has_model"][1]


@pytest.mark.parametrize(
    ("words", "kept"),
    [
        ({}, None),
        (dict.fromkeys(SAME_SCORE, "pass"), True),
        (dict.fromkeys(SAME_SCORE, "pass") | {"scale": "warn", "gradients": "not_done"}, True),
        (dict.fromkeys(SAME_SCORE, "pass") | {"expected_score": "fail"}, False),
        (dict.fromkeys(SAME_SCORE, "pass") | {"order_independent": "fail"}, False),
        (dict.fromkeys(SAME_SCORE, "pass") | {"row_independent": "not_done"}, None),
        ({"finite": "pass", "scale": "pass"}, None),
    ],
)
def test_one_failed_check_breaks_the_contract_and_one_not_made_leaves_it_open(words, kept):
    checks = tuple(ContractCheck(id=name, title="A check", status=word, detail="-") for name, word in words.items())
    intake = Intake(format="pt2", file="m.pt2", sha256="sha256:" + "0" * 64, trust="vetted", checks=checks)
    assert KEPT(make_evidence().model_copy(update={"intake": intake})) is kept


def test_without_a_model_there_is_no_contract():
    evidence = make_evidence()
    subject = evidence.subject.model_copy(update={"has_model": False})
    assert MODEL(evidence) is True
    assert MODEL(evidence.model_copy(update={"subject": subject})) is False
