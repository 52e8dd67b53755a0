"""Mistakes that only the data or the model can show are told where the configuration was written.

Comes in: a configuration, and errors that name a key of it. Goes out: the same errors with ``file:line:column`` before
the key.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import NoReturn

from audit.config.settings import Placed
from audit.errors import AuditError, ConfigError, DataError, IntakeRefused


@contextmanager
def tell_places(config: Placed) -> Iterator[None]:
    """Add to errors that pass where the key that they name was written.

    Parameters
    ----------
    config : Placed
        The configuration at work.

    Raises
    ------
    ConfigError, DataError, IntakeRefused
        As they came, their keys with places.
    """
    try:
        yield
    except (ConfigError, DataError, IntakeRefused) as error:
        _tell(config, error)


def _tell(config: Placed, error: AuditError) -> NoReturn:
    if isinstance(error, ConfigError):
        found = [replace(mistake, place=place_key(config, mistake.place)) for mistake in error.mistakes]
        raise type(error)(mistakes=found) from None
    raise type(error)(error.what, hint=error.hint, place=place_key(config, error.place)) from None


def place_key(config: Placed, place: str) -> str:
    """Return ``file:line:column, key`` for a key that was written in a file, and anything else as it is.

    Parameters
    ----------
    config : Placed
        The configuration.
    place : str
        A key such as ``data.baseline``, or any other place.
    """
    steps = place.split(".")
    if steps[0] not in type(config).model_fields:
        return place
    found = config.place_of(*steps)
    return place if found == place else f"{found}, {place}"
