"""``audit doctor``: whether this installation is sound, and what to do where it is not."""

from __future__ import annotations

import importlib.metadata
import platform
import re
import shutil
import sys
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from audit.errors import AuditError

from . import console

if TYPE_CHECKING:
    from audit.config.schema import Config

LIBRARIES = (
    "torch",
    "numpy",
    "pandas",
    "pyarrow",
    "scipy",
    "scikit-learn",
    "interpret-core",
    "fairlearn",
    "matplotlib",
    "jinja2",
    "weasyprint",
    "pyhanko",
    "cryptography",
    "pydantic",
    "PyYAML",
    "rfc8785",
    "cyclopts",
    "safetensors",
)
LEAST_FREE = 200e6
"""Bytes that a report with its temporary folder may need."""


@dataclass(frozen=True, slots=True)
class Finding:
    """What one check found.

    Parameters
    ----------
    name : str
        What was checked.
    problem : str
        What is wrong and what to do about it; empty where nothing is.
    detail : str
        What was seen.
    code : int
        Exit code that the problem stands for.
    """

    name: str
    problem: str = ""
    detail: str = ""
    code: int = 3


def doctor(
    config: Path | None = None,
    *,
    numbers: Annotated[bool, Parameter(name="--numbers", negative=(), show_default=False)] = False,
    json: Annotated[bool, Parameter(name="--json", negative=(), show_default=False)] = False,
) -> int:
    """Check this installation and say what to do about what is missing.

    Exit code 0 where all is well; 3 where something is missing or computes wrongly, 2 where the key or another text of
    the configuration is at fault, 4 where the ledger is broken, 6 where a disk is full or a server does not answer.

    Parameters
    ----------
    config
        An audit.yaml whose key, ledger and time stamp server are checked too.
    numbers
        Compute figures that others published again, and say whether they agree.
    json
        Print one JSON array instead of text.
    """
    findings = [_look(name, check) for name, check in CHECKS.items()]
    if config is not None:
        findings += check_configuration(config)
    if numbers:
        findings += check_numbers()
    if json:
        console.tell_json([{"name": f.name, "ok": not f.problem, "problem": f.problem, "detail": f.detail}
                           for f in findings])  # fmt: skip
    else:
        for found in findings:
            words = found.problem or found.detail
            console.tell(f"{'✗' if found.problem else '✓'} {found.name}{': ' + words if words else ''}")
    from audit.operations.task import WORST_FIRST

    return min((found.code for found in findings if found.problem), key=WORST_FIRST.index, default=0)


def _look(name: str, check: Callable[[], str]) -> Finding:
    code = 6 if name == "disk" else 3
    return Finding(name, check(), code=code)


def check_python() -> str:
    """Return that this Python is too old, or an empty string."""
    old = sys.version_info < (3, 11)
    return f"Python {platform.python_version()} is too old; install 3.11 or newer" if old else ""


def check_libraries() -> str:
    """Return which libraries are missing or older than this project needs, or an empty string."""
    needed = _needed_versions()
    problems = []
    for name in LIBRARIES:
        try:
            have = version(name)
        except PackageNotFoundError:
            problems.append(f"missing: {name}")
            continue
        least = needed.get(name.lower(), "")
        if least and _order(have) < _order(least):
            problems.append(f"{name} {have} is older than {least}")
    return f"{', '.join(problems)}; install glassbox-audit again" if problems else ""


def _needed_versions() -> dict[str, str]:
    try:
        wanted = importlib.metadata.requires("glassbox-audit") or []
    except PackageNotFoundError:
        return {}
    matches = (
        re.match(r"([A-Za-z0-9_.-]+)[^;]*?>=\s*([0-9][0-9.]*)", line) for line in wanted if "extra ==" not in line
    )
    return {match[1].lower(): match[2] for match in matches if match}


