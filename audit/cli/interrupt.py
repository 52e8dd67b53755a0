"""Ctrl-C is remembered: a library that swallows the exception ends the run at its next stage all the same."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

_heard = threading.Event()


@contextmanager
def remember_interrupts() -> Iterator[None]:
    """Listen for Ctrl-C during the block; in another thread than the main one nothing is changed."""
    _heard.clear()
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, _hear)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def heed_interrupt() -> None:
    """Raise KeyboardInterrupt where Ctrl-C was pressed and nothing came of it."""
    if _heard.is_set():
        raise KeyboardInterrupt


def _hear(signum: int, frame: FrameType | None) -> None:
    _heard.set()
    raise KeyboardInterrupt
