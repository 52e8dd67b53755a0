"""The tree of things that can go wrong, each with its exit code.

Comes in: a message for a person, where it happened, and what to do. Goes out: an exception that a door (the command
line, a notebook) can print without a traceback. Library code raises these and never exits.

::

    AuditError                3
     +-- ConfigError          2   text you wrote: configuration, flags, a missing file or column
     |    +-- PolicyError     2   the rule is not a rule
     +-- DataError            3   the content of the data
     +-- IntakeRefused        3   the model file, or what it does
     +-- EvidenceError        3   the evidence document is not one
     +-- SealError            4   tampered, or a signature that does not hold
     |    +-- LedgerError     4   the chain of entries is broken
     +-- TryAgain             6   lock, disk, memory, time, a server that does not answer
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from difflib import get_close_matches


@dataclass(frozen=True, slots=True)
class Mistake:
    """One thing to mend in a text that a person wrote.

    Parameters
    ----------
    what : str
        The mistake, in one sentence.
    place : str
        ``file:line:column`` (one-based), or the flag or argument it stands in.
    hint : str
        What to do about it; empty where there is nothing to add.
    """

    what: str
    place: str = ""
    hint: str = ""

    def __str__(self) -> str:
        """Return ``place: what; hint``."""
        head = f"{self.place}: {self.what}" if self.place else self.what
        return f"{head}; {self.hint}" if self.hint else head


class AuditError(Exception):
    """Anything this project raises on purpose.

    Parameters
    ----------
    what : str
        The error in one sentence, for a person.
    hint : str, optional
        What to do about it.
    place : str, optional
        ``file:line:column`` where it stands.
    """

    exit_code = 3

    def __init__(self, what: str, *, hint: str = "", place: str = "") -> None:
        self.what, self.hint, self.place = what, hint, place
        super().__init__(str(Mistake(what, place, hint)))


class ConfigError(AuditError):
    """A mistake in a text that a person wrote; may carry several at once.

    Parameters
    ----------
    what : str
        The mistake, used where `mistakes` is not given.
    mistakes : sequence of Mistake, optional
        All mistakes of the text, reported together.
    """

    exit_code = 2

    def __init__(self, what: str = "", *, hint: str = "", place: str = "", mistakes: Sequence[Mistake] = ()) -> None:
        self.mistakes: tuple[Mistake, ...] = tuple(mistakes) or (Mistake(what, place, hint),)
        first = self.mistakes[0]
        super().__init__(first.what, hint=first.hint, place=first.place)

    def __str__(self) -> str:
        """Return one line per mistake."""
        return "\n".join(str(mistake) for mistake in self.mistakes)


class PolicyError(ConfigError):
    """A policy that is not one: an unknown name, a rule without a limit."""


class DataError(AuditError):
    """The content of a data file does not allow the audit."""


class IntakeRefused(AuditError):
    """A model file that was not let in, or a model that breaks its contract."""


class EvidenceError(AuditError):
    """An evidence document that cannot be read as one."""


class SealError(AuditError):
    """Tampering, or a signature that does not hold."""

    exit_code = 4


class LedgerError(SealError):
    """The chain of ledger entries is broken."""


class TryAgain(AuditError):
    """A condition that may pass: a lock, a full disk, a server that is down."""

    exit_code = 6


def suggest_name(wrong: str, known: Iterable[str]) -> str:
    """Return ``did you mean 'x'?`` for the nearest known name, or an empty string.

    Parameters
    ----------
    wrong : str
        What was written.
    known : iterable of str
        What could have been meant.

    Examples
    --------
    >>> suggest_name("lable", ["label", "groups"])
    "did you mean 'label'?"
    """
    near = get_close_matches(str(wrong), [str(name) for name in known], n=1, cutoff=0.6)
    return f"did you mean '{near[0]}'?" if near else ""
