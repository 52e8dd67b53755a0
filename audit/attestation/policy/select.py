"""Which rules are in force: packs by name or file, with what an organisation's own policy changes in them.

Comes in: the `policies` of a configuration. Goes out: `LoadedPack` s with every limit filled in, or all mistakes of all
files at once. A pack that another one uses keeps its name and its text; what was changed is written on each rule.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from fractions import Fraction
from functools import partial
from pathlib import Path

from audit.config.schema import AttestConfig, ExamineConfig
from audit.errors import ConfigError, Mistake, PolicyError, suggest_name
from audit.shipped import shipped_folder
from audit.yamlfile import YamlTree, read_yaml

from .changed import check_use, override_rule, switch_off
from .check import check_pack
from .loaded import LoadedPack, LoadedRule
from .pack import Pack, Use
from .phrase import parse_phrase, read_number
from .reading import read_typed, salvage_pack
from .version import refuse_version, split_version

__all__ = ["LoadedPack", "LoadedRule", "list_shipped", "load_packs", "read_packs"]

Change = Callable[[LoadedRule], tuple[LoadedRule, str]]
"""What an organisation's policy does to a rule, and why that is not allowed."""


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
    places = [order.place_of("policies", number) for number in range(len(order.policies))]
    return read_packs(order.policies, attributes=attributes, places=places)


def read_packs(
    names: Iterable[str],
    *,
    attributes: Iterable[str] | None = None,
    base: Path | None = None,
    places: Sequence[str] = (),
) -> tuple[LoadedPack, ...]:
    """Load packs by name or file.

    Parameters
    ----------
    names : iterable of str
        Names of shipped packs, or files; each with the versions that will do, if it matters.
    attributes : iterable of str or None
        Names by which the audit knows its protected attributes.
    base : pathlib.Path, optional
        Folder that relative files are relative to.
    places : sequence of str, optional
        Where each name stands, for a mistake in it.

    Raises
    ------
    PolicyError
        All mistakes of all packs.
    """
    reader = _Reader(None if attributes is None else tuple(attributes))
    for number, name in enumerate(names):
        place = places[number] if number < len(places) else f"policies, entry {number + 1}"
        reader.take(name, base or Path(), place)
    if reader.mistakes:
        raise PolicyError(mistakes=tuple(dict.fromkeys(reader.mistakes)))
    return tuple(reader.packs.values())


class _Reader:
    """One reading of several packs, collecting packs and mistakes."""

    def __init__(self, attributes: tuple[str, ...] | None) -> None:
        self.attributes, self.mistakes = attributes, list[Mistake]()
        self.packs: dict[str, LoadedPack] = {}
        self.open: list[Path] = []
        self.files: dict[str, Path] = {}

    def take(self, written: str, base: Path, place: str, use: Use | None = None, by: _By | None = None) -> None:
        """Read one pack, then those it uses, then change them as it says."""
        name, versions = split_version(written)
        path = self._find(name, base, place)
        if path is None or self._goes_round(path, place):
            return
        self.open.append(path.resolve())
        try:
            self._take_found(path, versions, place, use, by)
        finally:
            self.open.pop()

    def _take_found(self, path: Path, versions: str, place: str, use: Use | None, by: _By | None) -> None:
        loaded = self._read(path, use, by)
        if loaded is None:
            return
        if use is None and (problem := refuse_version(loaded.name, loaded.pack.version, versions)):
            self.mistakes.append(Mistake(problem[0], place, problem[1]))
        if loaded.name in self.files:
            self._refuse_second(loaded, path, place)
            return
        self.files[loaded.name] = path
        self._take_used(loaded.pack, loaded.tree, path)
        self.packs[loaded.name] = loaded
        self._change(loaded)

    def _take_used(self, pack: Pack, tree: YamlTree, path: Path) -> None:
        for number, inner in enumerate(pack.uses):
            by = _By(tree, ("uses", number), path.name)
            self.take(inner.pack, path.parent, tree.place((*by.at, "pack")), inner, by)

    def _goes_round(self, path: Path, place: str) -> bool:
        """Refuse a pack that takes itself in, over however many others."""
        if path.resolve() not in self.open:
            return False
        ring = [*self.open[self.open.index(path.resolve()) :], path]
        way = " uses ".join(item.name for item in ring)
        self.mistakes.append(Mistake(f"a pack cannot take itself in: {way}", place, "take this line out"))
        return True

    def _refuse_second(self, loaded: LoadedPack, path: Path, place: str) -> None:
        first = self.files[loaded.name]
        if first.resolve() == path.resolve():
            what, hint = f"the pack '{loaded.name}' is named twice", "name it once, here or under `uses`"
        else:
            what = (
                f"two packs are called '{loaded.name}', {first.name} and {path.name}, so their rules share their names"
            )
            hint = "give one of them another name under `pack`"
        self.mistakes.append(Mistake(what, place, hint))

    def _find(self, name: str, base: Path, place: str) -> Path | None:
        shipped = list_shipped()
        if name in shipped:
            return shipped[name]
        if name.endswith((".yaml", ".yml")) or "/" in name:
            path = base / name
            if path.is_file():
                return path
            near = [item.name for item in path.parent.iterdir()] if path.parent.is_dir() else []
            self.mistakes.append(Mistake(f"no such policy file: {name}", place, suggest_name(path.name, near)))
            return None
        hint = suggest_name(name, shipped) or f"shipped packs: {', '.join(shipped)}; a file ends with .yaml"
        self.mistakes.append(Mistake(f"unknown policy pack '{name}'", place, hint))
        return None

    def _read(self, path: Path, use: Use | None, by: _By | None) -> LoadedPack | None:
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
            if left:
                self._take_used(left, tree, path)  # what is wrong there is told in the same breath
            return None
        found = check_pack(pack, tree, self.attributes, shipped=shipped)
        self.mistakes.extend(found)
        if found:
            self._take_used(pack, tree, path)
        if found or (use and by and not self._fits(use, pack, by)):
            return None
        values = {name: read_number(p.default) for name, p in pack.parameters.items()}
        values |= {name: read_number(value) for name, value in use.with_.items()} if use else {}
        only = use.only if use else ()
        rules = [rule for rule in _fill_rules(pack, tree, values) if not only or rule.rule.id in only]
        changed = dict.fromkeys(use.with_, by.file) if use and by else {}
        left_out = tuple(rule.id for rule in pack.rules if only and rule.id not in only)
        return LoadedPack(pack, tree, path.name, tuple(rules), values, shipped, changed, left_out)

    def _fits(self, use: Use, pack: Pack, by: _By) -> bool:
        found = list(check_use(use, pack))
        self.mistakes.extend(Mistake(what, by.tree.place((*by.at, *path)), hint) for path, what, hint in found)
        return not found

    def _change(self, own: LoadedPack) -> None:
        """Apply overrides and disables of `own` to the packs it uses."""
        for number, override in enumerate(own.pack.override):
            change = partial(override_rule, order=override, who=own.name)
            self._change_rule(own, ("override", number), override.rule, change)
        for number, off in enumerate(own.pack.disable):
            why = f"switched off by {own.name}: {off.reason} (decided by {off.approved_by})"
            self._change_rule(own, ("disable", number), off.rule, partial(switch_off, why=why))

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


class _By:
    """Who takes a pack in, and where that is written."""

    __slots__ = ("at", "file", "tree")

    def __init__(self, tree: YamlTree, at: tuple[str | int, ...], file: str) -> None:
        self.tree, self.at, self.file = tree, at, file


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
