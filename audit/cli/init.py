"""``audit init``: a first audit.yaml and documents.yaml from a table."""

from __future__ import annotations

from pathlib import Path

from audit.errors import ConfigError

from . import console


def init_audit(table: Path, *, model: Path | None = None, out: Path = Path()) -> None:
    """Write a first audit.yaml and documents.yaml; guesses are marked as guesses.

    Parameters
    ----------
    table
        The table to be audited: CSV or Parquet.
    model
        The model file, if there is one.
    out
        Folder to write to; existing files are not touched.
    """
    from audit.config.scaffold import write_first_config, write_first_documents

    texts = {"audit.yaml": write_first_config(table, model, out), "documents.yaml": write_first_documents()}
    for name in texts:
        if (out / name).exists():
            raise ConfigError(f"{out / name} exists", place="audit init", hint="--out names another folder")
    out.mkdir(parents=True, exist_ok=True)
    for name, text in texts.items():
        (out / name).write_text(text, encoding="utf-8")
        console.tell_file(out / name)
    console.note("Read every line marked '# guess', then: audit run " + str(out / "audit.yaml"))
