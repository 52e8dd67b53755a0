"""A model that breaks its contract fails the baseline; one that was never asked is left open, and none is not asked."""

import pytest

from audit.attestation.policy.vocabulary import COMPUTED_FACTS
from audit.evidence import ContractCheck, Intake

from ..conftest import make_evidence

KEPT, MODEL = COMPUTED_FACTS["audit.contract_kept"][1], COMPUTED_FACTS["audit.has_model"][1]


@pytest.mark.parametrize(
    ("words", "kept"),
    [((), None), (("pass",), True), (("pass", "warn", "not_done"), True), (("pass", "fail"), False)],
)
def test_one_failed_check_breaks_the_contract(words, kept):
    checks = tuple(ContractCheck(id=f"c{i}", title="A check", status=word, detail="-") for i, word in enumerate(words))
    intake = Intake(format="pt2", file="m.pt2", sha256="sha256:" + "0" * 64, trust="vetted", checks=checks)
    assert KEPT(make_evidence().model_copy(update={"intake": intake})) is kept


def test_without_a_model_there_is_no_contract():
    evidence = make_evidence()
    subject = evidence.subject.model_copy(update={"has_model": False})
    assert MODEL(evidence) is True
    assert MODEL(evidence.model_copy(update={"subject": subject})) is False
