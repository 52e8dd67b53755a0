"""The report before it has a form: everything the templates print, in the order they print it.

Comes in: a dossier. Goes out: a `View` with chapters, decisions, tables and figures; the templates hold words and
structure, and decide nothing about numbers. It is a pure function: no clock, no file, no network.
"""

from __future__ import annotations

from dataclasses import dataclass

from markupsafe import Markup

from audit.evidence import (
    Calibration,
    Dossier,
    Effects,
    Evidence,
    Fairness,
    Fidelity,
    Measurement,
    NotDone,
    Performance,
    Section,
)

from . import findings, groups, shapes, words
from .figures import ForestPanel, ForestPoint, ForestRow, draw_forest, draw_reliability
from .glyphs import missing_signs, name_signs
from .numbers import Shown, is_share
from .tables import Grid, GridRow, Lexicon, make_grid, split_grid

NOTICE = (
    "This report states measurements and how they compare with the limits of the policies named in it. "
    "It is not legal advice, and it does not certify that a system is lawful."
)


@dataclass(frozen=True, slots=True)
class Chapter:
    """One chapter: number, anchor, title."""

    number: str
    anchor: str
    title: str


@dataclass(frozen=True, slots=True)
class NotAssessed:
    """One part that was not carried out."""

    title: str
    reason: str
    broke: bool


@dataclass(frozen=True, slots=True)
class Timing:
    """Seconds of one step."""

    name: str
    seconds: float


@dataclass(frozen=True, slots=True)
class Panels:
    """Numbers of a section as figure and tables."""

    message: str
    figure: Markup | None
    grid: Grid | None
    extra: Grid | None
    by_group: tuple[Grid, ...]


@dataclass(frozen=True, slots=True)
class View:
    """Everything a template prints."""

    dossier: Dossier
    chapters: tuple[Chapter, ...]
    outcome: tuple[str, str, str]
    sentence: str
    incomplete: bool
    counts: tuple[findings.Count, ...]
    rules: tuple[findings.RuleShown, ...]
    top: tuple[findings.RuleShown, ...]
    undecided: tuple[findings.RuleShown, ...]
    passed: tuple[findings.RuleShown, ...]
    packs: tuple[findings.PackShown, ...]
    not_assessed: tuple[NotAssessed, ...]
    attributes: tuple[groups.AttributeBlock, ...]
    fairness_rest: Grid | None
    performance: Panels | None
    calibration: Panels | None
    fidelity: Panels | None
    importance: Markup | None
    importance_message: str
    importance_grid: Grid | None
    feature_grids: tuple[Grid, ...]
    effects_rest: Grid | None
    features: tuple[shapes.FeatureBlock, ...]
    features_beyond: int
    pairs: tuple[tuple[str, str, str], ...]
    timings: tuple[Timing, ...]
    unshown: str
    lexicon: Lexicon

    def chapter(self, anchor: str) -> Chapter:
        """Return the chapter with this anchor."""
        return next(chapter for chapter in self.chapters if chapter.anchor == anchor)


CHAPTERS: tuple[tuple[str, str], ...] = (
    ("decision", "Decision page"),
    ("data", "Scope and data"),
    ("model", "The model and how it was taken in"),
    ("performance", "Performance and the price of transparency"),
    ("calibration", "Calibration"),
    ("fairness", "Fairness"),
    ("glassbox", "Glass box beside black box"),
    ("not-assessed", "What was not assessed"),
    ("policies", "Policy results"),
    ("signoff", "Sign-off"),
    ("methods", "Methods, definitions and limits"),
    ("reproduction", "Reproduction"),
)
"""Chapters in the order of the report."""


def build_view(dossier: Dossier) -> View:
    """Return the view of a dossier.

    Parameters
    ----------
    dossier : Dossier
        Evidence, judgement, presentation.
    """
    evidence, judgement = dossier.evidence, dossier.judgement
    lexicon = Lexicon(evidence)
    rules = findings.show_rules(judgement, lexicon)
    packs = findings.show_packs(judgement, rules)
    effects = evidence.effects if isinstance(evidence.effects, Effects) else None
    fairness = evidence.fairness if isinstance(evidence.fairness, Fairness) else None
    features = shapes.show_features(effects, evidence.subject.features) if effects else ()
    return View(
        dossier=dossier,
        chapters=_chapters(packs),
        outcome=words.OUTCOMES["incomplete" if evidence.broken else judgement.outcome],
        sentence=findings.verdict_sentence(judgement, evidence.broken),
        incomplete=bool(evidence.broken),
        counts=findings.count_verdicts(judgement),
        rules=rules,
        top=findings.top_findings(rules),
        undecided=findings.undecided_rules(rules),
        passed=tuple(rule for rule in rules if rule.finding.status == "pass"),
        packs=packs,
        not_assessed=_not_assessed(evidence),
        attributes=groups.show_attributes(fairness, judgement, lexicon) if fairness else (),
        fairness_rest=_fairness_rest(fairness, lexicon) if fairness else None,
        performance=_performance(evidence, lexicon),
        calibration=_calibration(evidence, lexicon),
        fidelity=_fidelity(evidence, lexicon),
        importance=shapes.show_importance(effects) if effects else None,
        importance_message=shapes.importance_message(effects) if effects else "",
        importance_grid=shapes.feature_grid(effects, lexicon, "effects.importance", "model") if effects else None,
        feature_grids=shapes.feature_grids(effects, lexicon) if effects else (),
        effects_rest=shapes.rest_grid(effects, lexicon) if effects else None,
        features=features,
        features_beyond=len({c.feature for c in effects.curves}) - len(features) if effects else 0,
        pairs=shapes.pair_rows(effects) if effects else (),
        timings=_timings(evidence),
        unshown=name_signs(missing_signs(dossier.model_dump_json())),
        lexicon=lexicon,
    )


