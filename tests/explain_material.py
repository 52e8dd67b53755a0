"""A small job with a model whose scores are known in closed form, for tests of explanations and decisions."""

from __future__ import annotations

import warnings
from pathlib import Path

import numpy as np

WEIGHTS = np.array([0.12, -0.3, 0.02])
BIAS = -3.2
COLUMNS = ("income", "debts", "age")


def write_linear(folder: Path, text: str = "", *, rows: int = 400, extra: str = "", weights=WEIGHTS) -> Path:
    """Write applicants, a linear net and audit.yaml; return the path of the last."""
    import torch
    from material import make_table

    table = make_table(rows)
    table["job"] = np.where(np.arange(rows) % 3 == 0, "clerk", np.where(np.arange(rows) % 3 == 1, "cook", "judge"))
    table.to_csv(folder / "applicants.csv", index=False)
    net = torch.nn.Linear(3, 1).eval()
    with torch.no_grad():
        net.weight.copy_(torch.tensor(weights, dtype=torch.float32)[None])
        net.bias.fill_(BIAS)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.jit.trace(net, torch.zeros(2, 3)).save(str(folder / "model.ts.pt"))
    path = folder / "audit.yaml"
    path.write_text(
        "data: {audit: applicants.csv, id: applicant}\nlabel: repaid\ngroups: [sex, region]\n"
        f"model: {{path: model.ts.pt, inputs: [income, debts, age], output: logit}}\neffort: fast\n{extra}{text}",
        encoding="utf-8",
    )
    return path


def open_small(path: Path, *, fit: bool = False):
    """Return the case of a configuration, its glass boxes not fitted unless wanted."""
    from audit.config.load import load_config
    from audit.evidence import NotDone
    from audit.examination.blackbox.intake import take_in
    from audit.examination.engine.engine import open_engine
    from audit.examination.engine.progress import SilentProgress
    from audit.examination.measures import setting
    from audit.examination.measures.case import describe_subject, list_intersections
    from audit.examination.sweep.find import read_rows
    from audit.examination.sweep.people import gather_people

    rows = read_rows(load_config(path), None, ())
    config, dataset, silent = rows.config, rows.dataset, SilentProgress()
    blackbox, intake = take_in(config, dataset)
    with open_engine(config.engine, None) as engine:
        people = gather_people(rows, blackbox, intake, engine, list_intersections(config), silent)
    subject = describe_subject(config, dataset, intake.columns, people.scores, has_model=blackbox is not None)
    own = setting._fit_safely
    try:
        if not fit:
            setting._fit_safely = lambda case, progress: NotDone(not_done="not fitted in this test")
        return setting.open_case(config, subject, dataset, people, blackbox, intake, silent)
    finally:
        setting._fit_safely = own


def pick(section, metric: str, **scope):
    """Return the one estimate of a metric with this scope."""
    found = [
        m.estimate
        for m in section.measurements
        if m.metric == metric and all(getattr(m, key) == value for key, value in scope.items())
    ]
    assert len(found) == 1, (metric, scope, len(found))
    return found[0]
