"""Blocks of audit.yaml for runs that nobody watches: limits, and who is told.

Comes in: plain values. Goes out: frozen blocks. Nothing here changes a number or a verdict of the audit.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import BeforeValidator, Field

from .quantities import read_duration, read_size
from .settings import Settings


def _as_words(value: object) -> object:
    """Accept a program's name alone for a command without arguments."""
    return (value,) if isinstance(value, str) else value


class LimitsOrder(Settings):
    """What one audit may use at most; one that goes beyond ends with exit code 6 and leaves nothing half-written."""

    time: Annotated[float, BeforeValidator(read_duration)] | None = None
    """Wall time, e.g. ``30m``; kept in seconds."""
    memory: Annotated[int, BeforeValidator(read_size)] | None = None
    """Memory of the audit and of the processes it starts, e.g. ``8GiB``; kept in bytes."""


class NotifyOrder(Settings):
    """Whom to tell when a verdict changed beyond noise; never what merely wobbled."""

    command: Annotated[tuple[str, ...], BeforeValidator(_as_words)] = ()
    """Program and arguments; it gets the message as JSON on its standard input."""
    webhook: str | None = Field(default=None, pattern=r"^(env:|file:|https://|http://(127\.0\.0\.1|localhost)[:/])")
    """Address that gets the message by POST: ``env:NAME`` or ``file:PATH`` where it holds a secret."""
    token: str | None = Field(default=None, pattern=r"^(env:|file:)")
    """``env:NAME`` or ``file:PATH``: sent as ``Authorization: Bearer``; never written anywhere."""
    false_alarms: float = Field(default=0.0001, gt=0, le=0.05)
    """Chance per audit of telling of a change where there is none, over all its verdicts together. The default holds
    for hundreds of models every night; a single model may take 0.01."""
