"""Tables of a change: who gained and who lost, what drove it, every number, verdicts and everything else that differs.

Comes in: a change beside its verdicts. Goes out: rows that the templates print without another decision.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from audit.evidence import VERDICT_ORDER, DecisionsChanged, Difference, Driver, Evidence, Move

from . import change_report_words as said
from . import words
from .change_numbers import MoveShown, Reader, name_group, say_place
from .change_page import signed_count
from .glyphs import shorten
from .numbers import Shown, count_text, number_text, share_text, show
from .tongue import Untold, echo, tell

MOST_DRIVERS = 6
"""Features behind changed decisions."""
_DIGEST = 24
"""Characters without a space from which a text is shown by its beginning: digests."""


@dataclass(frozen=True, slots=True)
class DecisionLine:
    """Decisions of one group that changed."""

    name: str
    n: str
    pairs: bool
    flips: Shown
    gained: str
    lost: str
    net: str
    gained_wrongly: str
    lost_wrongly: str
    opens: str
    """Sub-heading above the row; empty where none stands there."""


@dataclass(frozen=True, slots=True)
class DriverLine:
    """One feature behind changed decisions."""

    feature: str
    lost: str
    lost_share: str
    gained: str
    gained_share: str


@dataclass(frozen=True, slots=True)
class DriverTable:
    """What drove the decisions of one group."""

    name: str
    lost: str
    gained: str
    lines: tuple[DriverLine, ...]


@dataclass(frozen=True, slots=True)
class MoveTable:
    """Moves of one reading, those that are printed, and how many there are."""

    title: str
    rows: tuple[MoveShown, ...]
    whole: int

    @property
    def more(self) -> int:
        """Rows that are not printed."""
        return self.whole - len(self.rows)


@dataclass(frozen=True, slots=True)
class VerdictLine:
    """A verdict that is another one now."""

    title: str
    where: str
    before: words.VerdictSign | None
    after: words.VerdictSign | None
    noise: str


@dataclass(frozen=True, slots=True)
class DifferenceLine:
    """Something besides numbers that differs."""

    area: str
    name: str
    before: str
    after: str


def list_decisions(reader: Reader) -> tuple[DecisionLine, ...]:
    """Return the decisions that changed: everybody, single attributes, then groups of several.

    Parameters
    ----------
    reader : Reader
        The change beside its verdicts.
    """
    lines, last = [], ""
    for item in reader.change.decisions:
        kind = words.prettify(" * ".join(sorted(item.group))) if item.group else ""
        lines.append(_decision(item, kind if kind != last else ""))
        last = kind
    return tuple(lines)


def _decision(item: DecisionsChanged, opens: str) -> DecisionLine:
    name = " · ".join(shorten(value, 60) for _, value in sorted(item.group.items())) or name_group({})
    return DecisionLine(
        name=name,
        n=count_text(item.n),
        pairs=len(item.group) > 1,
        flips=show(item.flip_rate, "change.decision_flip_rate"),
        gained=count_text(item.gained),
        lost=count_text(item.lost),
        net=signed_count(item.gained - item.lost),
        gained_wrongly=count_text(item.gained_wrongly),
        lost_wrongly=count_text(item.lost_wrongly),
        opens=opens,
    )


def list_drivers(reader: Reader, group: dict[str, str]) -> DriverTable | None:
    """Return the features behind the changed decisions of a group; None where nothing is known of them.

    Parameters
    ----------
    reader : Reader
        The change beside its verdicts.
    group : dict
        The group; empty for everybody.
    """
    found = [driver for driver in reader.change.drivers if driver.group == group]
    if not found:
        return None
    order = dict.fromkeys(d.feature for d in sorted(found, key=lambda d: -(d.share or 0.0)))
    sides = {(driver.feature, driver.direction): driver for driver in found}
    features = list(order)[:MOST_DRIVERS]
    counted = next((item for item in reader.change.decisions if item.group == group), None)
    return DriverTable(
        name=name_group(group),
        lost=count_text(counted.lost if counted else None),
        gained=count_text(counted.gained if counted else None),
        lines=tuple(_driver(name, sides.get((name, "lost")), sides.get((name, "gained"))) for name in features),
    )


def _driver(feature: str, lost: Driver | None, gained: Driver | None) -> DriverLine:
    told = [_mean_move(driver) for driver in (lost, gained)]
    shares = [share_text(d.share, decimals=0) if d is not None and d.share is not None else "–" for d in (lost, gained)]
    name = words.prettify(feature) if feature else words.sentence(tell(said.REST)).rstrip(".")
    return DriverLine(name, told[0], shares[0], told[1], shares[1])


def _mean_move(driver: Driver | None) -> str:
    if driver is None or driver.move.value is None:
        return "–"
    text = number_text(driver.move.value, 2)
    return f"+{text}" if driver.move.value > 0 else text


def list_moves(reader: Reader, readings: Sequence[str], title: str, most: int) -> MoveTable:
    """Return the moves of the model's own numbers with these readings: what a rule watches first, then by section.

    Parameters
    ----------
    reader : Reader
        The change beside its verdicts.
    readings : sequence of str
        Readings.
    title : str
        Heading.
    most : int
        Rows that are printed.
    """
    found = [move for move in reader.about_model() if move.reading in readings]
    found.sort(key=lambda move: _weight(reader, move))
    return MoveTable(tell(title), tuple(reader.show(move) for move in found[:most]), len(found))


def _weight(reader: Reader, move: Move) -> tuple[int, bool, int, int]:
    section = move.metric.partition(".")[0]
    rank = said.SECTIONS.index(section) if section in said.SECTIONS else len(said.SECTIONS)
    return reader.sign(move).rank, reader.ruled(move) is None, rank, len(move.group)


def list_all_moves(reader: Reader) -> tuple[MoveTable, ...]:
    """Return every number that either side holds, by section of the report."""
    sections: dict[str, list[Move]] = {}
    for move in reader.change.moves:
        sections.setdefault(move.metric.partition(".")[0], []).append(move)
    return tuple(
        MoveTable(tell(words.SECTIONS.get(name, words.prettify(name))), tuple(map(reader.show, moves)), len(moves))
        for name, moves in sections.items()
    )


def list_verdicts(reader: Reader) -> tuple[VerdictLine, ...]:
    """Return the verdicts that are other ones now, the worst first; what was and is not applicable is left out."""
    order = VERDICT_ORDER.index
    changed = [item for item in reader.change.verdicts if {item.before, item.after} != {None, "not_applicable"}]
    changed.sort(key=lambda item: order(item.after or "not_applicable"))
    return tuple(
        VerdictLine(
            title=echo(item.title),
            where=_say_scope(item.scope),
            before=words.VERDICTS[item.before] if item.before else None,
            after=words.VERDICTS[item.after] if item.after else None,
            noise=tell(said.NOISE[item.beyond_noise]),
        )
        for item in changed
    )


def _say_scope(scope: str) -> str:
    """Return where a verdict holds, in words; empty where it is about everybody."""
    parts = scope.partition("[")[2].removesuffix("]").split(",")
    told = []
    for name, _, value in (part.strip().partition("=") for part in parts if part.strip()):
        if name in ("feature", "model"):
            told += [] if value == "black_box" else [words.model_name(value, short=True)]
        else:
            told.append(f"{words.prettify(name)}: {value}" if value else words.prettify(name))
    return ", ".join(told)


def list_differences(reader: Reader, *, policies: bool) -> tuple[DifferenceLine, ...]:
    """Return what differs besides numbers.

    Parameters
    ----------
    reader : Reader
        The change beside its verdicts.
    policies : bool
        Whether policies, or everything else.
    """
    return tuple(
        DifferenceLine(tell(said.AREAS[item.area]), name, _short(before), _short(after))
        for item in reader.change.differences
        if (item.area == "policy") == policies
        for name, before, after in [say_difference(item)]
    )


def say_difference(item: Difference) -> tuple[str, str, str]:
    """Return what differs, before and after, in the language of the report.

    Parameters
    ----------
    item : Difference
        What somebody declared stays as it is: names of features and groups, versions, descriptions.
    """
    if item.area in ("features", "groups"):
        told = _own_words if item.area == "features" else _column_words
        return item.name, told(item.before), told(item.after)
    name = _name_words(item.name)
    if _is_declared(item):
        return name, item.before, item.after
    told = _rule_words if item.area == "policy" else _own_words
    return name, told(item.before), told(item.after)


def _is_declared(item: Difference) -> bool:
    """Whether somebody wrote the two texts, or a machine did, and not we."""
    if item.area in ("model", "method"):
        return item.name != "effort"
    return item.name == "label" or item.name.startswith("about: ") or item.name.startswith("parameter ")


def _name_words(text: str) -> str:
    """Return what differs: behind some first words stands a name, of several words maybe."""
    first, _, name = text.partition(" ")
    return tell(said.NAMED[first], name=name) if first in said.NAMED and name else _own_words(text)


def _column_words(text: str) -> str:
    """Return where a group comes from, or how many rows it has."""
    first, _, column = text.partition(" ")
    if first != "column":
        return _own_words(text)
    column, _, cuts = column.partition(", cut at ")
    if not cuts:
        return tell(said.NAMED[first], name=column)
    return tell(said.CUT, name=column, cuts=", ".join(map(say_place, cuts.split(", "))))


def _rule_words(text: str) -> str:
    """Return a rule part by part: of an organisation's own one the title stays, limit and severity are told."""
    parts = text.split("; ")
    return "; ".join(map(_own_words, (*parts[:-2], "; ".join(parts[-2:]))))


def _own_words(text: str) -> str:
    """Return a text told where it is one of ours; in which language somebody wrote theirs is not known."""
    told = echo(text)
    return text if isinstance(told, Untold) else told


def _short(text: str) -> str:
    """Return a text with digests cut to their beginning: they stand whole in the dossier."""
    return " ".join(part[:_DIGEST] + "…" if part.startswith("sha256:") else part for part in text.split(" "))


def about_data(reader: Reader, evidence: Evidence) -> tuple[MoveShown, ...]:
    """Return numbers about data and drift that moved by more than noise."""
    moves = (m for m in reader.about_model() if m.metric.startswith(("data.", "drift.")) and m.model is None)
    return tuple(reader.show(m) for m in moves if m.reading in ("worse", "better", "moved"))[
        : evidence.subject.small_count
    ]
