"""How much memory a process and all that it started use, asked of the operating system.

Comes in: a process id. Goes out: bytes, or the processes themselves. Anonymous memory is counted, not the files and
libraries that several processes share; a page that a fork shares with its parent counts for both, so that the sum is
rather too large than too small.
"""

from __future__ import annotations

import os
import signal
from pathlib import Path

PROC = Path("/proc")


def can_measure() -> bool:
    """Tell whether this system says how much memory a process uses (Linux does)."""
    return (PROC / "self" / "status").is_file()


def list_descendants(pid: int) -> list[int]:
    """Return a process and everything below it, parents first; the process alone where that cannot be known."""
    children: dict[int, list[int]] = {}
    for entry in PROC.iterdir() if PROC.is_dir() else ():
        if entry.name.isdigit() and (parent := _parent_of(entry)) is not None:
            children.setdefault(parent, []).append(int(entry.name))
    found = [pid]
    for one in found:  # grows while it is walked
        found += children.get(one, [])
    return found


def used_memory(pid: int) -> int:
    """Return the bytes of anonymous memory of a process and everything below it."""
    return sum(_anonymous(PROC / str(one)) for one in list_descendants(pid))


def kill_descendants(pid: int) -> None:
    """End a process and everything below it at once."""
    for one in list_descendants(pid):
        try:
            os.kill(one, signal.SIGKILL)
        except ProcessLookupError:
            continue


def _parent_of(entry: Path) -> int | None:
    try:
        # the name of the program stands in brackets and may hold anything, brackets too
        return int((entry / "stat").read_text(errors="replace").rpartition(")")[2].split()[1])
    except (OSError, ValueError, IndexError):
        return None


def _anonymous(entry: Path) -> int:
    try:
        lines = (entry / "status").read_text(errors="replace").splitlines()
    except OSError:
        return 0
    return sum(int(line.split()[1]) * 1024 for line in lines if line.startswith(("RssAnon:", "RssShmem:")))
