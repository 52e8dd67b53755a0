"""glassbox-audit: Responsible-AI audit reports for PyTorch models.

The functions below are the Python door; each is imported on first use, so that ``import audit`` costs nothing.

>>> import audit
>>> sorted(audit.__all__)
['AdditiveNetClassifier', 'AdditiveNetRegressor', 'attest', 'diff', 'examine', 'export', 'load', 'run', 'verify']
"""

from __future__ import annotations

import logging
from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from audit.examination.glassbox.estimator import AdditiveNetClassifier, AdditiveNetRegressor
    from audit.integrations.python import attest, diff, examine, export, load, run, verify

# a library stays silent until its user asks to hear it
logging.getLogger(__name__).addHandler(logging.NullHandler())

_ESTIMATORS = ("AdditiveNetClassifier", "AdditiveNetRegressor")

__all__ = [
    "AdditiveNetClassifier", "AdditiveNetRegressor", "attest", "diff", "examine", "export", "load", "run", "verify",
]  # fmt: skip


def __getattr__(name: str) -> Any:
    """Import a public function on first use (PEP 562)."""
    if name in _ESTIMATORS:
        return getattr(import_module("audit.examination.glassbox.estimator"), name)
    if name in __all__:
        return getattr(import_module("audit.integrations.python"), name)
    raise AttributeError(f"module 'audit' has no attribute {name!r}")


def __dir__() -> list[str]:
    """Return the public names."""
    return sorted(__all__)