def _chapters(packs: tuple[findings.PackShown, ...]) -> tuple[Chapter, ...]:
    main = [Chapter(str(index), anchor, title) for index, (anchor, title) in enumerate(CHAPTERS, start=1)]
    annexes = [Chapter(pack.letter, pack.anchor, f"Annex {pack.letter}: {pack.policy.title}") for pack in packs]
    return (*main, *annexes)


def _not_assessed(evidence: Evidence) -> tuple[NotAssessed, ...]:
    parts = [
        NotAssessed(words.SECTIONS[name], part.not_done, part.broke)
        for name, part in evidence.sections()
        if isinstance(part, NotDone)
    ]
    return tuple(sorted(parts, key=lambda part: not part.broke))


def _timings(evidence: Evidence) -> tuple[Timing, ...]:
    steps = [Timing(words.prettify(name), seconds) for name, seconds in evidence.provenance.seconds.items()]
    sections = [
        Timing(f"Section: {words.SECTIONS[name]}", part.seconds)
        for name, part in evidence.sections()
        if isinstance(part, Section) and part.seconds is not None
    ]
    return (*steps, *sections)


def _performance(evidence: Evidence, lexicon: Lexicon) -> Panels | None:
    part = evidence.performance
    if not isinstance(part, Performance):
        return None
    plain = [m for m in part.measurements if not m.group]
    gaps = [m for m in plain if m.metric.endswith("_gap")]
    levels = [m for m in plain if not m.metric.endswith("_gap")]
    return Panels(
        message=_gap_message(gaps, lexicon),
        figure=_model_forest("performance", levels, lexicon),
        grid=_by_model(levels, lexicon) if levels else None,
        extra=_by_model(gaps, lexicon) if gaps else None,
        by_group=_by_group([m for m in part.measurements if m.group], lexicon),
    )


def _gap_message(gaps: list[Measurement], lexicon: Lexicon) -> str:
    """Return the price of transparency in a sentence: the smallest AUC gap of a glass box fitted on the labels."""
    chosen = [m for m in gaps if m.metric.endswith("auc_gap") and m.estimate.value is not None]
    labels = [m for m in chosen if m.model and m.model.endswith("_label")] or chosen
    if not labels:
        return "Black box and glass boxes on the same rows, each number with its interval."
    best = min(labels, key=lambda m: m.estimate.value or 0.0)
    estimate, shown = best.estimate, lexicon.show(best)
    name = words.model_name(best.model)
    if estimate.low is not None and estimate.low > 0:
        return f"The black box ranks better than the best glass box ({name}) by {shown.text} in AUC."
    if estimate.high is not None and estimate.high < 0:
        return f"The best glass box ({name}) ranks better than the black box; AUC gap {shown.text}."
    return f"No loss is shown by giving up the black box: AUC gap to the best glass box ({name}) {shown.text}."


def _by_model(numbers: list[Measurement], lexicon: Lexicon) -> Grid:
    ordered = sorted(numbers, key=lambda m: words.MODEL_ORDER.index(m.model) if m.model in words.MODEL_ORDER else 9)
    return make_grid(
        ordered,
        lexicon,
        corner="Model",
        key=lambda m: m.model or "",
        label=lambda model: words.model_name(model) or "All",
        metrics=tuple(dict.fromkeys(m.metric for m in numbers)),
    )


def _by_group(numbers: list[Measurement], lexicon: Lexicon) -> tuple[Grid, ...]:
    """Return numbers by group as tables: a row per group, a column per metric and model."""
    columns = dict.fromkeys((m.metric, m.model or "") for m in numbers)
    found: dict[str, dict[tuple[str, str], Shown]] = {}
    for m in numbers:
        found.setdefault(words.scope_words(m.group), {})[(m.metric, m.model or "")] = lexicon.show(m)
    several = len({model for _, model in columns}) > 1
    heads = tuple(
        lexicon.head(metric) + (f", {words.model_name(model, short=True).partition(',')[0]}" if several else "")
        for metric, model in columns
    )
    rows = tuple(GridRow(name, "", tuple(cells.get(key) for key in columns)) for name, cells in found.items())
    return split_grid(Grid("Group", heads, rows)) if rows else ()


