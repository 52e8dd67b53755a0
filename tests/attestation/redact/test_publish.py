"""The public edition of a real audit: nothing in any of its files tells of 1 to 4 people, or lets them be computed."""

from __future__ import annotations

import html
import io
import json
import re
import subprocess

import numpy as np
import pandas as pd
import pytest
from material import make_table
from public_material import CELLS, GROUP, Attacker, mask_of

from audit.attestation.ledger.store import read_ledger
from audit.attestation.redact.cells import is_small
from audit.attestation.redact.counted import find_small_counts
from audit.attestation.redact.publish import publish_dossier
from audit.attestation.redact.texts import TEXT_WITHHELD, counts_few, redact_text
from audit.attestation.verify import verify_report
from audit.evidence import Dossier, Estimate

RATES = {
    "selection_rate": ("favourable", "decided"),
    "base_rate": ("positive", "labelled"),
    "true_positive_rate": ("positive_favourable", "positive"),
    "false_negative_rate": ("positive_unfavourable", "positive"),
    "false_positive_rate": ("negative_favourable", "negative"),
    "true_negative_rate": ("negative_unfavourable", "negative"),
}
"""Rates whose counts are parts of the table: numerator, denominator."""
FEW = re.compile(
    r"(?<![\w.,])[1-4] (?:of [\d,]+ )?(?:people|persons?|rows?|applicants?|labels?)\b|\bn = [1-4](?![\d.,])|"
    r"(?<![\w.,])[1-4] (?:of|/) [\d,]+ (?:people|rows)"
)
"""A count of 1 to 4 people as a report would write it."""
TOWNS = {"north": 300, "south": 220, "islet": 3, "hamlet": 7, "west": 90}


def make_people(seed=3):
    rng = np.random.default_rng(seed)
    town = np.repeat(list(TOWNS), list(TOWNS.values()))
    rows = town.size
    score = rng.normal(size=rows)
    repaid = (score + rng.normal(size=rows) > 0).astype(int)
    return pd.DataFrame(
        {
            "applicant": [f"P{n:06d}" for n in rng.permutation(900_000)[:rows]],
            "town": town,
            "sex": rng.choice(["F", "M", "X"], rows, p=[0.48, 0.508, 0.012]),
            "income": (30_000 + 9_000 * score + rng.normal(0, 4_000, rows)).round(2),
            "debts": rng.gamma(2.0, 3_000.0, rows).round(2),
            "repaid": repaid,
            "granted": np.where(score + rng.normal(0, 0.6, rows) > 0.1, "yes", "no"),
        }
    )


@pytest.fixture(scope="module")
def editions(tmp_path_factory):
    """The internal folder and the public one beside it, made in one run."""
    from audit.config.load import load_config
    from audit.workflow import run_audit

    folder = tmp_path_factory.mktemp("public")
    make_people().to_csv(folder / "secret-applicants.csv", index=False)
    (folder / "documents.yaml").write_text(
        "schema: documents/1\n"
        "texts:\n  system.intended_purpose: {text: Words of Jane Doe., by: Jane Doe, role: officer}\n",
        encoding="utf-8",
    )
    (folder / "audit.yaml").write_text(
        "data: {audit: secret-applicants.csv, id: applicant}\nlabel: repaid\ngroups: [sex, town]\n"
        "decision: {column: granted, favourable: 'yes'}\nintersections: pairs\npolicies: [baseline-fairness]\n"
        "documents: documents.yaml\nreport: {audience: public, formats: [html, pdf, markdown, junit, sarif]}\n"
        "signing: {key: development}\n",
        encoding="utf-8",
    )
    outcome = run_audit(load_config(folder / "audit.yaml"), out=folder / "report")
    return outcome, folder


@pytest.fixture(scope="module")
def public(editions):
    return Dossier.parse((editions[1] / "report-public" / "audit.json").read_bytes())


def read_texts(folder):
    """Return name to text of everything in a report folder that a person or a program can read."""
    found = {}
    for path in sorted(folder.rglob("*")):
        if path.suffix == ".pdf":
            text = subprocess.run(["pdftotext", "-layout", path, "-"], capture_output=True, check=True).stdout.decode()
            inside = subprocess.run(["pdfdetach", "-list", path], capture_output=True, check=True).stdout.decode()
            found[path.name] = text + inside
        elif path.suffix in (".html", ".md", ".xml", ".sarif", ".json"):
            text = path.read_text(encoding="utf-8")
            text = re.sub(r"<(style|script)\b.*?</\1>|<!--.*?-->", " ", text, flags=re.DOTALL)
            found[path.name] = html.unescape(re.sub(r"<[^>]+>", " ", text)) if path.suffix == ".html" else text
    return found


