"""A change for a pull request: what got worse, for whom, and whether it is more than noise.

Comes in: a change and what the rules say of it. Goes out: Markdown (UTF-8) in the language of the report; all text is
escaped, so that no name can make a link, a heading or a tag.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from audit.evidence import Change, Definition, Dossier, Driver, Estimate, Judgement, Move, RuleFinding

from . import change_report_words as said
from .bins import say_bins
from .change_numbers import ChangeLexicon, Reader, say_place
from .change_page import write_headline
from .change_tables import say_difference
from .numbers import count_text
from .plain import plain
from .tongue import ENGLISH, echo, mark_points, percent_text, speak, spoken, tell

MOST_MOVES, MOST_RULES, MOST_GROUPS, MOST_VERDICTS, MOST_DIFFERENCES, MOST_DRIVERS = 20, 12, 12, 12, 15, 4
"""Lines of each table; what is left out is counted."""


def render_change_markdown(dossier: Dossier) -> bytes:
    """Return the Markdown of a dossier's first change."""
    with speak(dossier.presentation.language):
        text = write_change(dossier.changes[0], dossier.judgement, dossier.evidence.definitions).decode()
    return say_bins(text, dossier).encode()


def write_change(change: Change, judgement: Judgement, known: Iterable[Definition]) -> bytes:
    """Return the Markdown of a change.

    Parameters
    ----------
    change : Change
        The comparison.
    judgement : Judgement
        What the rules say of it.
    known : iterable of Definition
        Definitions of the later audit's numbers.
    """
    known = tuple(known)
    titles = {item.id: item for item in (*change.definitions, *known)}
    told = write_headline(Reader(change, judgement, ChangeLexicon(known, change)), judgement)
    parts = [
        f"## {tell(said.HEAD, system=plain(change.after.system))}",
        f"**{told.sign} {plain(told.word)}.** {plain(told.sentence, 500)} {plain(told.beside, 300)}".rstrip(),
        _versions(change),
        tell(said.PAIRED, note=plain(echo(change.pairing.note))),
        *_rules(judgement.findings),
        *_moves(change, titles, ("worse", "moved"), said.WORSE),
        *_moves(change, titles, ("better",), said.BETTER),
        *_decisions(change),
        *_shapes(change),
        *_verdicts(change),
        *_differences(change),
        tell(said.NOTES),
        "\n".join(f"- {plain(echo(note), 600)}" for note in change.notes),
        tell(said.DIGESTS, before=change.before.evidence_digest, after=change.after.evidence_digest),
    ]
    return ("\n\n".join(parts) + "\n").encode("utf-8", errors="replace")


def _versions(change: Change) -> str:
    sides = [
        f"{plain(side.version or '–', 60)}{f' ({plain(side.created)})' if side.created else ''}"
        for side in (change.before, change.after)
    ]
    counts = {word: sum(move.reading == word for move in change.moves) for word in ("worse", "better", "moved")}
    material = len(change.material)
    return tell(said.VERSIONS, before=sides[0], after=sides[1], numbers=len(change.moves), material=material, **counts)


def _rules(findings: Sequence[RuleFinding]) -> list[str]:
    judged = [item for item in findings if item.kind == "compare" or _measures_change(item)]
    if not judged:
        return []
    rows = []
    for item in judged[:MOST_RULES]:
        worst = next((verdict for verdict in item.verdicts if verdict.status == item.status), None)
        scope = worst.scope.partition("[")[2].removesuffix("]") if worst else ""
        because = plain(echo(worst.because), 200) if worst else ""
        rows.append(
            f"| {said.SIGNS[item.status]} {_status(item.status)} | {plain(echo(item.title), 120)} | "
            f"{plain(scope or '–', 60)} | {because} |"
        )
    return [tell(said.RULES), _table(said.RULE_HEADS, rows, len(judged))]


def _status(word: str | None) -> str:
    return tell(word.replace("_", " ")) if word else "–"


def _measures_change(finding: RuleFinding) -> bool:
    return any((verdict.metric or "").startswith("change.") for verdict in finding.verdicts)


def _moves(change: Change, titles: Mapping[str, Definition], readings: tuple[str, ...], head: str) -> list[str]:
    found = sorted((move for move in change.moves if move.reading in readings), key=_weight)
    if not found:
        return []
    rows = [
        f"| {plain(_title(move.metric, titles), 80)} | {plain(_scope(move), 80)} | {_number(move.before)} | "
        f"{_number(move.after)} | {_interval(move.difference)} | {_material(move)} |"
        for move in found[:MOST_MOVES]
    ]
    return [tell(head), _table(said.MOVE_HEADS, rows, len(found))]


