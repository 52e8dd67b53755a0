"""audit.yaml, keyword arguments and ``--set`` flags to a resolved `Config`.

Comes in: a file (and the one it extends), or a mapping, and overrides. Goes out: a frozen `Config` in which every path
is absolute, or one `ConfigError` with all mistakes at once, each where it stands. The raw values are put together
first (base file, file, flags), every value keeping its place, and only then read as types.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

from pydantic import ValidationError

from audit.config.check import check_config
from audit.config.export import schema_of
from audit.config.paths import find_missing_files, resolve_paths
from audit.config.schema import Config
from audit.config.sources import Source, merge_sources, set_value
from audit.config.wording import mistakes_of
from audit.errors import ConfigError, Mistake
from audit.yamlfile import YamlTree, parse_yaml, read_yaml

__all__ = ["Files", "config_from", "load_config", "schema_of"]

Files = Literal["all", "examine", "attest", "none"]


def load_config(path: Path | str, *, overrides: Sequence[str] = (), files: Files = "all") -> Config:
    """Read an audit.yaml.

    Parameters
    ----------
    path : Path or str
        The file. Relative paths in it are relative to its folder.
    overrides : sequence of str, optional
        ``key.path=value`` each, e.g. ``data.audit=april.parquet``; later ones win. The value is read as YAML; a
        relative path in it is relative to the working directory, where the flag was typed.
    files : {"all", "examine", "attest", "none"}
        Which half's files must exist by now; the second half runs on machines that never see the data.

    Returns
    -------
    Config
        Resolved: short forms written out, paths absolute.

    Raises
    ------
    ConfigError
        All mistakes at once: YAML, unknown keys, wrong types, contradictions, files that are not there.
    """
    path = Path(path)
    tree = read_yaml(path)
    source = _source_of(tree, path)
    extends = source.value.get("extends")
    if isinstance(extends, str):
        source = merge_sources(_base_of(extends, source), source)
    for override in overrides:
        source = merge_sources(source, _override_of(override, source))
    return _validate(source, path.resolve().parent, files)


def config_from(mapping: Mapping[str, Any], *, base: Path | None = None, files: Files = "none") -> Config:
    """Make a configuration of keyword arguments; the same form and the same mistakes as the file.

    Parameters
    ----------
    mapping : mapping of str to object
        Keys of an audit.yaml, in their short forms too.
    base : Path, optional
        Folder that relative paths are relative to; the working directory where left out.
    files : {"all", "examine", "attest", "none"}
        Which half's files must exist by now.

    Raises
    ------
    ConfigError
        All mistakes at once; the place reads ``argument groups.sex``.
    """
    base = (base or Path.cwd()).resolve()
    plain = _plain(mapping)
    if plain.get("extends") is not None:
        raise ConfigError("extends belongs in a file", place="argument extends")
    return _validate(Source(resolve_paths(plain, base), {}, {}, root="argument"), base, files)


def _source_of(tree: YamlTree, path: Path) -> Source:
    """Return a file's values with places, its paths resolved against its own folder."""
    if tree.value is not None and not isinstance(tree.value, dict):
        raise ConfigError("an audit.yaml is a list of keys such as `data:` and `label:`", place=tree.place(()))
    return Source(
        value=resolve_paths(tree.value or {}, path.resolve().parent),
        places={where: tree.place(where) for where in tree.places},
        keys={where: tree.place(where, key=True) for where in tree.keys},
        root=str(path),
    )


def _base_of(extends: str, source: Source) -> Source:
    """Read the file that this one extends; one level, so that a reader finds every value in two files at most."""
    where = source.place(("extends",))
    path = Path(extends)
    if not path.is_file():
        raise ConfigError(f"no such file: {extends}", place=where)
    base = _source_of(read_yaml(path), path)
    if base.value.get("extends") is not None:
        raise ConfigError(
            "a file that is extended cannot extend another",
            place=base.place(("extends",)),
            hint="extends goes one level",
        )
    return base


def _override_of(text: str, below: Source) -> Source:
    """Read one ``key.path=value`` into a source that holds this value alone."""
    key, equals, raw = text.partition("=")
    where = f"--set {key.strip()}"
    steps = tuple(int(step) if step.isdigit() else step for step in key.strip().split("."))
    if not equals or not all(str(step) for step in steps):
        raise ConfigError(f"cannot be read: {text!r}", place="--set", hint="write --set data.audit=rows.parquet")
    value = _flag_value(raw, where)
    single = resolve_paths(set_value(below.value, steps, value), Path.cwd(), only=steps)
    return Source(single, {steps: where}, {steps: where}, root=where, replaces=True)


def _flag_value(raw: str, where: str) -> Any:
    """Read a flag's value as YAML; what only YAML finds odd (a glob such as ``*.parquet``) is a text."""
    if raw.lstrip()[:1] in ("*", "&", "!", "%", "@", "`", "|", ">", "#"):
        return raw
    return parse_yaml(raw, name=where).value


def _validate(source: Source, base: Path, files: Files) -> Config:
    """Read the raw values as types; collect everything that is wrong, then raise once."""
    mistakes: list[Mistake] = find_missing_files(source, files)
    try:
        config = Config.model_validate(source.value)
    except ValidationError as error:
        mistakes = [*mistakes_of(error, source), *mistakes]
    else:
        mistakes += check_config(config, source)
        if not mistakes and "base" not in source.value and "schema_" not in source.value:
            ledger = config.ledger.model_copy(update={"path": str(base / config.ledger.path)})
            config = config.model_copy(update={"base": base, "ledger": ledger})
            config.remember_places(source.places)
            return config
    # names that are the code's own, not the file's, are no keys of the file
    mistakes += [
        Mistake(f"unknown key '{name}'", source.place((name,), key=True))
        for name in ("base", "schema_")
        if name in source.value
    ]
    raise ConfigError(mistakes=_in_order(mistakes))


def _in_order(mistakes: Sequence[Mistake]) -> list[Mistake]:
    """Sort by file, line and column, as a reader mends them; drop repeats."""

    def key(mistake: Mistake) -> tuple[str, int, int]:
        head, _, column = mistake.place.rpartition(":")
        name, _, line = head.rpartition(":")
        return (name, int(line), int(column)) if line.isdigit() and column.isdigit() else (mistake.place, 0, 0)

    return sorted(dict.fromkeys(mistakes), key=key)


def _plain(value: Any) -> Any:
    """Write paths and tuples as the texts and lists that a file would hold."""
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return str(value) if isinstance(value, Path) else value
