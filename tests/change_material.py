"""Two versions of a model whose scores are stored, judged on the same people."""

from __future__ import annotations

import numpy as np

ROWS = 6000


def make_scores(rows: int = ROWS, seed: int = 11):
    """Return people whose new scores rank everybody better, while the small group is decided worse."""
    import pandas as pd

    rng = np.random.default_rng(seed)
    group = np.where(rng.random(rows) < 0.25, "small", "large")
    truth = rng.normal(size=rows) * 1.6
    label = (rng.random(rows) < 1 / (1 + np.exp(-truth))).astype(int)
    small = group == "small"
    old = truth + rng.normal(size=rows) * np.where(small, 1.0, 2.1)
    new = truth + np.where(small, 1.4, 0.0) + rng.normal(size=rows) * np.where(small, 1.2, 0.3)
    return pd.DataFrame(
        {
            "person": [f"p{i:05d}" for i in range(rows)],
            "old": 1 / (1 + np.exp(-old)),
            "new": 1 / (1 + np.exp(-new)),
            "sex": rng.choice(["F", "M"], rows),
            "group": group,
            "label": label,
        }
    )


def write_config(folder, name: str, **changed: str):
    """Write ``NAME.yaml`` that audits the column of that name."""
    keys = {
        "system": f'{{name: hiring, version: "{name}"}}',
        "data": "{audit: people.csv, id: person}",
        "label": "label",
        "groups": "[group, sex]",
        "model": f"{{scores: {name}, scale: probability}}",
        "effort": "fast",
        "keep": "{scores: true}",
        "report": "{formats: [markdown]}",
        "signing": "{key: development}",
        "ledger": f"{{path: {folder / 'log'}}}",
        **changed,
    }
    path = folder / f"{name}.yaml"
    path.write_text("".join(f"{key}: {value}\n" for key, value in keys.items()), encoding="utf-8")
    return path
