"""Footnotes, tables of an attribute, the sentence of the verdict: what a reader meets once and not in every cell."""

from __future__ import annotations

import pytest
from dossier_fixture import make_dossier, make_evidence
from hypothesis import given
from hypothesis import strategies as st

from audit.attestation.render import findings, importance
from audit.attestation.render.attribute import COMPARED, GroupRow, show_tables
from audit.attestation.render.figures import draw_importance
from audit.attestation.render.figures.style import text_width
from audit.attestation.render.footnotes import NO_INTERVALS, annotate
from audit.attestation.render.numbers import NO_INTERVAL, plain_text, show
from audit.attestation.render.panels import models_across, scope_grids
from audit.attestation.render.tables import Grid, GridRow, Lexicon
from audit.evidence import Estimate, Measurement, undefined

WITH = Estimate(value=0.4, low=0.3, high=0.5, method="Wilson score")
BARE = Estimate(value=0.4, method="mean")
LONG = "7 people, fewer than 30: shown, not judged"
SMALL = Estimate(value=0.4, low=0.1, high=0.9, method="Wilson score", note=LONG, assessable=False)
GONE = undefined("nobody in this group has the negative label")
KINDS = st.sampled_from([WITH, BARE, SMALL, GONE, None])


def make(rows: list[list[Estimate | None]], *, across: bool = False) -> Grid:
    lines = tuple(GridRow(f"r{i}", "", tuple(show(e) if e else None for e in row)) for i, row in enumerate(rows))
    return Grid("x", tuple(f"c{i}" for i in range(len(rows[0]))), lines, across=across)


def test_a_table_without_intervals_says_it_once():
    grid = annotate(make([[BARE, BARE], [BARE, None]]))
    assert grid.said == NO_INTERVALS
    assert grid.notes == ()
    assert {c.reason for row in grid.rows for c in row.cells if c} == {""}


@pytest.mark.parametrize("across", [False, True])
def test_a_line_without_intervals_is_marked_once(across):
    grid = annotate(make([[BARE, BARE], [WITH, WITH]] if across else [[BARE, WITH], [BARE, WITH]], across=across))
    assert grid.said == ""
    assert len(grid.notes) == 1
    assert [row.mark for row in grid.rows] == (["a", ""] if across else ["", ""])
    assert grid.marks == (() if across else ("a", ""))


def test_each_long_note_stands_once():
    grid = annotate(make([[SMALL, SMALL, WITH], [SMALL, GONE, WITH]]))
    assert [text for _, text in grid.notes] == [LONG, GONE.note]
    assert [[c.mark for c in row.cells] for row in grid.rows] == [["a", "a", ""], ["a", "b", ""]]


@given(st.lists(st.lists(KINDS, min_size=3, max_size=3), min_size=1, max_size=6), st.booleans())
def test_no_reason_is_lost(rows, across):
    grid = make(rows, across=across)
    told = annotate(grid)
    texts = {mark: text for mark, text in told.notes}
    assert len(set(texts.values())) == len(texts)
    for i, (before, after) in enumerate(zip(grid.rows, told.rows, strict=True)):
        for j, (old, new) in enumerate(zip(before.cells, after.cells, strict=True)):
            if old is None or not old.reason:
                continue
            line = after.mark if across else (told.marks[j] if told.marks else "")
            assert (
                new.mark in texts or new.reason == old.reason or (old.reason == NO_INTERVAL and (told.said or line))
            ), (i, j)
            assert not new.mark or texts[new.mark] == old.reason


def group_rows(names: list[str]) -> list[GroupRow]:
    return [GroupRow(n, "50", "20", show(WITH), None, None, "", n == names[0], False, None, "") for n in names]


@pytest.mark.parametrize("size", [2, 5, 6, 12])
def test_every_measurement_stands_in_a_table(size):
    names = [f"g{i}" for i in range(size)]
    metrics = ("selection_rate", "true_positive_rate", "auc", "something_new", "auc_gap")
    numbers = [
        Measurement(
            metric=f"fairness.{metric}", estimate=WITH, group={"a": name}, reference="a=g0" if "gap" in metric else None
        )
        for name in names
        for metric in metrics
    ]
    whole = [Measurement(metric="fairness.worst", estimate=SMALL, attribute="a")]
    tables = show_tables(("a",), group_rows(names), numbers, whole, Lexicon(make_evidence()))
    found = sum(bool(getattr(c, "method", "")) for _, grid in tables for row in grid.rows for c in row.cells)
    assert found == len(numbers) + 1
    assert (len(tables) == 1) == (size <= 5)
    assert any(row.opens == COMPARED for _, grid in tables for row in grid.rows) == (size <= 5)


def test_the_sentence_says_why_a_failed_rule_does_not_decide():
    judgement = make_dossier().judgement
    undecided = judgement.model_copy(update={"outcome": "undecided"})
    assert "none of severity" not in findings.verdict_sentence(judgement, ())
    assert "failed (none of severity high or above)" in findings.verdict_sentence(undecided, ())


