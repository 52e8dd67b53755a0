"""The history of audits as one page: what each found, what became of it, and how the main figures moved.

Comes in: the audits of a ledger, oldest first, each with its report where it was found. Goes out: a self-contained
HTML page. It needs no network and no script; its one style is named by digest in a content security policy, and all
text of ledger and reports is escaped by the template engine. Figures show intervals: a point without one would be read
as a fact.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from audit.evidence import SUPPRESSED, Dossier, Estimate

from . import words
from .html import environment, font_faces, name_digest, shipped_text
from .numbers import day_text, show
from .tongue import ENGLISH, speak, tell

_FONTS = ("Inter",)
_WIDTH, _HEIGHT, _LEFT, _RIGHT, _TOP, _BOTTOM = 340.0, 170.0, 38.0, 8.0, 12.0, 28.0
_MOST_PANELS = 6
_MOST_DAYS = 3
"""Days written under a figure."""
_AUC, _RATIO = "performance.auc", "fairness.worst_selection_rate_ratio"
_LIMITED = {_AUC: (_AUC,), _RATIO: (_RATIO, "fairness.selection_rate_ratio")}
"""Figure to the metrics whose limit is drawn with it."""


@dataclass(frozen=True, slots=True)
class Happening:
    """Something that happened to an audit later.

    Parameters
    ----------
    day : str
        UTC time, ISO 8601.
    kind : str
        ``signature``, ``correction``, ``withdrawal``, ``removal``, ``publication``.
    by, reason : str
        As recorded.
    """

    day: str
    kind: str
    by: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True)
class AuditPast:
    """One audit of the history.

    Parameters
    ----------
    index : int
        Its entry in the ledger.
    time : str
        UTC time, ISO 8601.
    system, version, outcome : str
        As recorded.
    counts : dict
        Verdict to the number of rules.
    status : {"stands", "corrected", "withdrawn"}
        What became of it.
    replaced_by : int or None
        Entry of the audit that takes its place.
    model, data : str
        Short digests of what was audited.
    signer : str
        Who signed its entry; empty where nobody did.
    link : str
        Where its report lies, as seen from the page; empty where it was not found.
    dossier : Dossier or None
        Its report, where it was found and is the recorded one.
    happenings : tuple of Happening
        What happened to it later.
    """

    index: int
    time: str
    system: str
    version: str
    outcome: str
    counts: dict[str, int]
    status: str = "stands"
    replaced_by: int | None = None
    model: str = ""
    data: str = ""
    signer: str = ""
    link: str = ""
    dossier: Dossier | None = None
    happenings: tuple[Happening, ...] = ()

    @property
    def is_internal(self) -> bool:
        """Whether its figures are those of an internal report, in which nothing is withheld."""
        return self.dossier is not None and self.dossier.public is None

    @property
    def is_public(self) -> bool:
        """Whether its figures are those of a public edition."""
        return self.dossier is not None and self.dossier.public is not None


@dataclass(frozen=True, slots=True)
class Point:
    """One estimate in a figure, in its coordinates."""

    x: float
    y: float
    top: float
    bottom: float
    tone: str
    text: str


@dataclass(frozen=True, slots=True)
class Trend:
    """A figure over time with the table behind it."""

    anchor: str
    title: str
    last: str
    interval: str
    path: str
    points: tuple[Point, ...]
    ticks: tuple[tuple[float, str], ...]
    days: tuple[tuple[float, str], ...]
    limit: float | None
    limit_text: str
    rows: tuple[tuple[str, str, str], ...]


@dataclass(frozen=True, slots=True)
class AuditRow:
    """One audit as the table prints it."""

    past: AuditPast
    tone: str
    sign: str
    outcome: str
    bar: tuple[tuple[str, int, float, float], ...]
    figures: tuple[tuple[str, str, str], ...]
    new_model: bool
    new_data: bool


@dataclass(frozen=True, slots=True)
class SystemPast:
    """One system: where it stands, how its figures moved, its audits."""

    name: str
    anchor: str
    now: AuditRow | None
    rows: tuple[AuditRow, ...]
    trends: tuple[Trend, ...]
    missing: int = field(default=0)


def render_history(audits: Sequence[AuditPast], *, head: str, checked: str, language: str = ENGLISH) -> bytes:
    """Return the page (UTF-8).

    Parameters
    ----------
    audits : sequence of AuditPast
        All audits, oldest first.
    head : str
        Digest of the ledger's last line, by which the page says what it was made of.
    checked : str
        What checking the ledger found, in one sentence.
    language : str
        Language of the words.
    """
    style = "\n".join((font_faces(_FONTS), shipped_text("styles/tokens.css"), shipped_text("styles/history.css")))
    policy = (
        f"default-src 'none'; style-src '{name_digest(style)}'; font-src data:; base-uri 'none'; form-action 'none'"
    )
    with speak(language):
        systems = [show_system(name, [one for one in audits if one.system == name]) for name in _names(audits)]
        page = environment().get_template("history.html.j2")
        text = page.render(
            systems=systems, head=head, checked=checked, style=style, policy=policy, language=language,
            internal=sum(one.is_internal for one in audits), public=sum(one.is_public for one in audits),
        )  # fmt: skip
    return text.encode("utf-8", errors="replace")


def show_system(name: str, audits: Sequence[AuditPast]) -> SystemPast:
    """Return one system as the page shows it.

    Parameters
    ----------
    name : str
        The system.
    audits : sequence of AuditPast
        Its audits, oldest first.
    """
    rows = [_show_row(one, before) for one, before in zip(audits, [None, *audits[:-1]], strict=True)]
    standing = [row for row in rows if row.past.status == "stands"]
    found = [one for one in audits if one.dossier is not None and one.status != "withdrawn"]
    trends = [_draw_trend(f"{name}-{number}", key, found) for number, key in enumerate(_figures(found))]
    return SystemPast(
        name=name,
        anchor=f"system-{name}",
        now=standing[-1] if standing else None,
        rows=tuple(reversed(rows)),
        trends=tuple(trend for trend in trends if trend is not None)[:_MOST_PANELS],
        missing=sum(one.dossier is None for one in audits),
    )


def _names(audits: Iterable[AuditPast]) -> list[str]:
    return sorted({one.system for one in audits})


def _show_row(past: AuditPast, before: AuditPast | None) -> AuditRow:
    outcome, tone, sign = words.OUTCOMES.get(past.outcome, (past.outcome, "mute", "–"))
    numbers = [(key, _find(past, key, withheld=True)) for key in _figures([past])] if past.dossier else []
    shown = [(_title(key), show(estimate, key[0])) for key, estimate in numbers if estimate is not None]
    return AuditRow(
        past=past,
        tone="mute" if past.status == "withdrawn" else tone,
        sign=sign,
        outcome=outcome,
        bar=_bar(past.counts),
        figures=tuple((title, one.value, one.interval) for title, one in shown),
        new_model=before is not None and before.model != past.model,
        new_data=before is not None and before.data != past.data,
    )


def _bar(counts: dict[str, int]) -> tuple[tuple[str, int, float, float], ...]:
    """Return the verdicts as parts of a bar of 200: word, number, place, width."""
    total, place, parts = sum(counts.values()) or 1, 0.0, []
    for word in words.VERDICTS:
        if number := counts.get(word, 0):
            width = 200 * number / total
            parts.append((word, number, round(place, 1), round(width, 1)))
            place += width
    return tuple(parts)


def _figures(audits: Sequence[AuditPast]) -> list[tuple[str, str]]:
    """Return the figures that any of some audits holds: metric and attribute; the black box's AUC first."""
    ratios = {
        one.attribute: None
        for past in audits
        if past.dossier
        for one in past.dossier.evidence.measurements()
        if one.metric == _RATIO and one.attribute and " * " not in one.attribute
    }
    return [(_AUC, ""), *((_RATIO, str(attribute)) for attribute in ratios)]


