"""Which cells are withheld: no subtraction, and no integer programme over all that is printed, brings one back."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from public_material import CELLS, GROUP, Attacker, mask_of

from audit.attestation.redact.cells import close_withheld, find_small, is_small, sum_parts
from audit.attestation.redact.views import VIEWS, Views, _view_outcomes, _view_table, part_of
from audit.evidence import Cell, CountTable, OutcomeCell, OutcomeTable

COUNT = st.one_of(st.sampled_from([0, 0, 1, 2, 3, 4, 5, 6]), st.integers(0, 60))
PARTS = st.dictionaries(st.integers(0, 20), st.tuples(COUNT, COUNT, COUNT), min_size=1, max_size=8)


@given(PARTS)
def test_withheld_groups_are_never_alone_and_never_few(parts):
    withheld = close_withheld(parts, find_small(parts))
    assert find_small(parts) <= withheld <= parts.keys()
    if withheld and withheld != set(parts):
        assert len(withheld) >= 2
        assert not any(map(is_small, sum_parts(parts, withheld)))
    if not withheld:
        assert not find_small(parts)


def test_complement_is_the_smallest_that_serves():
    parts = {"A": (100,), "B": (30,), "C": (2,)}
    assert close_withheld(parts, {"C"}) == {"B", "C"}
    assert close_withheld({"A": (50,), "B": (60,)}, set()) == set()
    assert close_withheld({"A": (2,), "B": (2,), "C": (90,), "D": (1,)}, {"A", "B"}) == {"A", "B", "D"}


def view_part(view):
    names = {
        "size": ("n",),
        "decision": ("favourable", "unfavourable", "undecided"),
        "full": (*(name for name in CELLS if "undecided" not in name), *(n for n in CELLS if "undecided" in n)),
    }
    return names[view]


@settings(max_examples=60, deadline=None)
@given(st.lists(st.lists(COUNT, min_size=4, max_size=6), min_size=2, max_size=5), st.booleans())
def test_integer_programme_over_all_that_is_printed_pins_no_small_cell(people, undecided):
    """The attacker knows every printed part of every group, all totals, and that people are whole numbers."""
    places = [0, 1, 3, 4, 6, 7] if not undecided else [0, 1, 2, 3, 4, 5]
    counts = [dict(zip([CELLS[i] for i in places], row, strict=False)) for row in people]
    cells = tuple(Cell(values=(f"g{i}",), **{**dict.fromkeys(CELLS, 0), **row}) for i, row in enumerate(counts))
    views = Views()
    _view_table(CountTable(attributes=("sex",), cells=cells), views)
    attacker = Attacker(cells)
    for view in VIEWS:
        for number, part in enumerate(view_part(view)):
            if view in views.total:
                attacker.learn(sum(part_of(cell, view)[number] for cell in cells), all=mask_of(part))
            for place, cell in enumerate(cells):
                if views.shows([("sex", cell.values[0])], view):
                    attacker.learn(part_of(cell, view)[number], **{f"_{place}": mask_of(part)})
    for place, cell in enumerate(cells):
        true = np.array([getattr(cell, name) for name in CELLS])
        for part in GROUP:
            if is_small(int(true @ mask_of(part))):
                low, high = attacker.bounds(place, mask_of(part))
                assert low < high, (people, place, part)


def test_intersection_is_shown_whole_or_not_at_all():
    fine = {name: 9 for name in CELLS[:2]}
    cells = [Cell(values=(a, b), **{**dict.fromkeys(CELLS, 0), **fine}) for a in "FM" for b in "XY"]
    whole, views = Views(), Views()
    _view_table(CountTable(attributes=("sex", "race"), cells=tuple(cells)), whole)
    few = cells[0].model_copy(update={"positive_favourable": 3})
    _view_table(CountTable(attributes=("sex", "race"), cells=(few, *cells[1:])), views)
    assert whole.shows_all("sex * race", "full")
    assert not any(views.shows([("sex", a), ("race", b)], view) for a in "FM" for b in "XY" for view in VIEWS)


def test_everybody_together_may_be_too_few():
    cells = tuple(
        Cell(values=(name,), **{**dict.fromkeys(CELLS, 0), "positive_favourable": 30, "positive_unfavourable": count})
        for name, count in (("F", 2), ("M", 1))
    )
    views = Views()
    _view_table(CountTable(attributes=("sex",), cells=cells), views)
    assert views.total == frozenset({"size"})
    assert views.shows([("sex", "F")], "size")
    assert not views.shows([("sex", "F")], "decision")


@settings(max_examples=20, deadline=None)
@given(
    st.lists(st.lists(COUNT, min_size=9, max_size=9), min_size=2, max_size=4),
    st.sets(st.sampled_from("abc"), min_size=1, max_size=2),
)
def test_integer_programme_pins_no_small_cell_of_several_classes(people, favourable):
    """The attacker knows the two-sided table as it is told, and the table by class where it is."""
    keys = [(truth, outcome) for truth in "abc" for outcome in "abc"]
    true = np.array(people)
    names = {(True, True): "positive_favourable", (True, False): "positive_unfavourable"}
    names |= {(False, True): "negative_favourable", (False, False): "negative_unfavourable"}
    sides = {side: np.array([float((t == "a", o in favourable) == side) for t, o in keys]) for side in names}
    cells = tuple(
        Cell(values=(f"g{k}",), **{**dict.fromkeys(CELLS, 0), **{names[s]: int(row @ sides[s]) for s in names}})
        for k, row in enumerate(true)
    )
    crossed = tuple(
        OutcomeCell(values=(f"g{k}",), truth=t, outcome=o, n=int(n))
        for k, row in enumerate(true)
        for (t, o), n in zip(keys, row, strict=True)
        if n
    )
    views, attacker = Views(several=True), Attacker(cells)
    table = OutcomeTable(attributes=("sex",), kind="class", outcomes=tuple("abc"), cells=crossed)
    _view_table(CountTable(attributes=("sex",), cells=cells), views)
    _view_outcomes((table,), views)
    for place, row in enumerate(true):
        scope = [("sex", f"g{place}")]
        parts = [np.ones(9)] if views.shows(scope, "size") else []
        parts += [sides[True, s] + sides[False, s] for s in (True, False)] if views.shows(scope, "decision") else []
        parts += list(sides.values()) if views.shows(scope, "full") else []
        parts += list(np.eye(9)) if "sex" in views.outcomes else []
        for part in parts:
            attacker.learn(int(row @ part), **{f"_{place}": part})
    for view, parts in (("size", [np.ones(9)]), ("full", list(sides.values()))):
        for part in parts if view in views.total else ():
            attacker.learn(int((true @ part).sum()), all=part)
    for place, row in enumerate(true):
        for part in (*np.eye(9), *sides.values()):
            if is_small(int(row @ part)):
                low, high = attacker.bounds(place, part)
                assert low < high, (people, favourable, place)
