"""From a model file to a function on tensors: what the file is, whether it is the pinned one, who loads it.

Comes in: the `model` block of the configuration. Goes out: a `Loaded` with the digest of its bytes. The file is read
once; digest, vetting and loading see the same bytes. What a file is, its content says; a name alone opens nothing.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from audit.config.model import ModelSource
from audit.errors import ConfigError, IntakeRefused, TryAgain

from .digest import check_digest
from .exported import load_exported
from .isolation import isolate_file
from .loaded import Loaded
from .mlflow import open_folder
from .module import load_safetensors, load_state, load_torchscript
from .onnxgraph import is_onnx
from .onnxmodel import load_onnx
from .pickled import NEEDS_TRUST, load_pickle
from .tensors import HOW_TO_SAVE, LEGACY_MAGIC
from .vet import list_members


@dataclass(frozen=True, slots=True)
class ModelFile:
    """A model file in memory.

    Parameters
    ----------
    name : str
        File name without its folder.
    data : bytes
        Content.
    sha256 : str
        ``sha256:`` and hexadecimal.
    format : str
        What it is.
    about : tuple of str
        What the folder around it says, for the report.
    """

    name: str
    data: bytes
    sha256: str
    format: str
    about: tuple[str, ...] = ()


LOADERS: dict[str, Callable[[bytes, ModelSource], Loaded]] = {
    "pt2": lambda data, source: load_exported(data),
    "torchscript": load_torchscript,
    "safetensors": load_safetensors,
    "state_dict": load_state,
    "onnx": load_onnx,
    "pickle": load_pickle,
}
"""Format to its loader."""


def read_model(source: ModelSource) -> ModelFile:
    """Read the model file once and say what it is.

    Raises
    ------
    ConfigError
        No such file, or it is not the declared format.
    IntakeRefused
        Its digest is not the pinned one, or it is a format that is not let in.
    """
    path, declared = check_path(source), str(source.format)
    name, about = path.name, tuple[str, ...]()
    if path.is_dir():
        folder = open_folder(path, declared)
        path, declared, about = folder.file, folder.format, folder.about
        name = f"{folder.name}/{folder.inner}"
    data = _read_bytes(path)
    sha256 = check_digest(data, source.sha256, name)
    found = detect_format(data, name)
    if about and found == "torchscript":
        declared = found  # MLflow logs a scripted net under the name that it gives to a pickled one
    return ModelFile(name, data, sha256, _settle_format(found, declared, name), about)


def check_path(source: ModelSource) -> Path:
    """Return the path of the model file.

    Raises
    ------
    ConfigError
        None is given.
    """
    if source.path is None:
        raise ConfigError(
            "the model has no path",
            place="model.path",
            hint="name the model file, a column of scores (model.scores), or `model: none`",
        )
    return Path(source.path)


def load_model(source: ModelSource) -> tuple[ModelFile, Loaded]:
    """Read, vet and load a model file.

    Raises
    ------
    ConfigError, IntakeRefused
        As `read_model` and the loader of its format.
    """
    file = read_model(source)
    if source.isolation == "none":
        loaded = LOADERS[file.format](file.data, source)
    else:
        loaded = isolate_file(file.data, file.format, source)
    return file, replace(loaded, vetted=(*file.about, *loaded.vetted)) if file.about else loaded


def detect_format(data: bytes, name: str) -> str:
    """Return what a file is by its content; empty where nothing is recognised.

    Raises
    ------
    IntakeRefused
        An empty or truncated file.
    """
    if not data:
        raise IntakeRefused(f"{name} is empty", hint="copy or export the model again")
    if data[:4] in (b"PK\x03\x04", b"PK\x05\x06"):
        return _detect_archive(data, name)
    if _is_safetensors(data):
        return "safetensors"
    if data[:2] in (b"\x80\x02", b"\x80\x03", b"\x80\x04", b"\x80\x05"):
        # torch.save wrote such files before 1.6; weights-only loading reads them where they hold tensors alone
        return "state_dict" if data[2:13] == LEGACY_MAGIC else "pickle"
    return "onnx" if data[:1] == b"\x08" and is_onnx(data) else ""


def _detect_archive(data: bytes, name: str) -> str:
    names = list_members(data)
    if names is None:
        raise IntakeRefused(
            f"{name} is truncated or damaged: its zip archive cannot be read",
            hint="copy it again, or export the model again",
        )
    below = {member.split("/", 1)[1] for member in names if "/" in member}
    if "archive_format" in below or any(re.fullmatch(r"models/[^/]+\.json", member) for member in below):
        return "pt2"
    if "serialized_exported_program.json" in names:
        raise IntakeRefused(
            f"{name} is a .pt2 of torch 2.7 or older, whose parts are pickles",
            hint="export it again with a current torch",
        )
    if "constants.pkl" in below or any(member.startswith("code/") for member in below):
        return "torchscript"
    return "state_dict" if "data.pkl" in below else ""


def _is_safetensors(data: bytes) -> bool:
    length = int.from_bytes(data[:8], "little")
    return len(data) > 9 and data[8:9] == b"{" and 2 <= length < 100_000_000


def _settle_format(found: str, declared: str, name: str) -> str:
    """Return the format to load, from what the file is and what was declared."""
    if declared == "pickle" and found in ("state_dict", "pickle"):
        return "pickle"
    if declared not in ("auto", found) and found:
        raise ConfigError(
            f"{name} is declared as {declared}, but it is {_with_article(found)}",
            place="model.format",
            hint=f"write `format: {found}` or leave it out",
        )
    if not found:
        if name.endswith((".pkl", ".pickle", ".joblib")):
            raise IntakeRefused(NEEDS_TRUST, hint=HOW_TO_SAVE)
        if name.endswith(".onnx"):
            raise IntakeRefused(
                f"{name} is no ONNX model, or it is truncated or damaged", hint="copy it again, or export it again"
            )
        raise IntakeRefused(
            f"{name} is not a model file that is known here, or it is truncated",
            hint="known are .pt2 (torch.export), TorchScript, safetensors, state_dict and ONNX files, pickles and "
            "MLflow folders",
        )
    return found


def _with_article(found: str) -> str:
    return f"{'an' if found[0] in 'aeo' else 'a'} {found}"


def _read_bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        raise ConfigError(
            f"there is no model file {path.name}", place="model.path", hint="a relative path is relative to audit.yaml"
        ) from None
    except OSError as error:
        raise ConfigError(f"{path.name} cannot be read: {error.strerror}", place="model.path") from None
    except MemoryError:
        raise TryAgain(f"{path.name} does not fit into memory") from None
