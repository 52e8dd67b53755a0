"""The PDF report: conformant, deterministic, only our fonts, attachments whole."""

from __future__ import annotations

import hashlib
import io
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from dossier_fixture import make_dossier
from fairness_fixture import make_full

from audit.attestation.render.pdf import render_pdf
from audit.evidence import WorkedStep, WorkedSum

HERE = Path(__file__).parent
FILES = (
    ("policy.yaml.txt", b"schema: policy/1\n", "The policy", "Source"),
    ("audit.json", b'{"a":1}', "The dossier", "Data"),
)


@pytest.fixture(scope="module")
def made() -> bytes:
    return render_pdf(make_dossier(), FILES)


@pytest.fixture(scope="module")
def reader(made):
    pypdf = pytest.importorskip("pypdf")
    return pypdf.PdfReader(io.BytesIO(made))


def test_it_is_small_and_of_sane_length(made, reader):
    assert len(made) < 1_000_000
    assert 20 <= len(reader.pages) <= 36


def test_only_our_fonts_are_embedded(reader):
    names = set()
    for page in reader.pages:
        for font in (page["/Resources"].get("/Font") or {}).values():
            names.add(re.sub(r"^/[A-Z]{6}\+", "", font.get_object()["/BaseFont"]))
    assert names == {"Inter", "Inter-Semi-Bold", "JetBrains-Mono"}


def test_no_page_is_empty_and_every_page_is_numbered(reader):
    total = len(reader.pages)
    texts = [page.extract_text() for page in reader.pages]
    assert min(len(text) for text in texts) > 120
    for number, text in enumerate(texts[1:], start=2):
        assert f"page {number} of {total}" in " ".join(text.split())


def test_the_contents_name_the_right_pages(reader):
    texts = [" ".join(page.extract_text().split()) for page in reader.pages]
    contents = next(text for text in texts if "Contents" in text and "How to read this report" in text)
    page = int(re.search(r"Policy results (\d+)", contents).group(1))
    assert "9 Policy results" in texts[page - 1]


def test_attachments_are_embedded_byte_for_byte_with_their_relationship(reader):
    assert {name: data[0] for name, data in reader.attachments.items()} == {name: data for name, data, *_ in FILES}
    shown = [item.get_object() for item in reader.trailer["/Root"]["/AF"]]
    assert sorted(item["/AFRelationship"] for item in shown) == ["/Data", "/Source"]


def test_metadata_dates_come_from_the_dossier(reader):
    assert reader.metadata["/CreationDate"].startswith("D:20261121091500")
    assert reader.metadata["/Title"].startswith("Credit screening model 2.3")
    assert reader.trailer["/Root"]["/Lang"] == "en"
    assert b"<pdfuaid:part>1</pdfuaid:part>" in reader.trailer["/Root"]["/Metadata"].get_data()


def test_there_are_bookmarks(reader):
    titles = [item.title for item in reader.outline if not isinstance(item, list)]
    assert any("Fairness" in title for title in titles)
    assert any("Policy results" in title for title in titles)


def test_figures_carry_a_text_alternative(made):
    pypdf = pytest.importorskip("pypdf")
    tree = pypdf.PdfReader(io.BytesIO(made))
    figures = [o for o in (tree.get_object(i) for i in range(1, tree.trailer["/Size"])) if _is_figure(o)]
    assert len(figures) > 15
    assert all(len(figure["/Alt"]) > 40 for figure in figures)


def test_text_hangs_in_the_cell_or_paragraph_that_holds_it(made):
    """Every piece of marked text belongs to one live element, and no element that says nothing is left in a cell."""
    pypdf = pytest.importorskip("pypdf")
    tree = pypdf.PdfReader(io.BytesIO(made))
    nums = tree.trailer["/Root"]["/StructTreeRoot"]["/ParentTree"]["/Nums"]
    seen = 0
    for number, page in enumerate(tree.pages):
        for mark, owner in enumerate(nums[2 * number + 1]):
            element = owner.get_object()
            assert mark in element["/K"]
            assert element["/Pg"] == page
            seen += 1
            if element["/S"] == "/Span" and element["/P"]["/S"] in ("/TD", "/TH", "/P"):
                assert not all(isinstance(kid, int) for kid in element["/K"])  # a link stands in it
    assert seen > 1000


def _is_figure(item) -> bool:
    return isinstance(item, dict) and item.get("/S") == "/Figure"


def test_a_second_validator_finds_no_fault(made, tmp_path):
    page = pytest.importorskip("page", reason="page-validation is not installed")
    target = tmp_path / "report.pdf"
    target.write_bytes(made)
    for profile in ("3a", "ua1"):
        faults = set(re.findall(r"\[(PDF\w+-[\w-]+)\]", str(page.validate_pdf(str(target), profile=profile))))
        # a known false alarm: compressed data that happens to end in an end-of-line byte
        assert faults - {"PDFA3A-STREAM-LENGTH-001"} == set()


def test_the_same_dossier_gives_the_same_bytes_over_hash_seeds(made):
    """Here and in another process with its own seed, time zone and locale."""
    code = (
        "import sys,hashlib; sys.path.insert(0, sys.argv[1]); from dossier_fixture import make_dossier;"
        "from audit.attestation.render.pdf import render_pdf as r; from test_render_pdf import FILES;"
        "print(hashlib.sha256(r(make_dossier(), FILES)).hexdigest())"
    )
    environment = {**os.environ, "PYTHONHASHSEED": "7", "TZ": "Asia/Tokyo", "LC_ALL": "C"}
    run = subprocess.run(
        [sys.executable, "-c", code, str(HERE)], env=environment, capture_output=True, check=True, text=True
    )
    assert run.stdout.strip() == hashlib.sha256(made).hexdigest()