def _find(past: AuditPast, key: tuple[str, str], *, withheld: bool = False) -> Estimate | None:
    if past.dossier is None:
        return None
    for one in past.dossier.evidence.measurements():
        if (one.metric, one.attribute or "") == key and not one.group and one.model in (None, "black_box"):
            gone = one.estimate.value is None and not (withheld and one.estimate.note == SUPPRESSED)
            return None if gone else one.estimate
    return None


def _title(key: tuple[str, str]) -> str:
    if key[0] == _AUC:
        return tell("AUC of the black box")
    return tell("Lowest impact ratio: {attribute}", attribute=words.prettify(key[1]))


def _limit_of(past: AuditPast, key: tuple[str, str]) -> float | None:
    """Return the limit that a rule of that audit set for a figure; the first one."""
    if past.dossier is None:
        return None
    for finding in past.dossier.judgement.findings:
        for verdict in finding.verdicts:
            about = set(verdict.group) or set(_named(verdict.scope))
            if verdict.metric in _LIMITED[key[0]] and about in (set(), {key[1]}) and verdict.limit_low is not None:
                return verdict.limit_low
    return None


def _named(scope: str) -> list[str]:
    """Return the attributes that a scope such as ``pack/rule[attribute=sex]`` names."""
    inside = scope.partition("[")[2].rstrip("]")
    return [part.partition("=")[2] for part in inside.split(",") if part.startswith("attribute=")]


