"""Tables that lie in an object store, reached through pyarrow: ``s3://bucket/key`` and what else it knows.

Comes in: an address. Goes out: the files behind it and streams of their bytes, or advice. Credentials are the ones that
the store's own tools use (environment, profile, role of the machine); none stand in a configuration.
"""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import Any

from audit.errors import ConfigError, DataError

_ADVICE = {
    "s3": "set AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_DEFAULT_REGION as for any S3 client, or copy the files "
    "here (aws s3 cp --recursive) and name the folder",
    "gs": "log in with gcloud auth application-default login, or copy the files here and name the folder",
    "http": "download the file and name it here",
    "https": "download the file and name it here",
}
_OTHER = "copy the files here and name the folder"


def is_remote(text: str) -> bool:
    """Return whether a data path is an address, ``scheme://...``."""
    return "://" in text


def find_remote(text: str, place: str) -> list[tuple[str, str]]:
    """Return address and shown name of each file behind an address: a file, a folder or a glob in its last part.

    Parameters
    ----------
    text : str
        The address.
    place : str
        Key of the configuration that holds it, for messages.

    Raises
    ------
    ConfigError
        A scheme that pyarrow does not know, a store that does not let us in, nothing there.
    """
    from pyarrow import fs

    system, path = _resolve(text, place)
    head, _, tail = path.rpartition("/")
    pattern = any(sign in tail for sign in "*?[")
    root = head if pattern else path
    try:
        here = system.get_file_info(root)
        if here.type == fs.FileType.File:
            return [(text, PurePosixPath(path).name)]
        selector = fs.FileSelector(root, recursive=not pattern, allow_not_found=True)
        found = [item.path for item in system.get_file_info(selector) if item.type == fs.FileType.File]
    except OSError as error:
        raise _refused(text, place, error) from None
    if pattern:
        found = [item for item in found if PurePosixPath(item).match(tail)]
    if not found:
        raise ConfigError(f"there is no file at {text}", place=place, hint="check bucket, folder and name")
    base = text[: len(text) - len(path)] if text.endswith(path) else text.partition("://")[0] + "://"
    return [(base + item, f"{PurePosixPath(root).name}{item.removeprefix(root)}") for item in found]


def open_remote(address: str) -> Any:
    """Return a file in a store, opened for reading at any place.

    Raises
    ------
    DataError
        It cannot be read (any more).
    """
    system, path = _resolve(address, "")
    try:
        return system.open_input_file(path)
    except OSError as error:
        raise DataError(f"{address} cannot be read: {_first_line(error)}", hint=_advise(address)) from None


def _resolve(text: str, place: str) -> tuple[Any, str]:
    import pyarrow as pa
    from pyarrow import fs

    try:
        system, path = fs.FileSystem.from_uri(text)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError, OSError, ImportError, ValueError) as error:
        raise _refused(text, place, error) from None
    return system, str(path)


def _refused(text: str, place: str, error: Exception) -> ConfigError:
    return ConfigError(f"{text} cannot be reached: {_first_line(error)}", place=place, hint=_advise(text))


def _advise(text: str) -> str:
    return _ADVICE.get(text.partition("://")[0].lower(), _OTHER)


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0][:160]
