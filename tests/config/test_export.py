"""The JSON Schemas: what loads is valid, what is misspelled is not, and nothing offers null."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from audit.config.export import schema_of
from audit.config.schema import Config
from audit.errors import ConfigError
from audit.yamlfile import read_yaml

ROOT = Path(__file__).resolve().parents[2]


def find_faults(schema, defs, value, path=""):
    """Yield what is wrong with `value`: as much of JSON Schema as ours uses, written independently of pydantic."""
    if "$ref" in schema:
        yield from find_faults(defs[schema["$ref"].rsplit("/", 1)[1]], defs, value, path)
    if "anyOf" in schema and all(list(find_faults(option, defs, value, path)) for option in schema["anyOf"]):
        yield f"{path}: fits no alternative"
    if "oneOf" in schema and sum(not list(find_faults(option, defs, value, path)) for option in schema["oneOf"]) != 1:
        yield f"{path}: fits not exactly one alternative"
    if "const" in schema and value != schema["const"]:
        yield f"{path}: is not {schema['const']}"
    if "enum" in schema and value not in schema["enum"]:
        yield f"{path}: is not one of {schema['enum']}"
    kinds = {"object": dict, "array": list, "string": str, "integer": int, "number": (int, float), "boolean": bool}
    if "type" in schema:
        fits = isinstance(value, kinds[schema["type"]]) and (schema["type"] == "boolean" or not isinstance(value, bool))
        if not fits:
            yield f"{path}: is no {schema['type']}"
            return
    if isinstance(value, dict):
        yield from (f"{path}: lacks {name}" for name in schema.get("required", ()) if name not in value)
        for name, item in value.items():
            inner = schema.get("properties", {}).get(name, schema.get("additionalProperties", True))
            if inner is False:
                yield f"{path}.{name}: is unknown"
            elif isinstance(inner, dict):
                yield from find_faults(inner, defs, item, f"{path}.{name}")
    if isinstance(value, list) and isinstance(schema.get("items"), dict):
        for index, item in enumerate(value):
            yield from find_faults(schema["items"], defs, item, f"{path}[{index}]")
    if isinstance(value, str) and "pattern" in schema and not re.search(schema["pattern"], value):
        yield f"{path}: does not match"


def faults(value):
    schema = schema_of("config")
    return list(find_faults(schema, schema["$defs"], value))


def test_examples_are_valid():
    for name in ("audit-repaid.yaml", "audit-legacy.yaml"):
        assert faults(read_yaml(ROOT / "examples" / "credit" / name).value) == []


SMALL = {
    "data": "t.csv",
    "label": "y",
    "groups": ["sex"],
    "model": {"path": "m.pt2", "inputs": ["a"], "output": "logit"},
    "small_group": {"share": "2%"},
}


@pytest.mark.parametrize(
    "change",
    [
        {},
        {"groups": {"age": {"bins": [25]}, "sex": "sex"}},
        {"groups": {"file": "p.csv", "key": "id", "columns": ["sex"]}},
        {"model": {"scores": "s", "scale": "probability"}},
        {"model": "none"},
        {
            "model": {
                "path": "m",
                "inputs": {"x": ["a"], "y": [{"kind": "codes", "columns": ["c"], "levels": {"c": [1]}}]},
            }
        },
        {"intersections": "none"},
        {"intersections": [["a", "b"]]},
    ],
)
def test_short_forms_are_valid(change):
    assert faults({**SMALL, **change}) == []


@pytest.mark.parametrize(
    "change",
    [{"lable": "y"}, {"label": {"colum": "y"}}, {"effort": "fst"}, {"groups": 3}, {"base": "/"}, {"data": None}],
)
def test_mistakes_are_invalid(change):
    assert faults({**SMALL, **change})


def test_nothing_offers_null_and_every_key_is_described():
    for name in ("config", "evidence"):
        assert '"type": "null"' not in json.dumps(schema_of(name))
    schema = schema_of("config")
    silent = [
        key
        for key, part in schema["properties"].items()
        if not (part.get("description") or schema["$defs"][part["$ref"].rsplit("/", 1)[1]].get("description"))
    ]
    assert silent == []
    assert set(schema["properties"]) == {f.alias or n for n, f in Config.model_fields.items()} - {"base"}


def test_unknown_document():
    with pytest.raises(ConfigError, match="did you mean 'config'"):
        schema_of("confg")
