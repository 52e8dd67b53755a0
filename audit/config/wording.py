"""What pydantic found, said for a person: in the words of the file, at the place where it stands.

Comes in: a `ValidationError` about the written-out form. Goes out: one `Mistake` per thing to mend, with the path as it
was written (short forms included) and, for a name, the one that was probably meant.
"""

from __future__ import annotations

import types
from collections.abc import Callable, Mapping, Sequence
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from audit.config.model import ModelInput
from audit.config.schema import Config, Groups
from audit.config.sources import Source, Steps
from audit.errors import Mistake, suggest_name

# classes whose written form has other keys than the class has fields
_WRITTEN_KEYS: dict[type[BaseModel], tuple[str, ...]] = {
    Groups: ("file", "key", "columns"),
    ModelInput: ("kind", "columns"),
}
_HIDDEN_KEYS = ("base",)


def mistakes_of(error: ValidationError, source: Source) -> list[Mistake]:
    """Return one mistake per thing to mend.

    Parameters
    ----------
    error : ValidationError
        What pydantic found wrong in the written-out values.
    source : Source
        The values as written, with their places.
    """
    found: dict[tuple[Steps, str], list[ErrorDetails]] = {}
    for detail in error.errors(include_url=False):
        path = written_path(detail["loc"], source.value)
        group = str(detail["loc"][-1]) if detail["type"] in ("missing", "extra_forbidden") else ""
        found.setdefault((path, group), []).append(detail)
    return [_mistake_of(path, details, source) for (path, _), details in found.items()]


def written_path(loc: Sequence[str | int], value: Any) -> Steps:
    """Return the path in the file of a location in the written-out form.

    Parameters
    ----------
    loc : sequence of str or int
        Location as pydantic gives it: names of written-out keys and of members of unions stand in it too.
    value : object
        The raw values.

    Examples
    --------
    >>> written_path(("groups", "attributes", "sex", "column"), {"groups": {"sex": {"column": 3}}})
    ('groups', 'sex', 'column')
    """
    path: Steps = ()
    rest = list(loc)
    while rest:
        if path == ("model", "inputs") and isinstance(rest[0], int):
            steps, rest = _input_steps(value, rest[0], rest[1:])
            # no step is left to translate below this one
            return path + steps + written_path(rest, _value_at(value, steps))
        step = rest.pop(0)
        if path == ("groups",) and step == "attributes" and isinstance(value, Mapping) and "columns" in value:
            step = "columns"
        if _has(value, step):
            path, value = (*path, step), value[step]
    return path


def _has(value: Any, step: str | int) -> bool:
    if isinstance(value, Mapping):
        return step in value
    return isinstance(value, list) and isinstance(step, int) and step < len(value)


def _value_at(value: Any, steps: Steps) -> Any:
    for step in steps:
        value = value[step]
    return value


def _input_steps(inputs: Any, index: int, rest: list[str | int]) -> tuple[Steps, list[str | int]]:
    """Follow ``inputs, i, blocks, j`` into whichever of its short forms was written; return what is left too."""
    block: Steps = ()
    if rest[:1] == ["blocks"]:
        rest = rest[1:]
        if rest and isinstance(rest[0], int):
            block, rest = (rest[0],), rest[1:]
    if isinstance(inputs, Mapping):
        if {"kind", "columns"} & set(inputs):
            return (), rest
        name = list(inputs)[index]
        return (name, *_in_list(inputs[name], block)), rest
    if isinstance(inputs, list) and index < len(inputs) and _has(inputs[index], "blocks"):
        return (index, "blocks", *_in_list(inputs[index]["blocks"], block)), rest
    return _in_list(inputs, block), rest


def _in_list(blocks: Any, block: Steps) -> Steps:
    """Return the step into a list of blocks; a list of column names, or one block alone, has none."""
    return block if block and _has(blocks, block[0]) and isinstance(blocks[block[0]], Mapping) else ()


def _mistake_of(path: Steps, details: Sequence[ErrorDetails], source: Source) -> Mistake:
    detail = details[0]
    name = ".".join(str(step) for step in path) or "this file"
    kind = detail["type"]
    if kind == "extra_forbidden":
        key = str(detail["loc"][-1])
        return Mistake(f"unknown key '{key}'", source.place(path, key=True), _known(key, detail["loc"][:-1]))
    if kind == "missing":
        inside = f" in {name}" if path else ""
        return Mistake(f"the key '{detail['loc'][-1]}' is missing{inside}", source.place(path, key=True))
    secret = path[:1] in (("signing",), ("notify",))
    shown = (
        "" if secret or kind in ("value_error", "union_tag_invalid", "union_tag_not_found") else _shown(detail["input"])
    )
    if len(details) > 1:
        return Mistake(f"{name} must be {_alternatives(details)}{shown}", source.place(path))
    what, hint = _say(detail)
    return Mistake(f"{name} {what}{shown}", source.place(path), hint or _quote_hint(detail))


def _shown(value: Any) -> str:
    """Show what was written, unless it is long or a whole block."""
    if isinstance(value, str | int | float | bool) and len(str(value)) <= 60:
        return f", not {value!r}"
    return ", not a block of keys" if isinstance(value, Mapping) else ", not a list" if isinstance(value, list) else ""


