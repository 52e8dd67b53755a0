"""What an organisation's own policy may change in a rule of a pack that it uses: severity and limit, or switch it off.

Comes in: a rule in force and what is ordered. Goes out: the changed rule, with a sentence that says who changed what,
and the reason where the change is not allowed. Tightening must allow less, loosening more and with a reason; a number
of a regulation cannot be loosened at all.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from audit.errors import suggest_name
from audit.evidence.judgement import SEVERITY_ORDER

from .loaded import LoadedRule
from .pack import Override, Pack, Use
from .phrase import Limit, PhraseError, parse_phrase
from .version import refuse_version, split_version

LEAST_REASON = 10
"""Letters of a reason, at least."""


def check_use(use: Use, pack: Pack) -> Iterable[tuple[tuple[str | int, ...], str, str]]:
    """Yield what is wrong with the taking in of a pack: where within the entry, what, and what to do.

    Parameters
    ----------
    use : Use
        The entry under `uses`.
    pack : Pack
        The pack that it means.
    """
    if problem := refuse_version(pack.pack, pack.version, split_version(use.pack)[1]):
        yield ("pack",), *problem
    for name, value in use.with_.items():
        parameter, at = pack.parameters.get(name), ("with", name)
        if parameter is None:
            yield at, f"'{pack.pack}' has no parameter '{name}'", suggest_name(name, pack.parameters)
        elif not parameter.minimum <= value <= parameter.maximum:
            bounds = f"between {parameter.minimum:g} and {parameter.maximum:g}"
            yield at, f"{name} = {value:g} lies outside its bounds", bounds
        elif parameter.basis == "regulation" and value != parameter.default:
            yield at, f"'{name}' is a number of the regulation and cannot be set", "add a rule of your own"
    ids = [rule.id for rule in pack.rules]
    for name in use.only:
        if name not in ids:
            yield ("only",), f"'{pack.pack}' has no rule '{name}'", suggest_name(name, ids)


def switch_off(rule: LoadedRule, why: str) -> tuple[LoadedRule, str]:
    """Return the rule switched off; it stays in the report as such."""
    return replace(rule, disabled=why), ""


def override_rule(rule: LoadedRule, order: Override, who: str) -> tuple[LoadedRule, str]:
    """Return the changed rule and, where the change is not allowed, the reason.

    Parameters
    ----------
    rule : LoadedRule
        The rule in force.
    order : Override
        What is ordered.
    who : str
        Name of the policy that orders it.
    """
    if problem := _refuse_order(rule, order):
        return rule, problem
    severity = order.severity or rule.severity
    words = [f"severity {order.severity} instead of {rule.severity}"] if order.severity else []
    limit = rule.limit
    if order.tighten or order.loosen:
        try:
            limit = parse_phrase(order.tighten or order.loosen or "", {})
        except PhraseError as mistake:
            return rule, f"{mistake.what}; {mistake.hint}" if mistake.hint else mistake.what
        if problem := _refuse_limit(rule, limit, order):
            return rule, problem
        words.append(f"'{limit.words}' instead of '{rule.limit.words if rule.limit else ''}'")
    changed = f"{', '.join(words)}, set by {who}" + (f": {order.reason}" if order.reason else "")
    return replace(rule, severity=severity, limit=limit, changed=changed), ""


def _refuse_order(rule: LoadedRule, order: Override) -> str:
    """Return why an order cannot be carried out, whatever the numbers in it are."""
    if order.tighten and order.loosen:
        return "tighten and loosen exclude each other"
    if not (order.tighten or order.loosen or order.severity):
        return "changes nothing: write severity, tighten or loosen"
    milder = order.severity and SEVERITY_ORDER.index(order.severity) > SEVERITY_ORDER.index(rule.severity)
    if milder and len(order.reason.strip()) < LEAST_REASON:
        return f"a milder severity than {rule.severity} needs a reason"
    if (order.tighten or order.loosen) and (rule.limit is None or rule.limit.kind != "range"):
        return f"{rule.name} has no range of numbers to change"
    return ""


def _refuse_limit(rule: LoadedRule, limit: Limit, order: Override) -> str:
    old = rule.limit
    if old is None or limit.kind != "range":
        return f"'{limit.words}' is no range of numbers"
    if order.tighten:
        if old.contains(limit):
            return ""
        return f"'{limit.words}' allows more than '{old.words}'; write loosen, with a reason"
    if not limit.contains(old):
        return f"'{limit.words}' does not allow all that '{old.words}' allows"
    if len(order.reason.strip()) < LEAST_REASON:
        return "loosening needs a reason"
    basis = getattr(rule.rule, "threshold_basis", None)
    return f"{rule.name} holds a number of the regulation, which cannot be loosened" if basis == "regulation" else ""
