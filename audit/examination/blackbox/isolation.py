"""A model kept in a process of its own: loaded, evaluated and differentiated there, without network.

Comes in: a model file that was read and digested, or a trusted function. Goes out: a `Loaded` or a function that looks
like any other; behind it stands `worker`. The process gets no environment of the audit (which may hold passwords), no
network where the platform allows it, and cannot write files. It can still read what its user can read.
"""

from __future__ import annotations

import contextlib
import os
import re
import subprocess
import sys
import threading
import weakref
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from audit.config.model import ModelSource
from audit.errors import AuditError, ConfigError, DataError, IntakeRefused, TryAgain

from .frames import Message, pack_arrays, pack_frame, read_message, unpack_numbers, write_message
from .loaded import Argument, Loaded

if TYPE_CHECKING:
    import pandas as pd

PASSED_ON = ("PATH", "LANG", "LC_ALL", "LD_LIBRARY_PATH", "OMP_NUM_THREADS", "MKL_NUM_THREADS", "SYSTEMROOT", "TMPDIR")
"""Variables of the environment that the process gets; a password stands in none of them."""
MOST_OUTPUTS = 100_000
"""Numbers per row that a model may return at most; more is no answer but an attack on the memory."""
MOST_TEXT = 4_000
"""Letters of an error that are read; none of them is printed."""
ERRORS: dict[str, type[AuditError]] = {
    "ConfigError": ConfigError,
    "DataError": DataError,
    "IntakeRefused": IntakeRefused,
    "TryAgain": TryAgain,
}
_CONTROL = re.compile(r"[\x00-\x1f\x7f]+")


class ModelProcess:
    """The process.

    Parameters
    ----------
    source : ModelSource
        Its `isolation` says whether a network is tolerated, its `time_limit` how long one answer may take.
    """

    def __init__(self, source: ModelSource) -> None:
        self._required, self._limit = source.isolation == "required", source.time_limit
        self._lock = threading.Lock()
        environment = {name: os.environ[name] for name in PASSED_ON if name in os.environ}
        environment["PYTHONPATH"] = os.pathsep.join(entry for entry in sys.path if entry)
        environment["PYTHONDONTWRITEBYTECODE"] = "1"
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-m", "audit.examination.blackbox.worker"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=environment,
        )
        self._stop = weakref.finalize(self, _stop, self._process)
        self.words = self._settle()

    def _settle(self) -> str:
        """Hear how far the process is cut off, before it gets anything to load.

        Raises
        ------
        IntakeRefused
            ``isolation: required``, and the platform leaves the process its network.
        """
        told = self._exchange(None, 0).head
        network, writing = told.get("network") is not False, told.get("writing") is not False
        if network and self._required:
            self._stop()
            raise IntakeRefused(
                "this platform does not let a process give up its network (user namespaces are refused)",
                hint="run the audit where they are allowed, or write `isolation: subprocess` to go on without",
            )
        return describe_isolation(network=network, writing=writing)

    def ask(self, message: Message, *, limit: int) -> Message:
        """Send a message and return the answer.

        Parameters
        ----------
        message : Message
            What is asked.
        limit : int
            Most bytes of the answer's body.

        Raises
        ------
        AuditError
            What the model was refused for.
        RuntimeError
            What torch said, for the caller to explain.
        """
        answer = self._exchange(message, limit)
        _raise_told(answer.head)
        return answer

    def _exchange(self, message: Message | None, limit: int) -> Message:
        with self._lock:
            late: list[bool] = []
            timer = threading.Timer(self._limit, self._end_late, [late]) if self._limit else None
            if timer:
                timer.start()
            try:
                assert self._process.stdin is not None
                assert self._process.stdout is not None
                if message is not None:
                    write_message(self._process.stdin, message)
                return read_message(self._process.stdout, limit)
            except (EOFError, BrokenPipeError, ConnectionError):
                raise self._explain_end(timed=bool(late)) from None
            except (ValueError, KeyError, RecursionError):
                self._stop()
                raise IntakeRefused(
                    "the process of the model gave an answer that is none", hint="is this file a model?"
                ) from None
            finally:
                if timer:
                    timer.cancel()

    def _end_late(self, late: list[bool]) -> None:
        late.append(True)
        self._process.kill()

    def _explain_end(self, *, timed: bool) -> AuditError:
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(5)
        code = self._process.returncode
        self._stop()
        if timed and self._limit:
            return TryAgain(
                f"the model gave no answer within {self._limit:g} seconds",
                hint="raise model.time_limit, or audit fewer rows",
            )
        ended = f"by signal {-code}" if code is not None and code < 0 else f"with code {code}"
        return IntakeRefused(
            f"the process of the model ended {ended} instead of answering",
            hint="did it run out of memory, or crash? the audit itself was not touched",
        )


def describe_isolation(*, network: bool, writing: bool) -> str:
    """Say how far a process is cut off."""
    parts = ["in a process of its own, without the environment of the audit"]
    parts.append("with its network: this platform refused to take it away" if network else "without network")
    parts.append("able to write files: this platform refused to forbid it" if writing else "unable to write files")
    return ", ".join(parts)


