"""The short edition: four pages at most, the same numbers, no reference into nowhere; and true page numbers."""

from __future__ import annotations

import io
import re

import pytest
from dossier_fixture import make_dossier
from pypdf import PdfReader

from audit.attestation.render.editions import LINES, summarise
from audit.attestation.render.html import render_html
from audit.attestation.render.pdf import render_pdf
from audit.attestation.render.view import build_view
from audit.evidence import Dossier


def pages_of(dossier: Dossier) -> list[str]:
    return [page.extract_text() for page in PdfReader(io.BytesIO(render_pdf(dossier))).pages]


@pytest.fixture(scope="module")
def summary() -> list[str]:
    return pages_of(make_dossier(edition="summary"))


def test_summary_has_four_pages_at_most(summary):
    assert len(summary) <= 4
    whole = "\n".join(summary)
    for title in ("Decision page", "Fairness", "Sign-off"):
        assert title in whole
    assert "Calibration" not in re.sub(r"What was not assessed.*", "", whole, flags=re.DOTALL)


def test_summary_stays_short_with_long_names():
    raw = make_dossier(edition="summary").model_dump_json()
    long = raw.replace('"under 25"', '"' + "under twenty-five years of age " * 40 + '"')
    assert len(pages_of(Dossier.model_validate_json(long))) <= 4


def test_summary_refers_only_to_what_it_holds():
    page = render_html(make_dossier(edition="summary")).decode()
    ids = set(re.findall(r'\sid="([^"]+)"', page))
    assert {link for link in re.findall(r'href="#([^"]+)"', page) if link not in ids} == set()


def test_many_attributes_are_named_and_then_counted():
    blocks = build_view(make_dossier()).fairness.attributes
    many = summarise(blocks * 30)
    assert len(many.drawn) + len(many.named) + many.more == 30 * len(blocks)
    assert len(many.named) == LINES
    assert many.more > 0


def test_every_page_number_in_the_contents_is_true():
    """The PDF's own destinations, which another hand resolves, say where each chapter begins."""
    dossier = make_dossier()
    reader = PdfReader(io.BytesIO(render_pdf(dossier)))
    pages = [page.extract_text() for page in reader.pages]
    contents = next(text for text in pages if text.lstrip().startswith("Contents") or "\nContents\n" in text)
    named = {mark: int(page) for mark, page in re.findall(r"^(\d+|[A-Z])\s+.+?\s+(\d+)$", contents, re.MULTILINE)}
    chapters = build_view(dossier).chapters
    starts = {
        chapter.number: reader.get_destination_page_number(reader.named_destinations[chapter.anchor]) + 1
        for chapter in chapters
    }
    assert len(chapters) > 15
    assert {number: named.get(number) for number in starts} == starts
    assert "page 88" not in "\n".join(pages)
    assert re.search(r", page \d+", "\n".join(pages))
