"""Protocol buffers read field by field, without a schema compiler and without trusting a length.

Comes in: the bytes of a message. Goes out: its fields, in order, as numbers and views of bytes; nothing is copied, so
that a message of gigabytes is looked through as it lies. The form is that of https://protobuf.dev/programming-guides/encoding/.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from audit.errors import IntakeRefused

VARINT, FIXED64, BYTES, FIXED32 = 0, 1, 2, 5
LONGEST = 10
"""Bytes of a 64-bit number."""


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a message.

    Parameters
    ----------
    number : int
        Which field.
    value : int
        Of a number; 0 for bytes.
    data : memoryview
        Of bytes, a text or a nested message; the raw bytes of a fixed-width number; empty for a varint.
    wire : int
        How it is written.
    """

    number: int
    value: int
    data: memoryview
    wire: int

    @property
    def text(self) -> str:
        """The bytes as UTF-8."""
        return bytes(self.data).decode("utf-8", "replace")

    @property
    def signed(self) -> int:
        """The number as a signed one of 64 bits."""
        return self.value - (1 << 64) if self.value >= 1 << 63 else self.value


def read_fields(data: memoryview) -> Iterator[Field]:
    """Yield the fields of a message.

    Raises
    ------
    IntakeRefused
        Not a message, or one that ends too early.

    Examples
    --------
    >>> [(field.number, field.value) for field in read_fields(memoryview(bytes([8, 150, 1])))]
    [(1, 150)]
    """
    at, end, empty = 0, len(data), data[:0]
    while at < end:
        key, at = _read_varint(data, at)
        number, wire = key >> 3, key & 7
        if number == 0:
            raise _damaged()
        if wire == VARINT:
            value, at = _read_varint(data, at)
            yield Field(number, value, empty, wire)
            continue
        if wire == BYTES:
            length, at = _read_varint(data, at)
        elif wire in (FIXED64, FIXED32):
            length = 8 if wire == FIXED64 else 4
        else:
            raise _damaged()
        if length > end - at:
            raise _damaged()
        yield Field(number, 0, data[at : at + length], wire)
        at += length


def read_numbers(field: Field) -> list[int]:
    """Return the whole numbers of a repeated field, packed or not."""
    if field.wire == VARINT:
        return [field.signed]
    numbers, at = [], 0
    while at < len(field.data):
        value, at = _read_varint(field.data, at)
        numbers.append(value - (1 << 64) if value >= 1 << 63 else value)
    return numbers


def _read_varint(data: memoryview, at: int) -> tuple[int, int]:
    value = 0
    for nr in range(LONGEST):
        if at >= len(data):
            raise _damaged()
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << (7 * nr)
        if byte < 0x80:
            return value & ((1 << 64) - 1), at
    raise _damaged()


def _damaged() -> IntakeRefused:
    return IntakeRefused("the ONNX file is truncated or damaged", hint="copy it again, or export the model again")
