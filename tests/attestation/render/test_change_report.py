"""The report of a change: who pays for it stands first, in the PDF on page one; nothing a reader needs is left out."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import pytest
from change_material import make_scores, write_config

from audit.attestation.render.change_numbers import ChangeLexicon, Reader, sign_shown, turn
from audit.attestation.render.change_page import count_change, find_worst, list_people, write_headline
from audit.attestation.render.change_tables import say_difference
from audit.attestation.render.html import render_html
from audit.attestation.render.markdown import render_markdown
from audit.attestation.render.pdf import render_pdf
from audit.attestation.render.tongue import Untold, echo, speak
from audit.attestation.render.view import build_view
from audit.evidence import Definition, Difference, Dossier, Driver, Estimate, ShapeMoved

VOID = {"meta", "link", "br", "input", "hr", "img", "wbr"}


@pytest.fixture(scope="module")
def job(tmp_path_factory):
    """Two report folders, and the sealed report of the change between them."""
    from audit.config.load import load_config
    from audit.config.schema import AttestConfig
    from audit.workflow import compare_audits, run_audit

    folder = tmp_path_factory.mktemp("change-report")
    make_scores().to_csv(folder / "people.csv", index=False)
    for name in ("old", "new"):
        write_config(folder, name)
        run_audit(load_config(folder / f"{name}.yaml"), out=folder / f"report-{name}")
    order = AttestConfig.model_validate(
        {
            "policies": ("model-change-review",),
            "signing": {"key": "development"},
            "report": {"formats": ("html", "pdf", "markdown")},
            "ledger": {"path": str(folder / "log")},
        }
    )
    pair = (folder / "report-old", folder / "report-new")
    compare_audits(*pair, out=folder / "change", order=order)
    return folder


@pytest.fixture(scope="module")
def dossier(job) -> Dossier:
    return Dossier.parse((job / "change" / "audit.json").read_bytes())


@pytest.fixture(scope="module")
def page(dossier) -> str:
    return render_html(dossier).decode()


@pytest.fixture(scope="module")
def sheets(job) -> list[str]:
    """The text of each page of the PDF."""
    import io

    import pypdf

    reader = pypdf.PdfReader(io.BytesIO((job / "change" / "report.pdf").read_bytes()))
    return [" ".join(sheet.extract_text().split()) for sheet in reader.pages]


def reader_of(dossier: Dossier) -> Reader:
    change = dossier.changes[0]
    return Reader(change, dossier.judgement, ChangeLexicon(dossier.evidence.definitions, change))


def with_change(dossier: Dossier, **fields) -> Dossier:
    return dossier.model_copy(update={"changes": (dossier.changes[0].model_copy(update=fields),)})


def plain(page: str) -> str:
    text = re.sub(r"<(style|script|desc|title)[^>]*>.*?</\1>", " ", page, flags=re.DOTALL)
    return " ".join(re.sub(r"<[^>]+>", " ", text).split())


class Checker(HTMLParser):
    """Collect ids and links; note every tag that is closed out of order."""

    def __init__(self):
        super().__init__(convert_charrefs=True)
        self.stack, self.faults, self.ids, self.links, self.attributes = [], [], [], [], set()

    def handle_starttag(self, tag, attrs):
        found = dict(attrs)
        self.attributes |= set(found)
        self.ids += [found["id"]] if "id" in found else []
        self.links += [found["href"]] if "href" in found else []
        self.stack += [tag] if tag not in VOID else []

    def handle_startendtag(self, tag, attrs):
        self.attributes |= {name for name, _ in attrs}

    def handle_endtag(self, tag):
        if not self.stack or self.stack.pop() != tag:
            self.faults.append((tag, self.getpos()))


def test_what_one_group_pays_stands_before_what_everybody_gains(dossier):
    """Overall AUC rises while the small group's accuracy falls: the fall is the verdict, the rise stands beside it."""
    reader = reader_of(dossier)
    told = write_headline(reader, dossier.judgement)
    worst = find_worst(reader)[0]
    assert (worst.metric, worst.group) == ("fairness.accuracy", {"group": "small"})
    assert told.word == "Worse for Group: small" and told.tone == "bad"
    assert told.sentence.startswith("Accuracy: from ") and "beyond the margin of 2 points" in told.sentence
    assert f"worse by {abs(worst.difference.value) * 100:.1f} points" in told.sentence
    assert "Over everybody it gets better: Area under the ROC curve" in told.beside


