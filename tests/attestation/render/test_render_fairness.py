"""Fairness as it reads: every form of it is shown, in words, with its limit, and can be read without colour."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from itertools import pairwise
from xml.etree import ElementTree as ET

import pytest
from dossier_fixture import make_dossier
from fairness_fixture import BANDS, CUTS, make_full, make_undecided, sweep
from hypothesis import given
from hypothesis import strategies as st
from test_render_html import check

from audit.attestation.render import fairness_words
from audit.attestation.render.fairness import show_fairness
from audit.attestation.render.figures import HeatField, HeatScale, StackRow, draw_heatmap, draw_stacks
from audit.attestation.render.figures.style import COLOURS, HEAT_STEPS, PARTS, text_width
from audit.attestation.render.html import render_html, render_page, shipped_text
from audit.attestation.render.junit import render_junit
from audit.attestation.render.markdown import render_markdown
from audit.attestation.render.needs import bound_unknown, find_needs
from audit.attestation.render.numbers import Shown, show
from audit.attestation.render.sarif import render_sarif
from audit.attestation.render.sentences import join_names, say_chance
from audit.attestation.render.sweeps import show_sweeps
from audit.attestation.render.tables import Lexicon
from audit.attestation.render.view import build_view
from audit.evidence import Estimate, Verdict
from audit.statistics.tests import ratio_reaches
from audit.statistics.unknown import impact_ratio_bounds


@pytest.fixture(scope="module")
def full() -> str:
    return render_html(make_dossier(make_full())).decode()


def chapter(text: str, anchor: str) -> str:
    start = text.index('<section class="chapter', text.index(f'id="{anchor}"') - 60)
    return text[start : text.index("</section>", start)]


def bare(text: str) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", text).replace("&#39;", "'").split())


def test_tags_nest_and_nothing_stands_twice(full):
    checker = check(full.encode())
    assert not checker.faults
    assert len(checker.ids) == len(set(checker.ids))
    assert {link for link in checker.links if link.removeprefix("#") not in checker.ids} == set()
    assert "style" not in checker.attributes
    assert len(full) < 1_000_000


def test_every_table_head_has_its_scope_and_every_figure_its_words(full):
    assert re.findall(r"<th(?![^>]*scope=)(?: [^>]*)?>", full) == []
    for figure in re.findall(r"<svg.*?</svg>", full, re.DOTALL):
        title, told = (re.search(rf"<{tag} [^>]*>(.*?)</{tag}>", figure).group(1) for tag in ("title", "desc"))
        assert len(title) > 10
        assert told


def test_every_new_form_is_shown(full):
    said = bare(chapter(full, "fairness"))
    for text in (
        "Among people alike in pay grade, home region",
        "Over all people F is selected at 0.894 times the rate of M; among people alike in pay grade and home region, "
        "at 0.940 (95% 0.890 to 0.990) times",
        "Breslow-Day p = 0.004",
        "Other cuts on the score",
        "Exploratory: points without intervals",
        "Bands of the decision",
        "Groups differ most in approve: 32% of F, 47% of M.",
        "The same person with another group",
        "Decisions that turn round with the attribute",
        "Who has no label",
        "0 of 1,650 (0%)",
        "Sex, ethnicity and age",
    ):
        assert text in said.replace("\u00a0", " "), text
    weak = bare(chapter(full, "slices"))
    assert "1 of 2 parts of the rows with a worse error rate is confirmed" in weak
    assert "Income under 1200 and home region = north" in weak
    assert "Sex: F 61.0%, M 39.0%" in weak


def test_slices_that_were_not_confirmed_stand_behind_those_that_were(full):
    weak = chapter(full, "slices")
    first, behind = weak.split("<details>")
    assert "Income under 1200" in first
    assert "avings over 90000" not in first
    assert "1 further part was tested and not confirmed" in behind
    assert "Savings over 90000" in behind


@pytest.mark.parametrize("mode", ["html", "pdf"])
def test_every_confirmed_slice_stands_in_page_and_paper(mode):
    evidence = make_full()
    (held, *_) = (item for item in evidence.slices.slices if item.holds)
    many = tuple(held.model_copy(update={"name": f"Income under {1000 + i}"}) for i in range(9))
    slices = evidence.slices.model_copy(update={"slices": many})
    page = render_page(build_view(make_dossier(evidence.model_copy(update={"slices": slices}))), mode)
    assert [item.name for item in many if item.name not in page] == []


def test_a_distance_stands_with_what_chance_gives(full):
    assert "0.110 by chance up to 0.0400" in bare(full[full.index('id="fairness-annex"') :])


def test_what_was_not_measured_leaves_no_trace():
    said = bare(chapter(render_html(make_dossier()).decode(), "fairness"))
    for text in ("people alike", "Other cuts", "Bands", "same person", "no label"):
        assert text not in said
    assert "Weak slices" in said or 'id="slices"' not in render_html(make_dossier()).decode()


def test_no_number_about_fairness_is_lost():
    """Each measurement stands in a table of the body or of the annex, whatever its scope."""
    dossier = make_dossier(make_full())
    part, lexicon = dossier.evidence.fairness, Lexicon(dossier.evidence)
    shown = show_fairness(dossier.evidence, dossier.judgement, lexicon)
    tables = [g for a in shown.attributes for _, g in a.annex]
    tables += [g for x in shown.intersections for _, g in x.block.annex]
    tables += [g for o in shown.outcomes for _, g in (*o.tables, *o.annex)]
    tables += [shown.rest] if shown.rest else []
    counted = sum(
        isinstance(c, Shown) and bool(c.method or not c.measured) for g in tables for r in g.rows for c in r.cells
    )
    assert counted == len(part.measurements)


def test_the_caption_names_the_rule_behind_the_band(full):
    captions = re.findall(r"<figcaption>.*?</figcaption>", chapter(full, "fairness"), re.DOTALL)
    bands = [bare(caption) for caption in captions if "shaded band" in caption and "selection by group" in caption]
    assert len(bands) == 3
    assert all("limit (at least 0.80) of the rule ‘Every group is selected" in caption for caption in bands)
    assert all("industry convention" in caption for caption in bands)


def test_without_a_rule_there_is_neither_band_nor_limit():
    dossier = make_dossier(make_full())
    plain = dossier.judgement.model_copy(update={"findings": (), "policies": (), "outcome": "measured"})
    text = chapter(render_html(dossier.model_copy(update={"judgement": plain})).decode(), "fairness")
    heads = re.findall(r"<figcaption>.*?</figcaption>", text, re.DOTALL)
    assert not [head for head in heads if "selection by group" in head and "shaded" in head]
    assert "more favourable decision" not in text
    assert "limit" not in bare(text).replace("every cut on the score", "")


def test_no_reader_meets_a_machine_name(full):
    checker = [
        re.sub(r"<code>.*?</code>|<[^>]+>", "", h) for h in re.findall(r"<h[1-4][^>]*>(.*?)</h[1-4]>", full, re.DOTALL)
    ]
    assert [heading for heading in checker if "_" in heading] == []
    captions = re.findall(r"<(?:caption|figcaption)[^>]*>(.*?)</(?:caption|figcaption)>", full, re.DOTALL)
    assert [c for c in captions if "_" in bare(c)] == []


@pytest.mark.parametrize("value", [False, True])
def test_groups_without_a_decision_are_compared_by_their_scores(value):
    evidence = make_undecided(value=value)
    dossier = make_dossier(evidence)
    plain = dossier.judgement.model_copy(update={"findings": ()})
    text = render_html(dossier.model_copy(update={"judgement": plain})).decode()
    said = bare(chapter(text, "fairness"))
    assert "No decision was declared" in said
    assert ("Mean residual (EUR) lies" if value else "Mean score lies") in said.replace(
        "Mean residual lies", "Mean residual (EUR) lies"
    )
    assert "Impact ratio" not in said
    assert "Selected" not in said
    assert not check(text.encode()).faults


# Contrast


def luminance(colour: str) -> float:
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    """Return the ratio of WCAG 2.2, 1.4.3."""
    high, low = sorted((luminance(one), luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def dark_colours() -> dict[str, str]:
    """Return the fills that dark mode puts in place of those in print."""
    sheet = shipped_text("styles/screen.css")
    dark = sheet[sheet.index("prefers-color-scheme: dark") :]
    rules = re.findall(r"([^{}]+)\{\s*fill:\s*(#[0-9a-fA-F]{6});\s*\}", dark)
    return {name: colour for names, colour in rules for name in re.findall(r"\.f-(\w+)", names)}


@pytest.mark.parametrize("dark", [False, True])
def test_text_upon_colours_can_be_read(dark):
    colours = COLOURS | (dark_colours() if dark else {})
    pairs = [(f"onheat{i}", f"heat{i}") for i in range(HEAT_STEPS)] + [(f"onpart{i}", f"part{i}") for i in range(PARTS)]
    pairs += [("ink", "band"), *((f"line{i}", "paper") for i in range(6))]
    assert {
        pair: contrast(colours[pair[0]], colours[pair[1]])
        for pair in pairs
        if contrast(colours[pair[0]], colours[pair[1]]) < 4.5
    } == {}


def test_the_scale_grows_darker_in_print_and_can_be_told_without_hue():
    steps = [luminance(COLOURS[f"heat{i}"]) for i in range(HEAT_STEPS)]
    assert steps == sorted(steps, reverse=True)
    assert all((before + 0.05) / (after + 0.05) > 1.08 for before, after in pairwise(steps))


# Figures


class Texts(HTMLParser):
    def __init__(self):
        super().__init__()
        self.found, self.place = [], None

    def handle_starttag(self, tag, attrs):
        a = dict(attrs)
        self.place = (float(a["x"]), float(a["font-size"]), a.get("text-anchor", "start")) if tag == "text" else None

    def handle_data(self, data):
        if self.place and data.strip():
            self.found.append((data, *self.place))


def texts_of(figure) -> list[tuple[str, float, float, str]]:
    parser = Texts()
    parser.feed(str(figure))
    return parser.found


@given(
    st.lists(st.text("abcdefgh ", min_size=1, max_size=40), min_size=1, max_size=10, unique=True),
    st.lists(st.text("abcdefgh ", min_size=1, max_size=40), min_size=1, max_size=10, unique=True),
)
def test_nothing_leaves_the_heat_map(down, across):
    fields = [
        [HeatField("0.812", "n = 12,345, reference", i % HEAT_STEPS, j % 3 == 0, "✗") for j, _ in enumerate(across)]
        for i, _ in enumerate(down)
    ]
    figure = draw_heatmap(
        "h",
        "t",
        "d",
        ("Sex", "Age"),
        (down, across),
        fields,
        HeatScale("Impact ratio", fairness_words.HEAT_ENDS, fairness_words.HEAT_SMALL),
    )
    ET.fromstring(str(figure))
    for text, x, size, anchor in texts_of(figure):
        wide = text_width(text, size, bold=True)
        left = x - {"start": 0, "middle": wide / 2, "end": wide}[anchor]
        assert left > -2
        assert left + wide < 682, text


def test_fields_too_small_are_hatched_and_empty_ones_say_so():
    fields = [[HeatField("0.5", "n = 3", 5, small=True), None]]
    figure = str(draw_heatmap("h", "t", "d", ("a", "b"), (["x"], ["y", "z"]), fields, HeatScale("r", ("1", "0"))))
    hatch = re.search(r'd="([^"]*)"[^>]*class="s-none n"', figure)[1]
    assert hatch.count("M") > 5
    assert "no one" in figure
    assert 'class="f-heat5"' in figure  # in the scale alone
    assert figure.count('class="f-heat5"') == 1


@given(st.lists(st.integers(0, 50), min_size=1, max_size=9).filter(sum))
def test_a_bar_holds_everybody_once(counts):
    shares = tuple(count / sum(counts) for count in counts)
    names = [f"band {i}" for i in range(len(counts))]
    figure = str(draw_stacks("s", "t", "d", names, [StackRow("g", "n = 9", shares)]))
    bars = [float(w) for w, h in re.findall(r'width="([\d.]+)" height="([\d.]+)" fill', figure) if h == "19"]
    left = float(re.search(r'<rect x="([\d.]+)" y="[\d.]+" width="[\d.]+" height="19"', figure).group(1))
    assert len(bars) == min(len(counts), PARTS)
    assert sum(bars) == pytest.approx(680 - left - sum(1 for w in bars if w), abs=len(bars) + 0.1)
    shown = re.findall(r">(\d+)%</text>", figure)
    assert sum(map(int, shown)) <= 100 + len(shown)


def test_the_sweep_marks_the_cut_in_use_and_the_nearest_one_that_meets_the_limit():
    dossier = make_dossier(make_full())
    shown = show_fairness(dossier.evidence, dossier.judgement, Lexicon(dossier.evidence))
    block = shown.sweeps["sex"]
    lowest = dict(zip(CUTS, sweep().impact_ratio, strict=True))
    meets = max(cut for cut, ratio in lowest.items() if ratio is not None and ratio >= 0.8 and cut < 0.5)
    assert f"It would reach 0.8 at a cut of {meets:.3f}" in block.message
    assert "today" in texts_of(block.figure)[[t[0] for t in texts_of(block.figure)].index("today")][0]
    assert show_sweeps(dossier.evidence.fairness.model_copy(update={"sweeps": ()}), {}) == {}


def test_without_a_decision_no_cut_is_in_use_and_the_class_of_the_score_is_named():
    full = make_full()
    sweeps = tuple(item.model_copy(update={"today": None}) for item in full.fairness.sweeps)
    subject = full.subject.model_copy(update={"decision": None, "positive": "decline"})
    changes = {"subject": subject, "fairness": full.fairness.model_copy(update={"sweeps": sweeps, "literal": ()})}
    html = render_html(make_dossier(full.model_copy(update=changes))).decode()
    assert "The dashed line is the cut in use" not in html
    assert "No cut is in use." in html
    assert "are those of the class <code>decline</code> against the rest" in html


def test_a_decision_that_predicts_no_class_has_no_side_of_the_label():
    full = make_full()
    sides = "the label&#39;s positive class is the favourable side", "rates follow the label's positive class"
    before = render_html(make_dossier(full)).decode()
    assert all(words_ in before for words_ in sides)
    decision = full.subject.decision.model_copy(update={"predicts": False})
    subject = full.subject.model_copy(update={"decision": decision})
    html = render_html(make_dossier(full.model_copy(update={"subject": subject}))).decode()
    assert not any(words_ in html for words_ in sides)


def test_a_value_has_no_share_of_positives():
    full = make_full()
    assert "are positive" in render_html(make_dossier(full)).decode()
    values = full.subject.model_copy(update={"task": "regression"})
    assert "are positive" not in render_html(make_dossier(full.model_copy(update={"subject": values}))).decode()
    several = full.subject.model_copy(update={"classes": ("approve", "decline"), "positive": "decline"})
    html = render_html(make_dossier(full.model_copy(update={"subject": several}))).decode()
    assert "are of the class <code>decline</code>" in html


# What each group would need


def verdict(limit: float, status: str = "fail", decide: str = "") -> Verdict:
    return Verdict(id="", rule="p/r", scope="p/r", status=status, because="x", limit_low=limit, would_decide=decide)


@given(st.integers(1, 400), st.integers(1, 400), st.integers(1, 400), st.integers(1, 400))
def test_the_decisions_that_a_group_would_need_are_enough_and_no_fewer_would_be(k1, more1, k2, more2):
    own, other = (k1, k1 + more1), (k2, k2 + more2)
    needs = find_needs({"a": own, "b": other}, {"a": "b", "b": "b"}, {"a": verdict(0.8)}, {}, 1)
    enough = ratio_reaches(*own, *other, 0.8)
    if enough:
        assert not needs or not needs[0].decisions
        return
    need = needs[0].decisions
    assert ratio_reaches(k1 + need, own[1], *other, 0.8) or k1 + need > own[1]
    assert not ratio_reaches(k1 + need - 1, own[1], *other, 0.8)


def test_exactly_four_fifths_needs_nothing():
    assert find_needs({"a": (400, 1000), "b": (500, 1000)}, {"a": "b"}, {"a": verdict(0.8)}, {}, 1) == ()
    (need,) = find_needs({"a": (399, 1000), "b": (500, 1000)}, {"a": "b"}, {"a": verdict(0.8)}, {}, 1)
    assert need.decisions == 1


def test_people_too_few_and_people_unknown_are_promised_nothing():
    counts = {"a": (3, 10), "b": (50, 100), "unknown": (1, 40)}
    assert find_needs(counts, {"a": "b", "unknown": "b"}, {"a": verdict(0.8)}, {"a": 0.3}, 30) == ()


def test_a_gap_that_may_be_noise_says_how_many_people_would_show_it():
    (need,) = find_needs({"a": (45, 100), "b": (500, 1000)}, {"a": "b"}, {}, {"a": 0.34}, 30)
    assert 100 < need.people < 3000
    assert need.decisions == 0
    assert find_needs({"a": (45, 100), "b": (500, 1000)}, {"a": "b"}, {}, {"a": 0.01}, 30) == ()


def test_what_more_people_would_not_decide_is_said_as_a_sentence():
    words_ = "more people in a alone would not decide it"
    counts = {"a": (83, 100), "b": (500, 500)}
    (need,) = find_needs(counts, {"a": "b"}, {"a": verdict(0.8, "inconclusive", words_)}, {"a": 0.01}, 30)
    assert need.alone
    (need,) = find_needs(counts, {"a": "b"}, {"a": verdict(0.8, "inconclusive", "about 40 more people")}, {}, 30)
    assert not need.alone


def test_unknown_people_bound_the_ratio_as_published():
    """300 of 600 against 260 of 600 with 100 unknown, 40 of them selected: the ratio lies in .742 to 1."""
    counts = {"b": (260, 600), "a": (300, 600), "unknown": (40, 100)}
    ((low, high), _) = impact_ratio_bounds([counts["b"], counts["a"]], counts["unknown"], [True, True])
    found = bound_unknown(counts, "b", "a", Estimate(value=260 / 300, low=low, high=high, level=1.0))
    assert (found.people, found.favourable, found.low, found.high) == (100, 40, "0.742", "1.00")
    assert bound_unknown({"a": (1, 2), "b": (1, 2)}, "a", "b", None) is None


def test_bounds_that_are_certain_stand_without_a_level():
    """They hold no sampling error: 95 % or 100 % beside them would mislead."""
    shown = show(Estimate(value=0.867, low=0.742, high=1.0, level=1.0), "fairness.selection_rate_ratio_bounds")
    assert shown.text.replace("\u00a0", " ") == "0.867 (certainly 0.742 to 1.000)"


@pytest.mark.parametrize(
    ("p", "words_"),
    [(1e-9, "less than once in 10,000 times"), (0.031, "about once in 32 times"), (0.5, "in about 50 of 100 times")],
)
def test_chance_in_words(p, words_):
    said = say_chance(p, "F", corrected=True)
    assert words_ in said
    assert ("more than noise" in said) == (p <= 0.05)
    assert say_chance(None, "F", corrected=True) == ""


def test_names_are_listed_or_counted():
    assert join_names(["a"]) == "a"
    assert join_names(["a", "b"]) == "a and b"
    assert join_names(["a", "b", "c"]) == "a, b and c"
    assert join_names(["a", "b", "c", "d"]) == "a, b, c and 1 more"


# A run that judged nothing


def unjudged(outcome: str):
    dossier = make_dossier()
    judged = dossier.judgement
    if outcome == "measured":
        changes = {"findings": (), "policies": ()}
    else:
        changes = {
            "findings": tuple(
                f.model_copy(
                    update={
                        "status": "not_applicable",
                        "verdicts": tuple(v.model_copy(update={"status": "not_applicable"}) for v in f.verdicts),
                    }
                )
                for f in judged.findings
            )
        }
    return dossier.model_copy(update={"judgement": judged.model_copy(update={"outcome": outcome, **changes})})


@pytest.mark.parametrize(
    ("outcome", "word", "sentence"),
    [
        ("measured", "Measured, not judged", "No rule was applied: this report measures and does not judge."),
        ("undecided", "Undecided", "None of the 11 rules applies to this system: nothing was judged."),
    ],
)
def test_a_run_without_a_judged_rule_says_so_everywhere(outcome, word, sentence):
    dossier = unjudged(outcome)
    view = build_view(dossier)
    assert (view.outcome[0], view.sentence) == (word, sentence)
    cover = bare(render_html(dossier).decode().partition('id="decision"')[0])
    assert word in cover
    assert "Passed" not in cover
    assert ("No policy was asked for" in cover) == (outcome == "measured")
    markdown = render_markdown(dossier).decode()
    assert word in markdown.splitlines()[0].replace("\\", "")
    suites = ET.fromstring(render_junit(dossier))
    case = suites.find("testsuite[@name='judgement']/testcase")
    assert case.get("name") == outcome
    assert case.find("skipped").get("message") == sentence
    run = json.loads(render_sarif(dossier))["runs"][0]
    assert run["properties"]["outcome"] == outcome
    assert sentence in {n["message"]["text"] for n in run["invocations"][0]["toolExecutionNotifications"]}


def test_bands_are_people():
    assert {group: sum(counts) for group, counts in BANDS.items()} == {"F": 2820, "M": 3180, "unknown": 51}
