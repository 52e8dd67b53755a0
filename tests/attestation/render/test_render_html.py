"""The HTML report: self-contained, escaped, whole, the same for the same dossier."""

from __future__ import annotations

import base64
import hashlib
import os
import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

import pytest
from dossier_fixture import make_dossier, make_evidence

from audit.attestation.render.html import SCREEN, render_html, shipped_text
from audit.attestation.render.numbers import Shown
from audit.attestation.render.view import build_view
from audit.evidence import Fairness, NotDone

HERE = Path(__file__).parent
VOID = {"meta", "link", "br", "input", "hr", "img", "wbr"}
HOSTILE = "<script>alert(1)</script>\"'><img src=x onerror=alert(2)>{{7*7}}\u202e\x00"


class Checker(HTMLParser):
    """Collect tags and ids; note every tag that is closed out of order."""

    def __init__(self):
        super().__init__(convert_charrefs=True)
        self.stack, self.faults, self.ids, self.links = [], [], [], []
        self.tags: dict[str, int] = {}
        self.attributes: set[str] = set()
        self.text = ""

    def handle_starttag(self, tag, attrs):
        found = dict(attrs)
        self.tags[tag] = self.tags.get(tag, 0) + 1
        self.attributes |= set(found)
        self.ids += [found["id"]] if "id" in found else []
        self.links += [found["href"]] if "href" in found else []
        if tag not in VOID:
            self.stack.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.attributes |= {name for name, _ in attrs}

    def handle_endtag(self, tag):
        if not self.stack or self.stack.pop() != tag:
            self.faults.append((tag, self.getpos()))

    def handle_data(self, data):
        if not self.stack or self.stack[-1] not in ("style", "script"):
            self.text += data


def check(page: bytes) -> Checker:
    checker = Checker()
    checker.feed(page.decode())
    return checker


@pytest.fixture(scope="module")
def page() -> bytes:
    return render_html(make_dossier())


def test_tags_nest_ids_are_unique_and_links_arrive(page):
    checker = check(page)
    assert not checker.faults
    assert not checker.stack
    assert len(checker.ids) == len(set(checker.ids))
    assert {link for link in checker.links if link.removeprefix("#") not in checker.ids} == set()


def test_nothing_is_fetched_and_the_policy_names_what_runs(page):
    text = page.decode()
    assert not re.findall(r"""(?:src|href)\s*=\s*["']?(?:https?:|//|file:)""", text)
    assert not re.findall(r"url\((?!data:)", text)
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', text).group(1).replace("&#39;", "'")
    for tag, source in (("style", "style-src"), ("script", "script-src")):
        body = re.search(rf"<{tag}>(.*?)</{tag}>", text, re.DOTALL).group(1)
        digest = base64.b64encode(hashlib.sha256(body.encode()).digest()).decode()
        assert f"{source} 'sha256-{digest}'" in policy
    assert "unsafe" not in policy


def test_no_inline_style_and_no_handler(page):
    attributes = check(page).attributes
    assert "style" not in attributes
    assert not {name for name in attributes if name.startswith("on")}


def test_it_stays_small(page):
    assert len(page) < 900_000


def test_every_estimate_stands_with_interval_or_reason(page):
    """A value without interval or mark is a count or a p-value, or its row, column or table says why."""
    text = page.decode()
    tables = re.findall(r'<table class="grid.*?</table>\s*(?:</div>)?\s*(?:<p class="foot">.*?</p>)?', text, re.DOTALL)
    assert len(tables) > 15
    counts = {"Rows", "Favourable", "Decided favourably", "p (Holm)", "p of equality (Holm)", "People", "Selected"}
    seen, lonely = 0, []
    for table in tables:
        heads = re.findall(r"<th [^>]*>(.*?)</th>", table.split("</thead>")[0], re.DOTALL)
        for row in re.findall(r"<tr[^>]*>(.*?)</tr>", table.split("<tbody>", 1)[1], re.DOTALL):
            name = re.search(r"<th [^>]*>(.*?)</th>", row, re.DOTALL).group(1)
            for place, cell in enumerate(re.findall(r"<td[^>]*>(.*?)</td>", row, re.DOTALL), start=1):
                seen += 1
                head = heads[min(place, len(heads) - 1)]
                told = re.search(r'class="(ci|fn|pill)|class="none">(–|not judged)<', cell) or "<span" not in cell
                said = "No intervals are calculated" in table or 'class="fn"' in name or 'class="fn"' in head
                if not (told or said or {name, head} & counts):
                    lonely.append((name, head, cell))
    assert seen > 600
    assert lonely == []


def test_no_reader_meets_powers_of_ten(page):
    text = re.sub(r"<(style|script).*?</\1>", "", page.decode(), flags=re.DOTALL)
    assert re.findall(r"[^#\w]\d(?:\.\d+)?e[-−+]\d+", re.sub(r'sha256:\w+|id="[^"]*"', "", text)) == []


def test_few_groups_stand_in_one_table_and_many_below_each_other(page):
    text = page.decode()
    fair = text[text.index('id="fairness"') : text.index('id="glassbox"')]
    fair += text[text.index('id="fairness-annex"') : text.index('id="definitions"')]
    across = re.findall(r'<table class="grid [^"]*across[^"]*".*?</table>', fair, re.DOTALL)
    assert len(across) == 3
    assert all(table.count('class="band"') >= 4 for table in across)
    assert "(continued)" not in fair


