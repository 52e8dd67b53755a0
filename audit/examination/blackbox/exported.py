"""torch.export programs (``.pt2``): vetted, rebuilt, loaded without any pickle.

Comes in: the bytes of a ``.pt2``. Goes out: a `Loaded`. The bytes are never given to torch: it receives an archive
that was rebuilt in memory from the vetted members, with a cleaned graph and without sample inputs, while weights-only
loading is forced by torch's own switch, because ``torch.export.load`` would otherwise fall back to a full unpickling.
"""

from __future__ import annotations

import json
import logging
import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from math import prod
from typing import Any

from audit.errors import IntakeRefused

from .loaded import Argument, Loaded
from .program import FLOAT_DTYPES, WHOLE_DTYPES, Program, read_json, vet_program
from .tensors import read_tensors
from .vet import Archive, check_pt2_members, read_archive, write_archive

ITEM_BYTES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 2, 7: 4, 8: 8, 12: 1, 13: 2}
"""Bytes per element by torch's serial number of the type: integers, floats, bool, bfloat16."""

FORCE = "TORCH_FORCE_WEIGHTS_ONLY_LOAD"
LOOSEN = "TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD"


def load_exported(data: bytes) -> Loaded:
    """Vet and load a ``.pt2``.

    Raises
    ------
    IntakeRefused
        Whatever is not a plain program in evaluation mode.
    """
    archive = read_archive(data)
    check_pt2_members(archive)
    model = _only_model(archive)
    program = vet_program(archive.members[f"models/{model}.json"])
    weights = _vet_payload(archive, model, "weights", "weight_")
    constants = _vet_payload(archive, model, "constants", "tensor_")
    _vet_samples(archive, model)
    module = _load_rebuilt(archive, model, program, weights, constants)
    return Loaded(
        call=module,
        arguments=tuple(
            Argument(item.name, True, item.width, item.dtype, item.rank, item.keyword) for item in program.inputs
        ),
        parameters=sum(_numel(meta) for meta in weights["config"].values() if meta["is_param"]),
        trust="vetted before loading; a copy rebuilt from the vetted parts was loaded, weights only; no code was run",
        vetted=_report(archive, program),
        batch=program.batch,
    )


@contextmanager
def weights_only() -> Iterator[None]:
    """Force torch to unpickle nothing but tensors, and keep its loaders from printing."""
    kept = {name: os.environ.pop(name, None) for name in (FORCE, LOOSEN)}
    level = logging.root.manager.disable
    os.environ[FORCE] = "1"
    try:
        logging.disable(logging.CRITICAL)
        yield
    finally:
        logging.disable(level)
        os.environ.pop(FORCE, None)
        os.environ.update({name: value for name, value in kept.items() if value is not None})


def _only_model(archive: Archive) -> str:
    names = [name[len("models/") : -len(".json")] for name in archive.members if name.startswith("models/")]
    if len(names) != 1:
        raise IntakeRefused(
            f"the .pt2 holds {len(names)} programs instead of one",
            hint="save one exported program with torch.export.save",
        )
    return names[0]


def _vet_payload(archive: Archive, model: str, kind: str, prefix: str) -> dict[str, Any]:
    """Return the description of weights or constants after checking each entry against its bytes."""
    member = f"data/{kind}/{model}_{kind}_config.json"
    if member not in archive.members:
        raise IntakeRefused(f"the .pt2 has no description of its {kind}", hint="export it with a current torch")
    payload = read_json(archive.members[member])
    try:
        for meta in payload["config"].values():
            _check_entry(meta, archive, kind, prefix)
        return {"config": {name: _on_cpu(meta) for name, meta in payload["config"].items()}}
    except (KeyError, TypeError, AttributeError):
        raise IntakeRefused(f"the description of the {kind} in the .pt2 is damaged", hint="export it again") from None


