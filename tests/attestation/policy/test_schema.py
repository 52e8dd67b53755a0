"""JSON Schemas that editors complete names from: every known name, and no null where a person means a value."""

import json
import re

import pytest

from audit.attestation.policy.catalogue import METRICS, MODELS
from audit.attestation.policy.schema import policy_schema_of
from audit.attestation.policy.vocabulary import COMPUTED_FACTS, FACTS, FIELDS, SEAL_FACTS
from audit.cli.schema import schema

FILES = ("policy", "documents", "waivers", "policy-test")


def kind_of(rule):
    return policy_schema_of("policy")["$defs"][rule]["properties"]


def enums(value):
    """Return every enum below a value."""
    if isinstance(value, dict):
        own = [value["enum"]] if "enum" in value else []
        return own + [found for item in value.values() for found in enums(item)]
    return [found for item in value for found in enums(item)] if isinstance(value, list) else []


@pytest.mark.parametrize("which", FILES)
def test_every_reference_leads_somewhere(which, capsys):
    schema(which)
    made = json.loads(capsys.readouterr().out)
    references = set(re.findall(r'"#/\$defs/([^"]+)"', json.dumps(made)))
    assert references <= set(made.get("$defs", {}))


def test_names_are_listed():
    assert [list(METRICS)] == enums(kind_of("MeasureRule")["measure"])
    assert [[*FACTS, *COMPUTED_FACTS, *SEAL_FACTS]] == enums(kind_of("FactRule")["fact"])
    assert [list(FIELDS)] * 2 == enums(kind_of("DocumentRule")["document"])
    assert set(MODELS) <= set(enums(kind_of("MeasureRule")["of_model"])[0])
    assert {"type": "string"} in kind_of("MeasureRule")["for_each"]["anyOf"][0]["anyOf"]  # others may be named too


def test_facts_have_their_values():
    conditions = policy_schema_of("policy")["$defs"]["applies_when"]["properties"]
    assert "seal.signed" not in conditions
    assert conditions["system.is_first_audit"]["type"] == "boolean"
    assert set(conditions) == {*FACTS, *COMPUTED_FACTS}
    supplied = policy_schema_of("documents")["$defs"]["facts"]["properties"]
    assert set(supplied) == set(FACTS)
    assert list(FACTS["system.role"].values) in enums(supplied["system.role"])


@pytest.mark.parametrize("which", FILES)
def test_no_null_is_offered(which):
    """Whoever writes a key means a value."""
    found = [name for name, kind in policy_schema_of(which)["$defs"].items() if '"type": "null"' in json.dumps(kind)]
    assert found == []
