"""``audit schema``: JSON Schemas, so that editors complete and check."""

from __future__ import annotations

from typing import Literal

from . import console


def schema(which: Literal["config", "evidence", "policy", "documents", "waivers", "policy-test"]) -> None:
    """Print the JSON Schema of a file that this tool reads or writes.

    Parameters
    ----------
    which
        ``config`` for audit.yaml, ``evidence`` for evidence.json, ``policy`` for rule packs, ``documents`` for
        documents.yaml, ``waivers`` for a waivers file, ``policy-test`` for tests of packs. Save it
        and point your editor at it: ``# yaml-language-server: $schema=audit.schema.json``.
    """
    console.tell_json(_schema_of(which))


def _schema_of(which: str) -> dict[str, object]:
    if which in ("config", "evidence"):
        from audit.config.load import schema_of

        return schema_of(which)
    from audit.attestation.policy.schema import policy_schema_of

    return policy_schema_of(which)
