"""From plain values to types, with the place of every mistake.

Comes in: a `YamlTree` and the type it should be. Goes out: the typed value, or all structural mistakes at once, each
with ``file:line:column`` and what was probably meant.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from pydantic import BaseModel, TypeAdapter, ValidationError
from pydantic_core import ErrorDetails

from audit.errors import Mistake, suggest_name
from audit.yamlfile import YamlTree

from .pack import (
    KINDS,
    AskRule,
    CompareRule,
    DocumentRule,
    FactRule,
    MeasureRule,
    Pack,
    Rule,
    RuleBase,
    ShapeRule,
)

Typed = TypeVar("Typed", bound=BaseModel)
RULE_TYPES: dict[str, type[RuleBase]] = {
    "measure": MeasureRule,
    "fact": FactRule,
    "shape_of": ShapeRule,
    "compare": CompareRule,
    "document": DocumentRule,
    "ask": AskRule,
}
"""Kind of rule to its type."""
_RULE: TypeAdapter[Any] = TypeAdapter(Rule)


def read_typed(tree: YamlTree, kind: type[Typed]) -> tuple[Typed | None, list[Mistake]]:
    """Return the tree as `kind`, or None and its mistakes.

    Parameters
    ----------
    tree : YamlTree
        A parsed file.
    kind : type
        A pydantic model.
    """
    if not isinstance(tree.value, Mapping):
        return None, [Mistake("the file is not a list of 'key: value'", tree.place(()))]
    try:
        return kind.model_validate(tree.value), []
    except ValidationError as error:
        return None, [_as_mistake(item, tree, kind) for item in error.errors(include_url=False)]


def salvage_pack(tree: YamlTree) -> tuple[Pack, tuple[int, ...]] | None:
    """Return what is sound of a broken pack with the positions of its rules, so that its meaning can be checked too.

    Parameters
    ----------
    tree : YamlTree
        A pack that `read_typed` did not take.
    """
    rules = tree.value.get("rules") if isinstance(tree.value, Mapping) else None
    if not isinstance(rules, list):
        return None
    sound = [number for number, rule in enumerate(rules) if _is_rule(rule)]
    try:  # where more than rules is wrong, one mistake would make a crowd of others
        return Pack.model_validate({**tree.value, "rules": [rules[number] for number in sound]}), tuple(sound)
    except ValidationError:
        return None


def _is_rule(value: Any) -> bool:
    try:
        _RULE.validate_python(value)
    except ValidationError:
        return False
    return True


def _as_mistake(item: ErrorDetails, tree: YamlTree, kind: type[BaseModel]) -> Mistake:
    path = _strip_tags(item["loc"], tree.value)
    if item["type"] == "extra_forbidden":
        return _unknown_key(path, item["loc"], tree, kind)
    what, hint = _say(item, path)
    if item["type"] == "missing":
        return Mistake(what, tree.place(path[:-1]), hint)
    return Mistake(what, tree.place(path), hint)


def _strip_tags(loc: tuple[str | int, ...], value: Any) -> tuple[str | int, ...]:
    """Leave out what pydantic adds to a path (the tag of a union, a branch) but the file does not have."""
    path: list[str | int] = []
    for position, part in enumerate(loc):
        last = position == len(loc) - 1
        if isinstance(value, Mapping) and (part in value or (last and part not in RULE_TYPES)):
            if part in RULE_TYPES and position and isinstance(loc[position - 1], int) and not last:
                continue
            path.append(part)
            value = value.get(part)
        elif isinstance(value, list | tuple) and isinstance(part, int) and part < len(value):
            path.append(part)
            value = value[part]
    return tuple(path)


def _unknown_key(
    path: tuple[str | int, ...], loc: tuple[str | int, ...], tree: YamlTree, kind: type[BaseModel]
) -> Mistake:
    name = str(path[-1]) if path else str(loc[-1])
    place = tree.place(path, key=True)
    tag = next((str(part) for part in loc[:-1] if part in RULE_TYPES), "")
    in_rule = bool(tag) and len(path) == 3
    if in_rule and name in KINDS:
        return Mistake(f"a rule has exactly one of {', '.join(KINDS)}; this one has '{tag}' and '{name}'", place)
    known = list(RULE_TYPES[tag].model_fields) if in_rule else _known_keys(kind, path[:-1])
    hint = suggest_name(name, known) or (f"known here: {', '.join(sorted(known))}" if known else "")
    return Mistake(f"unknown key '{name}'", place, hint)


def _known_keys(kind: type[BaseModel], path: tuple[str | int, ...]) -> list[str]:
    """Return the keys that `kind` knows at `path`, found by walking through its fields."""
    here: Any = kind
    for part in path:
        if isinstance(part, int) or not _is_model(here):
            continue
        field = next((f for name, f in here.model_fields.items() if part in (name, f.alias)), None)
        here = _inner_model(field.annotation) if field else here  # else: a key of a mapping, not of a type
    return [f.alias or name for name, f in here.model_fields.items()] if _is_model(here) else []


def _is_model(value: Any) -> bool:
    return isinstance(value, type) and issubclass(value, BaseModel)


def _inner_model(annotation: Any) -> Any:
    if _is_model(annotation):
        return annotation
    return next((found for inner in getattr(annotation, "__args__", ()) if (found := _inner_model(inner))), None)


def _say(item: ErrorDetails, path: tuple[str | int, ...]) -> tuple[str, str]:
    kind, context = item["type"], item.get("ctx", {})
    name = str(path[-1]) if path else ""
    if kind == "missing":
        return f"'{item['loc'][-1]}' is missing", ""
    if kind == "union_tag_not_found":
        return f"a rule needs exactly one of {', '.join(KINDS)}", ""
    if kind == "value_error":
        return str(context.get("error", item["msg"])), ""
    if kind == "literal_error":
        options = [part.strip("' ") for part in str(context.get("expected", "")).replace(" or ", ", ").split(", ")]
        return (
            f"'{item['input']}' is no value of '{name}'",
            suggest_name(str(item["input"]), options) or f"one of {', '.join(options)}",
        )
    if kind == "string_too_short":
        least = f"at least {context.get('min_length')} signs"
        return (f"'{name}' is too short", least) if item["input"] else (f"'{name}' is empty", least)
    if kind == "string_type":
        return f"'{name}' must be a text, not {item['input']!r}", "put it in quotes"
    if kind == "string_pattern_mismatch":
        return f"'{item['input']}' is no value of '{name}'", "small letters, digits and hyphens"
    if kind in _FORMS:
        about = next((str(part) for part in reversed(path) if not isinstance(part, int)), name)
        hint = "write {pack: NAME}" if about == "uses" and name != about else _FORMS[kind]
        return f"'{about}' {'holds' if name != about else 'is'} {_say_input(item['input'])}", hint
    return f"'{name}': {item['msg'][:1].lower()}{item['msg'][1:]}", ""


_FORMS = {
    "model_type": "write keys and values, e.g. {key: value}",
    "model_attributes_type": "write keys and values, e.g. {key: value}",
    "dict_type": "write keys and values, one below the other or as {key: value}",
    "tuple_type": "write a list: each entry on a line of its own after '- ', or all as [one, two]",
    "list_type": "write a list: each entry on a line of its own after '- ', or all as [one, two]",
}
"""What to write where a value has another form than the file asks for."""


def _say_input(value: Any) -> str:
    if value is None or value == "":
        return "empty"
    return f"'{value}' alone" if isinstance(value, str | int | float) else "something of another form"
