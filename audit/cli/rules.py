"""``audit policy explain``, ``diff``, ``lock``: what rules ask, what changed in them, and that they were there first.

Comes in: names of packs, policy files and configurations. Goes out: lines on stdout or one JSON object, an exit code.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from audit.errors import ConfigError, PolicyError, suggest_name

from . import console

if TYPE_CHECKING:
    from audit.attestation.policy.applies import Applicability
    from audit.attestation.policy.loaded import LoadedPack, LoadedRule
    from audit.config.schema import Config

_SHOWN = (
    "measure", "fact", "shape_of", "compare", "with_", "may_worsen_by", "document", "ask", "asked_of",
    "answer_must_be", "valid_for_days", "for_each", "of_model", "for_features", "for_outcomes", "compared_to",
    "leave_out_groups_below", "judged_on", "tolerance",
)  # fmt: skip
LOCK_FILE = "policy.lock.json"


def explain_rule(
    rule: str, config: Path | None = None, *, policies: list[str] | None = None, documents: Path | None = None
) -> int:
    """Explain a rule: what it asks, whose number it is, and whether and why it applies, or why not.

    Parameters
    ----------
    rule
        ``pack/rule``.
    config
        An audit.yaml: its policies, documents and groups decide what applies.
    policies
        Packs or files to look in; those of the configuration, else the shipped packs, where none is named.
    documents
        documents.yaml with the facts that decide whether the rule applies; else that of the configuration.
    """
    from audit.attestation.policy.applies import ask_facts, ask_law
    from audit.attestation.policy.papers import load_papers
    from audit.attestation.policy.select import list_shipped, load_packs, read_packs
    from audit.config.load import load_config
    from audit.workflow import read_clock

    order = load_config(config, files="none") if config else None
    packs = load_packs(order) if order and not policies else read_packs(policies or list_shipped())
    found = {own.name: (pack, own) for pack in packs for own in pack.rules}
    if rule not in found:
        raise _say_unknown(rule, packs, found)
    pack, own = found[rule]
    facts = load_papers(documents or (order.documents if order else None)).facts
    for line in _explain(pack, own):
        console.tell(line)
    for about, conditions in (("the pack", pack.pack.applies_when), ("the rule", own.rule.applies_when)):
        console.tell(_say_applies(about, ask_facts(conditions, facts), bool(conditions)))
    in_time = ask_law(pack.pack.law, read_clock().date())
    if in_time.word != "yes":
        console.tell(f"  today {in_time.because}, so that it decides nothing")
    for line in _say_absent(own, order) if order else ():
        console.tell(line)
    return 0


def _say_unknown(
    rule: str, packs: tuple[LoadedPack, ...], found: dict[str, tuple[LoadedPack, LoadedRule]]
) -> PolicyError:
    """Return why there is nothing to explain: left out by whoever uses the pack, or not there at all."""
    name, _, own = rule.partition("/")
    if any(pack.name == name and own in pack.left_out for pack in packs):
        return PolicyError(f"the rule '{rule}' is not in force: whoever uses {name} takes only some of its rules")
    return PolicyError(f"no rule '{rule}'", hint=suggest_name(rule, found) or "see audit policy list")


def _explain(pack: LoadedPack, own: LoadedRule) -> list[str]:
    rule, law = own.rule, pack.pack.law
    lines = [f"{own.name} ({own.severity})", f"  {rule.title}.", f"  written in {pack.file}, line {own.line}"]
    lines.append(f"  law: {rule.cite or law.citation} ({law.status.replace('_', ' ')}, read {law.verified_on})")
    for key in _SHOWN:
        value = getattr(rule, key, None)
        if value not in (None, ()):
            lines.append(f"  {key.rstrip('_')}: {', '.join(value) if isinstance(value, tuple) else value}")
    if own.limit:
        basis = getattr(rule, "threshold_basis", None)
        lines.append(f"  must be: {own.limit.words}" + (f" (number set by: {basis})" if basis else ""))
    if own.warn:
        lines.append(f"  warns unless: {own.warn.words}")
    for name in (*(own.limit.parameters if own.limit else ()), *(own.warn.parameters if own.warn else ())):
        parameter = pack.pack.parameters[name]
        lines.append(
            f"  ${name} = {float(pack.parameters[name]):g}: {parameter.title}, between {parameter.minimum:g} and "
            f"{parameter.maximum:g}, set by: {pack.changed.get(name, parameter.basis)}"
        )
    lines += [f"  {key}: {text}" for key, text in (("why", rule.why), ("fix", rule.fix)) if text]
    return [*lines, *([f"  {own.changed}"] if own.changed else []), *([f"  {own.disabled}"] if own.disabled else [])]


def _say_applies(about: str, answer: Applicability, conditional: bool) -> str:
    if not conditional:
        return f"  {about} applies always"
    return f"  {about} applies" if answer.word == "yes" else f"  {about}: {answer.because}"


def _say_absent(own: LoadedRule, order: Config) -> list[str]:
    """Return what the rule names and this configuration does not declare."""
    from audit.attestation.policy.check import WIDE_SCOPES, split_pair

    declared = [name for key, a in order.groups.attributes.items() for name in (key, a.stands_for) if name]
    asked = [part for name in getattr(own.rule, "for_each", ()) for part in (split_pair(name))]
    return [
        f"  this audit declares no attribute '{name}' under groups: what asks for it is inconclusive"
        for name in dict.fromkeys(asked)
        if name not in declared and name not in WIDE_SCOPES
    ]


def diff_policies(
    old: str, new: str, *, json: Annotated[bool, Parameter(negative=(), show_default=False)] = False
) -> int:
    """Compare two packs, policy files or configurations: what a reader who knows the old rules must hear.

    Says whether both judge every audit alike, and lists what became stricter, looser, or other. Exit code 0 either way.

    Parameters
    ----------
    old
        A pack, a policy file or an audit.yaml.
    new
        Another one.
    json
        Print one JSON object instead of text.
    """
    from audit.attestation.policy.diff import demands_the_same, list_moves
    from audit.attestation.policy.resolved import digest_resolved, resolve_rules

    before, after = resolve_rules(_packs_of(old)), resolve_rules(_packs_of(new))
    moves = list_moves(before, after)
    same = demands_the_same(moves)
    if json:
        digests = {"old": digest_resolved(before), "new": digest_resolved(after)}
        console.tell_json({"same": same, "digests": digests, "moves": [move.as_dict() for move in moves]})
        return 0
    for move in moves:
        console.tell(str(move))
    words = "the same rules" if not moves else "the same demands in other words" if same else "other rules"
    counts = {word: sum(move.reading == word for move in moves) for word in ("stricter", "looser", "other", "wording")}
    listed = ", ".join(f"{count} {word}" for word, count in counts.items() if count)
    console.tell(words + (f": {listed}" if listed else ""))
    return 0


def _packs_of(name: str) -> tuple[LoadedPack, ...]:
    """Return the packs that a pack, a policy file or a configuration puts in force."""
    from audit.attestation.policy.select import load_packs, read_packs
    from audit.config.load import load_config
    from audit.yamlfile import read_yaml

    if not name.endswith((".yaml", ".yml")):
        return read_packs([name], places=["argument"])
    value = read_yaml(name).value
    if isinstance(value, dict) and ("pack" in value or str(value.get("schema", "")).startswith("policy/")):
        return read_packs([name])
    return load_packs(load_config(name, files="none"))


def lock_policies(
    config: Path, *, out: Path | None = None, replace: Annotated[bool, Parameter(negative=())] = False
) -> int:
    """Write a lock file: what the rules in force demand, with a time stamp where `signing.timestamp` names a server.

    Name the file under ``lock:`` in audit.yaml, and the report says whether the rules were locked before the data were
    scored and what changed since.

    Parameters
    ----------
    config
        An audit.yaml.
    out
        The lock file; default that of the configuration, else policy.lock.json beside it.
    replace
        Write over an older lock, whose proof is lost with it.
    """
    from importlib.metadata import version

    from audit.attestation.policy.lock import make_lock
    from audit.attestation.policy.select import load_packs
    from audit.attestation.seal.timestamp import StampServer
    from audit.config.load import load_config
    from audit.workflow import read_clock

    order = load_config(config, files="attest")
    path = out or (Path(order.lock) if order.lock else config.parent / LOCK_FILE)
    if path.exists() and not replace:
        raise ConfigError(
            "there is a lock already", place=str(path), hint="--replace writes over it, and its proof is lost"
        )
    signing = order.signing
    server = StampServer(signing.timestamp, required=signing.required) if signing.timestamp else None
    named = {"waivers": order.waivers, "model": order.model.path, "data": order.data.audit}
    lock = make_lock(
        load_packs(order),
        now=read_clock(),
        tool=f"glassbox-audit {version('glassbox-audit')}",
        files={key: Path(value) for key, value in named.items() if value},
        stamp=server.token if server else None,
    )
    path.write_bytes(lock.text())
    for note in server.notes if server else ("no time stamp server is named under signing.timestamp",):
        console.tell(f"without a time stamp: {note}")
    console.tell(f"{sum(len(pack['rules']) for pack in lock.rules.values())} rules locked: {lock.rules_digest}")
    console.tell_file(path)
    return 0