def _weight(move: Move) -> tuple[bool, int, int]:
    """Sort what is material first, then by section, then large groups before their intersections."""
    section = move.metric.partition(".")[0]
    rank = said.SECTIONS.index(section) if section in said.SECTIONS else len(said.SECTIONS)
    return not move.material, rank, len(move.group)


def _material(move: Move) -> str:
    return tell(said.MATERIAL[move.material] if move.margin is not None else said.NO_MARGIN)


def _title(metric: str, titles: Mapping[str, Definition]) -> str:
    return echo(titles[metric].title) if metric in titles else metric


def _scope(move: Move) -> str:
    return ", ".join(f"{name}={value}" for name, value in move.scope if value != "black_box") or tell(said.EVERYBODY)


def _number(estimate: Estimate | None) -> str:
    return "–" if estimate is None or estimate.value is None else mark_points(f"{estimate.value:.4g}")


def _interval(estimate: Estimate) -> str:
    if estimate.value is None:
        return "–"
    if estimate.low is None or estimate.high is None:
        return mark_points(f"{estimate.value:+.4g}")
    value, low, high = (mark_points(f"{end:+.4g}") for end in (estimate.value, estimate.low, estimate.high))
    return f"{value} ({low} {tell('to')} {high})"


def _decisions(change: Change) -> list[str]:
    if not change.decisions:
        return []
    rows = []
    for item in change.decisions[:MOST_GROUPS]:
        group = ", ".join(f"{name}={value}" for name, value in item.group.items()) or tell(said.EVERYBODY)
        n, gained, lost, wrong = map(count_text, (item.n, item.gained, item.lost, item.lost_wrongly))
        rate = percent_text(mark_points(f"{100 * (item.flip_rate.value or 0.0):.1f}"))
        rows.append(f"| {plain(group, 80)} | {n} | {rate} | {gained} | {lost} | {wrong} |")
    parts = [tell(said.DECISIONS), _table(said.DECISION_HEADS, rows, len(change.decisions))]
    lines = [line for direction in ("lost", "gained") if (line := _drivers(change, direction))]
    return [*parts, "\n".join(lines)] if lines else parts


def _drivers(change: Change, direction: str) -> str:
    found = [item for item in change.drivers if item.direction == direction and not item.group][:MOST_DRIVERS]
    if not found:
        return ""
    return tell(said.DRIVERS[direction], told=", ".join(map(_driver, found)))


def _driver(item: Driver) -> str:
    move = mark_points(f"{item.move.value or 0.0:+.2g}")
    share = "" if item.share is None else f" ({percent_text(f'{100 * item.share:.0f}')})"
    return f"{plain(item.feature or tell(said.REST))} {move}{share}"


def _shapes(change: Change) -> list[str]:
    models = {item.model for item in change.shapes}
    model = next((name for name in said.SHAPE_MODELS if name in models), None)
    rows = [
        f"| {plain(item.feature, 60)} | {_percent(item.distance)} | {mark_points(f'{item.largest:+.3g}')} | "
        f"{plain(say_place(item.at), 40)} | {tell(said.PARTED[item.beyond_bands])} |"
        for item in change.shapes
        if item.model == model
    ]
    return [tell(said.SHAPES), _table(said.SHAPE_HEADS, rows[:MOST_GROUPS], len(rows))] if rows else []


def _percent(estimate: Estimate) -> str:
    return "–" if estimate.value is None else percent_text(mark_points(f"{100 * estimate.value:.1f}"))


def _verdicts(change: Change) -> list[str]:
    rows = [
        f"| {plain(item.scope, 120)} | {_status(item.before)} | {_status(item.after)} | "
        f"{tell(said.NOISE[item.beyond_noise])} |"
        for item in change.verdicts
    ]
    return [tell(said.VERDICTS), _table(said.VERDICT_HEADS, rows[:MOST_VERDICTS], len(rows))] if rows else []


def _differences(change: Change) -> list[str]:
    rows = []
    for item in change.differences:
        area = item.area if spoken() == ENGLISH else tell(said.AREAS[item.area])
        name, before, after = (plain(text or "–", 80) for text in say_difference(item))
        rows.append(f"| {area} | {name} | {before} | {after} |")
    return [tell(said.DIFFERENCES), _table(said.DIFFERENCE_HEADS, rows[:MOST_DIFFERENCES], len(rows))] if rows else []


def _table(heads: Iterable[str], rows: Sequence[str], whole: int) -> str:
    names = list(map(tell, heads))
    lines = [f"| {' | '.join(names)} |", "|" + "---|" * len(names), *rows]
    more = f"\n\n{tell(said.MORE, number=whole - len(rows))}" if whole > len(rows) else ""
    return "\n".join(lines) + more
