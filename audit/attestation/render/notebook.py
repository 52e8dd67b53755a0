"""A report's gist for a notebook cell: the verdicts as a small table, the shapes as figures.

Comes in: a dossier. Goes out: fragments of HTML with their own styles, no script, no font, no network. Everything that
came from the audit is escaped. The report itself stays what is sealed; these cells carry no signature and say so.
"""

from __future__ import annotations

from pathlib import Path

from markupsafe import Markup, escape

from audit.evidence import SEVERITY_ORDER, VERDICT_ORDER, Dossier, Effects, Evidence, RuleFinding

from . import words
from .glyphs import clean_text
from .shapes import show_features

_TONES = {"good": "#0b6e4f", "bad": "#b3261e", "open": "#805300", "mute": "#56626f"}
_CELL = "padding:3px 14px 3px 0;text-align:left;vertical-align:top;border-bottom:1px solid #8883"
_SOFT = "opacity:.7;font-size:.9em"


def render_outcome_cell(dossier: Dossier, folder: Path) -> str:
    """Return the verdicts of an audit as HTML.

    Parameters
    ----------
    dossier : Dossier
        What was judged.
    folder : pathlib.Path
        Where the sealed report is.
    """
    judgement, subject = dossier.judgement, dossier.evidence.subject
    word, tone, sign = words.OUTCOMES[judgement.outcome]
    rows = Markup("").join(_row(finding) for finding in _worst_first(judgement.findings))
    counts = ", ".join(
        f"{judgement.count(status)} {status.replace('_', ' ')}" for status in VERDICT_ORDER if judgement.count(status)
    )
    head = Markup(
        '<p style="margin:0 0 6px"><b>{}</b> {}<br><span style="color:{};font-weight:600">{} {}</span> {}</p>'
    ).format(_clean(subject.title or subject.system), _clean(subject.version), _TONES[tone], sign, word, counts)
    table = Markup('<table style="border-collapse:collapse;margin:0">{}</table>').format(rows) if rows else Markup("")
    foot = Markup('<p style="margin:6px 0 0;{}">Sealed report: <code>{}</code>. This cell is not sealed.</p>').format(
        _SOFT, _clean(str(folder))
    )
    return str(Markup("<div>{}{}{}</div>").format(head, table, foot))


def render_shapes_cell(evidence: Evidence) -> str:
    """Return the shapes of the most important features as HTML: the black box beside its glass boxes.

    Parameters
    ----------
    evidence : Evidence
        What was measured.
    """
    effects = evidence.effects
    if not isinstance(effects, Effects):
        return str(Markup("<p>No shapes: {}</p>").format(_clean(effects.not_done)))
    blocks = show_features(effects, evidence.subject.features)
    panels = [
        Markup('<section style="margin:0 0 18px;max-width:720px"><b>{}</b> {}<div>{}{}</div></section>').format(
            _clean(block.title), _clean(block.message), block.model_figure or "", block.label_figure or ""
        )
        for block in blocks
    ]
    inner = Markup("").join(panels)
    return str(Markup('<div style="background:#fff;color:#17212b;padding:8px">{}</div>').format(inner))


def _worst_first(findings: tuple[RuleFinding, ...]) -> list[RuleFinding]:
    return sorted(findings, key=lambda f: (VERDICT_ORDER.index(f.status), SEVERITY_ORDER.index(f.severity)))


def _row(finding: RuleFinding) -> Markup:
    sign = words.VERDICTS[finding.status]
    telling = next((v.because for v in finding.verdicts if v.status == finding.status), "")
    return Markup(
        '<tr><td style="{cell};color:{colour};white-space:nowrap">{word}</td><td style="{cell}">{title}</td>'
        '<td style="{cell}">{because}</td></tr>'
    ).format(
        cell=_CELL,
        colour=_TONES.get(sign.tone, "inherit"),
        word=sign.word,
        title=_clean(finding.title),
        because=_clean(telling),
    )


def _clean(text: str) -> Markup:
    return escape(clean_text(text))
