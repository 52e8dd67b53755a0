"""What a notebook shows: the outcome, the shapes, a bar of progress."""

from __future__ import annotations

import io
import re
from html.parser import HTMLParser

from audit.attestation.render.notebook import render_outcome_cell
from audit.integrations.progress import TextProgress

VOID = {"br", "img", "hr", "input", "meta", "link"}


class Balanced(HTMLParser):
    """Every tag that opens closes, and none of them runs anything."""

    def __init__(self):
        super().__init__()
        self.open, self.tags = [], []

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        assert not [name for name, _ in attrs if name.startswith("on")]
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def parse(text):
    parser = Balanced()
    parser.feed(text)
    parser.close()
    assert parser.open == []
    return parser.tags


def test_an_outcome_shows_its_verdicts(small_report):
    cell = small_report._repr_html_()
    tags = parse(cell)
    assert tags.count("tr") == len(small_report.findings)
    assert "Undecided" in cell
    assert str(small_report.folder) in cell
    assert "not sealed" in cell
    assert not {"script", "link", "img", "iframe"} & set(tags)
    assert "http" not in cell


def test_text_of_an_audit_cannot_become_markup(small_report):
    evidence = small_report.dossier.evidence
    subject = evidence.subject.model_copy(update={"title": "<script>alert(1)</script>"})
    dossier = small_report.dossier.model_copy(update={"evidence": evidence.model_copy(update={"subject": subject})})
    assert "<script" not in render_outcome_cell(dossier, small_report.folder)


def test_shapes_are_drawn_for_every_feature(small_report):
    cell = small_report.shapes._repr_html_()
    tags = parse(cell)
    assert tags.count("section") == 3
    assert tags.count("svg") >= 3
    for name in ("Income", "Debts", "Age"):
        assert name in cell
    assert not re.search(r"<script|https?://(?!www\.w3\.org)", cell)


def test_progress_is_one_line_with_the_time_left():
    stream = io.StringIO()
    bar = TextProgress(stream)
    bar.stage("score rows")
    bar.step(0, 4)
    bar.step(1, 4)
    bar.step(5, 0)
    bar.close("passed")
    text = stream.getvalue()
    assert "score rows 1/4, " in text and " s left" in text
    assert text.count("\n") == 1
    assert re.search(r"\[#{24}\] passed in \d+\.\d s *\n$", text)
