"""YAML with the line and column of every value; the one door for YAML.

Comes in: a file or a text. Goes out: a `YamlTree`: plain values, and for every path into them the place
``file:line:column`` (one-based). Scalars follow YAML 1.2 (``no``, ``off`` and ``NO`` stay strings, as a country code or
an answer must); duplicate keys, anchors that multiply, huge files and other encodings than UTF-8 are refused.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from audit.errors import ConfigError, Mistake

Path_ = tuple[str | int, ...]

MAX_BYTES = 2_000_000
MAX_NODES = 200_000
_MOST_OPENINGS = 2_000
"""What may open a level before the slow reader is asked: libyaml's recursion ends in a crash, Python's in an error."""

# YAML 1.2 core schema, https://yaml.org/spec/1.2.2/#103-core-schema
_NULL = re.compile(r"^(~|null|Null|NULL|)$")
_BOOL = re.compile(r"^(true|True|TRUE|false|False|FALSE)$")
_INT = re.compile(r"^[-+]?[0-9]+$")
_HEX = re.compile(r"^0x[0-9a-fA-F]+$")
_FLOAT = re.compile(r"^[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?$")


@dataclass(frozen=True, slots=True)
class YamlTree:
    """A parsed YAML document that remembers where everything stands.

    Parameters
    ----------
    name : str
        File name as messages show it.
    value : object
        Plain mappings, lists and scalars.
    text : str
        The text itself.
    places : dict
        Path (tuple of keys and indices) to ``(line, column)`` of the value; ``(path, "key")`` of the key.
    """

    name: str
    value: Any
    text: str
    places: dict[Path_, tuple[int, int]] = field(default_factory=dict)
    keys: dict[Path_, tuple[int, int]] = field(default_factory=dict)

    def place(self, path: Sequence[str | int], *, key: bool = False) -> str:
        """Return ``file:line:column`` of a path, or of the nearest parent that exists.

        Parameters
        ----------
        path : sequence of str or int
            Keys and list indices from the root.
        key : bool
            The place of the key instead of its value.
        """
        line, column = self.position(path, key=key)
        return f"{self.name}:{line}:{column}"

    def position(self, path: Sequence[str | int], *, key: bool = False) -> tuple[int, int]:
        """Return line and column (one-based) of a path, or of the nearest parent that exists."""
        wanted = tuple(path)
        while wanted:
            found = (self.keys.get(wanted) if key else None) or self.places.get(wanted)
            if found:
                return found
            wanted, key = wanted[:-1], False
        return self.places.get((), (1, 1))


def read_yaml(path: Path | str) -> YamlTree:
    """Read a YAML file.

    Raises
    ------
    ConfigError
        No such file, not UTF-8, too large, or not YAML; with place and advice.
    """
    path = Path(path)
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        raise ConfigError("no such file", place=str(path)) from None
    except (IsADirectoryError, PermissionError) as error:
        raise ConfigError(f"cannot be read: {error.strerror}", place=str(path)) from None
    if len(data) > MAX_BYTES:
        raise ConfigError(
            f"{len(data):,} bytes is too large for a text that a person wrote",
            place=str(path),
            hint=f"the limit is {MAX_BYTES:,} bytes",
        )
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        raise ConfigError("is not UTF-8", place=f"{path}:{line}:1", hint="save it as UTF-8") from None
    return parse_yaml(text, name=str(path))


def parse_yaml(text: str, *, name: str = "<text>") -> YamlTree:
    """Parse a YAML text.

    Parameters
    ----------
    text : str
        The document; a single one.
    name : str
        Name shown in messages.

    Raises
    ------
    ConfigError
        All mistakes found: syntax, duplicate keys, aliases, tags.
    """
    try:
        node = _compose(text)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place = f"{name}:{mark.line + 1}:{mark.column + 1}" if mark else name
        problem = error.problem or "is not YAML"
        hint = "indent with spaces, not tabs" if "\\t" in problem else ""
        raise ConfigError(f"not YAML: {problem}", place=place, hint=hint) from None
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        raise ConfigError(f"not YAML: {str(error).splitlines()[0]}", place=name) from None
    tree = YamlTree(name=name, value=None, text=text)
    walk = _Walk(tree)
    value = walk.read(node, ()) if node is not None else None
    if walk.mistakes:
        raise ConfigError(mistakes=walk.mistakes)
    return YamlTree(name=name, value=value, text=text, places=tree.places, keys=tree.keys)


def _compose(text: str) -> yaml.Node | None:
    """Return the node tree, read by libyaml where that is safe: it is ten times as fast."""
    fast = getattr(yaml, "CSafeLoader", None)
    if fast is not None and sum(text.count(sign) for sign in ("[", "{", "- ", "? ")) < _MOST_OPENINGS:
        try:
            return yaml.compose(text, Loader=fast)
        except (yaml.YAMLError, ValueError):
            pass  # Python's reader names the mistake more plainly
    return yaml.compose(text, Loader=yaml.SafeLoader)


class _Walk:
    """One walk over the node tree, collecting values, places and mistakes."""

    def __init__(self, tree: YamlTree) -> None:
        self.tree, self.mistakes, self.nodes = tree, list[Mistake](), 0
        self.open: set[int] = set()

    def read(self, node: yaml.Node, path: Path_) -> Any:
        self.nodes += 1
        if self.nodes > MAX_NODES:
            raise ConfigError(
                "more than 200,000 values, through anchors that multiply",
                place=self.tree.name,
                hint="write the values out",
            )
        if id(node) in self.open:
            raise ConfigError("an anchor contains itself", place=self._where(node))
        self.open.add(id(node))
        self.tree.places[path] = (node.start_mark.line + 1, node.start_mark.column + 1)
        value = self._content(node, path)
        self.open.discard(id(node))
        return value

    def _content(self, node: yaml.Node, path: Path_) -> Any:
        if isinstance(node, yaml.ScalarNode):
            return self._scalar(node)
        if isinstance(node, yaml.SequenceNode):
            return [self.read(item, (*path, index)) for index, item in enumerate(node.value)]
        return self._mapping(node, path)

    def _mapping(self, node: yaml.Node, path: Path_) -> dict[Any, Any]:
        result: dict[Any, Any] = {}
        for key_node, value_node in node.value:
            if not isinstance(key_node, yaml.ScalarNode):
                self._mistake(key_node, "a key must be a plain word")
                continue
            key = key_node.value if key_node.style or not _NULL.match(key_node.value) else ""
            if key in result:
                self._mistake(key_node, f"the key '{key}' stands twice", "keep one of them")
            here = (*path, key)
            self.tree.keys[here] = (key_node.start_mark.line + 1, key_node.start_mark.column + 1)
            result[key] = self.read(value_node, here)
        return result

    def _scalar(self, node: yaml.ScalarNode) -> Any:
        text = node.value
        if node.tag.startswith("!") or "python/" in node.tag:
            self._mistake(node, f"the tag {node.tag} is not allowed", "write a plain value")
        if node.style in ("'", '"', "|", ">"):
            return text
        if _NULL.match(text):
            return None
        if _BOOL.match(text):
            return text.lower() == "true"
        if _INT.match(text):
            # 007 is a label that lost its quotes more often than it is a number
            return int(text) if len(text.lstrip("+-")) == 1 or text.lstrip("+-")[0] != "0" else text
        if _HEX.match(text):
            return int(text, 16)
        return float(text) if _FLOAT.match(text) else text

    def _where(self, node: yaml.Node) -> str:
        return f"{self.tree.name}:{node.start_mark.line + 1}:{node.start_mark.column + 1}"

    def _mistake(self, node: yaml.Node, what: str, hint: str = "") -> None:
        self.mistakes.append(Mistake(what, self._where(node), hint))
