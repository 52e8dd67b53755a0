"""Everything that an audit imports, imported once: the parent of all worker processes loads this and nothing else.

Imports, and templates read: a process that has computed with threads cannot be forked safely, one that has not can.
"""

from __future__ import annotations

from importlib import import_module
from pkgutil import walk_packages

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
)
"""Libraries in the order in which they are imported; one that is missing is the audit's own to complain about."""
ROOMS = ("evidence", "statistics", "config", "attestation", "examination")
"""Packages of this project of which every module is imported."""


def find_room(name: str) -> list[str]:
    """Return where the modules of a package lie."""
    return list(import_module(f"audit.{name}").__path__)


def import_all() -> None:
    """Import what audits need."""
    rooms = [module.name for room in ROOMS for module in walk_packages(find_room(room), f"audit.{room}.")]
    for name in (*HEAVY, *rooms, "audit.workflow", "audit.operations.task", "audit.operations.standing"):
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
