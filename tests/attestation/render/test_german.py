"""A report in German: every word has its translation, at the same places, and nothing of the frame stays English."""

from __future__ import annotations

import json
import re
from html import unescape

import pytest
import spoken_words
import yaml
from dossier_fixture import make_dossier
from jinja2 import nodes

from audit.attestation.policy import applies, vocabulary
from audit.attestation.render import numbers, told, view, words
from audit.attestation.render.fact_words import FACT_WORDS, say_fact
from audit.attestation.render.html import environment, render_html
from audit.attestation.render.tongue import Heard, echo, read_words, speak, tell
from audit.examination.measures.roster import DEFINITIONS
from audit.shipped import shipped_folder

_PLACE = re.compile(r"%\((\w+)\)s|\{(\w+)\}")
_OTHERS = frozenset(
    {
        *("echo.json", "render.json", "figures.json", "history.json", "names.json", "change.json", "echo_change.json"),
        "vocabulary.json",
    }
)
"""Tables of sentences that evidence brings along, and of names that data and policies bring: nobody keeps a list."""
ALLOWED = re.compile(
    r"^(glassbox|audit|UTC ·|SHA-256|n|n = |, n = |sha256sum -c SHA256SUMS|openssl cms .*|audit \w+( .*)?|-CAfile .*)$"
)


def known_sentences() -> set[str]:
    found = spoken_words.table_words() | set(spoken_words.code_sentences()) | spoken_words.style_words()
    return found.union(*(spoken_words.template_sentences(name) for name in spoken_words.template_names()))


@pytest.fixture(scope="module")
def german() -> str:
    return render_html(make_dossier(language="de")).decode()


def pack_texts(pack: str, fields: tuple[str, ...]) -> list[str]:
    text = yaml.safe_load((shipped_folder("policies") / f"{pack}.yaml").read_text(encoding="utf-8"))
    return [text["title"]] + [rule[field].strip() for rule in text["rules"] for field in fields if rule.get(field)]


def pack_names() -> list[str]:
    return sorted(path.stem for path in shipped_folder("policies").glob("*.yaml"))


def test_every_sentence_of_templates_and_code_is_translated():
    table = read_words("de")
    missing = sorted(text for text in known_sentences() if text not in table)
    assert not missing, missing


def test_translations_have_the_places_of_their_sentences():
    wrong = [
        (english, said)
        for english, said in read_words("de").items()
        if {a or b for a, b in _PLACE.findall(english)} != {a or b for a, b in _PLACE.findall(said)}
    ]
    assert not wrong, wrong


def test_a_per_cent_sign_of_a_block_stays_doubled():
    """In a `trans` block a single one would be taken for a place."""
    table = read_words("de")
    for name in spoken_words.template_names():
        for call in spoken_words.parse(name).find_all(nodes.Call):
            if isinstance(call.node, nodes.Name) and call.node.name in ("gettext", "ngettext"):
                for text in (text for argument in call.args[:2] for text in spoken_words.constants(argument)):
                    assert not re.search(r"(?<!%)%(?![%(])", table[text].replace("%%", "")), text


def test_no_translation_is_without_its_sentence():
    known = known_sentences()
    for name, table in spoken_words.shipped_words("de").items():
        if name in _OTHERS:
            continue
        pack = name.removeprefix("packs-").removesuffix(".json")
        used = known if pack == name.removesuffix(".json") else _all_texts(pack)
        orphans = sorted(set(table) - used)
        assert not orphans, (name, orphans)


def _all_texts(pack: str) -> set[str]:
    whole = yaml.safe_load((shipped_folder("policies") / f"{pack}.yaml").read_text(encoding="utf-8"))
    texts = pack_texts(pack, ("title", "why", "fix", "ask", "cite"))
    law = whole["law"]
    about = (whole.get("summary", ""), law["citation"], law.get("pending", ""), *law.get("unverified", ()))
    return {*texts, *map(str.strip, about)}


@pytest.mark.parametrize("pack", pack_names())
def test_texts_of_shipped_rules_are_translated(pack):
    cited = set(pack_texts(pack, ("cite",)))
    missing = [text for text in _all_texts(pack) - cited if text and text not in read_words("de")]
    assert not missing


