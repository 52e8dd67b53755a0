"""Templates and policies that are shipped: from the wheel where there is one, else from the source tree."""

from __future__ import annotations

from pathlib import Path

_HERE = Path(__file__).resolve().parent


def shipped_folder(name: str) -> Path:
    """Return the folder ``templates`` or ``policies``.

    Parameters
    ----------
    name : str
        ``templates`` or ``policies``.

    Raises
    ------
    FileNotFoundError
        The installation is broken.
    """
    for place in (_HERE / "_shipped" / name, _HERE.parent / name):
        if place.is_dir():
            return place
    raise FileNotFoundError(f"this installation of glassbox-audit lacks its {name}; install it again")
