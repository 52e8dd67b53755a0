"""Which rules are in force: packs by name or file, with what an organisation's own policy changes in them.

Comes in: the `policies` of a configuration. Goes out: `LoadedPack` s with every limit filled in, or all mistakes of all
files at once. A pack that another one uses keeps its name and its text; what was changed is written on each rule.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from fractions import Fraction
from functools import partial
from pathlib import Path

from audit.config.schema import AttestConfig, ExamineConfig
from audit.errors import ConfigError, Mistake, PolicyError, suggest_name
from audit.evidence import Severity, digest_bytes
from audit.shipped import shipped_folder
from audit.yamlfile import YamlTree, read_yaml

from .check import check_pack
from .pack import Override, Pack, Rule, Use
from .phrase import Limit, PhraseError, parse_phrase, read_number
from .reading import read_typed, salvage_pack

_USED = re.compile(r"^(?P<name>[^@]+?)(?:@(?P<sign>>=|==)?(?P<version>[0-9][0-9.]*))?$")


@dataclass(frozen=True, slots=True)
class LoadedRule:
    """A rule with its limits filled in.

    Parameters
    ----------
    pack : str
        Name of its pack.
    rule : Rule
        The rule as written.
    severity : str
        Its severity, after overrides.
    limit, warn : Limit or None
        What it demands; None where it demands no phrase.
    line : int
        Line in its file.
    changed : str
        What an organisation's policy changed, for the reader.
    disabled : str
        Why it is switched off; empty where it is not.
    """

    pack: str
    rule: Rule
    severity: Severity
    limit: Limit | None
    warn: Limit | None
    line: int
    changed: str = ""
    disabled: str = ""

    @property
    def name(self) -> str:
        """``pack/rule``."""
        return f"{self.pack}/{self.rule.id}"


Change = Callable[[LoadedRule], tuple[LoadedRule, str]]
"""What an organisation's policy does to a rule, and why that is not allowed."""


@dataclass(frozen=True, slots=True)
class LoadedPack:
    """A pack in force.

    Parameters
    ----------
    pack : Pack
        The pack as written.
    tree : YamlTree
        Its text with places.
    file : str
        File name, never a path of this machine.
    rules : tuple of LoadedRule
        Its rules.
    parameters : dict
        Parameter name to the value in force.
    changed : dict
        Parameter name to who set it, for those that are not the default.
    shipped : bool
        Whether it is one of ours.
    """

    pack: Pack
    tree: YamlTree
    file: str
    rules: tuple[LoadedRule, ...]
    parameters: dict[str, Fraction]
    shipped: bool
    changed: dict[str, str] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """The pack's name."""
        return self.pack.pack

    @property
    def sha256(self) -> str:
        """Digest of the text."""
        return digest_bytes(self.tree.text.encode())


def list_shipped() -> dict[str, Path]:
    """Return the shipped packs, name to file, in alphabetical order."""
    return {path.stem: path for path in sorted(shipped_folder("policies").glob("*.yaml"))}


def load_packs(order: AttestConfig) -> tuple[LoadedPack, ...]:
    """Load every pack that a configuration names.

    Parameters
    ----------
    order : AttestConfig
        Its `policies`; where it is a whole `Config`, rules are also held against its groups.

    Raises
    ------
    PolicyError
        All mistakes of all packs.
    """
    attributes = None
    if isinstance(order, ExamineConfig):
        attributes = [name for key, a in order.groups.attributes.items() for name in (key, a.stands_for) if name]
    return read_packs(order.policies, attributes=attributes)


def read_packs(
    names: Iterable[str], *, attributes: Iterable[str] | None = None, base: Path | None = None
) -> tuple[LoadedPack, ...]:
    """Load packs by name or file.

    Parameters
    ----------
    names : iterable of str
        Names of shipped packs, or files.
    attributes : iterable of str or None
        Names by which the audit knows its protected attributes.
    base : pathlib.Path, optional
        Folder that relative files are relative to.

    Raises
    ------
    PolicyError
        All mistakes of all packs.
    """
    reader = _Reader(None if attributes is None else tuple(attributes))
    for number, name in enumerate(names):
        reader.take(name, base or Path(), f"policies, entry {number + 1}")
    if reader.mistakes:
        raise PolicyError(mistakes=reader.mistakes)
    return tuple(reader.packs.values())