def _order(text: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", text.partition("+")[0])[:3])


def check_torch() -> str:
    """Return why torch cannot be used, or an empty string."""
    try:
        import torch
    except (ImportError, OSError) as error:
        return f"torch cannot be imported: {error}; install torch again"
    return "" if float(torch.ones(2).sum()) == 2.0 else "torch adds wrongly; install torch again"


def check_pdf_libraries() -> str:
    """Return what WeasyPrint lacks, or an empty string."""
    try:
        import weasyprint  # noqa: F401
    except OSError:
        return "WeasyPrint's libraries are missing; on Debian: libpango-1.0-0 libpangoft2-1.0-0 libharfbuzz-subset0"
    return ""


def check_shipped() -> str:
    """Return what is wrong with the shipped templates and policies, or an empty string."""
    from audit.attestation.policy.select import list_shipped, read_packs
    from audit.shipped import shipped_folder

    try:
        fonts = list((shipped_folder("templates") / "fonts").glob("*.ttf"))
        packs = read_packs(list_shipped())
    except FileNotFoundError as error:
        return str(error)
    except AuditError as error:
        return f"a shipped policy cannot be read: {error}; install glassbox-audit again"
    return "" if fonts and packs else "templates or policies are missing; install glassbox-audit again"


def check_fonts() -> str:
    """Return which shipped font cannot be opened, or an empty string."""
    from fontTools.ttLib import TTFont, TTLibError

    from audit.shipped import shipped_folder

    for path in sorted((shipped_folder("templates") / "fonts").glob("*.ttf")):
        try:
            with TTFont(path) as font:
                if ord("€") not in font.getBestCmap():
                    return f"{path.name} lacks letters; install glassbox-audit again"
        except (TTLibError, OSError) as error:
            return f"{path.name} cannot be opened: {error}; install glassbox-audit again"
    return ""


def check_disk() -> str:
    """Return a warning where less than 200 MB are free in the working folder."""
    free = shutil.disk_usage(Path.cwd()).free
    return f"only {free / 1e6:.0f} MB free in {Path.cwd()}; a report needs 200" if free < LEAST_FREE else ""


def check_configuration(path: Path) -> list[Finding]:
    """Return what a configuration's texts, key, ledger and time stamp server are like."""
    from audit.config.load import load_config

    try:
        config = load_config(path)
    except AuditError as error:
        return [Finding(str(path), str(error), code=error.exit_code)]
    parts = {"key": _look_at_key, "ledger": _look_at_ledger, "time stamp server": _look_at_stamps}
    found = [Finding(str(path))]
    for name, look in parts.items():
        try:
            found.append(Finding(name, detail=look(config)))
        except AuditError as error:
            found.append(Finding(name, str(error), code=error.exit_code))
    return found


def _look_at_key(config: Config) -> str:
    from audit.attestation.seal.keys import signer_for

    signer = signer_for(config.signing, interactive=False)
    if signer is None:
        return "none configured; reports stay unsigned and say so"
    shown = signer.shown()
    if shown.development:
        return "a development key, which proves no identity"
    return f"{shown.name}, valid until {signer.certificate.not_valid_after_utc.date().isoformat()}"


def _look_at_ledger(config: Config) -> str:
    from audit.attestation.ledger.store import read_ledger

    folder = Path(config.ledger.path)
    if not config.ledger.must_exist and not (folder / "log.jsonl").is_file():
        return f"none yet at {folder}; the first audit makes it"
    chain, _ = read_ledger(folder)
    return f"{len(chain.entries)} entries in one chain"


def _look_at_stamps(config: Config) -> str:
    from hashlib import sha256

    from audit.attestation.seal.timestamp import StampServer

    if config.signing.timestamp is None:
        return "none configured"
    server = StampServer(config.signing.timestamp)
    if server.token(sha256(b"audit doctor").digest()) is None:
        from audit.errors import TryAgain

        raise TryAgain(f"{config.signing.timestamp} gave no time stamp", hint="; ".join(server.notes))
    return config.signing.timestamp


def check_numbers() -> list[Finding]:
    """Return for each published figure whether this installation computes the same."""
    from audit.operations.published import recompute_all

    found = []
    for figure in recompute_all():
        published, computed = (
            ", ".join(f"{value:.7g}" for value in side) for side in (figure.published, figure.computed)
        )
        words = f"published {published}, computed {computed}"
        detail = f"match ({words}; {figure.source}{'; ' + figure.note if figure.note else ''})"
        mismatch = f"MISMATCH: {words}; {figure.source}. Install numpy and scipy again, and this package"
        found.append(Finding(figure.name, "" if figure.matches else mismatch, detail))
    return found


CHECKS: dict[str, Callable[[], str]] = {
    "Python": check_python,
    "libraries": check_libraries,
    "torch": check_torch,
    "PDF libraries": check_pdf_libraries,
    "templates and policies": check_shipped,
    "fonts": check_fonts,
    "disk": check_disk,
}
"""Name of a check to the function that returns what is wrong, or an empty string."""
