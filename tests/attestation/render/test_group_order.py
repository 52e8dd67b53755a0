"""Groups are named in the order in which the configuration lists the attributes, before and after reading back."""

from __future__ import annotations

import json
import re
from itertools import permutations

import pytest
from dossier_fixture import GROUPS, make_dossier, make_evidence
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from audit.attestation.render.formats import FORMATS
from audit.attestation.render.markdown import render_markdown
from audit.evidence import (
    Change,
    DecisionsChanged,
    Dossier,
    Driver,
    Estimate,
    Evidence,
    Measurement,
    Move,
    NotDone,
    Pairing,
    Side,
    Slice,
    Slices,
    Subject,
    Verdict,
)

EFFECT = Estimate(value=0.1, method="given")


def declare(evidence: Evidence, names: tuple[str, ...]) -> Evidence:
    """Return the evidence of an audit that lists its attributes in this order; facts as one reads them back."""
    by_name = {attribute.name: attribute for attribute in evidence.subject.attributes}
    subject = {
        **dict(evidence.subject),
        "attributes": tuple(by_name[name] for name in names),
        "about": dict(sorted(evidence.subject.about.items())),
    }
    return Evidence(**{**dict(evidence), "subject": Subject(**subject), "slices": some_slices(names)})


def some_slices(names: tuple[str, ...]) -> Slices:
    found = Slice(
        name="income under 1200",
        features=("income",),
        found_rows=90,
        found_excess=0.2,
        rate=EFFECT,
        rest=EFFECT,
        excess=EFFECT,
        p=0.001,
        p_adjusted=0.01,
        holds=True,
        groups={name: {value: 0.1 for value in sorted(GROUPS[name])} for name in sorted(names)},
    )
    return Slices(of="error rate", searched=1, tested=1, found_on=9, tested_on=9, slices=(found,))


def turned(names: tuple[str, ...]) -> dict[str, str]:
    """Return a group of all attributes, against their order."""
    return {name: next(iter(GROUPS[name])) for name in reversed(names)}


def compared(names: tuple[str, ...]) -> Change:
    side = Side(system="s", version="1", evidence_digest="sha256:0")
    return Change(
        against="other",
        before=side,
        after=side,
        pairing=Pairing(by="rows"),
        moves=(Move(metric="m", group=turned(names), difference=EFFECT, loss=EFFECT, reading="noise"),),
        measurements=(Measurement(metric="change.x", estimate=EFFECT, group=turned(names)),),
        decisions=(
            DecisionsChanged(
                group=turned(names), n=1, favourable_before=1, favourable_after=1, gained=0, lost=0, flip_rate=EFFECT
            ),
        ),
        drivers=(Driver(feature="income", direction="lost", group=turned(names), model="ebm", move=EFFECT),),
    )


def made(names: tuple[str, ...], **presentation: object) -> Dossier:
    """Return the large dossier with attributes in this order; its first failed rule judges all of them at once."""
    whole = make_dossier(declare(make_evidence(), names), **presentation)
    failed = next(finding for finding in whole.judgement.findings if finding.status == "fail")
    verdicts = tuple(
        Verdict(**{**dict(one), "group": turned(names)}) if one.status == "fail" else one for one in failed.verdicts
    )
    ours = failed.model_copy(update={"verdicts": verdicts})
    findings = tuple(ours if finding is failed else finding for finding in whole.judgement.findings)
    judgement = whole.judgement.model_copy(update={"findings": findings})
    return Dossier(**{**dict(whole), "judgement": judgement})


def all_groups(dossier: Dossier) -> list[dict[str, str]]:
    changed = [
        item for c in dossier.changes for part in (c.moves, c.measurements, c.decisions, c.drivers) for item in part
    ]
    verdicts = [verdict for finding in dossier.judgement.findings for verdict in finding.verdicts]
    return [item.group for item in (*dossier.evidence.measurements(), *verdicts, *changed)]


@pytest.mark.parametrize("names", list(permutations(GROUPS)))
def test_every_group_is_in_declared_order_made_or_read_back(names):
    dossier = made(names)
    dossier = Dossier(**{**dict(dossier), "changes": (compared(names),)})
    back = Dossier.parse(dossier.canonical())
    assert back == dossier
    assert back.canonical() == dossier.canonical()
    for one in (dossier, back):
        groups = all_groups(one)
        assert sum(len(group) > 1 for group in groups) > 100
        assert [list(g) for g in groups] == [sorted(g, key=names.index) for g in groups]
        assert isinstance(one.evidence.slices, Slices)
        (found,) = one.evidence.slices.slices
        assert list(found.groups) == list(names)
        assert {name: list(shares) for name, shares in found.groups.items()} == {n: list(GROUPS[n]) for n in names}


@settings(max_examples=4, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.permutations(list(GROUPS)))
def test_words_are_the_same_before_and_after_reading_back(order):
    dossier = made(tuple(order))
    back = Dossier.parse(dossier.canonical())
    for name in ("markdown", "sarif", "junit"):
        assert FORMATS[name](dossier) == FORMATS[name](back), name
    text = render_markdown(back).decode().replace("\\", "")
    assert ", ".join(f"{name.capitalize()}: {next(iter(GROUPS[name]))}" for name in order) in text


def chapters_of(dossier: Dossier) -> dict[str, str]:
    page = FORMATS["html"](dossier).decode()
    parts = re.split(r'<section class="chapter[^"]*" id="([^"]+)">', page)[1:]
    return dict(zip(parts[::2], parts[1::2], strict=True))


def test_chapters_about_groups_are_the_same_before_and_after_reading_back():
    dossier = made(("sex", "ethnicity", "age"))
    before, after = chapters_of(dossier), chapters_of(Dossier.parse(dossier.canonical()))
    about = ["decision", "fairness", "slices", "policies", "pack-1", "fairness-annex"]
    assert {name: before[name] for name in about} == {name: after[name] for name in about}


def test_intersections_name_the_first_attribute_first():
    page = FORMATS["html"](Dossier.parse(made(("sex", "ethnicity", "age")).canonical())).decode()
    page = re.sub(r"<[^>]+>", " ", page)
    assert "Sex: F, Ethnicity: A, Age: under 25" in page
    assert not re.search(r"Ethnicity: \w, Sex:|Age: [\w ]+, (Sex|Ethnicity):", page)


def test_a_section_that_was_not_done_has_no_order():
    evidence = make_evidence()
    bare = Evidence(**{**dict(evidence), "slices": NotDone(not_done="not asked for")})
    assert json.loads(bare.canonical()) == json.loads(Evidence.parse(bare.canonical()).canonical())