_TYPE_WORDS: dict[str, str] = {
    "string_type": "a text",
    "string_sub_type": "a text",
    "int_type": "a whole number",
    "int_parsing": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "float_parsing": "a number",
    "finite_number": "a finite number",
    "bool_type": "true or false",
    "bool_parsing": "true or false",
    "tuple_type": "a list",
    "list_type": "a list",
    "dict_type": "a block of keys",
    "model_type": "a block of keys",
    "model_attributes_type": "a block of keys",
}


def _alternatives(details: Sequence[ErrorDetails]) -> str:
    words = dict.fromkeys(_expected(detail) for detail in details)
    return " or ".join(words)


def _expected(detail: ErrorDetails) -> str:
    if detail["type"] == "literal_error":
        return str(detail["ctx"]["expected"]).replace("'", "")
    return _TYPE_WORDS.get(detail["type"], detail["msg"])


def _say(detail: ErrorDetails) -> tuple[str, str]:
    """Return what is wrong (to stand after the key's name) and a hint."""
    kind, context = detail["type"], detail.get("ctx", {})
    if kind in _TYPE_WORDS:
        return f"must be {_TYPE_WORDS[kind]}", ""
    teller = _TELLERS.get(kind)
    return teller(detail["input"], context) if teller else (f"is not right: {detail['msg']}", "")


def _say_literal(value: Any, context: Mapping[str, Any]) -> tuple[str, str]:
    names = str(context["expected"]).replace("'", "").replace(" or ", ", ").split(", ")
    return f"must be one of {', '.join(names)}", suggest_name(str(value), names)


def _say_tag(value: Any, context: Mapping[str, Any]) -> tuple[str, str]:
    names = str(context["expected_tags"]).replace("'", "").split(", ")
    wrong = str(context["tag"])
    return f"has the unknown kind '{wrong}': must be one of {', '.join(names)}", suggest_name(wrong, names)


def _say_no_tag(value: Any, context: Mapping[str, Any]) -> tuple[str, str]:
    return "must be a block of keys", "write {kind: numeric, columns: [...]}, or a list of columns"


def _say_pattern(value: Any, context: Mapping[str, Any]) -> tuple[str, str]:
    return "must be letters, digits, '.', '_' and '-', at most 80, and begin with a letter or digit", ""


_TELLERS: dict[str, Callable[[Any, Mapping[str, Any]], tuple[str, str]]] = {
    "literal_error": _say_literal,
    "union_tag_invalid": _say_tag,
    "union_tag_not_found": _say_no_tag,
    "string_pattern_mismatch": _say_pattern,
    "value_error": lambda value, context: (f"is not right: {context['error']}", ""),
    "greater_than_equal": lambda value, context: (f"must be at least {context['ge']:g}", ""),
    "less_than_equal": lambda value, context: (f"must be at most {context['le']:g}", ""),
    "less_than": lambda value, context: (f"must be below {context['lt']:g}", ""),
    "greater_than": lambda value, context: (f"must be above {context['gt']:g}", ""),
}


def _quote_hint(detail: ErrorDetails) -> str:
    """Advise quotes where YAML read a number (a version such as 2.3), and the like."""
    value = detail["input"]
    if detail["type"] == "string_type" and isinstance(value, int | float):
        return f'write "{str(value).lower() if isinstance(value, bool) else value}" in quotes'
    if value is None:
        return "leave the key out for the default"
    if detail["type"] == "tuple_type" and isinstance(value, str):
        return f"write [{value}]"
    return ""


def _known(wrong: str, loc: Sequence[str | int]) -> str:
    """Suggest a key of the block at a location; list them where none is near."""
    names = keys_at(loc)
    return suggest_name(wrong, names) or (f"known here: {', '.join(names)}" if names else "")


def keys_at(loc: Sequence[str | int]) -> tuple[str, ...]:
    """Return the keys that the block at a location of the written-out form may have.

    Parameters
    ----------
    loc : sequence of str or int
        Location as pydantic gives it; empty for the file itself.

    Examples
    --------
    >>> keys_at(("label",))
    ('column', 'positive')
    """
    candidates: list[Any] = [Config]
    for step in loc:
        candidates = [inner for candidate in candidates for inner in _inside(candidate, step)] or candidates
    names: list[str] = []
    for candidate in candidates:
        if isinstance(candidate, type) and issubclass(candidate, BaseModel):
            own = (field.alias or name for name, field in candidate.model_fields.items())
            names += _WRITTEN_KEYS.get(candidate, tuple(own))
    return tuple(name for name in dict.fromkeys(names) if name not in _HIDDEN_KEYS)


def _inside(kind: Any, step: str | int) -> list[Any]:
    """Return the types that one step into a type may reach."""
    kinds = _members(kind)
    reached: list[Any] = []
    for member in kinds:
        if isinstance(member, type) and issubclass(member, BaseModel):
            for name, field in member.model_fields.items():
                if step in (name, field.alias):
                    reached += _members(field.annotation)
            tag = member.model_fields.get("kind")
            if tag is not None and step in get_args(tag.annotation):
                reached.append(member)
        elif get_origin(member) is dict:
            reached += _members(get_args(member)[1])
        elif get_origin(member) is tuple and isinstance(step, int):
            reached += _members(get_args(member)[0])
    return reached


def _members(kind: Any) -> list[Any]:
    origin = get_origin(kind)
    if origin is Annotated:
        return _members(get_args(kind)[0])
    if origin in (Union, types.UnionType):
        return [inner for member in get_args(kind) for inner in _members(member)]
    return [] if origin is Literal or kind is type(None) else [kind]
