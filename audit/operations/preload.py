"""Everything that an audit imports, imported once: the parent of all worker processes loads this and nothing else.

Only imports, no work: a process that has used threads cannot be forked safely, one that has only imported can.
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


import_all()
