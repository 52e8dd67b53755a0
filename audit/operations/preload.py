"""Everything that an audit imports, imported once: the parent of all worker processes loads this and nothing else.

Imports, and templates read: a process that has computed with threads cannot be forked safely, one that has not can.
"""

from __future__ import annotations

from importlib import import_module

HEAVY = (
    "torch",
    "torch._dynamo",
    "pandas",
    "pyarrow.parquet",
    "pyarrow.csv",
    "pyarrow.pandas_compat",
    "sklearn.linear_model",
    "scipy.stats",
    "interpret.glassbox",
    "fairlearn.metrics",
    "matplotlib.figure",
    "jinja2.ext",
    "weasyprint",
    "pyhanko.sign.signers",
    "audit.examination.pipeline",
    "audit.workflow",
    "audit.attestation.pipeline",
    "audit.examination.sweep.files",
    "audit.examination.blackbox.operations",
    "audit.attestation.ledger.lock",
    "audit.operations.task",
    "audit.operations.standing",
    "audit.operations.description",
)
"""Modules in the order in which they are imported; one that is missing is the audit's own to complain about."""


def import_all() -> None:
    """Import what audits need."""
    for name in HEAVY:
        try:
            import_module(name)
        except (ImportError, OSError):
            continue


def read_templates() -> None:
    """Compile every template and take the digest of the code, which all audits of a run share."""
    from audit.attestation.render.html import environment
    from audit.checkpoint import digest_code
    from audit.evidence.dossier import Brand

    engine = environment(Brand().templates)  # as a report without a house's own templates asks for it
    for name in engine.list_templates(extensions=["j2"]):
        try:
            engine.get_template(name)
        except Exception:  # noqa: S112 - the audit that needs it says what is wrong with it
            continue
    digest_code()


import_all()
read_templates()