def test_both_editions_are_sealed_and_linked(editions, public):
    outcome, folder = editions
    internal = folder / "report"
    assert [verify_report(path).word for path in (internal, folder / "report-public")] == ["INTACT", "INTACT"]
    assert outcome.folder == internal
    assert outcome.dossier.public is None
    assert public.public.dossier_digest == outcome.dossier.digest()
    assert public.public.evidence_digest == outcome.dossier.judgement.evidence_digest
    assert public.judgement.evidence_digest == public.evidence.digest() != public.public.evidence_digest
    entries = read_ledger(folder / "audit-log")[0].entries
    assert [(entry.kind, entry.refers_to) for entry in entries] == [("audit", None), ("publication", 0)]
    assert {entry.evidence_digest for entry in entries} == {public.public.evidence_digest}


def test_verdicts_are_those_of_the_whole_audit(editions, public):
    whole = editions[0].dossier.judgement
    assert public.judgement.outcome == whole.outcome
    assert [(f.rule, f.status) for f in public.judgement.findings] == [(f.rule, f.status) for f in whole.findings]


def test_no_file_counts_one_to_four_people(editions, public):
    internal = editions[0].dossier
    assert find_small_counts(internal)  # there is something to hide
    assert not find_small_counts(public)
    texts = read_texts(editions[1] / "report-public")
    assert {"audit.json", "report.html", "report.pdf", "report.md", "junit.xml", "results.sarif"} <= texts.keys()
    for name, text in texts.items():
        if name in ("audit.json", "attestation.dsse.json"):
            continue
        assert not FEW.findall(text), (name, FEW.findall(text)[:5])
    assert "Public edition" in texts["report.html"]
    assert "Public edition" in texts["report.pdf"]


def test_every_number_in_a_people_field_is_none_or_enough(editions):
    """The same, without this package's own list of fields: whatever is called a count of rows or people."""
    plain = json.loads((editions[1] / "report-public" / "audit.json").read_bytes())
    hidden = re.compile(r"^(n|count|rows(_.*)?|.*_rows|.*favourable|.*undecided|missing|differing)$")

    def walk(value, place):
        if isinstance(value, dict):
            for key, item in value.items():
                if hidden.match(key) and isinstance(item, int) and not isinstance(item, bool):
                    assert not 0 < item < 5, f"{place}.{key} = {item}"
                walk(item, f"{place}.{key}")
        elif isinstance(value, list):
            for item in value:
                walk(item, place)

    walk(plain["evidence"], "evidence")
    walk(plain["judgement"]["findings"], "findings")


def collect_knowledge(dossier, attribute, groups):
    """Return an attacker who has read every count, and every rate times its rows, about one attribute."""
    attacker = Attacker(groups)
    fairness, data = dossier.evidence.fairness, dossier.evidence.data
    masks = {"decided": mask_of("favourable") + mask_of("unfavourable")}

    def learn(part, value, place=None):
        key = "all" if place is None else f"_{place}"
        attacker.learn(value, **{key: masks[part] if part in masks else mask_of(part)})

    learn("n", data.rows)
    learn("labelled", data.label_known)
    learn("positive", data.label_positive)
    for group in (*data.groups, *fairness.groups):
        if group.attributes == (attribute,):
            learn("n", group.n, groups.index(group.values[0]))
    for table in fairness.tables:
        for cell in table.cells:
            if table.attributes == (attribute,):
                for name in CELLS:
                    learn(name, getattr(cell, name), groups.index(cell.values[0]))
            elif attribute in table.attributes:
                pytest.fail("an intersection with small cells is told of")
    for one in dossier.evidence.measurements():
        name = one.metric.removeprefix("fairness.")
        known = one.estimate
        if tuple(one.group) != (attribute,) or name not in RATES or known.value is None:
            continue
        place = groups.index(one.group[attribute])
        part, of = RATES[name]
        learn(of, known.n, place)
        learn(part, round(known.value * known.n), place)
    return attacker


