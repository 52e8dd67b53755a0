"""Nets of many kinds pass the vetting and give what they gave before; what they take is read from the file."""

from __future__ import annotations

import io
import json
import warnings

import numpy as np
import pytest
import torch
from torch import nn

from audit.examination.blackbox.exported import load_exported
from audit.examination.blackbox.intake import take_in


class Transformer(nn.Module):
    def __init__(self):
        super().__init__()
        self.table = nn.Embedding(10, 8)
        layer = nn.TransformerEncoderLayer(8, 2, 16, batch_first=True, dropout=0.1, activation="gelu")
        self.body, self.head = nn.TransformerEncoder(layer, 2), nn.Linear(28, 1)

    def forward(self, x, c):
        return self.head(torch.cat([self.body(self.table(c)).flatten(1), x], 1)).squeeze(-1)


class Recurrent(nn.Module):
    def __init__(self):
        super().__init__()
        self.cell, self.head = nn.LSTM(1, 4, batch_first=True), nn.Linear(4, 2)

    def forward(self, x):
        return self.head(self.cell(x.unsqueeze(-1))[0][:, -1])


class Shapes(nn.Module):
    def __init__(self):
        super().__init__()
        self.w = nn.Parameter(torch.randn(4, 3))
        self.register_buffer("m", torch.zeros(4))

    def forward(self, x):
        n = x.shape[0]
        z = torch.einsum("nd,dh->nh", x - self.m, self.w)
        z = torch.where(z > 0, z, nn.functional.softplus(z)).masked_fill(z > 9, float("inf"))
        return torch.cat([z.view(n, -1).clamp(-5, 5) * torch.arange(3), torch.zeros(n, 1)], 1).logsumexp(1)


class Named(nn.Module):
    def __init__(self):
        super().__init__()
        self.body = nn.Sequential(
            nn.Linear(4, 4), nn.ReLU(inplace=True), nn.GroupNorm(2, 4), nn.AlphaDropout(0.2), nn.Linear(4, 2)
        )

    def forward(self, x):
        return {"logits": self.body(x)}


class Columns(nn.Module):
    def __init__(self):
        super().__init__()
        self.body = nn.Linear(2, 1)

    def forward(self, age, income):
        return self.body(torch.stack([age, income], 1)).squeeze(1)


class Double(nn.Module):
    def __init__(self):
        super().__init__()
        self.body = nn.Linear(4, 1).double()

    def forward(self, x):
        return (self.body(x),)


X, C = torch.randn(5, 4), torch.ones(5, 3, dtype=torch.long)
ZOO = {
    "transformer": (Transformer, (X, C)),
    "recurrent": (Recurrent, (X,)),
    "shapes": (Shapes, (X,)),
    "named": (Named, (X,)),
    "columns": (Columns, (X[:, 0], X[:, 1])),
    "double": (Double, (X.double(),)),
}


def export(net, args, *, decompose=False):
    batch = torch.export.Dim("batch")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        program = torch.export.export(net.eval(), args, dynamic_shapes=tuple({0: batch} for _ in args))
        if decompose:
            program = program.run_decompositions()
        buffer = io.BytesIO()
        torch.export.save(program, buffer)
    return buffer.getvalue()


def tensor_of(out):
    return out if isinstance(out, torch.Tensor) else next(iter(out.values())) if isinstance(out, dict) else out[0]


@pytest.mark.parametrize("decompose", [False, True])
@pytest.mark.parametrize("name", ZOO)
def test_zoo(name, decompose):
    make, args = ZOO[name]
    torch.manual_seed(0)
    net = make().eval()
    loaded = load_exported(export(net, args, decompose=decompose))
    assert [argument.dtype for argument in loaded.arguments] == [str(arg.dtype).removeprefix("torch.") for arg in args]
    for rows in (1, 3, 5):
        part = [arg[:rows] for arg in args]
        torch.testing.assert_close(tensor_of(loaded.call(*part)), tensor_of(net(*part)), atol=1e-5, rtol=1e-5)


def test_inputs_without_a_column_axis(tools, people):
    """One argument of shape [n] per column."""
    net = Columns().eval()
    data = export(net, ZOO["columns"][1])
    model = take_in_bytes(tools, people, data, {"income": ["income"], "age": ["age"]})
    with torch.no_grad():
        wanted = net(*(torch.tensor(people[name].to_numpy(), dtype=torch.float32) for name in ("age", "income")))
    np.testing.assert_allclose(model.link(people), wanted, atol=1e-4)


def test_double_precision_inputs(tools, people):
    net = Double().eval()
    model = take_in_bytes(
        tools, people, export(net, ZOO["double"][1]), [{"columns": ["age", "income", "age", "income"], "scale": 8.0}]
    )
    x = people[["age", "income", "age", "income"]].to_numpy() / 8
    with torch.no_grad():
        wanted = net(torch.tensor(x.astype(np.float32)).double())[0][:, 0]
    np.testing.assert_allclose(model.link(people), wanted, atol=1e-12)


def take_in_bytes(tools, people, data, inputs):
    import tempfile
    from pathlib import Path

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.pt2"
        path.write_bytes(data)
        model, _ = take_in(tools.configure(path=str(path), inputs=inputs, output="logit"), tools.Rows(people))
    return model


def test_exported_on_another_device(tools, studio, tmp_path):
    """The device is part of every description; all of them are put on the CPU."""

    def move(value):
        if isinstance(value, dict):
            for key, inner in value.items():
                if key in ("device", "as_device") and isinstance(inner, dict):
                    value[key] = {"type": "cuda", "index": 0}
                else:
                    move(inner)
        elif isinstance(value, list):
            for inner in value:
                move(inner)

    def change(members):
        for name in ("models/model.json", "data/weights/model_weights_config.json"):
            content = json.loads(members[name])
            move(content)
            members[name] = json.dumps(content).encode()

    path = tools.change_zip(studio.files["pt2"], tmp_path / "cuda.pt2", change)
    loaded = load_exported(path.read_bytes())
    assert "exported on another device, evaluated on the CPU" in loaded.vetted
    args = (torch.randn(3, 3), torch.ones(3, 2, dtype=torch.int64))
    torch.testing.assert_close(loaded.call(*args), studio.net(*args))
