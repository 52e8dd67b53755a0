"""A pack in force: its text, its rules with every limit filled in, and what was changed in them.

Comes in: nothing. Goes out: the records that `select` fills and everybody else reads.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction

from audit.evidence import Severity, digest_bytes
from audit.yamlfile import YamlTree

from .pack import Pack, Rule
from .phrase import Limit


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
    left_out : tuple of str
        Ids of its rules that whoever uses it did not take.
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
    left_out: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """The pack's name."""
        return self.pack.pack

    @property
    def sha256(self) -> str:
        """Digest of the text."""
        return digest_bytes(self.tree.text.encode())
