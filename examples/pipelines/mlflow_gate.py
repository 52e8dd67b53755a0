"""Audit a registered model and let it through the gate, or not.

``python mlflow_gate.py audit.yaml models:/credit@candidate`` needs ``pip install glassbox-audit mlflow-skinny`` and
MLFLOW_TRACKING_URI. The alias ``champion`` moves to the version that passed; deployment reads the alias. Ends with the
audit's own exit code, and with 6 where the server does not answer.
"""

from __future__ import annotations

import os
import sys

from audit.errors import AuditError
from audit.integrations.mlflow import audit_mlflow_model


def main(config: str, model: str) -> int:
    """Return the exit code of the audit of a model."""
    try:
        done = audit_mlflow_model(config, model, tracking_uri=os.environ.get("MLFLOW_TRACKING_URI"), alias="champion")
    except AuditError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    judged = done.outcome.dossier.judgement.outcome
    print(f"{done.name} {done.version}: {judged}; champion {'moved here' if done.opened else 'stays where it is'}")
    return done.outcome.exit_code


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:3]))
