"""What long work tells whoever waits for it; silent unless a door listens."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol


class Progress(Protocol):
    """Listener to long work."""

    def stage(self, name: str) -> None:
        """Hear that the stage `name` begins."""

    def step(self, done: int, total: int) -> None:
        """Hear that `done` of `total` pieces of the stage are done."""


class SilentProgress:
    """A listener that says nothing."""

    def stage(self, name: str) -> None:
        """Ignore the stage."""

    def step(self, done: int, total: int) -> None:
        """Ignore the step."""


@contextmanager
def timed_stage(progress: Progress, name: str, seconds: dict[str, float]) -> Iterator[None]:
    """Announce a stage and add its wall time, in seconds, to `seconds`."""
    from time import perf_counter

    progress.stage(name)
    begun = perf_counter()
    try:
        yield
    finally:
        seconds[name] = round(seconds.get(name, 0.0) + perf_counter() - begun, 3)
