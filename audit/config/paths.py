"""Which values of an audit.yaml are paths, what they are relative to, and whether the files are there.

Comes in: raw values. Goes out: the same values with absolute paths, and a mistake for each file that is missing, with
the name of one nearby that may have been meant. Raw, because each of two files resolves against its own folder.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from audit.config.sources import Source, Steps
from audit.errors import Mistake, suggest_name

MODEL_TRAIN_WORDS = ("train", "none of these", "unknown")
SECRET_FORMS = ("file:", "env:")
_GLOB = re.compile(r"[*?\[]")


def resolve_paths(value: dict[str, Any], base: Path, *, only: Steps | None = None) -> dict[str, Any]:
    """Return raw values with every path made absolute.

    Parameters
    ----------
    value : dict
        Raw values of an audit.yaml, in short or long form.
    base : Path
        Folder that relative paths are relative to.
    only : tuple, optional
        Resolve what stands at or below this path alone: the rest was resolved against another folder already.
    """
    result = value
    for path, text, kind in list(_each_path(value)):
        if only is None or path[: len(only)] == only or only[: len(path)] == path:
            result = _replace(result, path, _RESOLVE[kind](text, base))
    return result


def find_missing_files(source: Source, half: str) -> list[Mistake]:
    """Return a mistake for each named file that does not exist.

    Parameters
    ----------
    source : Source
        Resolved raw values.
    half : {"all", "examine", "attest", "none"}
        Whose files to look for.
    """
    mistakes = []
    for path, text, kind in _each_path(source.value):
        if half == "none" or (half != "all" and half != _half_of(path)):
            continue
        missing = _missing(text, kind)
        if missing is not None:
            mistakes.append(Mistake(f"no such file: {missing}", source.place(path), _near(missing, kind)))
    return mistakes


def list_inputs(dump: dict[str, Any]) -> list[Path]:
    """Return every file that the examination of a configuration may read, sorted.

    Parameters
    ----------
    dump : dict
        A resolved configuration as plain values, as `model_dump` gives it.

    Notes
    -----
    Folders and globs are followed. Beside a model's factory stand the modules that it may import, so that all Python
    files of its folder are listed.
    """
    found: set[Path] = set()
    for path, text, kind in _each_path(dump):
        if _half_of(path) == "examine" and path[0] != "extends" and not _is_object(text):
            found |= _files_of(text, kind)
    return sorted(found)


def _files_of(text: str, kind: str) -> set[Path]:
    if kind == "factory":
        file = text.rpartition(":")[0]
        return set(Path(file).parent.glob("*.py")) if file.endswith(".py") else set()
    path = Path(text)
    if path.is_dir():
        return {entry for entry in path.rglob("*") if entry.is_file()}
    if _GLOB.search(path.name) and not path.exists():
        return {entry for entry in path.parent.glob(path.name) if entry.is_file()}
    return {path} if path.is_file() else set()


# path, with * for any list index -> kind of path; the second half's are marked in _ATTEST
_PATHS: dict[Steps, str] = {
    ("extends",): "file",
    ("data",): "rows",
    ("data", "audit"): "rows",
    ("data", "train"): "rows",
    ("data", "model_train"): "rows or word",
    ("data", "baseline"): "rows",
    ("data", "out_of_time"): "rows",
    ("groups", "file"): "rows",
    ("groups", "source", "file"): "rows",
    ("model", "path"): "file",
    ("model", "factory"): "factory",
    ("documents",): "file",
    ("policies", "*"): "pack",
    ("waivers",): "file",
    ("lock",): "output",
    ("compare", "previous"): "report",
    ("compare", "champion", "path"): "file",
    ("compare", "champion", "factory"): "factory",
    ("report", "logo"): "file",
    ("report", "fonts"): "file",
    ("report", "templates"): "file",
    ("signing", "key"): "secret",
    ("signing", "certificate"): "secret",
    ("signing", "password"): "secret",
    ("ledger", "path"): "output",
    ("notify", "webhook"): "secret",
    ("notify", "token"): "secret",
}
_ATTEST = ("documents", "policies", "waivers", "lock", "compare", "report", "signing", "ledger")


def _half_of(path: Steps) -> str:
    return "attest" if path[0] in _ATTEST and path[:2] != ("compare", "champion") else "examine"


def _each_path(value: dict[str, Any]) -> Iterator[tuple[Steps, str, str]]:
    """Yield path, text and kind of every value that names a file."""
    groups = value.get("groups")
    has_file = isinstance(groups, dict) and "key" in groups
    for pattern, kind in _PATHS.items():
        # without a key, `file` is the name of a group
        if pattern == ("groups", "file") and not has_file:
            continue
        for path, item in _find(value, pattern, ()):
            if isinstance(item, str) and item:
                yield path, item, kind


def _find(value: Any, pattern: Steps, path: Steps) -> Iterator[tuple[Steps, Any]]:
    if not pattern:
        yield path, value
    elif pattern[0] == "*" and isinstance(value, list):
        for index, item in enumerate(value):
            yield from _find(item, pattern[1:], (*path, index))
    elif isinstance(value, dict) and pattern[0] in value:
        yield from _find(value[pattern[0]], pattern[1:], (*path, pattern[0]))


def _replace(value: Any, path: Steps, new: str) -> Any:
    if not path:
        return new
    if isinstance(value, list):
        return [_replace(item, path[1:], new) if index == path[0] else item for index, item in enumerate(value)]
    return {key: _replace(item, path[1:], new) if key == path[0] else item for key, item in value.items()}


def _absolute(text: str, base: Path) -> str:
    """Join without touching links or ``..``: the path stays the one that a person recognises."""
    return text if "://" in text or _is_object(text) else str(base / Path(text).expanduser())


def _is_object(text: str) -> bool:
    """Return whether a text such as ``<object>`` stands for rows that were handed over in memory."""
    return text.startswith("<") and text.endswith(">")


def _rows_or_word(text: str, base: Path) -> str:
    return text if text in MODEL_TRAIN_WORDS else _absolute(text, base)


def _factory(text: str, base: Path) -> str:
    """Resolve the file of ``module.py:name``; ``package.module:name`` names none."""
    file, colon, name = text.rpartition(":")
    return f"{_absolute(file, base)}:{name}" if colon and file.endswith(".py") else text


def _pack(text: str, base: Path) -> str:
    """Leave a name alone: without a slash or a YAML ending it is a shipped pack."""
    return _absolute(text, base) if _is_pack_file(text) else text


def _is_pack_file(text: str) -> bool:
    return "/" in text or "\\" in text or text.endswith((".yaml", ".yml"))


def _report(text: str, base: Path) -> str:
    return text if text == "last" else _absolute(text, base)


def _secret(text: str, base: Path) -> str:
    return f"file:{_absolute(text[5:], base)}" if text.startswith("file:") else text


_RESOLVE: dict[str, Callable[[str, Path], str]] = {
    "file": _absolute,
    "rows": _absolute,
    "rows or word": _rows_or_word,
    "factory": _factory,
    "pack": _pack,
    "report": _report,
    "secret": _secret,
    "output": _absolute,
}


def _missing(text: str, kind: str) -> str | None:
    """Return the file that is not there, or None."""
    if kind == "output" or "://" in text or _is_object(text) or (kind == "rows or word" and text in MODEL_TRAIN_WORDS):
        return None
    if (kind == "pack" and not _is_pack_file(text)) or (kind == "report" and text == "last"):
        return None
    if kind == "secret":
        return _missing(text[5:], "file") if text.startswith("file:") else None
    if kind == "factory":
        file = text.rpartition(":")[0]
        return _missing(file, "file") if file.endswith(".py") else None
    path = Path(text)
    if kind.startswith("rows") and _GLOB.search(path.name) and not path.exists():
        return None if path.parent.is_dir() and any(path.parent.glob(path.name)) else text
    return None if path.exists() else text


def _near(text: str, kind: str) -> str:
    """Return a hint: a name that stands in the same folder, or the folder that is missing."""
    path = Path(text)
    if not path.parent.is_dir():
        return f"there is no folder {path.parent} either"
    words = MODEL_TRAIN_WORDS if kind == "rows or word" else ()
    names = [*words, *(entry.name for entry in path.parent.iterdir())]
    return suggest_name(path.name, names)
