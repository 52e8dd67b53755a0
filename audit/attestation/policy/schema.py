"""JSON Schemas of rule packs and documents.yaml, with every known name listed so that editors complete it.

Comes in: the pydantic types and the closed lists. Goes out: a schema; ``null`` alternatives are stripped, because a
person who writes a key means a value.
"""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel

from .catalogue import METRICS, MODELS
from .check import MODEL_SETS, WIDE_SCOPES
from .documents import DocumentsFile
from .pack import Pack
from .testing import TestFile
from .vocabulary import COMPUTED_FACTS, FACTS, FIELDS, ROLES, SEAL_FACTS, STANDARD_ATTRIBUTES, Fact
from .waivers import WaiversFile

_TYPES: dict[str, type[BaseModel]] = {
    "policy": Pack,
    "documents": DocumentsFile,
    "waivers": WaiversFile,
    "policy-test": TestFile,
}
_COMPUTED = {name: {"type": "boolean", "description": title} for name, (title, _) in COMPUTED_FACTS.items()}
_NAMES: dict[str, list[str]] = {
    "measure": list(METRICS),
    "compare": list(METRICS),
    "metric": list(METRICS),
    "fact": [*FACTS, *COMPUTED_FACTS, *SEAL_FACTS],
    "document": list(FIELDS),
    "field": list(FIELDS),
}
_OFFERED: dict[str, list[str]] = {
    "for_each": [*WIDE_SCOPES, *STANDARD_ATTRIBUTES],
    "of_model": [*MODEL_SETS, *MODELS],
    "for_features": ["all", *(f"role:{role}" for role in ROLES)],
    "shape_of": [f"role:{role}" for role in ROLES],
}
"""Names that an editor completes although an audit may know others."""


def _describe_fact(fact: Fact, *, condition: bool) -> dict[str, Any]:
    """Return the form of a fact's value; of a condition on it where `condition` is set."""
    text: dict[str, Any] = {"type": "string"}
    form: dict[str, Any] = {
        "flag": {"type": "boolean"},
        "number": text if condition else {"type": "number"},
        "choice": {"enum": list(fact.values)},
    }.get(fact.kind, text)
    if fact.kind == "list" or (condition and fact.kind in ("text", "choice")):
        form = {"anyOf": [form, {"type": "array", "items": form}]}
    if not condition:
        form = {"anyOf": [form, {"const": "unknown"}]}
    return {"description": fact.title, **form}


def _facts(*, condition: bool) -> dict[str, Any]:
    known = {name: _describe_fact(fact, condition=condition) for name, fact in FACTS.items()}
    return {
        "type": "object",
        "properties": {**known, **(_COMPUTED if condition else {})},
        "additionalProperties": False,
    }


def policy_schema_of(which: str) -> dict[str, Any]:
    """Return the JSON Schema of ``policy``, ``documents``, ``waivers`` or ``policy-test``.

    Parameters
    ----------
    which : str
        Which file.

    Raises
    ------
    KeyError
        There is no such file.
    """
    schema: dict[str, Any] = _strip(_TYPES[which].model_json_schema(by_alias=True))
    for part in (schema, *schema.get("$defs", {}).values()):
        _list_names(part.get("properties", {}))
    facts = {key: _facts(condition=key == "applies_when") for key in ("applies_when", "facts")}
    written = str(schema)
    schema.setdefault("$defs", {}).update({key: form for key, form in facts.items() if f"'#/$defs/{key}'" in written})
    schema["$schema"] = "https://json-schema.org/draft/2020-12/schema"
    return schema


def _list_names(properties: dict[str, Any]) -> None:
    for key, value in properties.items():
        if not isinstance(value, dict):
            continue
        if key in _NAMES:
            _put_enum(value, {"enum": _NAMES[key]})
        if key in _OFFERED:
            _put_enum(value, {"anyOf": [{"enum": _OFFERED[key]}, {"type": "string"}]})
        if key in ("applies_when", "facts"):
            kept = {name: value[name] for name in ("description", "default") if name in value}
            value.clear()
            value.update({**kept, "$ref": f"#/$defs/{key}"})
        if key == "texts":
            value["propertyNames"] = {"enum": list(FIELDS)}


def _put_enum(value: dict[str, Any], names: dict[str, Any]) -> None:
    for option in value.get("anyOf", [value]):
        if option.get("type") == "string":
            if option is not value or "enum" in names:
                option.pop("type")
            option.update(names)
        elif option.get("type") == "array":
            option["items"] = names


def _strip(value: Any) -> Any:
    """Remove ``null`` alternatives and the defaults that go with them, all the way down."""
    if isinstance(value, list):
        return [_strip(item) for item in value]
    if not isinstance(value, dict):
        return value
    value = {key: _strip(item) for key, item in value.items() if not (key == "default" and item is None)}
    options = value.get("anyOf")
    if isinstance(options, list) and {"type": "null"} in options:
        left = [option for option in options if option != {"type": "null"}]
        rest = {key: item for key, item in value.items() if key != "anyOf"}
        return {**rest, **left[0]} if len(left) == 1 else {**rest, "anyOf": left}
    return value