@pytest.mark.parametrize("pack", pack_names())
def test_names_that_a_pack_brings_along_are_translated(pack):
    text = yaml.safe_load((shipped_folder("policies") / f"{pack}.yaml").read_text(encoding="utf-8"))
    names = [*(text.get("parameters") or {}), *(rule["asked_of"] for rule in text["rules"] if "asked_of" in rule)]
    assert not [name for name in names if words.prettify(name) not in read_words("de")]


def test_templates_hold_no_word_outside_of_a_sentence():
    """What stands between tags, and in attributes that are read aloud, goes through `trans` or `tell`."""
    for name in spoken_words.template_names():
        source, _, _ = environment().loader.get_source(environment(), name)
        for spoken in re.findall(r'(?:aria-label|placeholder|alt|title)="([^"{]*[A-Za-z][^"{]*)"', source):
            assert ALLOWED.match(spoken), (name, spoken)
        data = "".join(part.data for part in _plain_data(name))
        bare = re.sub(r"<(style|script)\b.*?</\1>|<!DOCTYPE[^>]*>|<[^>]*>", "\n", data, flags=re.DOTALL)
        for line in bare.split("\n"):
            assert not re.search("[A-Za-z]{2}", line) or ALLOWED.match(line.strip(" #.\\")), (name, line)


def _plain_data(name: str) -> list[nodes.TemplateData]:
    return list(spoken_words.parse(name).find_all(nodes.TemplateData))


def test_frame_of_a_german_report_is_german(german):
    assert '<html lang="de">' in german
    with speak("de"):
        titles = [tell(title) for _, title in view.CHAPTERS]
    shown = [unescape(re.sub(r"<[^>]*>", "", head)) for head in re.findall(r"<h2>(.*?)</h2>", german)]
    assert "Entscheidungsseite" in titles
    assert sum(any(title in head for title in titles) for head in shown) >= 12
    english = {title for _, title in view.CHAPTERS} - set(titles)
    assert not [head for head in shown if any(head.endswith(f" {title}") for title in english)]


def test_table_heads_of_a_german_report_are_german(german):
    heads = {
        unescape(re.sub(r"<[^>]*>", " ", head)).strip()
        for head in re.findall(r'<th scope="col"[^>]*>(.*?)</th>', german)
    }
    table = read_words("de")
    assert {"Urteil", "Regel", "Merkmal"} <= heads
    assert not {head for head in heads if table.get(head, head) != head}


def test_numbers_and_days_are_written_in_german(german):
    text = re.sub(r"<(style|script|svg|code|pre)\b.*?</\1>|<[^>]*>", " ", german, flags=re.DOTALL)
    values = re.findall(r'<span class="ci iv">([^<]*)<', german)
    assert len(values) > 50
    assert not [value for value in values if re.search(r"\d\.\d{1,2}(?!\d)", value)]
    assert re.search(
        r"\d{1,2}\. (Januar|Februar|März|April|Mai|Juni|Juli|August|September|Oktober|November|Dezember) \d{4}",
        text.replace("\u00a0", " "),
    )


def test_titles_of_facts_and_texts_are_translated():
    titles = {*vocabulary.FIELDS.values(), *(title for title, _ in vocabulary.COMPUTED_FACTS.values())}
    facts = {**vocabulary.FACTS, **vocabulary.SEAL_FACTS}
    titles |= {fact.title for fact in facts.values()}
    table = read_words("de")
    assert sorted(titles - set(table)) == []
    with speak("de"):
        for name in vocabulary.FACTS:
            asked = echo(f"fill in {name} ({applies._describe(name)}) under facts in documents.yaml")
            assert type(asked) is Heard
            assert all(value in asked for value in vocabulary.FACTS[name].values), asked  # to be typed as they are
        for title in vocabulary.FIELDS.values():
            assert echo(f"not supplied: {title}") == f"nicht vorgelegt: {table[title]}"


def test_where_definitions_come_from_is_told_but_for_titles_of_papers():
    with speak("de"):
        said = told.hear_source("Kish (1965), Survey Sampling, 8.2; interval: Newcombe (1998), Bonferroni")
        assert said == "Kish (1965), Survey Sampling, 8.2; Intervall: Newcombe (1998), Bonferroni"
        for definition in DEFINITIONS:
            assert not re.search(r"\b(?:interval|others|court|rows|people)\b", told.hear_source(definition.source))
    assert told.hear_source("interval: Newcombe (1998)") == "interval: Newcombe (1998)"


