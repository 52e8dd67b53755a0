"""``audit init``: a first audit.yaml and documents.yaml from a table, or a documents.yaml with what it lacks."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from audit.errors import ConfigError

from . import console

if TYPE_CHECKING:
    from collections.abc import Sequence

    from audit.attestation.policy.select import LoadedPack

FIRST_PACK = "baseline-fairness"


def init_audit(
    table: Path | None = None,
    *,
    model: Path | None = None,
    packs: str = FIRST_PACK,
    documents: Path | None = None,
    out: Path = Path(),
) -> None:
    """Write a first audit.yaml and documents.yaml; guesses are marked as guesses.

    Parameters
    ----------
    table
        The table to be audited: CSV or Parquet.
    model
        The model file, if there is one.
    packs
        Policies to be judged by, with commas between them: names of shipped packs, or files.
    documents
        An audit.yaml: instead of writing new files, add to its documents.yaml the blanks that its policies ask for
        and that are not there yet.
    out
        Folder to write to; existing files are not touched.
    """
    if documents is not None and table is None:
        return _extend(documents)
    if table is None or documents is not None:
        what = "name a table, or an audit.yaml after --documents" if table is None else "--documents takes no table"
        hint = "audit init applicants.csv, or: audit init --documents audit.yaml"
        raise ConfigError(what, place="audit init", hint=hint)
    return _start(table, model, [name.strip() for name in packs.split(",") if name.strip()], out)


def _start(table: Path, model: Path | None, names: Sequence[str], out: Path) -> None:
    from audit.attestation.policy.select import read_packs
    from audit.attestation.policy.skeleton import write_skeleton
    from audit.config.scaffold import write_first_config

    loaded = read_packs(names)
    texts = {"audit.yaml": write_first_config(table, model, out, names), "documents.yaml": write_skeleton(loaded)}
    for name in texts:
        if (out / name).exists():
            hint = "--out names another folder" + ("" if name == "audit.yaml" else "; --documents extends it")
            raise ConfigError(f"{out / name} exists", place="audit init", hint=hint)
    out.mkdir(parents=True, exist_ok=True)
    for name, text in texts.items():
        (out / name).write_text(text, encoding="utf-8")
        console.tell_file(out / name)
    console.note(f"documents.yaml holds {_count_blanks(loaded)} blanks that the policies ask for.")
    console.note("Read every line marked '# guess', then: audit run " + str(out / "audit.yaml"))


def _count_blanks(packs: Sequence[LoadedPack]) -> int:
    from audit.attestation.policy.skeleton import list_blanks

    return len(list_blanks(packs))


def _extend(config: Path) -> None:
    from audit.attestation.policy.papers import load_papers
    from audit.attestation.policy.select import load_packs
    from audit.attestation.policy.skeleton import extend_documents
    from audit.config.load import load_config

    order = load_config(config, files="none")
    packs, path = load_packs(order), Path(order.documents or config.with_name("documents.yaml"))
    text = ""
    if path.is_file():
        load_papers(path)  # its own mistakes are told first, with their places
        text = path.read_bytes().decode("utf-8-sig")
    extended, added = extend_documents(text, packs, str(path))
    if not added:
        console.note(f"{path} lacks nothing that the policies of {config} ask for.")
        return
    _replace(path, extended)
    console.tell_file(path)
    console.note(f"{len(added)} blanks added: {', '.join(added[:8])}{', ...' if len(added) > 8 else ''}")
    if order.documents is None:
        console.note(f"Add to {config}: documents: {path.name}")


def _replace(path: Path, text: str) -> None:
    """Write beside and rename, so that an officer's work is never half a file."""
    part = path.with_name(f".{path.name}.part")
    try:
        part.write_bytes(text.encode())
        if path.exists():
            part.chmod(path.stat().st_mode & 0o777)
        part.replace(path)
    except OSError as error:
        part.unlink(missing_ok=True)
        raise ConfigError(f"cannot be written: {error.strerror}", place=str(path)) from None
