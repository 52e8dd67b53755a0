"""What packs demand in the end, as plain values: every number filled in, every change of the organisation applied.

Comes in: packs in force. Goes out: one plain mapping that says what is judged, and its digest. Comments, order, titles
and reasons are not in it: two texts that judge every audit alike have the same digest. The wording stands apart, so
that a comparison can still show it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from audit.evidence.base import canonical_bytes, digest_bytes

from .loaded import LoadedPack, LoadedRule
from .pack import RuleBase
from .phrase import Limit

WORDING = ("title", "cite", "why", "fix")
"""Fields of a rule that a reader sees and no verdict depends on."""
_LIMITS = ("must_be", "warn_unless")
_LAW_IN_TIME = ("applies_from", "applies_until")
Resolved = dict[str, Any]


def resolve_rules(packs: Iterable[LoadedPack]) -> Resolved:
    """Return what some packs demand.

    Parameters
    ----------
    packs : iterable of LoadedPack
        The packs in force.

    Returns
    -------
    dict
        Pack to its version, the time and the facts it applies in, the bounds and values of its parameters, and its
        rules by id. Lists stand in the order in which they are written.
    """
    return {pack.name: _resolve_pack(pack) for pack in packs}


def digest_resolved(resolved: Mapping[str, Any]) -> str:
    """Return ``sha256:...`` of what is demanded: the canonical form (RFC 8785) without versions and without wording.

    Parameters
    ----------
    resolved : mapping
        From `resolve_rules`.
    """
    bare = {
        name: {
            **{key: value for key, value in pack.items() if key not in ("version", "law")},
            "rules": {
                rule: {key: value for key, value in own.items() if key != "wording"}
                for rule, own in pack["rules"].items()
            },
            "parameters": {key: item["value"] for key, item in pack["parameters"].items()},
        }
        for name, pack in resolved.items()
    }
    return digest_bytes(canonical_bytes(bare))


def list_texts(packs: Sequence[LoadedPack]) -> dict[str, str]:
    """Return file name to digest of the text of every pack in force."""
    return {pack.file: pack.sha256 for pack in packs}


def _resolve_pack(pack: LoadedPack) -> Resolved:
    law = pack.pack.law.model_dump(mode="json", exclude_none=True)
    return {
        "version": pack.pack.version,
        "law": {key: value for key, value in law.items() if key not in _LAW_IN_TIME and value not in ("", [], ())},
        **{key: law[key] for key in _LAW_IN_TIME if key in law},
        "applies_when": _plain(pack.pack.applies_when),
        "parameters": {
            name: {
                "value": _exact(pack.parameters[name]),
                "minimum": _exact_float(parameter.minimum),
                "maximum": _exact_float(parameter.maximum),
                "basis": parameter.basis,
            }
            for name, parameter in pack.pack.parameters.items()
        },
        "rules": {rule.rule.id: _resolve_rule(rule) for rule in pack.rules},
    }


def _resolve_rule(loaded: LoadedRule) -> Resolved:
    rule: RuleBase = loaded.rule
    written = rule.model_dump(mode="json", by_alias=True, exclude_defaults=True)
    wording = {key: str(written.pop(key)) for key in WORDING if written.get(key)}
    written.pop("id")
    limits = {"must_be": loaded.limit, "warn_unless": loaded.warn}
    for key in _LIMITS:
        if (limit := limits[key]) is not None:
            written[key] = _say_range(limit)
    return {
        **_plain(written),
        "severity": loaded.severity,
        **({"disabled": loaded.disabled} if loaded.disabled else {}),
        **({"wording": wording} if wording else {}),
    }


def _say_range(limit: Limit) -> Resolved:
    """Return a limit by its exact ends, so that ``80%`` and ``0.8`` are one demand."""
    if limit.kind != "range":
        return {"kind": limit.kind, **({"options": list(limit.options)} if limit.options else {})}
    ends: Resolved = {"kind": "range"}
    for key, end, is_open in (("low", limit.low, limit.low_open), ("high", limit.high, limit.high_open)):
        if end is not None:
            ends[key] = _exact(end)
            ends[f"{key}_open"] = is_open
    return ends


def _exact(value: Any) -> str:
    return str(value)


def _exact_float(value: float) -> str:
    return f"{value:.12g}"


def _plain(value: Any) -> Any:
    """Return values that the canonical form can hold: numbers as their shortest text."""
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, float) and not isinstance(value, bool):
        return f"{value:.12g}"
    return value
