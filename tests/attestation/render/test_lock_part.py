"""The lock of the rules in the report: what it shows, what changed, and what it does not prove."""

import re

import pytest

from audit.attestation.policy.lock import LIMITS
from audit.attestation.render.html import render_html
from audit.evidence import LockSeen

SEEN = LockSeen(
    file="policy.lock.json", rules_digest="sha256:" + "ab" * 32, locked_at="2026-02-28T10:00:00Z", before="shown",
    stamped_at="2026-02-28T10:00:01Z", authority="CN=Stamps <b>",
    because="a time stamp shows that the rules were there",
    same_rules=True, same_model=True, limits=LIMITS,
)  # fmt: skip


@pytest.fixture
def page(dossier_of):
    def render(seen):
        dossier = dossier_of()
        judgement = dossier.judgement.model_copy(update={"lock": seen})
        return render_html(dossier.model_copy(update={"judgement": judgement})).decode()

    return render


def text_of(page):
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page))


def test_a_lock_stands_in_the_policy_chapter_and_on_the_decision_page(page):
    made = page(SEEN)
    text = text_of(made)
    assert text.count("A time stamp shows that the rules were there") == 2
    assert "shown by a time stamp" in text
    assert "the one that was locked" in text
    assert "CN=Stamps &lt;b&gt;" in made
    for line in LIMITS:
        assert line in text


def test_what_changed_is_listed(page):
    changes = ("own/r: limit: at least 0.8 -> at least 0.7 (looser)",)
    text = text_of(page(SEEN.model_copy(update={"same_rules": False, "changes": changes, "same_waivers": False})))
    assert "The rules were changed after they were locked" in text
    assert "at least 0.8 -&gt; at least 0.7 (looser)" in text
    assert "the waivers are other ones than locked" in text


def test_without_a_lock_nothing_is_said(page):
    assert "lock of the rules" not in text_of(page(None))
