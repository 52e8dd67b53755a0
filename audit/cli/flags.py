"""Flags as a person writes them: the words of audit.yaml said as flags, and lists in any of the usual ways.

Comes in: errors that name a place of audit.yaml, or the values of a flag. Goes out: the same with the flag's own name,
or one plain list.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from audit.errors import ConfigError, Mistake, TryAgain, suggest_name

_SETTING = re.compile(r"\bsigning\.(key|certificate|password|timestamp|level|required)\b")


@contextmanager
def name_flags() -> Iterator[None]:
    """Let errors about the signing block name the flags that a person wrote instead of it."""
    try:
        yield
    except ConfigError as error:
        said = [Mistake(say_flag(one.what), say_flag(one.place), say_flag(one.hint)) for one in error.mistakes]
        raise ConfigError(mistakes=said) from None
    except TryAgain as error:
        raise TryAgain(say_flag(error.what), hint=say_flag(error.hint), place=say_flag(error.place)) from None


def say_flag(text: str) -> str:
    """Return a text in which settings of the signing block are called by their flags.

    Examples
    --------
    >>> say_flag("signing.key is encrypted; give signing.password as env:NAME")
    '--key is encrypted; give --password as env:NAME'
    """
    if text == "signing":
        return "--key"
    return _SETTING.sub(r"--\1", text).replace("required: true", "--required")


def spread_names(arguments: Sequence[str], flag: str, known: Sequence[str]) -> list[str]:
    """Return a command's words with the flag before each of its names, where one flag stands before several.

    A word that is no name, or that a file or folder is called by, ends the names: ``--format html pdf OLD NEW``.

    Parameters
    ----------
    arguments : sequence of str
        The words.
    flag : str
        The flag.
    known : sequence of str
        The names that there are.

    Examples
    --------
    >>> spread_names(["a", "b", "--format", "html", "pdf", "--out", "c"], "--format", ["html", "pdf"])
    ['a', 'b', '--format', 'html', '--format', 'pdf', '--out', 'c']
    """
    spread: list[str] = []
    open_flag = False
    for word in arguments:
        bare = word.strip(", ")
        follows = open_flag and spread[-1] != flag and bare.split(",")[0] in known and not Path(word).exists()
        if follows or (open_flag and word == ","):
            spread += [flag, bare] if bare else []
            continue
        open_flag = word == flag or (open_flag and spread[-1] == flag) or word.startswith(f"{flag}=")
        spread.append(word.rstrip(",") if open_flag and word != flag else word)
    return spread


def read_names(given: Sequence[str], known: Sequence[str], flag: str) -> list[str]:
    """Read a flag's names, which may be separated by commas or spaces, or given by several flags.

    Parameters
    ----------
    given : sequence of str
        What stands after the flag.
    known : sequence of str
        The names that there are.
    flag : str
        The flag.

    Raises
    ------
    ConfigError
        One is not known.

    Examples
    --------
    >>> read_names(["html,pdf", "html"], ["html", "pdf"], "--format")
    ['html', 'pdf']
    """
    names = [name for text in given for name in re.split(r"[,\s]+", text) if name]
    for name in names:
        if name not in known:
            forms = ", ".join(known)
            near = suggest_name(name, known) or f"one or more of {forms}, with commas, spaces or a flag for each"
            raise ConfigError(f"there is no '{name}'", place=flag, hint=near)
    return list(dict.fromkeys(names))