def test_page_one_says_what_changes_for_whom_and_whether_it_is_noise(sheets, dossier):
    first = sheets[0]
    assert first.index("Worse for Group: small") < first.index("Over everybody it gets better")
    for words in ("6,000 people paired by row id", "limits broken", "numbers better", "Impact ratio", "Sex: F", "Net"):
        assert words in first
    everybody = dossier.changes[0].decisions[0]
    assert f"{everybody.gained:,}" in first and f"{everybody.lost:,}" in first
    assert "What got worse, what got better" not in first, "the first page runs over"
    assert len(sheets) <= 8


def test_every_chapter_and_both_audits_digests_are_there(sheets, dossier):
    text = "".join(sheets).replace(" ", "")
    change = dossier.changes[0]
    for side in (change.before, change.after):
        assert side.dossier_digest in text and side.evidence_digest in text
    assert "retrainingnoiseisnotmeasured" in text
    for title in ("Whogains,wholoses", "Verdictsthatareotheronesnow", "Sign-off", "Howitwascompared"):
        assert title in text


def test_page_is_whole_and_runs_nothing_of_others(page):
    checker = Checker()
    checker.feed(page)
    assert not checker.faults and not checker.stack
    assert len(checker.ids) == len(set(checker.ids))
    assert {link for link in checker.links if link.removeprefix("#") not in checker.ids} == set()
    assert "style" not in checker.attributes and not {name for name in checker.attributes if name.startswith("on")}
    assert not re.findall(r"""(?:src|href)\s*=\s*["']?(?:https?:|//|file:)""", page)


def test_html_holds_every_number_that_either_audit_holds(page, dossier):
    every = page[page.index('id="numbers"') :]
    rows = re.findall(r"<tr><td>.*?</tr>", every)
    assert len(rows) == len(dossier.changes[0].moves)


def test_counts_are_those_of_the_record(dossier):
    limits, numbers = count_change(reader_of(dossier))[:3], count_change(reader_of(dossier))[3:]
    own = [move for move in dossier.changes[0].moves if move.model in (None, "black_box")]
    assert [count.number for count in numbers] == [
        sum(move.reading == word for move in own) for word in ("worse", "better", "noise")
    ]
    status = [v.status for rule in reader_of(dossier).rules for v in rule.verdicts]
    assert sum(count.number for count in limits) == sum(word != "not_applicable" for word in status)


def test_gains_and_losses_of_groups_add_up(dossier):
    lines = {line.name: line for line in list_people(reader_of(dossier), dossier.evidence, most=8).lines}
    told = {name: int(line.net.replace(",", "").replace("−", "-")) for name, line in lines.items()}
    assert told["Everybody"] == told["Sex: F"] + told["Sex: M"] == told["Group: large"] + told["Group: small"]
    assert lines["Group: small"].sign.word == "Beyond margin" and lines["Group: small"].quality.move.group


def test_many_groups_show_the_worst_first(dossier):
    shown = list_people(reader_of(dossier), dossier.evidence, most=2)
    assert [line.name for line in shown.lines] == ["Everybody", "Group: large", "Group: small"] and shown.left_out == 2


def test_a_difference_of_shares_is_told_in_points_with_its_sign():
    lexicon = ChangeLexicon.__new__(ChangeLexicon)
    lexicon._definitions = {"a.rate": Definition(id="a.rate", title="Rate", formula="f", unit="share")}
    fall = Estimate(value=-0.0604, low=-0.0888, high=-0.0317)
    shown = sign_shown(fall, "a.rate", lexicon)
    assert (shown.value, shown.interval.replace("\u00a0", " ")) == ("−6.0 pp", "−8.9 to −3.2")
    assert sign_shown(Estimate(value=0.081, low=0.068, high=0.094), "a.auc", lexicon).value == "+0.081"
    assert sign_shown(Estimate(value=1e-9, low=-1e-9, high=1e-9), "a.auc", lexicon).value == "0"
    gain = turn(Estimate(value=0.06, low=0.03, high=0.09))
    assert (gain.value, gain.low, gain.high) == (-0.06, -0.09, -0.03)


def test_without_pairs_the_report_says_so_and_shows_no_decisions(dossier):
    change = dossier.changes[0]
    pairing = change.pairing.model_copy(update={"by": "none", "rows_paired": 0, "note": "unpaired: nobody is known"})
    page = plain(render_html(with_change(dossier, pairing=pairing, decisions=(), drivers=())).decode())
    assert "Unpaired: nobody is known." in page and "it is not known whose decision changed" in page
    assert "people gained" not in page