def _model_forest(name: str, numbers: list[Measurement], lexicon: Lexicon) -> Markup | None:
    """Return a forest plot of the first two of AUC and accuracy by model."""
    wanted = [f"{name}.{metric}" for metric in ("auc", "accuracy", "r2", "rmse", "mae")]
    metrics = [metric for metric in wanted if any(m.metric == metric for m in numbers)][:2]
    models = [model for model in words.MODEL_ORDER if any(m.model == model for m in numbers)]
    if not metrics or not models:
        return None
    found = {(m.model, m.metric): m for m in numbers}
    rows = []
    for model in models:
        points = tuple(_forest_point(found.get((model, metric)), lexicon) for metric in metrics)
        rows.append(ForestRow(words.model_name(model, short=True), "", points))
    panels = [_panel_of(metric, [found[key] for key in found if key[1] == metric], lexicon) for metric in metrics]
    described = "; ".join(
        f"{words.model_name(m.model)}: {lexicon.title(m.metric)} {lexicon.show(m).text}"
        for m in numbers
        if m.metric in metrics
    )
    return draw_forest(f"forest-{name}", "Every model on the same rows", described, panels, rows)


def _panel_of(metric: str, numbers: list[Measurement], lexicon: Lexicon) -> ForestPanel:
    ends = [end for m in numbers for end in (m.estimate.value, m.estimate.low, m.estimate.high) if end is not None]
    low, high = (min(ends), max(ends)) if ends else (0.0, 1.0)
    room = max(high - low, 0.02)
    share = is_share(metric, lexicon.unit(metric))
    return ForestPanel(lexicon.title(metric), low - 0.15 * room, high + 0.15 * room, percent=share)


def _forest_point(measurement: Measurement | None, lexicon: Lexicon) -> ForestPoint:
    if measurement is None:
        return ForestPoint(None, None, None, "not measured")
    shown = lexicon.show(measurement)
    estimate = measurement.estimate
    if estimate.value is None:
        return ForestPoint(None, None, None, shown.text)
    text = f"{shown.value} ({shown.interval})" if shown.interval else shown.value
    return ForestPoint(estimate.value, estimate.low, estimate.high, text.replace("\u00a0to\u00a0", "–"))


def _calibration(evidence: Evidence, lexicon: Lexicon) -> Panels | None:
    part = evidence.calibration
    if not isinstance(part, Calibration):
        return None
    described = "; ".join(
        f"mean score {b.mean_score:.2f}: observed {b.observed.value:.2f}"
        for b in part.bins
        if b.observed.value is not None
    )
    message = _calibration_message(part)
    figure = draw_reliability("reliability", message, described, part.bins) if part.bins else None
    models = {m.model for m in part.measurements}
    grid = _by_model(list(part.measurements), lexicon) if len(models) > 1 else _value_grid(part.measurements, lexicon)
    return Panels(message, figure, grid, None, ())


def _calibration_message(part: Calibration) -> str:
    """Return whether bins leave the diagonal, in a sentence with counts."""
    known = [b for b in part.bins if b.observed.low is not None and b.observed.high is not None]
    if not known:
        return "Observed share of positives against the mean score."
    off = sum(not ((b.observed.low or 0) <= b.mean_score <= (b.observed.high or 1)) for b in known)
    chance = "about one in twenty is expected to by chance"
    if off == 0:
        return f"In all {len(known)} bins the interval of the observed share holds the mean score."
    return (
        f"In {off} of {len(known)} bins the observed share differs from the mean score "
        f"by more than its interval; {chance}."
    )


def _value_grid(numbers: tuple[Measurement, ...], lexicon: Lexicon) -> Grid | None:
    """Return a table of one value per row: metric and scope."""
    if not numbers:
        return None
    rows = tuple(
        GridRow(lexicon.head(m.metric), words.scope_words(m.group, m.feature, m.model), (lexicon.show(m),))
        for m in numbers
    )
    return Grid("Measure", ("Value",), rows)


def _fidelity(evidence: Evidence, lexicon: Lexicon) -> Panels | None:
    part = evidence.fidelity
    if not isinstance(part, Fidelity):
        return None
    whole = [m for m in part.measurements if not m.group]
    best = _best_fidelity(whole, lexicon)
    message = (
        f"{best[0]} explains {best[1].text} of the black box's score."
        if best
        else "How well each glass box follows the black box."
    )
    grouped = _by_group([m for m in part.measurements if m.group], lexicon)
    return Panels(message, None, _by_model(whole, lexicon) if whole else None, None, grouped)


def _best_fidelity(numbers: list[Measurement], lexicon: Lexicon) -> tuple[str, Shown] | None:
    known = [m for m in numbers if m.metric == "fidelity.r2" and m.estimate.value is not None]
    if not known:
        return None
    best = max(known, key=lambda m: m.estimate.value or 0.0)
    return words.model_name(best.model), lexicon.show(best)


def _fairness_rest(part: Fairness, lexicon: Lexicon) -> Grid | None:
    """Return numbers about fairness that belong to no single block."""
    names = {
        " * ".join(kind) for group in part.groups for kind in (group.attributes, tuple(reversed(group.attributes)))
    }
    rest = tuple(m for m in part.measurements if not m.group and (m.attribute or "") not in names)
    return _value_grid(rest, lexicon)