def test_nothing_measured_about_fairness_is_left_out():
    dossier = make_dossier()
    view = build_view(dossier)
    shown = sum(
        sum(isinstance(c, Shown) and bool(c.method or not c.measured) for row in grid.rows for c in row.cells)
        for block in (*view.fairness.attributes, *(item.block for item in view.fairness.intersections))
        for _, grid in block.annex
    )
    assert shown == len(dossier.evidence.fairness.measurements)


def test_an_undefined_number_says_so_and_is_not_zero(page):
    assert "not measured" in check(page).text
    assert "fewer than 10 rows of a label" in check(page).text


def test_all_hostile_text_is_escaped():
    dossier = make_dossier()
    data = dossier.model_dump(mode="json")
    safe_keys = {"schema_version", "sha256", "evidence_digest", "config_digest", "created", "started", "as_of"}

    def poison(value, key=""):
        if isinstance(value, dict):
            return {k: poison(v, k) for k, v in value.items()}
        if isinstance(value, list):
            return [poison(item, key) for item in value]
        free = {
            "title",
            "because",
            "note",
            "words",
            "text",
            "would_decide",
            "fix",
            "why",
            "cite",
            "trust",
            "detail",
            "not_done",
        }
        return value + HOSTILE.replace("\x00", "") if isinstance(value, str) and key in free - safe_keys else value

    text = render_html(type(dossier).model_validate(poison(data))).decode()
    checker = check(text.encode())
    assert not checker.faults
    assert checker.tags["script"] == 1
    assert "img" not in checker.tags
    assert "49" not in re.findall(r"onerror=alert\(2\)(?:&gt;|>)(..)", text)
    assert "\u202e" not in text
    assert not {name for name in checker.attributes if name.startswith("on")}


def test_hostile_groups_and_features_draw_safely():
    dossier = make_dossier()
    raw = dossier.model_dump_json().replace('"ethnicity"', '"<b>eth&x"').replace('"C"', '"</svg><script>c"')
    raw = raw.replace('"savings_balance"', '"' + "n" * 10_000 + '"')
    text = render_html(type(dossier).model_validate_json(raw)).decode()
    checker = check(text.encode())
    assert not checker.faults
    assert checker.tags["script"] == 1
    assert "n" * 500 not in text


def test_the_same_dossier_gives_the_same_bytes_over_hash_seeds():
    code = (
        "import sys,hashlib; sys.path.insert(0, sys.argv[1]); from dossier_fixture import make_dossier;"
        "from audit.attestation.render.html import render_html as r;"
        "print(hashlib.sha256(r(make_dossier())).hexdigest())"
    )
    digests = set()
    for seed, zone in (("1", "UTC"), ("2", "Asia/Tokyo")):
        environment = {**os.environ, "PYTHONHASHSEED": seed, "TZ": zone, "LC_ALL": "C"}
        run = subprocess.run([sys.executable, "-c", code, str(HERE)], env=environment, capture_output=True, check=True)
        digests.add(run.stdout)
    assert len(digests) == 1


def test_a_broken_part_makes_the_cover_say_incomplete():
    evidence = make_evidence().model_copy(update={"effects": NotDone(not_done="it ran out of luck", broke=True)})
    text = check(render_html(make_dossier(evidence))).text
    assert "INCOMPLETE" in text
    assert "It ran out of luck." in text


@pytest.mark.parametrize(
    "names", [("fairness",), ("intake", "data", "performance", "calibration", "fidelity", "effects")]
)
def test_parts_that_are_not_done_show_their_reason(names):
    gone = {name: NotDone(not_done=f"no {name} here") for name in names}
    checker = check(render_html(make_dossier(make_evidence().model_copy(update=gone))))
    assert not checker.faults
    for name in names:
        assert checker.text.count(f"No {name} here.") >= 2


def test_without_rules_signer_or_groups_it_still_renders():
    evidence = make_evidence()
    bare = Fairness(groups=(), tables=())
    dossier = make_dossier(evidence.model_copy(update={"fairness": bare}), signer=None)
    dossier = dossier.model_copy(
        update={
            "judgement": dossier.judgement.model_copy(update={"findings": (), "policies": (), "outcome": "undecided"})
        }
    )
    text = check(render_html(dossier)).text
    assert "No rule was applied" in text
    assert "Not signed" in text


def test_failed_rules_come_first(page):
    text = page.decode()
    table = text[text.index('id="rule-table"') :]
    ranks = [int(rank) for rank in re.findall(r'data-rank="(\d+)"', table)]
    assert ranks == sorted(ranks)
    assert len(ranks) == 11


def test_no_snake_case_in_headings(page):
    headings = re.findall(r"<h[1-4][^>]*>(.*?)</h[1-4]>", page.decode(), re.DOTALL)
    bare = [re.sub(r"<code>.*?</code>|<[^>]+>", "", heading) for heading in headings]
    assert [heading for heading in bare if "_" in heading] == []
    assert len(bare) > 30


def test_only_on_a_phone_is_a_table_laid_out_as_cards():
    """The script marks tables as cards on any screen; a rule for all of them would part heads from their columns."""
    for path in SCREEN:
        sheet = shipped_text(path)
        if path != "styles/phone.css":
            assert re.findall(r"(?<![\w-])\.cards\b", re.sub(r"\bol\.cards\b", "", sheet)) == []
    phone = re.sub(r"/\*.*?\*/", "", shipped_text("styles/phone.css"), flags=re.DOTALL).strip()
    assert phone.startswith("@media (max-width: 640px) {")
    assert phone.count("@media") == 1
    assert phone.endswith("}")