def _check_entry(meta: dict[str, Any], archive: Archive, kind: str, prefix: str) -> None:
    if meta["use_pickle"] is not False:
        raise IntakeRefused(
            f"the .pt2 stores {kind} as a pickle, which can run any code when loaded",
            hint="export a module whose parameters are plain tensors",
        )
    path = str(meta["path_name"])
    if not path.startswith(prefix) or f"data/{kind}/{path}" not in archive.members:
        raise IntakeRefused(
            f"the .pt2 names {kind} that are not plain tensors of its archive",
            hint="export a module without custom objects",
        )
    tensor = meta["tensor_meta"]
    sizes, strides = _whole(tensor["sizes"]), _whole(tensor["strides"])
    offset = _whole([tensor["storage_offset"]])[0]
    if tensor["dtype"] not in ITEM_BYTES or len(sizes) != len(strides):
        raise IntakeRefused(
            f"the .pt2 stores {kind} of a type that is not supported", hint="use float, integer or bool parameters"
        )
    last = offset + sum((size - 1) * stride for size, stride in zip(sizes, strides, strict=True))
    needed = (last + 1) * ITEM_BYTES[tensor["dtype"]] if prod(sizes) else 0
    if min((offset, *sizes, *strides), default=0) < 0 or needed > len(archive.members[f"data/{kind}/{path}"]):
        raise IntakeRefused(
            f"the {kind} in the .pt2 are shorter than their description: it is truncated or damaged",
            hint="copy or export it again",
        )


def _whole(sizes: list[Any]) -> list[int]:
    return [int(size["as_int"]) for size in sizes]


def _on_cpu(meta: dict[str, Any]) -> dict[str, Any]:
    return {**meta, "tensor_meta": {**meta["tensor_meta"], "device": {"type": "cpu", "index": None}}}


def _numel(meta: dict[str, Any]) -> int:
    return prod(_whole(meta["tensor_meta"]["sizes"]))


def _vet_samples(archive: Archive, model: str) -> None:
    """Refuse sample inputs that hold more than tensors; they are looked at and then left behind."""
    samples = archive.members.get(f"data/sample_inputs/{model}.pt", b"")
    if samples:
        try:
            read_tensors(samples)
        except IntakeRefused:
            raise IntakeRefused(
                "the sample inputs in the .pt2 hold more than tensors: a pickle that could run any code",
                hint="export the model again with plain tensors as example inputs",
            ) from None


def _explain_load(wrote: str, here: str) -> IntakeRefused:
    if wrote == here:
        return IntakeRefused(
            "the .pt2 cannot be loaded: its weights are damaged, or do not fit its program",
            hint="export it again, and compare its sha256 after copying",
        )
    return IntakeRefused(
        f"torch {here} cannot load this .pt2, which torch {wrote} wrote",
        hint="export it again with the version of torch that is installed here",
    )


def _load_rebuilt(archive: Archive, model: str, program: Program, weights: Any, constants: Any) -> Any:
    import torch

    members = [
        ("archive_format", b"pt2"),
        ("archive_version", archive.members["archive_version"]),
        ("byteorder", b"little"),
        (".data/version", archive.members.get(".data/version", b"6\n")),
        ("models/model.json", program.text),
        ("data/sample_inputs/model.pt", b""),
        ("data/weights/model_weights_config.json", json.dumps(weights).encode()),
        ("data/constants/model_constants_config.json", json.dumps(constants).encode()),
    ]
    members += [
        (name, content)
        for name, content in archive.members.items()
        if name.startswith(("data/weights/weight_", "data/constants/tensor_"))
    ]
    rebuilt = write_archive(members, "model")
    try:
        with weights_only(), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            module = torch.export.load(rebuilt).module(check_guards=False)
    except Exception:  # torch's message repeats parts of the file, so it is not passed on
        raise _explain_load(program.torch_version or "?", torch.__version__) from None
    for parameter in module.parameters():
        parameter.requires_grad_(False)
    return module


def _report(archive: Archive, program: Program) -> tuple[str, ...]:
    lines = [
        f"{len(archive.members)} archive members, all on the list of what a program needs; none compiled, none pickled",
        f"{program.operators} operators, all of torch.ops.aten and none that touches files; evaluation mode",
        f"{program.expressions} symbolic expressions, arithmetic on sizes alone; {_describe_batch(program.batch)}",
        "sample inputs, source positions and guard code were left behind before loading",
        f"written by torch {program.torch_version or 'of unknown version'}",
    ]
    if program.other_device:
        lines.append("exported on another device, evaluated on the CPU")
    return tuple(lines)


def _describe_batch(batch: tuple[int, int | None]) -> str:
    if batch[0] == batch[1]:
        rows = "one row" if batch[0] == 1 else f"{batch[0]:,} rows"
        return f"exported for {rows} at once: it is called that way, and the last call is filled up and cut"
    return "the batch is free"


def is_whole(dtype: str) -> bool:
    """Return whether torch's type name means integers."""
    return dtype in WHOLE_DTYPES.values()


def is_float(dtype: str) -> bool:
    """Return whether torch's type name means floats."""
    return dtype in FLOAT_DTYPES.values()