class _Reader:
    """One reading of several packs, collecting packs and mistakes."""

    def __init__(self, attributes: tuple[str, ...] | None) -> None:
        self.attributes, self.mistakes = attributes, list[Mistake]()
        self.packs: dict[str, LoadedPack] = {}

    def take(self, name: str, base: Path, place: str, use: Use | None = None, at: YamlTree | None = None) -> None:
        """Read one pack, then those it uses, then change them as it says."""
        path = self._find(name, base, place)
        if path is None:
            return
        loaded = self._read(path, use, place)
        if loaded is None:
            return
        if loaded.name in self.packs:
            what = f"the pack '{loaded.name}' is named twice" if at is None else f"'{loaded.name}' is already in force"
            self.mistakes.append(Mistake(what, place, "name it once"))
            return
        for number, inner in enumerate(loaded.pack.uses):
            where = loaded.tree.place(("uses", number, "pack"))
            self.take(inner.pack, path.parent, where, inner, loaded.tree)
        self.packs[loaded.name] = loaded
        self._change(loaded)

    def _find(self, written: str, base: Path, place: str) -> Path | None:
        match = _USED.match(written)
        name = match["name"].strip() if match else written
        shipped = list_shipped()
        if name in shipped:
            return shipped[name]
        if name.endswith((".yaml", ".yml")) or "/" in name:
            path = base / name
            if path.is_file():
                return path
            self.mistakes.append(Mistake(f"no such policy file: {name}", place))
            return None
        hint = suggest_name(name, shipped) or f"shipped packs: {', '.join(shipped)}; a file ends with .yaml"
        self.mistakes.append(Mistake(f"unknown policy pack '{name}'", place, hint))
        return None

    def _read(self, path: Path, use: Use | None, place: str) -> LoadedPack | None:
        try:
            tree = read_yaml(path)
        except ConfigError as error:
            self.mistakes.extend(error.mistakes)
            return None
        pack, mistakes = read_typed(tree, Pack)
        shipped = path.parent.resolve() == shipped_folder("policies").resolve()
        if pack is None:
            left, numbers = salvage_pack(tree) or (None, ())
            meant = check_pack(left, tree, self.attributes, shipped=shipped, numbers=numbers) if left else []
            self.mistakes.extend(sorted((*mistakes, *meant), key=_line_of))
            return None
        found = check_pack(pack, tree, self.attributes, shipped=shipped)
        self.mistakes.extend(found)
        if found or (use and not self._fits(use, pack, place)):
            return None
        values = {name: read_number(p.default) for name, p in pack.parameters.items()}
        values |= {name: read_number(value) for name, value in use.with_.items()} if use else {}
        rules = [rule for rule in _fill_rules(pack, tree, values) if not (use and use.only) or rule.rule.id in use.only]
        changed = {name: place.partition(":")[0] for name in use.with_} if use else {}
        return LoadedPack(pack, tree, path.name, tuple(rules), values, shipped, changed)

    def _fits(self, use: Use, pack: Pack, place: str) -> bool:
        found = [*_check_version(use, pack), *_check_values(use, pack)]
        ids = [rule.id for rule in pack.rules]
        found += [
            (f"'{pack.pack}' has no rule '{name}'", suggest_name(name, ids)) for name in use.only if name not in ids
        ]
        self.mistakes.extend(Mistake(what, place, hint) for what, hint in found)
        return not found

    def _change(self, own: LoadedPack) -> None:
        """Apply overrides and disables of `own` to the packs it uses."""
        for number, override in enumerate(own.pack.override):
            change = partial(_override, order=override, who=own.name)
            self._change_rule(own, ("override", number), override.rule, change)
        for number, off in enumerate(own.pack.disable):
            why = f"switched off by {own.name}: {off.reason} (decided by {off.approved_by})"
            self._change_rule(own, ("disable", number), off.rule, partial(_disable, why=why))

    def _change_rule(self, own: LoadedPack, at: tuple[str | int, ...], name: str, change: Change) -> None:
        place = own.tree.place((*at, "rule"))
        owner = self.packs.get(name.partition("/")[0])
        known = [rule.name for pack in self.packs.values() for rule in pack.rules]
        if owner is None or name not in known:
            self.mistakes.append(Mistake(f"no rule '{name}' is in force", place, suggest_name(name, known)))
            return
        old = next(rule for rule in owner.rules if rule.name == name)
        new, problem = change(old)
        if problem:
            self.mistakes.append(Mistake(problem, place))
        self.packs[owner.name] = replace(owner, rules=tuple(new if rule is old else rule for rule in owner.rules))