def isolate_file(data: bytes, format: str, source: ModelSource) -> Loaded:
    """Vet and load a model file in a process of its own.

    Parameters
    ----------
    data : bytes
        The file; its digest was checked.
    format : str
        What it is.
    source : ModelSource
        The model block.

    Raises
    ------
    AuditError
        As the loader of the format.
    """
    process = ModelProcess(source)
    told = process.ask(
        Message({"op": "load", "format": format, "source": source.model_dump_json()}, data), limit=0
    ).head
    try:
        low, high = told["batch"]
        return Loaded(
            call=IsolatedNet(process),
            arguments=tuple(Argument(str(one[0]), *one[1:]) for one in told["arguments"]),
            parameters=told["parameters"],
            trust=_plain(told["trust"]),
            vetted=tuple(_plain(line) for line in told["vetted"]),
            batch=(int(low), None if high is None else int(high)),
            float_type=str(told["float_type"]),
            differentiable=bool(told["differentiable"]),
            isolation=process.words,
        )
    except (KeyError, TypeError, ValueError):
        raise IntakeRefused("the process of the model gave an answer that is none", hint="is it a model?") from None


class IsolatedNet:
    """A net in another process, as a function on tensors that gradients pass through.

    Parameters
    ----------
    process : ModelProcess
        Where it is.
    """

    def __init__(self, process: ModelProcess) -> None:
        self._process = process

    def __call__(self, *tensors: Any, **named: Any) -> Any:
        """Evaluate tensors; the result carries gradients where an input asks for them."""
        import torch

        given = [*tensors, *named.values()]
        names = [*[""] * len(tensors), *named]
        if torch.is_grad_enabled() and any(tensor.requires_grad for tensor in given):
            return _remote_function().apply(self, names, *given)
        return self.evaluate(names, given)

    def evaluate(self, names: Sequence[str], tensors: Sequence[Any]) -> Any:
        """Return the outputs, shape ``[n, outputs]``."""
        import torch

        answer = self._ask("call", names, tensors, len(tensors[0]) * MOST_OUTPUTS * 8)
        return torch.from_numpy(answer[0])

    def differentiate(self, names: Sequence[str], tensors: Sequence[Any], weight: Any) -> list[Any]:
        """Return the gradient of ``sum(weight * outputs)`` per tensor; None for codes."""
        import torch

        limit = sum(tensor.numel() for tensor in tensors) * 8
        answer = self._ask("gradient", names, [*tensors, weight], limit)
        return [
            None if grad is None else torch.from_numpy(grad).to(tensor.dtype).reshape(tensor.shape)
            for grad, tensor in zip(answer, tensors, strict=True)
        ]

    def _ask(self, op: str, names: Sequence[str], tensors: Sequence[Any], limit: int) -> list[Any]:
        import torch

        kinds = [str(tensor.dtype).removeprefix("torch.") for tensor in tensors]
        arrays = [(one.float() if one.dtype == torch.bfloat16 else one).detach().numpy() for one in tensors]
        body = pack_arrays(arrays)
        answer = self._process.ask(Message({"op": op, "names": list(names), "kinds": kinds}, body), limit=limit)
        return _numbers_of(answer)


_REMOTE: list[Any] = []


def _remote_function() -> Any:
    """Return the torch function whose two directions are asked of the process; made once, when torch is there."""
    import torch

    class Remote(torch.autograd.Function):
        @staticmethod
        def forward(ctx: Any, net: IsolatedNet, names: Sequence[str], *tensors: Any) -> Any:
            ctx.net, ctx.names = net, names
            ctx.save_for_backward(*tensors)
            return net.evaluate(names, tensors)

        @staticmethod
        @torch.autograd.function.once_differentiable
        def backward(ctx: Any, weight: Any) -> Any:
            return (None, None, *ctx.net.differentiate(ctx.names, ctx.saved_tensors, weight))

    if not _REMOTE:
        _REMOTE.append(Remote)
    return _REMOTE[0]


class IsolatedFunction:
    """A function of a frame in another process.

    Parameters
    ----------
    source : ModelSource
        Names the function, its digest and the trust in it.
    """

    def __init__(self, source: ModelSource) -> None:
        self._process = ModelProcess(source)
        told = self._process.ask(Message({"op": "build", "source": source.model_dump_json()}), limit=0).head
        self.isolation = self._process.words
        names = [_plain(name) for name in told.get("names", ())]
        if names:
            self.feature_names_in_ = names

    def __call__(self, frame: pd.DataFrame) -> np.ndarray:
        """Return the outputs for the rows of a frame, shape ``[n, outputs]``."""
        answer = self._process.ask(pack_frame(frame), limit=max(1, len(frame)) * MOST_OUTPUTS * 8)
        found = _numbers_of(answer)[0]
        return np.asarray(found)


def _numbers_of(answer: Message) -> list[Any]:
    try:
        return unpack_numbers(answer)
    except (KeyError, TypeError, ValueError):
        raise IntakeRefused("the process of the model gave an answer that is none", hint="is it a model?") from None


def _raise_told(head: Any) -> None:
    if "error" in head:
        kind = ERRORS.get(str(head["error"]), IntakeRefused)
        raise kind(_plain(head.get("what")), hint=_plain(head.get("hint")), place=_plain(head.get("place")))
    if "failed" in head:
        raise RuntimeError(_CONTROL.sub(" ", str(head["failed"]))[:MOST_TEXT])


def _plain(text: Any) -> str:
    """Return a text of the other process as one short line."""
    return _CONTROL.sub(" ", str(text))[:600]


def _stop(process: subprocess.Popen[bytes]) -> None:
    for pipe in (process.stdin, process.stdout):
        with contextlib.suppress(OSError):
            if pipe is not None:
                pipe.close()
    process.kill()
    process.wait()
