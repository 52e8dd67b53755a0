"""The process that a model is kept in: it gives up the network and writing, then loads the model and answers.

Comes in: messages on standard input, the first of which brings the model. Goes out: answers on a private copy of
standard output; what the model prints goes nowhere. Nothing heavy may be imported before the namespaces are left: a
process with threads is refused a user namespace of its own (unshare(2)).
"""

from __future__ import annotations

import os
import sys
from typing import IO, TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    from .frames import Message

CLONE_NEWUSER, CLONE_NEWNET, CLONE_NEWIPC = 0x10000000, 0x40000000, 0x08000000
PR_SET_NO_NEW_PRIVS = 38
MAX_TEXT = 2000


def leave_network() -> bool:
    """Leave the network, and every way to more rights; return whether the platform allowed it.

    A user namespace of its own gives an unprivileged process the right to a network namespace of its own, which has no
    interface but an unconnected loopback: user_namespaces(7), network_namespaces(7).
    """
    import ctypes

    try:
        library = ctypes.CDLL(None, use_errno=True)
        library.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
        return int(library.unshare(CLONE_NEWUSER | CLONE_NEWNET | CLONE_NEWIPC)) == 0
    except (OSError, AttributeError, TypeError):  # no such call on this platform
        return False


def forbid_writing() -> bool:
    """Let no file grow and no core be dumped from here on; return whether the platform allowed it."""
    try:
        import resource
        import signal

        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        for limit in (resource.RLIMIT_FSIZE, resource.RLIMIT_CORE):
            resource.setrlimit(limit, (0, 0))
    except (ImportError, AttributeError, ValueError, OSError):
        return False
    return True


def serve(source: IO[bytes], sink: IO[bytes]) -> None:
    """Say how far this process is cut off, then answer messages until the other side is gone.

    Parameters
    ----------
    source, sink : file
        Where messages come from and answers go to.
    """
    kept = {"network": not leave_network(), "writing": not forbid_writing()}
    from .frames import Message, read_message, write_message

    write_message(sink, Message(kept))
    room = _Room()
    while True:
        try:
            message = read_message(source)
        except EOFError:
            return
        try:
            answer = room.answer(message)
        except BaseException as error:  # whatever the model raises, it is told, not thrown
            answer = Message(_describe(error))
        write_message(sink, answer)


def _describe(error: BaseException) -> dict[str, Any]:
    from audit.errors import AuditError

    if isinstance(error, AuditError):
        return {"error": type(error).__name__, "what": error.what, "hint": error.hint, "place": error.place}
    if isinstance(error, MemoryError):
        return {"error": "TryAgain", "what": "the model ran out of memory", "hint": "", "place": ""}
    text = str(error)  # what torch has to say stands at the end of a TorchScript traceback
    return {"failed": text[:MAX_TEXT] + text[MAX_TEXT:][-MAX_TEXT:], "type": type(error).__name__}


class _Room:
    """The model and what can be asked of it."""

    def __init__(self) -> None:
        self._call: Callable[..., Any] = lambda: None
        self._function: Callable[[Any], Any] = lambda frame: None

    def answer(self, message: Message) -> Message:
        return {
            "load": self._load,
            "build": self._build,
            "call": self._evaluate,
            "gradient": self._differentiate,
            "frame": self._apply,
        }[message.head["op"]](message)

    def _load(self, message: Message) -> Message:
        from audit.config.model import ModelSource

        from .frames import Message
        from .load import LOADERS

        head = message.head
        loaded = LOADERS[head["format"]](message.body, ModelSource.model_validate_json(head["source"]))
        self._call = loaded.call
        names = [[one.name, one.required, one.width, one.dtype, one.rank, one.keyword] for one in loaded.arguments]
        return Message(
            {
                "arguments": names,
                "parameters": loaded.parameters,
                "trust": loaded.trust,
                "vetted": list(loaded.vetted),
                "batch": list(loaded.batch),
                "float_type": loaded.float_type,
                "differentiable": loaded.differentiable,
            }
        )

    def _build(self, message: Message) -> Message:
        from audit.config.model import ModelSource

        from .frames import Message
        from .function import build_function, own_names

        self._function, _ = build_function(ModelSource.model_validate_json(message.head["source"]))
        return Message({"names": list(own_names(self._function))})

    def _apply(self, message: Message) -> Message:
        from .frames import pack_numbers, unpack_frame
        from .function import call_function

        return pack_numbers([call_function(self._function, unpack_frame(message))])

    def _evaluate(self, message: Message) -> Message:
        import torch

        from .frames import pack_numbers

        with torch.no_grad():
            out = self._forward(_read_tensors(message), message)
        return pack_numbers([_to_array(out)])

    def _differentiate(self, message: Message) -> Message:
        import torch

        from .frames import pack_numbers

        *tensors, weight = _read_tensors(message)
        floats = [tensor.requires_grad_(True) for tensor in tensors if tensor.is_floating_point()]
        with torch.enable_grad():
            out = self._forward(tensors, message)
            reached = out.requires_grad and bool(floats)
            found = iter(
                torch.autograd.grad(out, floats, weight.to(out.dtype), allow_unused=True)
                if reached
                else [None] * len(floats)
            )
        grads = [next(found) if tensor.is_floating_point() else None for tensor in tensors]
        return pack_numbers([None if grad is None else _to_array(grad) for grad in grads])

    def _forward(self, tensors: list[Any], message: Message) -> Any:
        from .network import as_table

        names = message.head["names"]
        positional = [tensor for tensor, name in zip(tensors, names, strict=True) if not name]
        named = {name: tensor for tensor, name in zip(tensors, names, strict=True) if name}
        return as_table(self._call(*positional, **named), len(tensors[0]))


def _read_tensors(message: Message) -> list[Any]:
    import torch

    from .frames import unpack_arrays

    kinds = message.head["kinds"]
    arrays = unpack_arrays(message.body, len(kinds))
    return [torch.from_numpy(array).to(getattr(torch, kind)) for array, kind in zip(arrays, kinds, strict=True)]


def _to_array(tensor: Any) -> Any:
    """Return a tensor as numbers that every reader knows; bfloat16 is none of NumPy's types."""
    import torch

    return (tensor.detach().float() if tensor.dtype == torch.bfloat16 else tensor.detach()).cpu().numpy()


def main() -> None:
    """Serve on standard input and output, which nobody else may then use."""
    sink = os.fdopen(os.dup(1), "wb")
    source = os.fdopen(os.dup(0), "rb")
    nowhere = os.open(os.devnull, os.O_RDWR)
    for number in (0, 1, 2):
        os.dup2(nowhere, number)
    sys.stdout = sys.stderr = open(os.devnull, "w")  # noqa: SIM115, PTH123 -- for the life of the process
    serve(source, sink)


if __name__ == "__main__":
    main()
