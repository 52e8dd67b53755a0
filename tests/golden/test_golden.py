"""Forms that others build on change on purpose or not at all.

Written anew with ``AUDIT_WRITE_GOLDEN=1 .venv/bin/python -m pytest tests/golden``; the difference then stands in the
commit for a reviewer to read.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "attestation" / "render"))


def schema(which: str) -> bytes:
    from audit.cli.schema import _schema_of

    return (json.dumps(_schema_of(which), indent=1, sort_keys=True, ensure_ascii=False) + "\n").encode()


def rendered(form: str) -> bytes:
    from dossier_fixture import make_dossier

    from audit.attestation.render.formats import FORMATS

    return FORMATS[form].render(make_dossier())


GOLDEN: dict[str, Callable[[], bytes]] = {
    "audit.schema.json": lambda: schema("config"),
    "evidence.schema.json": lambda: schema("evidence"),
    "policy.schema.json": lambda: schema("policy"),
    "documents.schema.json": lambda: schema("documents"),
    "report.md": lambda: rendered("markdown"),
    "junit.xml": lambda: rendered("junit"),
    "results.sarif": lambda: rendered("sarif"),
}


@pytest.mark.parametrize("name", GOLDEN)
def test_form_is_as_it_was(name):
    now, path = GOLDEN[name](), HERE / name
    if os.environ.get("AUDIT_WRITE_GOLDEN"):
        path.write_bytes(now)
    assert now == path.read_bytes(), f"{name} changed: if that is meant, write it anew and say so in the CHANGELOG"
