"""Ctrl-C is remembered: a library that swallows the exception ends the run at its next stage all the same."""

from __future__ import annotations

import atexit
import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import NoReturn

INTERRUPTED = 130
"""Exit code of a run that Ctrl-C ended: 128 and the number of SIGINT."""

_heard = threading.Event()


@contextmanager
def remember_interrupts() -> Iterator[None]:
    """Listen for Ctrl-C during the block; in another thread than the main one nothing is changed."""
    _heard.clear()
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before, hook = signal.signal(signal.SIGINT, _hear), sys.unraisablehook
    sys.unraisablehook = _hear_unraisable
    try:
        yield
    finally:
        sys.unraisablehook = hook
        signal.signal(signal.SIGINT, before)


def heed_interrupt() -> None:
    """Raise KeyboardInterrupt where Ctrl-C was pressed and nothing came of it."""
    if _heard.is_set():
        raise KeyboardInterrupt


def leave_interrupted() -> NoReturn:
    """End the process with 130, after the exit handlers.

    Notes
    -----
    Where the exception passed through code that C ran (an import of torch does that), Python remembers it as unhandled
    and at its end kills itself with SIGINT instead of returning the code
    (https://bugs.python.org/issue1054041); so the end is not left to it.
    """
    try:
        atexit._run_exitfuncs()
        sys.stdout.flush()
        sys.stderr.flush()
    finally:
        os._exit(INTERRUPTED)


def _hear_unraisable(what: sys.UnraisableHookArgs) -> None:
    # in a finaliser the exception goes nowhere, and Python would print a traceback about it
    if what.exc_type is not KeyboardInterrupt:
        sys.__unraisablehook__(what)


def _hear(signum: int, frame: FrameType | None) -> None:
    _heard.set()
    raise KeyboardInterrupt
