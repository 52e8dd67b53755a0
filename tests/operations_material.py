"""Small jobs for tests of operations: stored scores, so that an audit takes a second, and models that misbehave."""

from __future__ import annotations

import hashlib
from pathlib import Path

from material import make_table

LINES = (
    "label: repaid\ngroups: [sex]\ndecision: score >= 0.5\neffort: fast\nsigning: {key: development}\n"
    "report: {formats: [html]}\n"
)


def make_scored_job(folder: Path, name: str, *, extra: str = "", seed: int = 7) -> Path:
    """Write a configuration of stored scores and return it; several in one folder share its ledger."""
    folder.mkdir(parents=True, exist_ok=True)
    table = make_table(300, seed)
    table["score"] = (table["income"] / 64).clip(0.01, 0.99).round(4)
    table.to_csv(folder / f"{name}.csv", index=False)
    config = folder / f"{name}.yaml"
    config.write_text(
        f"system: {{name: {name}}}\ndata: {name}.csv\nmodel: {{scores: score, scale: probability}}\n{LINES}{extra}",
        encoding="utf-8",
    )
    return config


def make_code_job(folder: Path, name: str, body: str) -> Path:
    """Write a configuration whose model is a Python function with this body."""
    folder.mkdir(parents=True, exist_ok=True)
    make_table(300).to_csv(folder / f"{name}.csv", index=False)
    code = folder / f"{name}.py"
    code.write_text(f"import os, time\n\ndef score(frame):\n    {body}\n    return frame['income'] / 100\n")
    digest = hashlib.sha256(code.read_bytes()).hexdigest()
    model = f"{{format: python, factory: '{name}.py:score', sha256: '{digest}', trust_code: true, inputs: [income], "
    config = folder / f"{name}.yaml"
    config.write_text(
        f"system: {{name: {name}}}\ndata: {name}.csv\nmodel: {model}output: probability}}\n{LINES}", encoding="utf-8"
    )
    return config


def state_of(folder: Path) -> tuple[set[str], list[str]]:
    """Return dossier digests of all visible reports below a folder, and those on record in its ledger."""
    from audit.attestation.ledger.store import read_ledger
    from audit.evidence import digest_bytes

    seen = {
        digest_bytes(path.read_bytes())
        for path in folder.rglob("audit.json")
        if not any(part.startswith(".") for part in path.relative_to(folder).parts)
    }
    if not (folder / "audit-log" / "log.jsonl").is_file():
        return seen, []
    return seen, [entry.dossier_digest for entry in read_ledger(folder / "audit-log")[0].entries]


def hidden_folders(folder: Path) -> list[Path]:
    """Return half-written folders that lie about below a folder."""
    return [path for path in folder.rglob(".*") if path.is_dir()]


def run_and_die(place: str, config: str, out: str) -> None:
    """Run an audit in this process after a statement has put `die` somewhere into its way."""
    import os
    import signal

    import audit.checkpoint
    from audit.operations.task import AuditTask, run_task

    def die(*arguments: object, **named: object) -> None:
        os.kill(os.getpid(), signal.SIGKILL)

    audit.checkpoint.digest_code = lambda: "this code"
    exec(place, {"die": die})
    run_task(AuditTask(Path(config), out=Path(out)))