def test_tiny_importance_reads_as_less_than():
    evidence = make_evidence()
    first = next(m for m in evidence.effects.measurements if m.metric == "effects.importance")
    tiny = first.model_copy(update={"estimate": Estimate(value=4.74e-8, method="mean absolute contribution")})
    rest = tuple(m for m in evidence.effects.measurements if m is not first)
    effects = evidence.effects.model_copy(update={"measurements": (*rest, tiny)})
    grid = importance.importance_grid(effects, Lexicon(evidence))
    assert "< 0.001" in {c.value for row in grid.rows for c in row.cells if c}


def test_the_legend_of_importance_lies_within_the_figure():
    import re

    names = {
        "black_box": "Black box",
        "ebm_surrogate": "Boosting machine, fitted on the black box",
        "net_surrogate": "Additive net, fitted on the black box",
    }
    rows = [("investment as income percentage", dict.fromkeys(names, (0.3, None, None)))]
    figure = draw_importance("i", "t", "d", rows, names, "unit")
    for name in names.values():
        x = float(re.search(rf'<text x="([\d.]+)"[^>]*>{name}<', figure).group(1))
        assert x + text_width(name, 10) <= 680


def test_a_p_value_is_never_zero():
    assert plain_text("p = 0; after Holm over 6 pairs p = 0.") == "p < 0.0001; after Holm over 6 pairs p < 0.0001."
    assert plain_text("p = 0.0003, p = 0.5") == "p = 0.0003, p = 0.5"


def test_p_values_lose_their_powers_of_ten():
    assert plain_text("z -29.12, p = 2.102e-186; Holm p = 9.65e-05; p = 0.0003") == (
        "z −29.12, p < 0.0001; Holm p < 0.0001; p = 0.0003"
    )


def numbers_of(*scopes: dict) -> list[Measurement]:
    return [Measurement(metric="data.x", estimate=Estimate(value=i / 8, method="m"), **s) for i, s in enumerate(scopes)]


def test_numbers_by_model_stand_side_by_side():
    groups, models = [{"sex": "F"}, {"sex": "M"}], ["black_box", "ebm_surrogate", "net_surrogate"]
    scopes = [{"group": g, "model": m} for g in groups for m in models if (g["sex"], m) != ("M", "net_surrogate")]
    grid = models_across(numbers_of(*scopes), Lexicon(make_evidence()))
    assert grid.heads == ("Black box", "EBM, surrogate", "Net, surrogate")
    assert [row.label for row in grid.rows] == ["Sex: F", "Sex: M"]
    assert [[c.value if c else None for c in row.cells] for row in grid.rows] == [
        ["0", "0.125", "0.250"],
        ["0.375", "0.500", None],
    ]
    assert [bool(row.opens) for row in grid.rows] == [True, False]
    alone = models_across(numbers_of({"group": {"sex": "F"}}, {"group": {"sex": "M"}}), Lexicon(make_evidence()))
    assert alone.heads == ("Value",)


def test_metrics_of_the_same_scopes_share_a_table_and_no_number_is_lost():
    groups = [{"group": {"sex": value}} for value in ("F", "M")]
    found = [
        m.model_copy(update={"metric": f"data.{name}"})
        for name, scopes in (("rate", groups), ("share", groups), ("alone", [{}]), ("told", [{"feature": "a"}] * 2))
        for m in numbers_of(*scopes)
    ]
    found[-1] = found[-1].model_copy(update={"feature": "b"})
    grids = scope_grids(found, Lexicon(make_evidence()))
    assert [(grid.corner, grid.heads, [row.label for row in grid.rows]) for grid in grids] == [
        ("Measure", ("Value",), ["Alone"]),
        ("Scope", ("Rate", "Share"), ["Sex: F", "Sex: M"]),
        ("Scope", ("Told",), ["A", "B"]),
    ]
    assert sum(cell is not None for grid in grids for row in grid.rows for cell in row.cells) == len(found)


def test_only_what_chance_gives_may_be_broken_over_lines():
    assert show(Estimate(value=0.2, chance=0.3, method="m")).loose
    assert not show(WITH).loose
    assert not show(BARE).loose


@pytest.mark.parametrize(
    ("reason", "literal", "said"),
    [
        ("0.5 misses 'at least 0.8', established", "the figure alone, 0.5, misses 'at least 0.8'", False),
        ("the whole interval meets 'at least 0.8'", "the figure alone, 0.9, meets 'at least 0.8'", True),
        ("0.79 meets 'at least 0.8' by chance", "the figure alone, 0.79, misses 'at least 0.8'", True),
        ("reported: 3", "the figure is 3", False),
    ],
)
def test_the_literal_comparison_stands_beside_every_verdict_once(reason, literal, said):
    from audit.evidence import Verdict

    verdict = Verdict(id="1", rule="p/r", scope="p/r[]", status="fail", because=reason, literal=literal)
    shown = findings.ScopeShown(verdict, None, "", None, "", reason)
    assert shown.literal == (literal if said else "")
