"""The graph of an ONNX file, read and vetted before any library opens it.

Comes in: the bytes of a ``.onnx``. Goes out: an `OnnxGraph`, what it takes and returns, or a refusal. Every node of
every graph, function and branch is looked at: operators must be those of the standard, every tensor must lie in the
file itself (a tensor "outside" names a path of this machine), and no tensor may claim more numbers than it holds.
Texts of the file (doc strings, producers, metadata) are never repeated.

The numbers of fields are those of https://github.com/onnx/onnx/blob/main/onnx/onnx.proto.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from math import prod

from audit.errors import IntakeRefused

from .protobuf import Field, read_fields, read_numbers

MAX_DEPTH = 24
MAX_NODES = 500_000
MAX_BYTES = 2 * 1024**3
"""A protocol buffer has at most 2 GiB."""
STANDARD = frozenset({"", "ai.onnx", "ai.onnx.ml"})
"""Domains whose operators compute and nothing else."""
DTYPES: dict[int, str] = {
    1: "float32",
    6: "int32",
    7: "int64",
    10: "float16",
    11: "float64",
}
"""ONNX number of a type to torch's name, of the types that a table can be given as."""
TEXT = 8
"""ONNX number of the type of texts."""
BITS = {1: 32, 2: 8, 3: 8, 4: 16, 5: 16, 6: 32, 7: 64, 9: 8, 10: 16, 11: 64, 12: 32, 13: 64, 14: 64, 15: 128, 16: 16}
"""Bits per element of a tensor with raw data; other types have at least 2."""
_PLAIN = re.compile(r"^[A-Za-z0-9_][A-Za-z0-9_.:/ -]{0,63}$")


@dataclass(frozen=True, slots=True)
class OnnxValue:
    """One input or output.

    Parameters
    ----------
    name : str
        Name in the file.
    kind : str
        ``tensor``, ``maps`` (a sequence of class to probability) or ``other``.
    dtype : int
        ONNX number of the type of a tensor's elements.
    shape : tuple of (int or None), or None
        Sizes, None where free; None where the file does not say.
    """

    name: str
    kind: str
    dtype: int = 0
    shape: tuple[int | None, ...] | None = None


@dataclass(slots=True)
class OnnxGraph:
    """What vetting found.

    Parameters
    ----------
    inputs, outputs : list of OnnxValue
        Of the main graph; inputs that have an initial value are none.
    nodes : int
        Operators, nested ones too.
    operators : set of str
        Their kinds.
    parameters : int
        Numbers held in the file.
    opset : int
        Version of the standard operators.
    """

    inputs: list[OnnxValue] = field(default_factory=list)
    outputs: list[OnnxValue] = field(default_factory=list)
    nodes: int = 0
    operators: set[str] = field(default_factory=set)
    parameters: int = 0
    opset: int = 0


def is_onnx(data: bytes) -> bool:
    """Return whether bytes begin as an ONNX model does: a version, then known fields, among them a graph."""
    try:
        seen = [one.number for one in read_fields(memoryview(data))]
    except IntakeRefused:
        return False
    return bool(seen) and 7 in seen and 1 in seen and max(seen) <= 30


def vet_onnx(data: bytes) -> OnnxGraph:
    """Read and vet an ONNX model.

    Raises
    ------
    IntakeRefused
        Damaged, too large, with tensors outside the file, with operators that are not of the standard, with settings
        for the runtime, or for training.
    """
    if len(data) > MAX_BYTES:
        raise IntakeRefused("the ONNX file is larger than 2 GiB, which no ONNX file is", hint="export a smaller model")
    vetting = _Vetting()
    fields = list(read_fields(memoryview(data)))
    vetting.local = {_domain_of(one) for one in fields if one.number == 25}
    for one in fields:
        if one.number == 7:
            vetting.read_graph(one.data, 0, main=True)
        elif one.number == 25:
            vetting.read_function(one.data)
        elif one.number == 8:
            vetting.read_opset(one.data)
        elif one.number == 14:
            vetting.check_metadata(one.data)
        elif one.number == 20:
            raise IntakeRefused("the ONNX file holds a training loop", hint="export the model for inference")
    graph = vetting.found
    if not graph.inputs or not graph.outputs:
        raise IntakeRefused("the ONNX file holds no graph with inputs and outputs", hint="export the model again")
    return graph


def shown_value(name: str) -> str:
    """Return the name of an input or output where it is short and plain."""
    return name if _PLAIN.match(name) and not name.startswith("/") else "(a name that is not shown)"


