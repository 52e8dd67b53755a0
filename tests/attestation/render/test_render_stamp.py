"""The visible signature: what a person stated, in the language of the report that they signed."""

from __future__ import annotations

import io

import pytest

from audit.attestation.render.stamp import render_stamp
from audit.evidence import Countersignature, SignerShown

MOMENT = "2026-11-21T09:15:07Z"
SIGNER = SignerShown(name="Ada Musterfrau", fingerprint=":".join(["AB"] * 32), development=False)


def words_of(language, **stated):
    given = Countersignature(**{"role": "approver", "name": "Ada Musterfrau", "moment": MOMENT, **stated})
    return text_of(render_stamp(given, SIGNER, 420, 50, language=language))


def text_of(data):
    pypdf = pytest.importorskip("pypdf", reason="reads what a PDF page says")
    return " ".join(pypdf.PdfReader(io.BytesIO(data)).pages[0].extract_text().split())


@pytest.mark.parametrize(
    ("role", "decision", "german", "english"),
    [
        ("preparer", None, "Erstellung", "preparer"),
        ("reviewer", "approve", "Prüfung: abgenommen", "reviewer: approved"),
        ("approver", "conditions", "Freigabe: unter Bedingungen abgenommen", "approver: approved with conditions"),
        ("approver", "reject", "Freigabe: abgelehnt", "approver: rejected"),
    ],
)
def test_role_decision_and_day_are_in_the_language(role, decision, german, english):
    said = words_of("de", role=role, decision=decision)
    assert f"Ada Musterfrau, {german}" in said
    assert "21. November 2026, 09:15 UTC · Zertifikat AB:AB" in said
    assert "certificate" not in said
    plain = words_of("en", role=role, decision=decision)
    assert f"Ada Musterfrau, {english}" in plain
    assert "21 November 2026, 09:15 UTC · certificate AB:AB" in plain


def test_what_the_person_wrote_stays_as_it_is():
    assert "approved at 0.5, not 0.8" in words_of("de", decision="conditions", note="approved at 0.5, not 0.8")
