"""Audits of the four real models that lie beside the checkout in CI; absent elsewhere."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

from material import SHARED

MODELS: dict[str, dict[str, Any]] = {
    "adult": {
        "folder": "adult_mlp",
        "table": "adult",
        "label": "income",
        "id": None,
        "groups": {
            "sex": "sex",
            "race": {"column": "race", "stands_for": "race_ethnicity"},
            "age": {"column": "age", "bins": [25, 40, 60]},
        },
        "decision": "score >= 0.5",
        "output": {"task": "binary", "scale": "logit"},
    },
    "compas": {
        "folder": "compas_resnet",
        "table": "compas",
        "label": "two_year_recid",
        "id": None,
        "groups": {"race": {"column": "race", "stands_for": "race_ethnicity"}, "sex": "sex", "age_cat": "age_cat"},
        "decision": "score < 0.5",
        "output": {"task": "binary", "scale": "logit"},
    },
    "german": {
        "folder": "german_softmax",
        "table": "german_credit",
        "label": "good_credit",
        "id": None,
        "groups": {"sex": "sex", "age": "age_25", "foreign_worker": "foreign_worker"},
        "decision": "score >= 0.5",
        "output": {"task": "binary", "scale": "logits", "classes": [0, 1], "positive": 1},
    },
    "acs_income": {
        "folder": "acs_income_mlp",
        "table": "acs_income",
        "label": "income_over_50k",
        "id": None,
        "groups": {
            "sex": "sex",
            "race": {"column": "race", "stands_for": "race_ethnicity"},
            "age": {"column": "age", "bins": [25, 40, 60]},
        },
        "decision": "score >= 0.5",
        "output": {"task": "binary", "scale": "logit"},
    },
}
"""Name to what a configuration needs."""


def shared_data() -> Path | None:
    """Return the folder of real data and models, or None where it is absent."""
    folder = SHARED / "data"
    return folder if (folder / "models").is_dir() else None


def input_blocks(name: str) -> Any:
    """Return the `inputs` of a real model, from the file that its author preprocessed with."""
    data = shared_data()
    assert data is not None
    given = json.loads((data / "models" / MODELS[name]["folder"] / "preprocess.json").read_text())
    numeric, categorical = given["numeric"], given["categorical"]
    levels = {c: [k for k, _ in sorted(given["maps"][c].items(), key=lambda item: item[1])] for c in categorical}
    numbers: dict[str, Any] = {
        "kind": "numeric",
        "columns": numeric,
        "missing": [given["median"][c] for c in numeric],
    }
    if given["style"] == "pair":
        numbers |= {"mean": [given["mean"][c] for c in numeric], "scale": [given["std"][c] for c in numeric]}
        codes = {"kind": "codes", "columns": categorical, "levels": levels, "unknown": 0, "missing": 0, "offset": 1}
        return {"x_num": [numbers], "x_cat": [codes]}
    return [numbers, {"kind": "one_hot", "columns": categorical, "levels": levels}]


def write_real_config(name: str, folder: Path, *, form: str = "pt2", **changes: Any) -> Path:
    """Write an audit.yaml for a real model.

    Parameters
    ----------
    name : str
        Key of `MODELS`.
    folder : pathlib.Path
        Where to write.
    form : {"pt2", "torchscript", "state_dict", "safetensors"}
        Which of its stored forms to take in.
    """
    data, about = shared_data(), MODELS[name]
    assert data is not None
    source = data / "models" / about["folder"]
    model: dict[str, Any] = {"inputs": input_blocks(name), "output": about["output"]}
    if form in ("pt2", "torchscript"):
        model["path"] = str(source / {"pt2": "model.pt2", "torchscript": "model.ts.pt"}[form])
    else:
        card = json.loads((source / "model.json").read_text())["formats"]["state_dict"]
        shutil.copy(source / "module.py", folder / "module.py")
        model |= {
            "factory": f"module.py:{card['cls']}",
            "factory_args": card["kwargs"],
            "trust_code": True,
            "format": form,
            "path": str(source / "state_dict.pt"),
        }
        if form == "safetensors":
            model["path"] = str(_as_safetensors(source / "state_dict.pt", folder / "model.safetensors"))
    config = {
        "title": f"{name} model",
        "system": {"name": name.replace("_", "-"), "version": "1"},
        "data": {"audit": str(data / "data" / f"{about['table']}.parquet"), "model_train": "unknown"},
        "label": about["label"],
        "groups": about["groups"],
        "model": model,
        "decision": {"favourable": about["decision"]},
        "signing": {"key": "development"},
        "ledger": {"path": str(folder / "audit-log")},
        **changes,
    }
    path = folder / "audit.yaml"
    path.write_text(json.dumps(config, indent=1), encoding="utf-8")
    return path


def _as_safetensors(source: Path, target: Path) -> Path:
    import torch
    from safetensors.torch import save_file

    save_file({k: v.contiguous() for k, v in torch.load(source, weights_only=True).items()}, target)
    return target