class _Vetting:
    def __init__(self) -> None:
        self.found = OnnxGraph()
        self.local: set[str] = set()

    def read_opset(self, data: memoryview) -> None:
        entry = {one.number: one for one in read_fields(data)}
        if 1 not in entry or entry[1].text in STANDARD - {"ai.onnx.ml"}:
            self.found.opset = entry[2].value if 2 in entry else 0

    def check_metadata(self, data: memoryview) -> None:
        if any(one.number == 1 and one.text == "ort_config" for one in read_fields(data)):
            raise IntakeRefused(
                "the ONNX file brings settings for the runtime that would load it", hint="export it without them"
            )

    def read_function(self, data: memoryview) -> None:
        for one in read_fields(data):
            if one.number == 7:
                self.read_node(one.data, 1)
            elif one.number == 11:
                self.read_attribute(one.data, 1)

    def read_graph(self, data: memoryview, depth: int, *, main: bool = False) -> None:
        if depth > MAX_DEPTH:
            raise IntakeRefused("the graph of the ONNX file is nested too deeply", hint="this is not a model")
        held, inputs = set[str](), list[OnnxValue]()
        for one in read_fields(data):
            if one.number == 1:
                self.read_node(one.data, depth)
            elif one.number == 5:
                held.add(self.read_tensor(one.data))
            elif one.number == 15:
                self.read_sparse(one.data)
            elif one.number == 11:
                inputs.append(read_value(one.data))
            elif one.number == 12 and main:
                self.found.outputs.append(read_value(one.data))
        if main:
            self.found.inputs += [value for value in inputs if value.name not in held]

    def read_node(self, data: memoryview, depth: int) -> None:
        self.found.nodes += 1
        if self.found.nodes > MAX_NODES:
            raise IntakeRefused("the ONNX file has more operators than any model", hint="this is not a model")
        kind = domain = ""
        for one in read_fields(data):
            if one.number == 4:
                kind = one.text
            elif one.number == 7:
                domain = one.text
            elif one.number == 5:
                self.read_attribute(one.data, depth)
        if domain not in STANDARD and domain not in self.local:
            raise IntakeRefused(
                f"the ONNX file uses operators of '{_short(domain)}', which are not of the ONNX standard and could "
                "run code",
                hint="export the model with standard operators, without optimisations for one runtime",
            )
        self.found.operators.add(kind)

    def read_attribute(self, data: memoryview, depth: int) -> None:
        for one in read_fields(data):
            if one.number in (5, 10):
                self.read_tensor(one.data)
            elif one.number in (22, 23):
                self.read_sparse(one.data)
            elif one.number in (6, 11):
                self.read_graph(one.data, depth + 1)

    def read_sparse(self, data: memoryview) -> None:
        sizes: list[int] = []
        for one in read_fields(data):
            if one.number in (1, 2):
                self.read_tensor(one.data)
            elif one.number == 3:
                sizes += read_numbers(one)
        if prod(sizes) > MAX_BYTES // 4:
            raise _too_many()

    def read_tensor(self, data: memoryview) -> str:
        """Check one tensor and return its name."""
        sizes, kind, name, raw, held = list[int](), 0, "", -1, 0
        for one in read_fields(data):
            if one.number == 13 or (one.number == 14 and one.value != 0):
                raise IntakeRefused(
                    "the ONNX file keeps weights outside of itself, under a path that it names",
                    hint="export it with all weights inside (torch.onnx.export(..., external_data=False)); no path "
                    "that a model file names is opened",
                )
            if one.number == 1:
                sizes += read_numbers(one)
            elif one.number == 2:
                kind = one.value
            elif one.number == 8:
                name = one.text
            elif one.number == 9:
                raw = len(one.data)
            elif one.number in (4, 5, 6, 7, 10, 11):
                held += len(one.data) or 1
        self._check_size(sizes, kind, raw, held)
        return name

    def _check_size(self, sizes: list[int], kind: int, raw: int, held: int) -> None:
        count = prod(sizes)
        if min(sizes, default=0) < 0:
            raise _too_many()
        if raw >= 0 and kind in BITS and (count * BITS[kind] + 7) // 8 != raw:
            raise _too_many()
        # an unknown narrow type packs at most four numbers into a byte
        if count > 4 * max(raw, held):
            raise _too_many()
        self.found.parameters += count if kind in (1, 10, 11, 16) else 0


def read_value(data: memoryview) -> OnnxValue:
    """Read a ValueInfoProto: the name and type of an input or output."""
    name, found = "", OnnxValue("", "other")
    for one in read_fields(data):
        if one.number == 1:
            name = one.text
        elif one.number == 2:
            found = _read_type(one.data)
    return OnnxValue(name, found.kind, found.dtype, found.shape)


def _read_type(data: memoryview) -> OnnxValue:
    for one in read_fields(data):
        if one.number == 1:
            return _read_tensor_type(one.data)
        if one.number == 4:  # a sequence; of maps is what scikit-learn's converter returns for classes
            inner = [deep for item in read_fields(one.data) if item.number == 1 for deep in read_fields(item.data)]
            return OnnxValue("", "maps" if any(deep.number == 5 for deep in inner) else "other")
    return OnnxValue("", "other")


def _read_tensor_type(data: memoryview) -> OnnxValue:
    dtype, shape = 0, None
    for one in read_fields(data):
        if one.number == 1:
            dtype = one.value
        elif one.number == 2:
            shape = tuple(_read_size(item.data) for item in read_fields(one.data) if item.number == 1)
    return OnnxValue("", "tensor", dtype, shape)


def _read_size(data: memoryview) -> int | None:
    sizes: Iterator[int] = (one.signed for one in read_fields(data) if one.number == 1)
    size = next(sizes, None)
    return size if size is not None and size > 0 else None


def _domain_of(function: Field) -> str:
    return next((one.text for one in read_fields(function.data) if one.number == 10), "")


def _short(domain: str) -> str:
    return domain[:40] if re.fullmatch(r"[A-Za-z0-9_.-]{1,80}", domain) else "a foreign domain"


def _too_many() -> IntakeRefused:
    return IntakeRefused(
        "a tensor of the ONNX file claims more numbers than it holds: it is damaged, or made to fill the memory",
        hint="copy it again, or export the model again",
    )