def test_nothing_worse_is_a_good_verdict_and_open_limits_are_none(dossier):
    """The same change held against rules that pass, that are open, and against none."""

    def turned(record, word: str):
        return record.model_copy(update={"status": word})

    def judged(word: str) -> str:
        findings = [
            rule.model_copy(update={"status": word, "verdicts": tuple(turned(v, word) for v in rule.verdicts)})
            for rule in dossier.judgement.findings
            if rule.kind == "compare"
        ]
        judgement = dossier.judgement.model_copy(update={"findings": tuple(findings) if word else ()})
        told = reader_of(dossier.model_copy(update={"judgement": judgement}))
        return write_headline(told, judgement).word

    assert judged("pass") == "Within every margin"
    assert judged("inconclusive") == "It cannot be told yet"
    assert judged("") == "Measured, not judged"


def test_shapes_stand_on_one_axis_and_drivers_beside_each_other(dossier):
    effects = dossier.evidence.effects
    curve = next((c for c in getattr(effects, "curves", ()) if c.kind == "numeric"), None)
    if curve is None:
        pytest.skip("the audit of stored scores drew no curve")
    earlier = curve.model_copy(update={"y": tuple(y + 0.5 * place for place, y in enumerate(curve.y))})
    moved = ShapeMoved(feature=curve.feature, model=curve.model, distance=Estimate(value=0.4, n=9, method="m"),
                       largest=-0.7, at="3", beyond_bands=True, earlier=earlier)  # fmt: skip
    move = Estimate(value=-0.3, low=-0.4, high=-0.2, n=50, method="mean")
    driver = Driver(
        feature=curve.feature, direction="lost", group={"group": "small"}, model=curve.model, move=move, share=0.6
    )
    text = render_html(with_change(dossier, shapes=(moved,), drivers=(driver,))).decode()
    drawn = text[text.index('id="shapes"') :]
    assert "Moved by 40% of its earlier range." in drawn and "0.70 lower" in drawn and "Beyond both bands." in drawn
    assert {"Before", "After"} <= set(re.findall(r">(Before|After)</text>", drawn))
    assert '−0.30 <span class="soft">60%' in text


def test_hostile_names_stay_text(dossier):
    change = dossier.changes[0]
    side = change.before.model_copy(update={"version": "<script>alert(1)</script>", "title": "<img src=x onerror=x>"})
    page = render_html(with_change(dossier, before=side, notes=("<b>bold</b>",))).decode()
    assert "<script>alert" not in page and "<img src=x" not in page and "<b>bold" not in page


def test_equal_dossiers_give_equal_bytes(dossier, job):
    again = Dossier.parse(dossier.canonical())
    assert render_html(again) == render_html(dossier)
    assert render_html(dossier) == (job / "change" / "report.html").read_bytes().partition(b"<!--audit-signature")[0]


def test_folder_is_sealed_like_any_other(job):
    from audit.attestation.verify import verify_report

    found = verify_report(job / "change")
    assert found.word == "INTACT" and found.exit_code == 0
    (job / "change" / "report.md").write_bytes((job / "change" / "report.md").read_bytes() + b" ")
    try:
        assert verify_report(job / "change").exit_code == 4
    finally:
        path = job / "change" / "report.md"
        path.write_bytes(path.read_bytes()[:-1])


def test_an_audit_tells_its_change_on_the_decision_page_and_in_a_chapter(dossier):
    audit = dossier.model_copy(update={"kind": "audit"})
    page = render_html(audit).decode()
    chapter = next(c for c in build_view(audit).chapters if c.anchor == "changes")
    assert chapter.title == "Changes since the last audit"
    decision = plain(page[page.index('id="decision"') : page.index('id="data"')])
    assert "Changes since the last audit: Worse for Group: small" in decision
    told = page[page.index('id="changes"') : page.index('id="signoff"')]
    assert "Worse beyond a margin" in told and "retraining noise is not measured" in told
    without = render_html(audit.model_copy(update={"changes": ()})).decode()
    assert 'id="changes"' not in without and "Changes since the last audit" not in plain(without)


def test_pdf_keeps_three_places_for_signatures(dossier):
    import io

    import pypdf

    fields = pypdf.PdfReader(io.BytesIO(render_pdf(dossier))).get_fields()
    assert set(fields) == {"Preparer", "Reviewer", "Approver"}


