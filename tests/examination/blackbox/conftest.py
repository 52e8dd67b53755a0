"""One small net in every format, rows to feed it, and a configuration to name them; built once per session."""

from __future__ import annotations

import json
import pickle
import textwrap
import warnings
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from audit.config.schema import ExamineConfig
from audit.examination.data.kinds import ColumnFacts
from audit.examination.data.values import value_text

NUMERIC = ["age", "income", "debts"]
JOBS = ["clerk", "driver", "nurse"]
BLOCKS = {
    "x_num": [
        {"kind": "numeric", "columns": NUMERIC, "mean": [40.0, 30.0, 5.0], "scale": [10.0, 15.0, 4.0], "missing": 0.0}
    ],
    "x_cat": [
        {
            "kind": "codes",
            "columns": ["job", "region"],
            "levels": {"job": JOBS, "region": [1, 2]},
            "unknown": 0,
            "missing": 0,
            "offset": 1,
        }
    ],
}
MODULE = textwrap.dedent(
    '''
    """The net of the tests."""
    import torch
    from torch import nn


    class Net(nn.Module):
        def __init__(self, hidden: int = 8):
            super().__init__()
            self.job, self.region = nn.Embedding(4, 3), nn.Embedding(3, 2)
            self.body = nn.Sequential(
                nn.Linear(8, hidden), nn.BatchNorm1d(hidden), nn.ReLU(), nn.Dropout(0.5), nn.Linear(hidden, 1))

        def forward(self, x_num, x_cat):
            parts = [x_num, self.job(x_cat[:, 0]), self.region(x_cat[:, 1])]
            return self.body(torch.cat(parts, 1)).squeeze(-1)


    def build(hidden: int = 8):
        return Net(hidden)


    def not_a_net():
        return 3


    def predict(frame):
        return 1 / (1 + (-(frame["income"] - 30) / 10).map(__import__("math").exp))
    '''
)


class Rows:
    """The least of a Dataset that this room relies on."""

    def __init__(self, frame: pd.DataFrame, size: int = 17) -> None:
        self._frame, self._size = frame.reset_index(drop=True), size
        self.rows = len(frame)
        self.columns = tuple(str(name) for name in frame.columns)
        self.described = tuple(
            ColumnFacts(str(name), "category", levels=tuple(sorted({value_text(v) for v in frame[name].dropna()})))
            for name in frame.columns
        )

    def batches(self, size: int = 0) -> Iterator[pd.DataFrame]:
        step = min(size or self._size, self._size)
        for start in range(0, self.rows, step):
            yield self._frame.iloc[start : start + step]

    def frame(self) -> pd.DataFrame:
        return self._frame

    def glimpse(self, size: int, rng: np.random.Generator) -> pd.DataFrame:
        return self._frame.iloc[np.sort(rng.choice(self.rows, min(size, self.rows), replace=False))]

    def take(self, rows: np.ndarray) -> pd.DataFrame:
        return self._frame.iloc[rows]


def configure(
    *, decision: Any = None, label: Any = "repaid", groups: Any = (), seed: int = 0, **model: Any
) -> ExamineConfig:
    return ExamineConfig.model_validate(
        {"data": "rows.csv", "label": label, "groups": list(groups), "decision": decision, "seed": seed, "model": model}
    )


def change_zip(source: Path, target: Path, change: Callable[[dict[str, bytes]], dict[str, bytes] | None]) -> Path:
    """Write `source` again with its members (below the root) changed."""
    with zipfile.ZipFile(source) as archive:
        root = archive.namelist()[0].split("/")[0]
        members = {name.split("/", 1)[1]: archive.read(name) for name in archive.namelist()}
    members = change(members) or members
    with zipfile.ZipFile(target, "w") as archive:
        for name, content in members.items():
            archive.writestr(f"{root}/{name}", content)
    return target


def change_graph(source: Path, target: Path, change: Callable[[dict[str, Any]], None]) -> Path:
    """Write a .pt2 again with its program changed."""

    def edit(members: dict[str, bytes]) -> None:
        program = json.loads(members["models/model.json"])
        change(program)
        members["models/model.json"] = json.dumps(program).encode()

    return change_zip(source, target, edit)


class Evil:
    """Unpickling it writes a file."""

    def __init__(self, marker: Path) -> None:
        self.marker = marker

    def __reduce__(self) -> Any:
        return (Path.touch, (self.marker,))