def test_signs_that_no_font_holds_are_boxed_and_named():
    dossier = make_dossier()
    raw = dossier.model_dump_json().replace('"under 25"', '"under \U0001f600 \u4e2d"')
    pypdf = pytest.importorskip("pypdf")
    reader = pypdf.PdfReader(io.BytesIO(render_pdf(type(dossier).model_validate_json(raw))))
    text = " ".join(" ".join(page.extract_text().split()) for page in reader.pages)
    assert "U+4E2D" in text
    assert "U+1F600" in text
    assert "under □ □" in text


def test_nothing_is_fetched():
    from audit.attestation.render.pdf import _fetch_data, fetch_font

    page = "data:text/html;base64,AA"
    for url in ("file:///etc/passwd", "http://127.0.0.1/", "font:../../etc/passwd", "lent:0", page):
        for fetch in (fetch_font, _fetch_data):
            with pytest.raises(ValueError, match="fetches nothing"):
                fetch(url)


@pytest.fixture(scope="module")
def placed(made, tmp_path_factory):
    """All words by page, each with the box it fills: left, top, right, bottom, text."""
    import shutil

    if shutil.which("pdftotext") is None:
        pytest.skip("pdftotext is not installed")
    target = tmp_path_factory.mktemp("placed") / "report.pdf"
    target.write_bytes(made)
    return place_words(target)


def place_words(file: Path) -> list[list[tuple[float, float, float, float, str]]]:
    run = subprocess.run(["pdftotext", "-bbox", str(file), "-"], capture_output=True, check=True, text=True)
    word = re.compile(r'<word xMin="([\d.-]+)" yMin="([\d.-]+)" xMax="([\d.-]+)" yMax="([\d.-]+)">(.*?)</word>')
    pages = [[(*map(float, met[:4]), met[4]) for met in word.findall(page)] for page in run.stdout.split("<page ")[1:]]
    assert sum(map(len, pages)) > 5000
    return pages


def list_collisions(words: list[tuple[float, float, float, float, str]]) -> list[tuple[str, str]]:
    """Return pairs of words that lie over each other by more than a point."""
    found = []
    words = sorted(words, key=lambda word: word[1])
    for index, (left, top, right, bottom, text) in enumerate(words):
        for other in words[index + 1 :]:
            if other[1] > bottom:
                break
            wide = min(right, other[2]) - max(left, other[0])
            tall = min(bottom, other[3]) - max(top, other[1])
            if wide > 1 and tall > 0.6 * min(bottom - top, other[3] - other[1]):
                found.append((text, other[4]))
    return found


def test_no_word_leaves_the_margins(placed):
    """Every word of the body lies between the left and the right margin of 20 mm."""
    assert [w for page in placed for w in page if w[0] < 56 or w[2] > 540] == []


@pytest.fixture(scope="module", params=["en", "de"])
def wide(request, tmp_path_factory):
    """A report with everything that may stand in one, by page as `placed`."""
    import shutil

    if shutil.which("pdftotext") is None:
        pytest.skip("pdftotext is not installed")
    evidence = make_full()
    names = [f"employment_years and x{i}" for i in range(12)]
    steps = [WorkedStep(feature=name, value="12.5 and low", contribution=1.5) for name in names]
    worked = WorkedSum(model="net_surrogate", start=-9.1234, steps=steps, total=8.8766, score=0.9999)
    effects = evidence.effects.model_copy(update={"worked": (worked,)})
    dossier = make_dossier(evidence.model_copy(update={"effects": effects}))
    shown = dossier.presentation.model_copy(update={"language": request.param})
    target = tmp_path_factory.mktemp("wide") / "report.pdf"
    target.write_bytes(render_pdf(dossier.model_copy(update={"presentation": shown})))
    return place_words(target)


def test_nothing_leaves_the_margins_or_lies_over_another_in_a_full_report(wide):
    assert [w for page in wide[1:] for w in page if w[0] < 56 or w[2] > 540] == []
    assert {page: met for page, words in enumerate(wide, 1) if (met := list_collisions(words))} == {}


def test_the_lines_to_sign_on_stand_below_their_heading(wide):
    """Heading, what signing means, and the three roles are on one page."""
    for roles in (("Preparer", "Reviewer", "Approver"), ("Erstellung", "Prüfung", "Freigabe")):
        found = [{word for *_, word in page} for page in wide if roles[0] in {word for *_, word in page}]
        for words in found:
            assert {*roles} <= words
            assert {"Sign-off", "Abnahme"} & words


def test_no_word_lies_over_another(placed):
    assert {page: met for page, words in enumerate(placed, 1) if (met := list_collisions(words))} == {}


def test_the_lean_page_gives_the_same_bytes(made, monkeypatch):
    from audit.attestation.render import markup

    asked = []
    lean = markup._lean_page()
    monkeypatch.setattr(
        lean, "_ua_stylesheets", lambda self, forms=False: asked.append(1) or super(lean, self)._ua_stylesheets(forms)
    )
    assert render_pdf(make_dossier(), FILES) == made
    assert asked  # the engine still asks for its sheets by this name


def test_a_style_with_footnotes_gets_the_whole_sheet(monkeypatch):
    from weasyprint import HTML

    from audit.attestation.render.markup import read_markup

    page = "<html><body><p>x</p></body></html>"
    assert type(read_markup(page, "p { color: red }", None)) is not HTML
    for style in ("aside { float: footnote }", "p { display: list-item }"):
        assert type(read_markup(page, style, None)) is HTML
