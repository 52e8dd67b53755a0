"""The section of effects: seconds by part, on drawn rows and on adult.

    OMP_NUM_THREADS=1 python tests/benchmarks/effects.py

One thread. Goals: accumulated effects of 20 features over 4,000 rows under 1 s; the whole section of adult (13
features) at standard effort under 10 s, the fits of the glass boxes apart.
"""

from __future__ import annotations

import sys
import time
from itertools import pairwise
from pathlib import Path

import numpy as np
import pandas as pd

HERE = Path(__file__).resolve()
sys.path.insert(0, str(HERE.parents[1]))

from glass_material import make_case  # noqa: E402

from audit.evidence import FeatureUsed  # noqa: E402
from audit.examination.glassbox.fit import fit_glassboxes  # noqa: E402
from audit.examination.measures.effects import measure  # noqa: E402
from audit.examination.measures.effects.ale import Sample, measure_own_effect  # noqa: E402
from audit.examination.measures.effects.axis import lay_axis  # noqa: E402
from audit.examination.measures.fidelity import measure_fidelity  # noqa: E402

SHARED = HERE.parents[3] / "shared" / "data" / "data"


class Perceptron:
    """A net of two hidden layers with drawn weights that reads a frame."""

    format = "python"
    scale = "logit"
    has_gradients = False

    def __init__(self, frame: pd.DataFrame, width: int = 64) -> None:
        rng = np.random.default_rng(0)
        self.columns = tuple(frame.columns)
        self.numbers = [name for name in frame if frame[name].dtype.kind == "f"]
        self.levels = {name: sorted(frame[name].dropna().unique()) for name in frame if name not in self.numbers}
        self.mean, self.sd = frame[self.numbers].mean().to_numpy(), frame[self.numbers].std().to_numpy()
        self.worth = {name: rng.normal(size=len(found) + 1) for name, found in self.levels.items()}
        sizes = [len(self.columns), width, width, 1]
        self.layers = [rng.normal(size=(a, b)) / np.sqrt(a) for a, b in pairwise(sizes)]

    def link(self, frame: pd.DataFrame) -> np.ndarray:
        """Return log-odds."""
        z = (frame[self.numbers].to_numpy(float) - self.mean) / self.sd
        parts = [np.clip(np.nan_to_num(z), -4, 4)]
        for name, found in self.levels.items():
            codes = pd.Categorical(frame[name], categories=found).codes
            parts.append(self.worth[name][codes][:, None])
        x = np.column_stack(parts)
        for layer in self.layers[:-1]:
            x = np.maximum(x @ layer, 0.0)
        return np.asarray(2 * (x @ self.layers[-1])[:, 0])

    def score(self, frame: pd.DataFrame) -> np.ndarray:
        """Return probabilities."""
        return 1 / (1 + np.exp(-self.link(frame)))


def time_ale() -> None:
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({f"x{j}": rng.normal(size=4_000) for j in range(20)})
    box, even = Perceptron(frame), np.full(4_000, 1 / 4_000)
    sample = Sample(frame, np.arange(4_000), lambda name: frame.iloc[:0])
    begun = time.perf_counter()
    for name in frame:
        measure_own_effect(box.link, lay_axis(frame[name], FeatureUsed(name=name, kind="number"), even), sample)
    print(f"accumulated effects, 20 features x 4,000 rows: {time.perf_counter() - begun:.2f} s (goal 1 s)")


def time_section(name: str, frame: pd.DataFrame, group: np.ndarray) -> None:
    box = Perceptron(frame)
    link = box.link(frame)
    label = (np.random.default_rng(1).random(len(frame)) < 1 / (1 + np.exp(-link))).astype(float)
    kinds = {c: "number" if frame[c].dtype.kind == "f" else "category" for c in frame}
    features = tuple(FeatureUsed(name=c, kind=kind) for c, kind in kinds.items())
    begun = time.perf_counter()
    fits = fit_glassboxes(frame, features, label=label, link=link, effort="standard", n_jobs=1)
    fitted = time.perf_counter() - begun
    case = make_case(frame, link=link, label=label, blackbox=box, fits=fits, features=features, groups={"sex": group})
    begun = time.perf_counter()
    section = measure.measure_effects(case)
    taken = time.perf_counter() - begun
    begun = time.perf_counter()
    fidelity = measure_fidelity(case)
    print(
        f"{name}: {len(frame):,} rows x {len(features)} features: fits {fitted:.1f} s, effects {taken:.2f} s "
        f"(goal 10 s; {len(section.surfaces)} surfaces, {len(section.canonical()) / 1000:.0f} kB), "
        f"fidelity {time.perf_counter() - begun:.2f} s"
    )
    worst = [m.estimate.value for m in fidelity.measurements if m.metric == "fidelity.r2" and not m.group]
    print(f"  fidelity R2 {', '.join(f'{value:.3f}' for value in worst)}; {len(fidelity.departures)} parts tested")


def main() -> None:
    time_ale()
    path = SHARED / "adult.parquet"
    if path.is_file():
        raw = pd.read_parquet(path)
        kept = [name for name in raw if name not in ("income", "fnlwgt")][:13]
        frame = pd.DataFrame({c: raw[c].astype(float if raw[c].dtype.kind in "iuf" else object) for c in kept})
        time_section("adult", frame, raw["sex"].astype(str).to_numpy())


if __name__ == "__main__":
    main()