def _line_of(mistake: Mistake) -> int:
    return int(mistake.place.rsplit(":", 2)[1])


def _fill_rules(pack: Pack, tree: YamlTree, values: Mapping[str, Fraction]) -> Iterable[LoadedRule]:
    for number, rule in enumerate(pack.rules):
        must, warn = getattr(rule, "must_be", None), getattr(rule, "warn_unless", None)
        yield LoadedRule(
            pack.pack,
            rule,
            rule.severity,
            parse_phrase(must, values) if must else None,
            parse_phrase(warn, values) if warn else None,
            tree.position(("rules", number))[0],
        )


def _check_version(use: Use, pack: Pack) -> Iterable[tuple[str, str]]:
    match = _USED.match(use.pack)
    if match is None or not match["version"]:
        return
    wanted, have = (tuple(int(p) for p in text.split(".") if p.isdigit()) for text in (match["version"], pack.version))
    exact = match["sign"] != ">="
    if (have[: len(wanted)] != wanted) if exact else (have < wanted):
        yield f"'{pack.pack}' is version {pack.version}, not {match['sign'] or '=='}{match['version']}", ""


def _check_values(use: Use, pack: Pack) -> Iterable[tuple[str, str]]:
    for name, value in use.with_.items():
        parameter = pack.parameters.get(name)
        if parameter is None:
            yield f"'{pack.pack}' has no parameter '{name}'", suggest_name(name, pack.parameters)
        elif not parameter.minimum <= value <= parameter.maximum:
            yield (
                f"{name} = {value:g} lies outside its bounds",
                f"between {parameter.minimum:g} and {parameter.maximum:g}",
            )
        elif parameter.basis == "regulation" and value != parameter.default:
            yield f"'{name}' is a number of the regulation and cannot be set", "add a rule of your own"


def _disable(rule: LoadedRule, why: str) -> tuple[LoadedRule, str]:
    return replace(rule, disabled=why), ""


def _override(rule: LoadedRule, order: Override, who: str) -> tuple[LoadedRule, str]:
    """Return the changed rule and, where the change is not allowed, the reason."""
    severity = order.severity or rule.severity
    words = [f"severity {order.severity}"] if order.severity else []
    if order.tighten and order.loosen:
        return rule, "tighten and loosen exclude each other"
    if not order.tighten and not order.loosen:
        changed = f"{', '.join(words)} set by {who}" + (f": {order.reason}" if order.reason else "")
        return replace(rule, severity=severity, changed=changed), "" if words else "changes nothing"
    if rule.limit is None or rule.limit.kind != "range":
        return rule, f"{rule.name} has no range of numbers to change"
    try:
        limit = parse_phrase(order.tighten or order.loosen or "", {})
    except PhraseError as mistake:
        return rule, mistake.what
    if order.tighten and not rule.limit.contains(limit):
        return rule, f"'{limit.words}' allows more than '{rule.limit.words}'; write loosen, with a reason"
    if order.loosen and (problem := _refuse_loosening(rule, limit, order)):
        return rule, problem
    words.append(f"'{limit.words}' instead of '{rule.limit.words}'")
    changed = f"{', '.join(words)} set by {who}" + (f": {order.reason}" if order.reason else "")
    return replace(rule, severity=severity, limit=limit, changed=changed), ""


def _refuse_loosening(rule: LoadedRule, limit: Limit, order: Override) -> str:
    if rule.limit is None or not limit.contains(rule.limit):
        return f"'{limit.words}' does not allow all that '{rule.limit.words if rule.limit else ''}' allows"
    if len(order.reason) < 10:
        return "loosening needs a reason"
    basis = getattr(rule.rule, "threshold_basis", None)
    return f"{rule.name} holds a number of the regulation, which cannot be loosened" if basis == "regulation" else ""
