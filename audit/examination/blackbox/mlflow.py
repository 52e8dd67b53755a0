"""MLflow model folders, read as what they are: a description in YAML beside a model file. MLflow itself is not needed.

Comes in: a folder with an ``MLmodel``. Goes out: the file in it that holds the model, and the signature of its inputs,
held against the declared ones. Paths that the description names must stay inside the folder, links included; code that
it carries (``code_paths``, a pyfunc loader) is not run.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from audit.config.model import ModelInput, ModelSource, NumericBlock
from audit.config.schema import ExamineConfig
from audit.errors import ConfigError, IntakeRefused, suggest_name
from audit.yamlfile import read_yaml

from .encode import Encoder

DESCRIPTION = "MLmodel"
MAX_DESCRIPTION = 4 * 1024**2
NUMBERS = frozenset({"double", "float", "long", "integer", "boolean"})
"""Types of a signature's columns that are numbers."""
WHOLE = ("int", "uint", "bool")


@dataclass(frozen=True, slots=True)
class SignatureInput:
    """One input of a signature: a column, or a tensor.

    Parameters
    ----------
    name : str
        Name; empty for the only tensor.
    type : str
        MLflow's name of a column's type, or NumPy's name of a tensor's.
    width : int or None
        Columns of a tensor, where they are fixed; None for a column.
    tensor : bool
        Whether it is a tensor.
    required : bool
        Whether it must be given.
    """

    name: str
    type: str
    width: int | None = None
    tensor: bool = False
    required: bool = True


@dataclass(frozen=True, slots=True)
class MlflowFolder:
    """A model folder.

    Parameters
    ----------
    name : str
        Name of the folder.
    inner : str
        Path of the model file in it.
    file : pathlib.Path
        That file.
    format : str
        What it has to be.
    signature : tuple of SignatureInput
        What the model takes; empty where nobody recorded it.
    about : tuple of str
        Lines for the report.
    """

    name: str
    inner: str
    file: Path
    format: str
    signature: tuple[SignatureInput, ...]
    about: tuple[str, ...]


def open_folder(path: Path, declared: str) -> MlflowFolder:
    """Find the model file of a folder.

    Raises
    ------
    ConfigError
        It is no MLflow folder.
    IntakeRefused
        Its description is damaged, leaves the folder, or names a flavour that is not read here.
    """
    if not (path / DESCRIPTION).is_file():
        if declared == "mlflow":
            raise ConfigError(f"{path.name} holds no {DESCRIPTION}", place="model.path", hint="name the model's folder")
        raise ConfigError(f"{path.name} is a folder", place="model.path", hint="name the model file in it")
    if declared not in ("auto", "mlflow"):
        raise ConfigError(
            f"{path.name} is declared as {declared}, but it is an MLflow folder",
            place="model.format",
            hint="write `format: mlflow` or leave it out",
        )
    described = _read_description(path / DESCRIPTION)
    inner, format = _find_inner(path, described)
    signature = _read_signature(described)
    about = [f"{inner} of an MLflow folder was read directly; no code beside it was run"]
    if signature:
        about.append(f"the signature of the folder, {len(signature)} inputs, agrees with the declared inputs")
    return MlflowFolder(path.name, inner, _stay_inside(path, inner), format, signature, tuple(about))


def settle_inputs(config: ExamineConfig) -> ExamineConfig:
    """Hold the declared inputs against the signature of an MLflow folder, or take the signature's where none are.

    Raises
    ------
    ConfigError
        They contradict each other, or nothing says what the model takes.
    IntakeRefused
        As `open_folder`.
    """
    source = config.model
    path = Path(source.path or "")
    if not source.path or not path.is_dir() or not (path / DESCRIPTION).is_file():
        return config
    signature = open_folder(path, source.format).signature
    if source.inputs:
        _compare(signature, source)
        return config
    columns = [item.name for item in signature]
    if not signature or any(item.tensor or item.type not in NUMBERS for item in signature):
        raise ConfigError(
            "the model has no inputs, and the signature of its MLflow folder does not list columns of numbers",
            place="model.inputs",
            hint="list the columns in the order of its input tensor, or give blocks",
        )
    inputs = (ModelInput(blocks=(NumericBlock(columns=tuple(columns)),)),)
    return config.model_copy(update={"model": source.model_copy(update={"inputs": inputs})})


def _compare(signature: Sequence[SignatureInput], source: ModelSource) -> None:
    tensors = [item for item in signature if item.tensor]
    if tensors:
        _compare_tensors(tensors, Encoder(source.inputs))
    elif signature:
        _compare_columns(signature, source)


def _compare_columns(signature: Sequence[SignatureInput], source: ModelSource) -> None:
    known = [item.name for item in signature]
    given = list(dict.fromkeys(Encoder(source.inputs).columns))
    foreign = [name for name in given if name not in known]
    lacking = [item.name for item in signature if item.required and item.name not in given]
    if foreign or lacking:
        parts = [
            f"{what} {', '.join(names[:5])}"
            for what, names in (("it does not know", foreign), ("it also takes", lacking))
            if names
        ]
        raise ConfigError(
            f"the inputs are not those of the model's signature: {'; '.join(parts)}",
            place="model.inputs",
            hint=suggest_name(foreign[0], known) if foreign else "give each column of the signature",
        )
    blocks = [block for item in source.inputs for block in item.blocks]
    if len(blocks) == 1 and isinstance(blocks[0], NumericBlock) and given != [name for name in known if name in given]:
        raise ConfigError(
            "the columns stand in another order than in the model's signature",
            place="model.inputs",
            hint="write them in this order: " + ", ".join(known),
        )


