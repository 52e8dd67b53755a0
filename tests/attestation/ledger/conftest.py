"""A ledger with something in it."""

from __future__ import annotations

import pytest

from audit.attestation.ledger.store import hold_ledger
from audit.config.schema import LedgerOrder

SEALED = {"SHA256SUMS": b"sums", "SHA256SUMS.p7s": b"signature", "report.html": b"page"}


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "audit-log"


@pytest.fixture
def filled(folder, dossier_of, ada):
    """Three audits, the second unsigned, and a withdrawal."""
    with hold_ledger(LedgerOrder(path=str(folder))) as ledger:
        ledger.append(dossier_of(ada), SEALED, ada)
        ledger.append(dossier_of(None, outcome="failed", created="2026-03-02T12:00:00Z"), {"SHA256SUMS": b"x"})
        ledger.append(dossier_of(ada, system="cards", model="ff"), SEALED, ada)
        ledger.record("withdrawal", 1, "wrong data", time="2026-03-03T12:00:00Z", signer=ada)
    return folder
