"""JSON Schemas of rule packs and documents.yaml, with every known name listed so that editors complete it.

Comes in: the pydantic types and the closed lists. Goes out: a schema; ``null`` alternatives are stripped, because a
person who writes a key means a value.
"""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel

from .catalogue import METRICS
from .documents import DocumentsFile
from .pack import Pack
from .vocabulary import COMPUTED_FACTS, FACTS, FIELDS
from .waivers import WaiversFile

_TYPES: dict[str, type[BaseModel]] = {"policy": Pack, "documents": DocumentsFile, "waivers": WaiversFile}
_NAMES: dict[str, list[str]] = {
    "measure": list(METRICS),
    "compare": list(METRICS),
    "fact": [*FACTS, *COMPUTED_FACTS],
    "document": list(FIELDS),
    "field": list(FIELDS),
}
_KEYS: dict[str, list[str]] = {"facts": list(FACTS), "texts": list(FIELDS), "applies_when": [*FACTS, *COMPUTED_FACTS]}


def policy_schema_of(which: str) -> dict[str, Any]:
    """Return the JSON Schema of ``policy``, ``documents`` or ``waivers``.

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
    schema["$schema"] = "https://json-schema.org/draft/2020-12/schema"
    return schema


def _list_names(properties: dict[str, Any]) -> None:
    for key, value in properties.items():
        if key in _NAMES and isinstance(value, dict):
            _put_enum(value, _NAMES[key])
        if key in _KEYS and isinstance(value, dict):
            value["propertyNames"] = {"enum": _KEYS[key]}


def _put_enum(value: dict[str, Any], names: list[str]) -> None:
    for option in value.get("anyOf", [value]):
        if option.get("type") == "string":
            option["enum"] = names
        elif option.get("type") == "array":
            option["items"] = {"type": "string", "enum": names}


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
