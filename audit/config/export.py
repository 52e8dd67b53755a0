"""JSON Schemas for editors and for other programs.

Comes in: the name of a document. Goes out: its JSON Schema (draft 2020-12) with the short forms beside the long ones
and without the `null` alternatives, which would only crowd an editor's completions.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from audit.config.schema import Config
from audit.errors import ConfigError, suggest_name
from audit.evidence.document import Evidence

_DIALECT = "https://json-schema.org/draft/2020-12/schema"
_COLUMNS: dict[str, Any] = {"type": "array", "items": {"type": "string"}, "minItems": 1}


def schema_of(name: str) -> dict[str, Any]:
    """Return the JSON Schema of a document.

    Parameters
    ----------
    name : {"config", "evidence"}
        Which document.

    Raises
    ------
    ConfigError
        There is no such document.
    """
    if name not in SCHEMAS:
        raise ConfigError(f"there is no schema '{name}'", hint=suggest_name(name, SCHEMAS), place="argument name")
    return SCHEMAS[name]()


def strip_nulls(schema: Any) -> Any:
    """Return a JSON Schema without ``null`` alternatives, ``null`` defaults and generated titles.

    Parameters
    ----------
    schema : object
        A JSON Schema, or a part of one.

    Examples
    --------
    >>> strip_nulls({"anyOf": [{"type": "string"}, {"type": "null"}], "default": None, "title": "Lock"})
    {'type': 'string'}
    """
    if isinstance(schema, list):
        return [strip_nulls(item) for item in schema if item != {"type": "null"}]
    if not isinstance(schema, Mapping):
        return schema
    result = {
        key: strip_nulls(item)
        for key, item in schema.items()
        if not (key == "default" and item is None) and not (key == "title" and isinstance(item, str))
    }
    alternatives = result.get("anyOf")
    if isinstance(alternatives, list) and len(alternatives) == 1:
        del result["anyOf"]
        result = {**alternatives[0], **result}
    return result


def _config_schema() -> dict[str, Any]:
    schema = strip_nulls(Config.model_json_schema(mode="validation"))
    properties, kinds = schema["properties"], schema["$defs"]
    properties.pop("base", None)
    attribute = {"anyOf": [{"type": "string"}, {"$ref": "#/$defs/GroupAttribute"}]}
    by_name = {"type": "object", "additionalProperties": attribute}
    # a group's name is also its column where none is given
    kinds["GroupAttribute"].pop("required", None)
    text = {"type": "string"}
    from_file = {
        "type": "object",
        "properties": {"file": text, "key": text, "columns": {"anyOf": [_COLUMNS, by_name]}},
        "required": ["file", "key", "columns"],
        "additionalProperties": False,
    }
    _offer(properties, "data", {"type": "string"})
    _offer(properties, "label", {"type": "string"})
    _offer(properties, "model", {"const": "none"})
    properties["groups"] = {"description": "Protected attributes.", "anyOf": [_COLUMNS, from_file, by_name]}
    block = {"anyOf": [{"$ref": f"#/$defs/{name}"} for name in ("NumericBlock", "CodesBlock", "OneHotBlock")]}
    blocks = {"anyOf": [_COLUMNS, block, {"type": "array", "items": block}]}
    model = kinds["ModelSource"]["properties"]
    model["inputs"] = {
        "description": "Forward arguments: a list of columns, a list of blocks, or argument name to either.",
        "anyOf": [*blocks["anyOf"], {"type": "object", "additionalProperties": blocks}],
    }
    scales = kinds["ModelOutput"]["properties"]["scale"]["enum"]
    _offer(model, "output", {"enum": scales})
    model["scale"] = {"enum": scales, "description": "Scale of stored scores; short for `output`."}
    share = kinds["SmallGroup"]["properties"]
    _offer(share, "share", {"type": "string", "pattern": r"^\s*[0-9.]+%\s*$"})
    schema.pop("required")
    either = [{"required": ["data"]}, {"required": ["extends"]}]
    return {"$schema": _DIALECT, "title": "audit.yaml of glassbox-audit", **schema, "anyOf": either}


def _offer(properties: dict[str, Any], name: str, short: dict[str, Any]) -> None:
    """Add a short form to a property."""
    long = dict(properties[name])
    kept = {key: long.pop(key) for key in ("description", "default") if key in long}
    properties[name] = {**kept, "anyOf": [short, *(long["anyOf"] if set(long) == {"anyOf"} else [long])]}


def _evidence_schema() -> dict[str, Any]:
    return {"$schema": _DIALECT, "title": "Evidence of glassbox-audit", **strip_nulls(Evidence.model_json_schema())}


SCHEMAS: dict[str, Callable[[], dict[str, Any]]] = {"config": _config_schema, "evidence": _evidence_schema}
"""Document to the function that makes its schema."""