@pytest.mark.parametrize("attribute", ["sex", "town"])
def test_attacker_who_reads_everything_pins_no_small_cell(editions, public, attribute):
    table = next(t for t in editions[0].dossier.evidence.fairness.tables if t.attributes == (attribute,))
    groups = [cell.values[0] for cell in table.cells]
    attacker = collect_knowledge(public, attribute, groups)
    whole = np.array([[getattr(cell, name) for name in CELLS] for cell in table.cells]).sum(axis=0)
    for name, total in zip(CELLS, whole, strict=True):  # let everybody's table be known from elsewhere, too
        attacker.learn(total, all=mask_of(name))
    attacked = 0
    for place, cell in enumerate(table.cells):
        counts = np.array([getattr(cell, name) for name in CELLS])
        for part in GROUP:
            if is_small(int(counts @ mask_of(part))):
                low, high = attacker.bounds(place, mask_of(part))
                assert low < high, (cell.values, part)
                attacked += 1
    assert attacked


def test_larger_groups_are_still_told_of(public):
    told = {group.values[0] for group in public.evidence.fairness.groups}
    assert {"north", "south"} <= told
    assert "islet" not in told
    rates = [m for m in public.evidence.measurements() if m.metric == "fairness.selection_rate" and m.group]
    assert any(m.estimate.value is not None for m in rates)


def test_names_texts_and_files_are_left_out(editions):
    inside = editions[1] / "report"
    assert any("Jane Doe" in text for text in read_texts(inside).values())
    for name, text in read_texts(editions[1] / "report-public").items():
        assert "Jane Doe" not in text, name
        assert "secret-applicants" not in text, name
    assert not (editions[1] / "report-public" / "individuals").exists()


def test_what_could_still_count_a_few_is_refused(editions, monkeypatch):
    from audit.attestation.redact import publish
    from audit.errors import EvidenceError

    monkeypatch.setattr(publish, "redact_section", lambda name, part, evidence, views: part)  # nobody looks before
    with pytest.raises(EvidenceError, match="no public edition"):
        publish_dossier(editions[0].dossier)


@pytest.mark.parametrize(
    ("text", "few"),
    [
        ("3 rows without a label were left out", True),
        ("13 rows without a label were left out", False),
        ("1,203 rows", False),
        ("2 of 40 differ", True),
        ("the other 4 people", True),
        ("one person is alone", True),
        ("a 0.5 rows sample", False),
        ("36 of 40 differ", True),
        ("20 of 40 differ", False),
        ("AUC of 0.81 at 4 thresholds", False),
    ],
)
def test_sentences_that_count_a_few(text, few):
    assert counts_few(text) == few
    assert (redact_text(text) == TEXT_WITHHELD) == few


def test_small_counts_are_found_where_they_stand():
    assert find_small_counts(Estimate(value=0.5, n=8, count=4)) == ("count",)
    assert not find_small_counts(Estimate(value=0.5, n=10, count=5))


def read_numbers(data):
    """Return every number with digits behind the point that stands in some bytes."""
    return set(re.findall(rb"(?<![\d.])\d+\.\d+", data))


def read_all_bytes(folder):
    whole = [path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()]
    tables = [
        pd.read_parquet(io.BytesIO(path.read_bytes())).to_csv(index=False).encode()
        for path in folder.rglob("*.parquet")
    ]
    texts = [text.encode() for text in read_texts(folder).values()]
    return b"\n".join([*whole, *tables, *texts])


@pytest.mark.parametrize("name", ["report", "report-public"])
def test_no_row_of_the_data_is_in_any_sealed_file(editions, name):
    """No id is there, and of no person do two of the own, unique values stand anywhere in a folder."""
    people, data = make_people(), read_all_bytes(editions[1] / name)
    assert not [one for one in people["applicant"] if one.encode() in data]
    assert not find_people(people, read_numbers(data))


def test_no_row_of_a_model_audit_is_in_its_sealed_files(small_report, small_job):
    people, data = pd.read_csv(small_job / "applicants.csv"), read_all_bytes(small_report.folder)
    assert not [one for one in people["applicant"] if one.encode() in data]
    numbers = read_numbers(data)
    by_chance = [
        len(find_people(make_table(seed=seed), numbers)) for seed in (101, 102, 103)
    ]  # people who are not there
    found = find_people(people, numbers)
    assert len(found) <= max(by_chance) + 0.02 * len(people), (found, by_chance)


def find_people(people, numbers):
    """Return the people of whom both an own income and own debts stand in a folder, neither of them a round number."""
    return [
        row.applicant
        for row in people.itertuples()
        if row.income != round(row.income, 1)
        and row.debts != round(row.debts, 1)
        and {repr(row.income).encode(), repr(row.debts).encode()} <= numbers
    ]
