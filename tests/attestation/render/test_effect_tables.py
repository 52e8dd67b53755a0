"""Curves and surfaces as CSV: every number as it stands in the dossier, and nothing that a spreadsheet would run."""

from __future__ import annotations

import csv
import io

from dossier_fixture import make_dossier

from audit.attestation.render.effect_tables import CURVE_COLUMNS, SURFACE_COLUMNS, write_effect_tables
from audit.evidence import Dossier, Effects, NotDone, PairSurface


def read(data: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(data.decode(), newline="")))


def with_effects(effects) -> Dossier:
    dossier = make_dossier()
    return dossier.model_copy(update={"evidence": dossier.evidence.model_copy(update={"effects": effects})})


def test_every_position_of_every_curve_reads_back_exactly():
    dossier = make_dossier()
    rows = read(write_effect_tables(dossier)["effects.csv"])
    assert tuple(rows[0]) == CURVE_COLUMNS
    place = iter(rows)
    for curve in dossier.evidence.effects.curves:
        for index, position in enumerate(curve.x or curve.levels):
            row = next(place)
            assert (row["feature"], row["model"], row["kind"]) == (curve.feature, curve.model, curve.kind)
            assert (float(row["position"]) if curve.x else row["position"]) == position
            assert float(row["effect"]) == curve.y[index]
            assert [row["low"], row["high"]] == (
                [repr(curve.low[index] + 0), repr(curve.high[index] + 0)] if curve.low else ["", ""]
            )
        if curve.missing is not None:
            assert float(next(place)["effect"]) == curve.missing
    assert next(place, None) is None


def test_a_surface_is_written_cell_by_cell_and_an_empty_cell_stays_empty():
    effects = make_dossier().evidence.effects
    surface = PairSurface(
        features=("income", "job"), model="ebm_label", across=(1.0, 2.5), down=("=SUM(A1)", "cook"),
        values=((0.25, None), (-0.5, -0.0)), importance=0.1,
    )  # fmt: skip
    rows = read(
        write_effect_tables(with_effects(effects.model_copy(update={"surfaces": (surface,)})))["interactions.csv"]
    )
    assert tuple(rows[0]) == SURFACE_COLUMNS
    assert [(row["across"], row["down"], row["effect"]) for row in rows] == [
        ("1.0", "'=SUM(A1)", "0.25"), ("2.5", "'=SUM(A1)", ""), ("1.0", "cook", "-0.5"), ("2.5", "cook", "0.0"),
    ]  # fmt: skip


def test_what_is_read_back_gives_the_same_bytes():
    dossier = make_dossier()
    assert isinstance(dossier.evidence.effects, Effects)
    assert write_effect_tables(Dossier.parse(dossier.canonical())) == write_effect_tables(dossier)


def test_without_effects_there_is_no_table():
    assert write_effect_tables(with_effects(NotDone(not_done="no model"))) == {}
