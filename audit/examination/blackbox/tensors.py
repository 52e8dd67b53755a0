"""The one door for files of ``torch.save`` and for safetensors: tensors come in, nothing else.

Comes in: bytes. Goes out: a state, parameter name to tensor, or a refusal that says what stands in the way.
"""

from __future__ import annotations

import io
import re
import warnings
from types import ModuleType
from typing import Any

from audit.errors import IntakeRefused

HOW_TO_SAVE = (
    "save tensors only: torch.save(net.state_dict(), 'model.pt'), or export the net: torch.export.save("
    "torch.export.export(net.eval(), args, dynamic_shapes=...), 'model.pt2')"
)
_GLOBAL = re.compile(r"(?:GLOBAL|global|class) ([A-Za-z_][A-Za-z0-9_]*(?:\.[A-Za-z_][A-Za-z0-9_]*){0,6})")
LEGACY_MAGIC = b"\x8a\nl\xfc\x9cF\xf9 j\xa8P"
"""What files of torch.save before 1.6 begin with, after two bytes."""
NESTED = ("state_dict", "model_state_dict", "model", "net")
"""Keys under which training frameworks put the state."""


def read_tensors(data: bytes) -> Any:
    """Read a file of ``torch.save`` with weights only.

    Raises
    ------
    IntakeRefused
        It holds more than tensors, or is damaged.
    """
    import torch

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about the form of a pickle that is refused anyway
            return torch.load(io.BytesIO(data), map_location="cpu", weights_only=True)  # noqa: TID251 -- the one door
    except Exception as error:  # torch raises RuntimeError, UnpicklingError, EOFError, ...; its text repeats the file
        raise _explain(str(error)) from None


def unpickle_trusted(data: bytes, classes: dict[str, Any]) -> Any:
    """Unpickle a file whose author is trusted and whose digest is pinned; this runs code of the file.

    Parameters
    ----------
    data : bytes
        A file of ``torch.save``, or a plain pickle.
    classes : dict of str to object
        Stand-ins, by name, for classes whose module cannot be imported here (most often ``__main__``).

    Raises
    ------
    Exception
        Whatever the file raises.
    """
    import torch

    module = _pickle_with(classes)
    plain = data[:4] != b"PK\x03\x04" and data[2:13] != LEGACY_MAGIC
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a net whose source changed, a storage of an old form
        if plain:
            return module.Unpickler(io.BytesIO(data)).load()
        return torch.load(  # noqa: TID251 -- the one door
            io.BytesIO(data),
            map_location="cpu",
            weights_only=False,
            pickle_module=module,
        )


def _pickle_with(classes: dict[str, Any]) -> Any:
    """Return a module like pickle that finds `classes` where the file's own module has no such name."""
    import pickle  # noqa: TID251 -- the one door

    class Unpickler(pickle.Unpickler):
        def find_class(self, module: str, name: str, /) -> Any:
            try:
                return super().find_class(module, name)
            except (AttributeError, ImportError):
                if name in classes:
                    return classes[name]
                raise

    shim = ModuleType("trusted_pickle")
    vars(shim).update({**vars(pickle), "__name__": "trusted_pickle", "Unpickler": Unpickler})
    return shim


def read_state(data: bytes) -> dict[str, Any]:
    """Read a state of tensors from a file of ``torch.save``; a training checkpoint's state is found in it.

    Raises
    ------
    IntakeRefused
        No state of tensors is in it.
    """
    import torch

    found = read_tensors(data)
    for key in NESTED:
        if isinstance(found, dict) and isinstance(found.get(key), dict):
            found = found[key]
            break
    if not isinstance(found, dict) or not found:
        raise IntakeRefused("the file holds no state of tensors", hint=HOW_TO_SAVE)
    state = {str(name): value for name, value in found.items() if isinstance(value, torch.Tensor)}
    if not state:
        raise IntakeRefused("the file holds no tensor by name", hint=HOW_TO_SAVE)
    return state


def read_safetensors(data: bytes) -> dict[str, Any]:
    """Read a state from safetensors bytes.

    Raises
    ------
    IntakeRefused
        Truncated or damaged.
    """
    from safetensors import SafetensorError
    from safetensors.torch import load

    try:
        return dict(load(data))
    except (SafetensorError, ValueError, KeyError, TypeError, RuntimeError):
        raise IntakeRefused(
            "the safetensors file is truncated or damaged", hint="copy it again, or save it again"
        ) from None


def _explain(message: str) -> IntakeRefused:
    """Say what stood in the way, without repeating the file."""
    if "numpy" in message:
        return IntakeRefused(
            "the file holds NumPy arrays beside tensors, which only a full unpickling would read",
            hint="turn them into tensors before saving: torch.from_numpy(array)",
        )
    named = _GLOBAL.search(message)
    if named or "weights_only" in message or "WeightsUnpickler" in message or "Unsupported" in message:
        what = f" (it names {named.group(1)[:80]})" if named and "torch.serialization" not in named.group(1) else ""
        return IntakeRefused(
            f"the file is a pickle of objects, not of tensors{what}; loading it could run any code", hint=HOW_TO_SAVE
        )
    return IntakeRefused("the model file is truncated or damaged", hint="copy it again, or save it again")