def test_a_pull_request_hears_first_who_pays(job):
    lines = (job / "change" / "report.md").read_text().split("\n\n")
    assert lines[0] == "## What changes: hiring"
    assert lines[1].startswith("**✗ Worse for Group\\: small.** Accuracy\\: from")
    assert "Over everybody it gets better" in lines[1]


def german_of(dossier: Dossier) -> Dossier:
    return dossier.model_copy(update={"presentation": dossier.presentation.model_copy(update={"language": "de"})})


def said_by(dossier: Dossier) -> set[str]:
    """Every sentence that a comparison and the rules on it bring along."""
    change = dossier.changes[0]
    estimates = [e for move in change.moves for e in (move.difference, move.loss)]
    estimates += [item.estimate for item in change.measurements] + [item.move for item in change.drivers]
    said = {text for estimate in estimates for text in (estimate.method, estimate.note)}
    said |= {*change.notes, change.pairing.note, change.before.seal}
    said |= {text for item in change.definitions for text in (item.title, item.formula, item.source)}
    verdicts = [verdict for rule in dossier.judgement.findings for verdict in rule.verdicts]
    said |= {text for verdict in verdicts for text in (verdict.because, verdict.would_decide, *verdict.trace)}
    return said - {""}


def test_every_sentence_of_a_comparison_is_known_in_german(dossier):
    said = said_by(dossier)
    with speak("de"):
        unknown = sorted(text for text in said if isinstance(echo(text), Untold))
    assert len(said) > 60 and unknown == []


def test_german_report_of_a_change_holds_no_english(dossier):
    page = render_html(german_of(dossier)).decode()
    text = plain(page)
    assert '<span lang="en">' not in page
    assert "Schlechter für Group: small" in text and "jenseits der Marge (2 Prozentpunkte)" in text
    assert "6.000 Personen, gepaart nach der Zeilenkennung" in text and "Rauschen des Neutrainings" in text
    rest = re.findall(r"\b(?:the|than|worse|better|beyond|noise|margin|people|before|after)\b", text)
    assert rest == []
    shares = re.findall(r'<span class="val">([^<]*) →', page)
    assert shares and not [share for share in shares if re.search(r"\d\.\d", share)]


def test_what_somebody_declared_stays_as_it_is_in_german(dossier):
    told = (
        ("data", "rows", ("Zeilen", "1.234")),
        ("data", "about: purpose", ("Angabe: purpose", "1,234")),
        ("model", "version", ("Version", "1,234")),
        ("features", "rows", ("rows", "1.234")),
        ("data", "column loan amount", ("Spalte loan amount", "1.234")),
        ("data", "label", ("Label", "1,234")),
        ("policy", "parameter min_ratio", ("Parameter min_ratio", "1,234")),
        ("method", "library scikit learn", ("Bibliothek scikit learn", "1,234")),
    )
    with speak("de"):
        for area, name, german in told:
            assert say_difference(Difference(area=area, name=name, before="1,234", after=""))[:2] == german
        feature = Difference(area="features", name="age", before="number, expected increasing, mutable", after="number")
        assert say_difference(feature) == ("age", "Zahl, erwartet steigend, veränderbar", "Zahl")
        group = Difference(area="groups", name="loan amount", before="column loan amount, cut at 1.5, 40", after="")
        assert say_difference(group)[:2] == ("loan amount", "Spalte loan amount, geteilt bei 1,5, 40")
        column = Difference(area="data", name="column loan amount", before="number, feature", after="category, unused")
        assert say_difference(column) == ("Spalte loan amount", "Zahl, Merkmal", "Kategorie, ungenutzt")
        title = "Selection ratio is at least four fifths"
        rule = Difference(
            area="policy", name="rule a/b", before=f"{title}; at least 0.8; judged on interval; high", after=""
        )
        assert say_difference(rule)[1].endswith("mindestens 0,8; beurteilt am Intervall; hoch")
    assert say_difference(rule)[1] == rule.before


def test_a_pull_request_is_told_in_german(dossier):
    text = render_markdown(german_of(dossier)).decode()
    assert text.startswith("## Was sich ändert: hiring\n\n**✗ Schlechter für Group\\: small.** Genauigkeit\\: von")
    rest = re.findall(r"\b(?:the|than|worse|better|beyond|noise|margin|people|yes|fail|pass)\b", text)
    assert rest == [] and "6.000" in text and "6,000" not in text