def pickle_evil(marker: Path) -> bytes:
    """Return a plain pickle that leaves a mark when it is loaded."""
    return pickle.dumps(Evil(marker))


@pytest.fixture(scope="session")
def tools() -> Any:
    """Return the helpers of this file; test modules have no package to import them from."""
    from types import SimpleNamespace

    return SimpleNamespace(
        Rows=Rows,
        configure=configure,
        change_zip=change_zip,
        change_graph=change_graph,
        pickle_evil=pickle_evil,
        BLOCKS=BLOCKS,
        NUMERIC=NUMERIC,
        JOBS=JOBS,
        Evil=Evil,
    )


@pytest.fixture(scope="session")
def people() -> pd.DataFrame:
    """Return 90 rows with gaps, typed as the data room types them."""
    rng = np.random.default_rng(7)
    frame = pd.DataFrame(
        {
            "age": rng.uniform(20, 70, 90).round(),
            "income": rng.normal(30, 10, 90).round(2),
            "debts": rng.exponential(5, 90).round(2),
            "job": rng.choice(JOBS, 90).astype(object),
            "region": rng.choice([1.0, 2.0], 90),
            "sex": rng.choice(["f", "m"], 90).astype(object),
            "repaid": rng.integers(0, 2, 90).astype(float),
        }
    )
    frame.loc[3:6, "debts"] = np.nan
    frame.loc[[8, 9], "job"] = None
    frame.loc[11, "region"] = np.nan
    return frame


@pytest.fixture(scope="session")
def studio(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Return the net and its files: pt2, static, train, torchscript, state_dict, safetensors, pickle, module."""
    import importlib.util
    from types import SimpleNamespace

    import torch
    from safetensors.torch import save_file

    folder = tmp_path_factory.mktemp("studio")
    module_file = folder / "module.py"
    module_file.write_text(MODULE)
    spec = importlib.util.spec_from_file_location("studio_module", module_file)
    module = importlib.util.module_from_spec(spec)
    import sys

    sys.modules["studio_module"] = module
    spec.loader.exec_module(module)
    torch.manual_seed(3)
    net = module.Net()
    with torch.no_grad():  # running statistics that are not the initial ones, and logits of both signs
        net.body[4].weight.mul_(8)
        net.body[1].running_mean.normal_()
        net.body[1].running_var.uniform_(0.5, 2)
    net.eval()
    args = (torch.randn(4, 3), torch.ones(4, 2, dtype=torch.int64))
    free = {"x_num": {0: torch.export.Dim("batch")}, "x_cat": {0: torch.export.Dim("batch")}}
    files = {
        name: folder / f"{name}.{end}"
        for name, end in (
            ("pt2", "pt2"),
            ("static", "pt2"),
            ("train", "pt2"),
            ("torchscript", "pt"),
            ("state_dict", "pt"),
            ("safetensors", "safetensors"),
            ("pickle", "pt"),
            ("trainscript", "pt"),
        )
    }
    torch.export.save(torch.export.export(net, args, dynamic_shapes=free), files["pt2"])
    torch.export.save(torch.export.export(net, args), files["static"])
    net.train()
    torch.export.save(torch.export.export(net, args, dynamic_shapes=free), files["train"])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.jit.script(net).save(str(files["trainscript"]))
        net.eval()
        torch.jit.script(net).save(str(files["torchscript"]))
    torch.save(net.state_dict(), files["state_dict"])
    torch.save(net, files["pickle"])
    save_file(net.state_dict(), str(files["safetensors"]))
    return SimpleNamespace(net=net, files=files, module=module_file, folder=folder)


@pytest.fixture(scope="session")
def truth(studio: Any, people: pd.DataFrame) -> np.ndarray:
    """Return the net's logits on the rows, encoded by hand."""
    import torch

    num = np.stack(
        [
            (people[name].fillna(0.0) - mean) / scale
            for name, mean, scale in zip(NUMERIC, (40, 30, 5), (10, 15, 4), strict=True)
        ],
        axis=1,
    )
    cat = np.stack(
        [
            people["job"].map({name: at + 1 for at, name in enumerate(JOBS)}).fillna(0),
            people["region"].map({1.0: 1, 2.0: 2}).fillna(0),
        ],
        axis=1,
    )
    with torch.no_grad():
        out = studio.net(torch.tensor(num, dtype=torch.float32), torch.tensor(cat, dtype=torch.int64))
    return out.double().numpy()
