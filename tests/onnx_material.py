"""ONNX models written by hand, field by field: what no exporter would write is needed, and no exporter is installed.

The numbers of fields are those of onnx.proto.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Sequence

import numpy as np

FLOAT, INT64, STRING, DOUBLE = 1, 7, 8, 11


def varint(value: int) -> bytes:
    value &= (1 << 64) - 1
    out = bytearray()
    while True:
        value, low = value >> 7, value & 0x7F
        out.append(low | (0x80 if value else 0))
        if not value:
            return bytes(out)


def number(nr: int, value: int) -> bytes:
    return varint(nr << 3) + varint(value)


def block(nr: int, content: bytes | str) -> bytes:
    content = content.encode() if isinstance(content, str) else content
    return varint(nr << 3 | 2) + varint(len(content)) + content


def tensor(name: str, array: np.ndarray, *, dims: Sequence[int] | None = None, extra: bytes = b"") -> bytes:
    kind = {"f": FLOAT, "i": INT64}[array.dtype.kind]
    sizes = b"".join(number(1, size) for size in (array.shape if dims is None else dims))
    return sizes + number(2, kind) + block(8, name) + block(9, array.tobytes()) + extra


def value(name: str, kind: int, shape: Sequence[int | str] | None) -> bytes:
    sizes = b"".join(block(1, number(1, size) if isinstance(size, int) else block(2, size)) for size in (shape or ()))
    typed = number(1, kind) + (b"" if shape is None else block(2, sizes))
    return block(1, name) + block(2, block(1, typed))


def maps(name: str, key: int = INT64) -> bytes:
    """Write the type of scikit-learn's converter: a sequence of maps of class to probability."""
    inner = block(5, number(1, key) + block(2, block(1, number(1, FLOAT))))
    return block(1, name) + block(2, block(4, block(1, inner)))


def attribute(name: str, value: object) -> bytes:
    head = block(1, name)
    if isinstance(value, int):
        return head + number(3, value) + number(20, 2)
    if isinstance(value, str):
        return head + block(4, value) + number(20, 3)
    if isinstance(value, bytes):
        return head + block(6, value) + number(20, 5)
    assert isinstance(value, list)
    if all(isinstance(item, int) for item in value):
        return head + b"".join(number(8, item) for item in value) + number(20, 7)
    return head + b"".join(varint(7 << 3 | 5) + struct.pack("<f", item) for item in value) + number(20, 6)


def node(kind: str, inputs: Iterable[str], outputs: Iterable[str], *, domain: str = "", **attributes: object) -> bytes:
    return (
        b"".join(block(1, name) for name in inputs)
        + b"".join(block(2, name) for name in outputs)
        + block(4, kind)
        + b"".join(block(5, attribute(name, item)) for name, item in attributes.items())
        + (block(7, domain) if domain else b"")
    )


def graph(nodes: Iterable[bytes], held: Iterable[bytes], inputs: Iterable[bytes], outputs: Iterable[bytes]) -> bytes:
    return (
        b"".join(block(1, one) for one in nodes)
        + block(2, "main")
        + b"".join(block(5, one) for one in held)
        + b"".join(block(11, one) for one in inputs)
        + b"".join(block(12, one) for one in outputs)
    )


def model(main: bytes, *, domains: Iterable[str] = (), extra: bytes = b"") -> bytes:
    sets = block(8, number(2, 17)) + b"".join(block(8, block(1, name) + number(2, 1)) for name in domains)
    return number(1, 8) + block(2, "by hand") + block(7, main) + sets + extra
