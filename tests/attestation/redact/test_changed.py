"""The public edition of a comparison: which verdicts changed, and no number of a group of both sides."""

from __future__ import annotations

import re

import numpy as np
import pytest

from audit.attestation.redact.changed import NO_GROUPS, UNPAIRED
from audit.attestation.redact.counted import find_small_counts
from audit.attestation.redact.publish import publish_dossier
from audit.attestation.render.formats import FORMATS
from audit.evidence import SUPPRESSED, DecisionsChanged, Dossier, Estimate, Pairing, VerdictChange

from .kinds_material import PEOPLE, RARE, run_kind


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """The internal dossier of an audit that is compared with the one before it: another short list."""
    folder = tmp_path_factory.mktemp("changed")
    for name in ("before", "after"):
        (folder / name).mkdir()
    rows = {"data": {"audit": "people.csv", "id": "applicant"}}
    later = PEOPLE.assign(shortlist=np.where((PEOPLE["x"] + PEOPLE["z"].fillna(0)).rank() > 500, "yes", "no"))
    run_kind("top-k", folder / "before", keep={"scores": True}, **rows)
    previous = {"previous": str(folder / "before" / "report")}
    packs = ["baseline-fairness", "model-change-review"]
    return run_kind("top-k", folder / "after", frame=later, policies=packs, compare=previous, **rows).dossier


def publish(dossier, **changed):
    change = dossier.changes[0].model_copy(update=changed)
    made = publish_dossier(dossier.model_copy(update={"changes": (change,)}))
    return Dossier.parse(made.canonical())


def test_no_number_of_a_group_is_told(whole):
    public = publish(whole)
    (before,), (change,) = whole.changes, public.changes
    assert any(move.group for move in before.moves)
    assert any(one.group for one in before.decisions)
    assert change.moves
    assert not [move for move in change.moves if move.group or move.attribute]
    assert not [one for one in change.decisions if one.group]
    assert not find_small_counts(public, whole.evidence.data.rows)
    assert change.notes[0] == NO_GROUPS


def test_what_is_told_of_both_sides_is_told_of_the_later_audit(whole):
    public = publish(whole)
    whole_of = [m for m in public.evidence.measurements() if not m.group and not m.attribute]
    told = {(m.metric, m.feature, m.model): m.estimate for m in whole_of}
    for move in public.changes[0].moves:
        assert told[move.metric, move.feature, move.model].note != SUPPRESSED
        assert move.metric not in ("performance.balanced_accuracy", "fidelity.class_agreement")


def test_a_few_new_people_are_not_told_by_difference(whole):
    """620 people before, 623 after: every number of both sides would tell of the three."""
    for few in ({"only_after": 3}, {"only_before": 1}, {"rows_paired": whole.evidence.data.rows - 2}):
        pairing = whole.changes[0].pairing.model_copy(update=few)
        change = publish(whole, pairing=pairing).changes[0]
        assert change.pairing == Pairing(by="none", note=UNPAIRED)
        assert not change.moves
        assert not change.shapes
        assert not change.decisions


@pytest.mark.parametrize(("wrongly", "told"), [(None, True), (10, True), (3, False), (18, False)])
def test_changed_decisions_of_everybody_are_told_where_no_part_is_few(whole, wrongly, told):
    rows = whole.evidence.data.rows
    share = Estimate(value=50 / rows, low=0.05, high=0.12, n=rows, count=50, method="Wilson score")
    one = DecisionsChanged(
        n=rows, favourable_before=300, favourable_after=310, gained=30, lost=20, lost_wrongly=wrongly, flip_rate=share
    )
    assert bool(publish(whole, decisions=(one,)).changes[0].decisions) == told


def test_verdicts_that_changed_are_told_under_the_names_that_are_told(whole):
    known = [one for finding in whole.judgement.findings for one in finding.verdicts]
    gone = "baseline-fairness/selection-ratio[town=vanished]"
    scopes = [next(one.scope for one in known if one.group.get("town") == "islet"), gone]
    changed = tuple(
        VerdictChange(
            rule=scope.partition("[")[0], scope=scope, title="t", severity="high", before="pass", after="fail"
        )
        for scope in scopes
    )
    (seen,) = publish(whole, verdicts=changed).changes[0].verdicts
    assert re.fullmatch(r".*\[town=withheld group \d\]", seen.scope)
    assert (seen.before, seen.after) == ("pass", "fail")


def test_rules_on_the_change_keep_their_verdicts(whole):
    public = publish(whole)
    for before, after in zip(whole.judgement.findings, public.judgement.findings, strict=True):
        assert before.status == after.status
        for one, told in zip(before.verdicts, after.verdicts, strict=True):
            if before.kind == "compare" and one.group and one.observed is not None:
                assert told.observed.note == SUPPRESSED


@pytest.mark.parametrize("kind", ["audit", "change"])
def test_every_format_names_nobody(whole, kind):
    public = publish(whole.model_copy(update={"kind": kind}))
    for name, form in FORMATS.items():
        if name != "pdf":
            text = form.render(public).decode("utf-8")
            assert not [word for word in (*RARE, "hamlet") if re.search(rf"\b{word}\b", text)], name
    page = FORMATS["html"].render(public).decode("utf-8")
    assert "the numbers of single groups before and after are suppressed" in page
    assert "Nobody was paired" not in page
