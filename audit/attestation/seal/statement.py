"""What is attested: an in-toto Statement v1 over every file of a report, the model and the data.

Comes in: the dossier and the digests of the files. Goes out: canonical JSON whose subjects are the files and inputs by
SHA-256 and whose predicate is the audit in short: outcome, every rule's verdict, policies by digest, tool, versions,
seed, who signed, and the digest of the ledger entry before it. A policy engine reads this without reading the report;
`verify` makes it again from audit.json and compares.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from audit.evidence.base import canonical_bytes
from audit.evidence.countersignature import Countersignature
from audit.evidence.dossier import Dossier, SignerShown

STATEMENT_TYPE = "https://in-toto.io/Statement/v1"
PAYLOAD_TYPE = "application/vnd.in-toto+json"
REPORT_PREDICATE = "urn:glassbox-audit:predicate:report:v1"
EVIDENCE_PREDICATE = "urn:glassbox-audit:predicate:evidence:v1"
_POLICY_KEYS = ("pack", "version", "path", "sha256")


def state_report(
    files: Mapping[str, str], dossier: Dossier, signer: SignerShown, *, previous: str | None = None
) -> bytes:
    """Return the statement over a report.

    Parameters
    ----------
    files : mapping
        File name to hexadecimal SHA-256.
    dossier : Dossier
        What the report shows.
    signer : SignerShown
        Who will sign the statement.
    previous : str, optional
        Digest of the ledger's last entry.

    Returns
    -------
    bytes
        Canonical JSON (RFC 8785).
    """
    plain = dossier.model_dump(mode="json")
    inputs = plain["evidence"]["provenance"]["files"]
    return canonical_bytes(
        {
            "_type": STATEMENT_TYPE,
            "subject": subjects_of(files, inputs),
            "predicateType": REPORT_PREDICATE,
            "predicate": predicate_of(plain, signer.model_dump(mode="json"), previous),
        }
    )


def state_countersignature(
    files: Mapping[str, str],
    dossier: Mapping[str, Any],
    signer: SignerShown,
    stated: Countersignature,
    *,
    previous: str,
) -> bytes:
    """Return the statement of a person who signs a sealed report: the report's own, and what the person states.

    Parameters
    ----------
    files : mapping
        File name to hexadecimal SHA-256.
    dossier : mapping
        audit.json as plain values.
    signer : SignerShown
        Who will sign the statement.
    stated : Countersignature
        Role, decision, reasons.
    previous : str
        Digest of the statement that this one follows; of SHA256SUMS where nobody had signed.
    """
    shown = signer.model_dump(mode="json")
    return canonical_bytes(
        {
            "_type": STATEMENT_TYPE,
            "subject": subjects_of(files, dossier["evidence"]["provenance"]["files"]),
            "predicateType": REPORT_PREDICATE,
            "predicate": predicate_of(dossier, shown, previous, stated.model_dump(mode="json")),
        }
    )


def state_evidence(sha256: str, signer: SignerShown) -> bytes:
    """Return the statement over an evidence document, whose hexadecimal SHA-256 is given."""
    return canonical_bytes(
        {
            "_type": STATEMENT_TYPE,
            "subject": subjects_of({"evidence.json": sha256}, ()),
            "predicateType": EVIDENCE_PREDICATE,
            "predicate": {"signer": signer_of(signer.model_dump(mode="json"))},
        }
    )


def subjects_of(files: Mapping[str, str], inputs: Any) -> list[dict[str, Any]]:
    """Return a statement's subjects: the files by name, then the inputs as ``input/<role>/<name>``.

    Parameters
    ----------
    files : mapping
        File name to hexadecimal SHA-256.
    inputs : iterable of dict
        `FileDigest` records as plain values.

    Notes
    -----
    in-toto asks that names be unique within a statement; inputs of one role and name are numbered.
    """
    found = [{"name": name, "digest": {"sha256": digest}} for name, digest in sorted(files.items())]
    seen: dict[str, int] = {}
    for item in inputs:
        name = f"input/{item['role']}/{item['name']}"
        seen[name] = seen.get(name, 0) + 1
        label = name if seen[name] == 1 else f"{name}#{seen[name]}"
        found.append({"name": label, "digest": {"sha256": str(item["sha256"]).removeprefix("sha256:")}})
    return found


def predicate_of(
    dossier: Mapping[str, Any],
    signer: Mapping[str, Any],
    previous: str | None,
    signature: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """Return the predicate of a report's statement; a function of its arguments alone, so that it can be made again.

    Parameters
    ----------
    dossier : mapping
        audit.json as plain values.
    signer : mapping
        `SignerShown` as plain values.
    previous : str or None
        Digest of the ledger's last entry; of a countersignature, that of the statement before.
    signature : mapping, optional
        `Countersignature` as plain values.
    """
    evidence, judgement = dossier["evidence"], dossier["judgement"]
    provenance, subject = evidence["provenance"], evidence["subject"]
    return {
        "kind": dossier["kind"],
        "dossier": {"schema": dossier["schema_version"], "previous": dossier["previous"]},
        "system": {"name": subject["system"], "version": subject["version"], "title": subject["title"]},
        "outcome": judgement["outcome"],
        "fail_on": judgement["fail_on"],
        "as_of": judgement["as_of"],
        "created": dossier["presentation"]["created"],
        "rules": [
            {"rule": item["rule"], "severity": item["severity"], "limit": item["limit"], "status": item["status"]}
            for item in judgement["findings"]
        ],
        "policies": [{key: item[key] for key in _POLICY_KEYS} for item in judgement["policies"]],
        "evidence": {"digest": judgement["evidence_digest"], "supplied": judgement["evidence_signed"]},
        "incomplete": sorted(name for name, part in evidence.items() if isinstance(part, dict) and part.get("broke")),
        "tool": {"name": provenance["tool"], "versions": provenance["versions"], "platform": provenance["platform"]},
        "configuration": provenance["config_digest"],
        "effort": provenance["effort"],
        "seed": provenance["seed"],
        "signer": signer_of(signer),
        "previous": previous,
        **({"signature": dict(signature)} if signature is not None else {}),
    }


def signer_of(signer: Mapping[str, Any]) -> dict[str, str]:
    """Return who signs, as a predicate names it."""
    identity = "self-signed-development" if signer["development"] else "certificate"
    return {"name": signer["name"], "certificate_sha256": signer["fingerprint"], "identity": identity}
