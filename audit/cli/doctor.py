"""``audit doctor``: whether this installation is sound."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from audit.errors import AuditError

from . import console

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


def doctor(*, numbers: bool = False) -> int:
    """Check this installation and say what to do about what is missing.

    Parameters
    ----------
    numbers
        Recompute published figures (not part of this version).
    """
    if numbers:
        raise AuditError("recomputing published figures is not part of this version", hint="run: audit doctor")
    sound = True
    for name, check in CHECKS.items():
        problem = check()
        sound = sound and not problem
        console.tell(f"{'✗' if problem else '✓'} {name}{': ' + problem if problem else ''}")
    return 0 if sound else 3


def check_libraries() -> str:
    """Return which libraries are missing, or an empty string."""
    missing = []
    for name in LIBRARIES:
        try:
            version(name)
        except PackageNotFoundError:
            missing.append(name)
    return f"missing: {', '.join(missing)}; install glassbox-audit again" if missing else ""


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
    from audit.shipped import shipped_folder

    try:
        fonts = list((shipped_folder("templates") / "fonts").glob("*.ttf"))
        packs = list(shipped_folder("policies").glob("*.yaml"))
    except FileNotFoundError as error:
        return str(error)
    return "" if fonts and packs else "templates or policies are missing; install glassbox-audit again"


def check_disk() -> str:
    """Return a warning where less than 200 MB are free in the working folder."""
    free = shutil.disk_usage(Path.cwd()).free
    return f"only {free / 1e6:.0f} MB free in {Path.cwd()}" if free < 200e6 else ""


CHECKS: dict[str, Callable[[], str]] = {
    "libraries": check_libraries,
    "torch": check_torch,
    "PDF libraries": check_pdf_libraries,
    "templates, fonts and policies": check_shipped,
    "disk": check_disk,
}
"""Name of a check to the function that returns what is wrong, or an empty string."""
