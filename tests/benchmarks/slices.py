"""The search for weak slices, to depth two: seconds and candidates, on adult and on drawn rows.

    OMP_NUM_THREADS=1 python tests/benchmarks/slices.py

One thread. The goal is one second for the 48,842 rows and 13 features of adult, all pairs of columns included.
"""

from __future__ import annotations

import time
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd

from audit.evidence import AttributeUsed, FeatureUsed, Subject
from audit.examination.blackbox.score import Scores
from audit.examination.measures.slices import measure_slices

SHARED = Path(__file__).resolve().parents[3] / "shared" / "data" / "data"


def as_case(frame: pd.DataFrame, wrong: np.ndarray, groups: tuple[str, ...]) -> SimpleNamespace:
    label = np.random.default_rng(0).integers(0, 2, len(frame)).astype(float)
    kinds = {name: "number" if frame[name].dtype.kind == "f" else "category" for name in frame}
    return SimpleNamespace(
        subject=Subject(
            title="t",
            system="s",
            version="1",
            attributes=tuple(AttributeUsed(name=name, column=name) for name in groups),
            features=tuple(FeatureUsed(name=name, kind=kind) for name, kind in kinds.items()),
        ),
        frame=frame,
        label=label,
        scores=Scores(None, None, None, (label == 1) != wrong),
        groups={name: frame[name].fillna("unknown").to_numpy(object) for name in groups},
        roll=None,
        sampled="",
        rng=lambda name: np.random.default_rng(0),
    )


def typed(frame: pd.DataFrame) -> pd.DataFrame:
    return pd.DataFrame(
        {
            name: frame[name].astype(float) if frame[name].dtype.kind in "iuf" else frame[name].astype(object)
            for name in frame
        }
    )


def tell(name: str, case: SimpleNamespace) -> None:
    taken = []
    for _ in range(3):
        begun = time.perf_counter()
        found = measure_slices(case)
        taken.append(time.perf_counter() - begun)
    confirmed = sum(item.holds for item in found.slices)
    print(
        f"{name}: {len(case.frame):,} rows x {len(case.subject.features)} features: {min(taken):.2f} s, "
        f"{found.searched:,} candidates, {found.tested} tested, {confirmed} confirmed"
    )


def main() -> None:
    rng = np.random.default_rng(0)
    path = SHARED / "adult.parquet"
    if path.is_file():
        adult = typed(pd.read_parquet(path).drop(columns=["income"], errors="ignore").iloc[:, :13])
        wrong = rng.random(len(adult)) < np.where(adult["age"] < 30, 0.05, 0.18)
        tell("adult", as_case(adult, wrong, tuple(name for name in ("sex", "race") if name in adult)))
    for rows in (10_000, 50_000, 200_000):
        numbers = {f"x{j}": rng.normal(size=rows) for j in range(7)}
        levels = {f"c{j}": rng.choice([f"l{i}" for i in range(4 + 6 * j)], rows).astype(object) for j in range(6)}
        frame = pd.DataFrame(numbers | levels)
        tell("drawn", as_case(frame, rng.random(rows) < 0.2, ()))


if __name__ == "__main__":
    main()