def test_the_title_that_we_give_is_told_and_that_of_others_is_not():
    with speak("de"):
        assert told.say_title("Audit of credit-legacy") == "Audit von credit-legacy"
        assert told.say_title("Audit of two models") == "Audit of two models"


@pytest.mark.parametrize(
    ("value", "name", "said"),
    [
        ("human_reviewed", "system.decision_automation", "von einer Person geprüft"),
        ("high", "system.risk_class", "hohes Risiko"),
        (True, "system.is_first_audit", "ja"),
        (("EU", "US_NYC"), "system.jurisdictions", "EU, US NYC"),
        ("credit_underwriting", "system.use_case", "credit underwriting"),
    ],
)
def test_facts_are_told(value, name, said):
    with speak("de"):
        assert say_fact(value, name) == said


def test_every_choice_of_a_fact_has_words():
    choices = {fact.name: set(fact.values) for fact in vocabulary.FACTS.values() if fact.kind == "choice"}
    assert choices == {name: set(values) for name, values in FACT_WORDS.items()}


def test_powers_of_ten_are_told_before_and_after_translation():
    with speak("de"):
        said = numbers.plain_text(echo("parity: pooled z -29.12, p = 2.102e-186; after Holm over 1 pair p = 2.1e-18"))
        assert said == "Parität: gepooltes z −29,12, p < 0,0001; nach Holm über 1 Paar p < 0,0001"
        assert numbers.plain_text("1.1e-16") == numbers.plain_text("1,1e-16") == "1,1 × 10⁻¹⁶"
        assert echo("0.3768 / 0.7758 = 0.4857") == "0,3768 / 0,7758 = 0,4857"


def test_what_nobody_translated_is_marked_as_english(german):
    marked = re.findall(r'<span lang="en">(.*?)</span>', german)
    assert all(re.search("[A-Za-z]", text) for text in marked)
    table = set(read_words("de").values())
    assert not [text for text in marked if unescape(text) in table]


def test_german_before_english_leaves_english_as_it_was():
    """Templates are compiled once: no sentence of one language may be compiled into them."""
    english = render_html(make_dossier())
    environment.cache_clear()
    render_html(make_dossier(language="de"))
    assert render_html(make_dossier()) == english


def test_what_fills_a_sentence_is_escaped_and_cleaned():
    with speak("de"):
        said = told.gettext("%(rows)s rows", rows="<b>\u202e</b>")
    assert said == "&lt;b&gt;□&lt;/b&gt; Zeilen"
    assert told.ngettext("%(number)s word.", "%(number)s words.", 1, number=1) == "1 word."


def test_text_that_is_german_already_is_not_marked():
    with speak("de"):
        assert type(told.hear(tell("no interval"))) is not told.Untold
        assert type(told.hear("nobody ever said this in the table")) is told.Untold
    assert told.hear("nobody ever said this in the table") == "nobody ever said this in the table"


def test_text_of_our_policy_is_marked_and_that_of_others_is_not():
    with speak("de"):
        assert type(told.hear_rule("A sentence that no table holds.", "nist-ai-rmf")) is told.Untold
        assert type(told.hear_rule("Ein Satz der Organisation.", "own-pack")) is str
        assert told.hear_rule("The model is pinned by its digest", "model-change-review").startswith("Das Modell")


def test_words_of_the_style_sheet_are_told():
    sheet = '@page { @bottom-right { content: "page " counter(page) " of " counter(pages); } } p { color: "page "; }'
    assert told.say_style(sheet) == sheet
    with speak("de"):
        assert 'content: "Seite " counter(page) " von " counter(pages)' in told.say_style(sheet)
        assert 'color: "page "' in told.say_style(sheet)


def test_tables_are_sorted_and_written_alike():
    """So that two people who add words do not meet in the same line."""
    for name in spoken_words.shipped_words("de"):
        if name in _OTHERS:
            continue
        text = (shipped_folder("templates") / "words" / "de" / name).read_text(encoding="utf-8")
        table = json.loads(text)
        assert text == json.dumps(dict(sorted(table.items())), ensure_ascii=False, indent=1) + "\n"
