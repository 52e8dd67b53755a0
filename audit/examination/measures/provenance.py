"""Versions, digests, seeds and times of one examination."""

from __future__ import annotations

import platform
from importlib.metadata import PackageNotFoundError, version

from audit.evidence import FileDigest, Provenance, canonical_bytes, digest_bytes

from .case import Case

COMPUTING = (
    "torch",
    "numpy",
    "scipy",
    "pandas",
    "pyarrow",
    "scikit-learn",
    "interpret-core",
    "fairlearn",
    "pydantic",
)
"""Libraries whose version can change a number."""


def describe_provenance(case: Case, artifacts: dict[str, bytes], started: str, seconds: dict[str, float]) -> Provenance:
    """Return what a second person needs to get the same numbers.

    Parameters
    ----------
    case : Case
        The finished case.
    artifacts : dict of str to bytes
        Files written beside the evidence.
    started : str
        UTC time, ISO 8601.
    seconds : dict of str to float
        Wall time by stage, in seconds.
    """
    model = FileDigest(
        name=case.intake.file or case.intake.format,
        sha256=case.intake.sha256,
        size=case.intake.size or 0,
        role="model",
        note="" if case.intake.file else "object, not file",
    )
    return Provenance(
        tool=f"glassbox-audit {tool_version()}",
        versions={"python": platform.python_version(), **{name: _installed(name) for name in COMPUTING}},
        platform=f"{platform.system()} {platform.machine()}",
        config_digest=digest_bytes(canonical_bytes(_portable(case))),
        files=(
            *case.dataset.files,
            *(case.training.files if case.training else ()),
            *((model,) if case.intake.format not in ("scores", "decisions", "none") else ()),
        ),
        artifacts=tuple(
            FileDigest(name=name, sha256=digest_bytes(data), size=len(data), role="artifact")
            for name, data in sorted(artifacts.items())
        ),
        seed=case.seed,
        effort=case.config.effort,
        started=started,
        seconds=seconds,
    )


def tool_version() -> str:
    """Return the version of glassbox-audit that runs."""
    return _installed("glassbox-audit")


def _installed(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "not installed"


def _portable(case: Case) -> dict[str, object]:
    """Return the configuration without folders, so that the same audit elsewhere has the same digest."""
    from audit.config.schema import ExamineConfig

    dump = case.config.model_dump(mode="json", include=set(ExamineConfig.model_fields))
    for block, key in (
        ("data", "audit"),
        ("data", "train"),
        ("data", "model_train"),
        ("model", "path"),
        ("model", "factory"),
    ):
        if isinstance(dump[block].get(key), str):
            dump[block][key] = dump[block][key].replace("\\", "/").rsplit("/", 1)[-1]
    source = dump["groups"].get("source")
    if source:
        source["file"] = source["file"].replace("\\", "/").rsplit("/", 1)[-1]
    return dump
