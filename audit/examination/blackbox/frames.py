"""What crosses between an audit and the process that a model is kept in: frames and tensors as Arrow, never a pickle.

Comes in: a pipe. Goes out: messages, each a JSON head and a body. Rows and tensors go to the model as Arrow IPC; what
comes back is untrusted, so it is plain numbers of a shape that is checked against their length.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import prod
from typing import IO, TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

_HEAD = struct.Struct("<IQ")
MAX_HEAD = 16 * 1024**2
KINDS = ("float32", "float64", "int64", "int32", "float16", "bool")
"""Types of numbers that come back."""


@dataclass(frozen=True, slots=True)
class Message:
    """One message.

    Parameters
    ----------
    head : dict
        What it is.
    body : bytes
        What belongs to it.
    """

    head: Mapping[str, Any]
    body: bytes = b""


def write_message(pipe: IO[bytes], message: Message) -> None:
    """Write a message: two lengths, the head as JSON, the body."""
    head = json.dumps(message.head).encode()
    pipe.write(_HEAD.pack(len(head), len(message.body)) + head)
    pipe.write(message.body)
    pipe.flush()


def read_message(pipe: IO[bytes], limit: int | None = None) -> Message:
    """Read a message.

    Parameters
    ----------
    pipe : file
        Where from.
    limit : int, optional
        Most bytes of its body.

    Raises
    ------
    EOFError
        The other side is gone.
    ValueError
        It is no message, or longer than the limit.
    """
    head, body = _HEAD.unpack(_read(pipe, _HEAD.size))
    if head > MAX_HEAD or (limit is not None and body > limit):
        raise ValueError("a message is longer than it may be")
    told = json.loads(_read(pipe, head))
    if not isinstance(told, dict):
        raise ValueError("a message has no head")
    return Message(told, _read(pipe, body))


def _read(pipe: IO[bytes], size: int) -> bytes:
    data = pipe.read(size)
    if len(data) < size:
        raise EOFError
    return data


def pack_arrays(arrays: Sequence[np.ndarray]) -> bytes:
    """Return arrays as Arrow IPC tensors, one after the other."""
    import numpy as np
    import pyarrow as pa

    out = pa.BufferOutputStream()
    for array in arrays:
        pa.ipc.write_tensor(pa.Tensor.from_numpy(np.ascontiguousarray(array)), out)
    return bytes(out.getvalue())


def unpack_arrays(data: bytes, count: int) -> list[np.ndarray]:
    """Return the arrays of `pack_arrays`, writable."""
    import pyarrow as pa

    reader = pa.BufferReader(data)
    return [pa.ipc.read_tensor(reader).to_numpy().copy() for _ in range(count)]


def pack_frame(frame: pd.DataFrame) -> Message:
    """Return a frame as an Arrow IPC stream, with the types of its columns."""
    import pyarrow as pa

    kinds = {str(name): str(frame[name].dtype) for name in frame.columns}
    table = pa.Table.from_pandas(frame, preserve_index=False)
    out = pa.BufferOutputStream()
    with pa.ipc.new_stream(out, table.schema) as writer:
        writer.write_table(table)
    return Message({"op": "frame", "kinds": kinds}, bytes(out.getvalue()))


def unpack_frame(message: Message) -> pd.DataFrame:
    """Return the frame of `pack_frame`, its columns of the same types."""
    import pandas as pd
    import pyarrow as pa

    table = pa.ipc.open_stream(message.body).read_all()
    columns = {}
    for name, kind in message.head["kinds"].items():
        found = table.column(name)
        values = pd.Series(found.to_pylist(), dtype=object) if kind == "object" else found.to_pandas().astype(kind)
        columns[name] = values
    return pd.DataFrame(columns, index=range(table.num_rows))


def pack_numbers(arrays: Sequence[np.ndarray | None]) -> Message:
    """Return arrays as plain numbers, for a reader who trusts nothing but their length."""
    import numpy as np

    plain = [None if array is None else np.ascontiguousarray(array) for array in arrays]
    told = [None if one is None else {"dtype": str(one.dtype), "shape": list(one.shape)} for one in plain]
    return Message({"arrays": told}, b"".join(one.tobytes() for one in plain if one is not None))


def unpack_numbers(message: Message) -> list[np.ndarray | None]:
    """Return the arrays of `pack_numbers`.

    Raises
    ------
    ValueError
        Shapes that do not fit the numbers.
    """
    import numpy as np

    found: list[np.ndarray | None] = []
    at = 0
    for told in message.head["arrays"]:
        if told is None:
            found.append(None)
            continue
        dtype, shape = str(told["dtype"]), [int(size) for size in told["shape"]]
        if dtype not in KINDS or min(shape, default=0) < 0:
            raise ValueError("numbers of an unknown form")
        count, width = prod(shape), np.dtype(dtype).itemsize
        found.append(np.frombuffer(message.body, dtype, count, at).reshape(shape).copy())
        at += count * width
    if at != len(message.body):
        raise ValueError("more numbers than announced")
    return found