def _compare_tensors(signature: Sequence[SignatureInput], encoder: Encoder) -> None:
    if len(signature) != len(encoder.shapes):
        raise ConfigError(
            f"the model's signature has {len(signature)} tensors, but {len(encoder.shapes)} inputs are given",
            place="model.inputs",
            hint="name them: " + ", ".join(item.name or "(one without a name)" for item in signature),
        )
    by_name = {item.name: item for item in signature}
    for at, shape in enumerate(encoder.shapes):
        item = by_name.get(shape.name, signature[at])
        named = shape.name or item.name or "the input"
        if item.width is not None and item.width != shape.width:
            raise ConfigError(
                f"the model's signature gives {named} {item.width} columns, but the blocks give {shape.width}",
                place="model.inputs",
                hint="a one_hot block gives a column per level, `indicator` one per column",
            )
        if item.type.startswith(WHOLE) != shape.whole:
            wants, gives = ("numbers", "codes alone") if shape.whole else ("codes", "numbers")
            raise ConfigError(
                f"by the model's signature {named} takes {wants}, but the blocks give {gives}",
                place="model.inputs",
                hint="codes blocks give integers, numeric and one_hot blocks floats",
            )


def _read_description(file: Path) -> Mapping[str, Any]:
    if file.stat().st_size > MAX_DESCRIPTION:
        raise IntakeRefused(f"the {DESCRIPTION} file is larger than any description", hint="this is no MLflow folder")
    value = read_yaml(file).value
    if not isinstance(value, Mapping) or not isinstance(value.get("flavors"), Mapping):
        raise IntakeRefused(f"the {DESCRIPTION} file names no flavors", hint="log the model again")
    return value


def _find_inner(folder: Path, described: Mapping[str, Any]) -> tuple[str, str]:
    """Return the path of the model file in the folder, and its format."""
    flavors = described["flavors"]
    for flavor in ("pytorch", "onnx"):
        if isinstance(flavors.get(flavor), Mapping):
            return _find_pytorch(folder, flavors[flavor]) if flavor == "pytorch" else _find_onnx(flavors[flavor])
    raise IntakeRefused(
        f"the MLflow folder holds no PyTorch and no ONNX model, but {', '.join(str(name)[:40] for name in flavors)}",
        hint="log the net with mlflow.pytorch, or write a function of a frame around it (format: python)",
    )


def _find_pytorch(folder: Path, flavor: Mapping[str, Any]) -> tuple[str, str]:
    base = str(flavor.get("model_data", "data"))
    _stay_inside(folder, base)
    for name, format in (("model.pt2", "pt2"), ("model.pth", "pickle"), ("model.pt", "auto")):
        inner = str(PurePosixPath(base) / name)
        if _stay_inside(folder, inner).is_file():
            return inner, format
    raise IntakeRefused(
        "the MLflow folder names a PyTorch model, but holds neither model.pt2 nor model.pth",
        hint="copy the whole folder again",
    )


def _find_onnx(flavor: Mapping[str, Any]) -> tuple[str, str]:
    return str(flavor.get("data", "model.onnx")), "onnx"


def _stay_inside(folder: Path, inner: str) -> Path:
    """Return the path of `inner`, which may leave the folder neither by name nor by link."""
    path = folder / inner
    plain = PurePosixPath(inner)
    if plain.is_absolute() or ".." in plain.parts or "\\" in inner or "\x00" in inner:
        raise _leaves()
    if not path.resolve().is_relative_to(folder.resolve()):
        raise _leaves()
    return path


def _leaves() -> IntakeRefused:
    return IntakeRefused(
        "the MLflow folder names a model outside of itself (path traversal)", hint="copy the model into the folder"
    )


def _read_signature(described: Mapping[str, Any]) -> tuple[SignatureInput, ...]:
    signature = described.get("signature")
    text = signature.get("inputs") if isinstance(signature, Mapping) else None
    if text is None:
        return ()
    try:
        items = json.loads(text) if isinstance(text, str) else text
        return tuple(_read_input(item) for item in items)
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        raise IntakeRefused("the signature in the MLflow folder is damaged", hint="log the model again") from None


def _read_input(item: Mapping[str, Any]) -> SignatureInput:
    name, required = str(item.get("name", "")), bool(item.get("required", True))
    if item["type"] != "tensor":
        return SignatureInput(name, str(item["type"]), required=required)
    spec = item["tensor-spec"]
    shape = [int(size) for size in spec["shape"]]
    width = 1 if len(shape) == 1 else shape[1] if len(shape) == 2 and shape[1] > 0 else None
    return SignatureInput(name, str(spec["dtype"]), width, True, required)