def _draw_trend(anchor: str, key: tuple[str, str], audits: Sequence[AuditPast]) -> Trend | None:
    seen = [(past, estimate) for past in audits if (estimate := _find(past, key)) is not None]
    if not seen:
        return None
    limit = _limit_of(seen[-1][0], key)
    ends = [end for _, e in seen for end in (e.value, e.low, e.high) if end is not None]
    low, high = _round_out(min([*ends, *([limit] if limit is not None else [])]), max(ends))
    step = (_WIDTH - _LEFT - _RIGHT) / len(seen)

    def down(value: float) -> float:
        return round(_TOP + (high - value) / (high - low) * (_HEIGHT - _TOP - _BOTTOM), 1)

    points = []
    for place, (past, one) in enumerate(seen):
        value = float(one.value or 0)
        text = show(one, key[0])
        points.append(
            Point(
                x=round(_LEFT + step * (place + 0.5), 1),
                y=down(value),
                top=down(one.high if one.high is not None else value),
                bottom=down(one.low if one.low is not None else value),
                tone="corrected" if past.status == "corrected" else words.OUTCOMES.get(past.outcome, ("", "mute"))[1],
                text=f"{day_text(past.time[:10])}: {text.value} ({text.interval or text.reason})",
            )
        )
    last = show(seen[-1][1], key[0])
    every = max(1, -(-len(seen) // _MOST_DAYS))
    return Trend(
        anchor=anchor,
        title=_title(key),
        last=last.value,
        interval=last.interval,
        path=" ".join(f"{'L' if place else 'M'}{one.x} {one.y}" for place, one in enumerate(points)),
        points=tuple(points),
        ticks=tuple((down(tick), f"{tick:g}") for tick in _ticks(low, high)),
        days=tuple((one.x, seen[i][0].time[:10]) for i, one in enumerate(points) if (len(points) - 1 - i) % every == 0),
        limit=down(limit) if limit is not None and low <= limit <= high else None,
        limit_text="" if limit is None else tell("limit {limit}", limit=f"{limit:g}"),
        rows=tuple((day_text(p.time[:10]), show(e, key[0]).value, show(e, key[0]).interval) for p, e in seen),
    )


def _round_out(low: float, high: float) -> tuple[float, float]:
    """Return ends at whole twentieths around a range, at least a tenth apart."""
    start, end = int(low * 20 - 1e-9) / 20, -(int(-high * 20 + 1e-9)) / 20
    end = end if end >= high else end + 0.05
    return (start, end) if end - start >= 0.1 else (start - 0.05, start + 0.1)


def _ticks(low: float, high: float) -> list[float]:
    step = next(size for size in (0.05, 0.1, 0.2, 0.5, 1.0, 5.0, 1e9) if (high - low) / size <= 5)
    first = -(-round(low * 20) // round(step * 20)) * step
    return [round(first + i * step, 2) for i in range(6) if first + i * step <= high + 1e-9]
