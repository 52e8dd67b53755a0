"""Progress of an audit as one line of text, for notebooks and scripts: a bar, the stage, and how long it may take yet.

Comes in: stages and steps. Goes out: text on a stream. How long a stage takes nobody knows beforehand, so that the time
left is told only where pieces are counted.
"""

from __future__ import annotations

import sys
from time import perf_counter
from typing import TextIO

STAGES = 20
"""About how many stages an audit has; the bar never runs over its end."""
WIDTH = 24


class TextProgress:
    """A bar of text that overwrites itself.

    Parameters
    ----------
    stream : text stream, optional
        Where to; default the standard error, which notebooks show.
    """

    def __init__(self, stream: TextIO | None = None) -> None:
        self._stream = stream or sys.stderr
        self._begun, self._stage_begun = perf_counter(), perf_counter()
        self._stages, self._name, self._length = 0, "", 0

    def stage(self, name: str) -> None:
        """Show that a stage begins."""
        self._stages += 1
        self._name, self._stage_begun = name, perf_counter()
        self._show(f"{name}")

    def step(self, done: int, total: int) -> None:
        """Show how far the stage is, and how long it will take yet."""
        if total:
            passed = perf_counter() - self._stage_begun
            left = f", {passed / done * (total - done):.0f} s left" if done else ""
            self._show(f"{self._name} {done:,}/{total:,}{left}")

    def close(self, words: str = "done") -> None:
        """Fill the bar and end the line."""
        self._stages = STAGES
        self._show(f"{words} in {perf_counter() - self._begun:.1f} s")
        self._stream.write("\n")
        self._stream.flush()

    def _show(self, text: str) -> None:
        filled = min(WIDTH, WIDTH * self._stages // STAGES)
        line = f"[{'#' * filled}{'.' * (WIDTH - filled)}] {text}"
        self._stream.write("\r" + line.ljust(self._length))
        self._length = len(line)
        self._stream.flush()
