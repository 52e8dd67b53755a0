"""The graph of a .pt2, read as JSON, checked and cleaned before torch reads it.

Comes in: the text of ``models/model.json``. Goes out: a cleaned text and what the program takes and returns, or a
refusal. torch turns names of this file into Python source that it executes, resolves operator names by attribute
access, evaluates its expressions and imports what its tree descriptions name; so every key must be known, every name
plain, every operator torch's own. Source positions, stack traces and guard code are removed: they tell about the
exporter's machine and are not needed to compute.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from audit.errors import IntakeRefused

from .expression import SYMBOL, check_expression

MAX_DEPTH = 80
NAME = re.compile(r"^[A-Za-z_][A-Za-z0-9_]{0,255}$")
DOTTED = re.compile(r"^$|^(?!__)[A-Za-z0-9_]+(\.(?!__)[A-Za-z0-9_]+)*$")
OPERATOR = re.compile(r"^torch\.ops\.aten\.([A-Za-z_][A-Za-z0-9_]*)\.([A-Za-z_][A-Za-z0-9_]*)$")
OPTION = re.compile(r"^[A-Za-z0-9_ ,.>\-]{0,200}$")
VERSION = re.compile(r"^[0-9A-Za-z.+<=-]{1,40}$")

SIZE_OPERATORS = frozenset(
    [
        f"_operator.{name}"
        for name in (
            "eq",
            "ne",
            "le",
            "ge",
            "lt",
            "gt",
            "neg",
            "pos",
            "mul",
            "add",
            "sub",
            "floordiv",
            "mod",
            "pow",
            "truediv",
            "and_",
            "or_",
            "lshift",
            "rshift",
        )
    ]
    + ["math.trunc", "math.floor", "math.ceil"]
    + [f"torch.sym_{name}" for name in ("not", "int", "float", "ite", "max", "min", "sqrt", "sum")]
)
"""Targets outside ``torch.ops.aten``: arithmetic on sizes."""

FILE_OPERATORS = frozenset(
    {"from_file", "save", "load", "_print", "warn", "set_", "set_data", "record_stream", "to_mkldnn"}
)
"""Operators of aten that touch files or memory of the machine, or talk."""

NAME_KEYS = frozenset({"name", "as_name"})
DOTTED_KEYS = frozenset({"fqn", "parameter_name", "buffer_name", "tensor_constant_name"})
FOREIGN_KEYS = frozenset({"as_custom_obj", "as_operator", "as_graph", "as_string_to_argument", "custom_obj", "token"})
NAMED_TABLES = frozenset({"tensor_values", "sym_int_values", "sym_bool_values", "sym_float_values"})
TREE_TYPES = frozenset({None, "builtins.tuple", "builtins.list", "builtins.dict"})
VERIFIERS = frozenset({"TRAINING", "ATEN"})
TRAINING_HINT = "call net.eval() before torch.export.export, and export again"
WHOLE_DTYPES = {2: "int8", 3: "int16", 4: "int32", 5: "int64"}
FLOAT_DTYPES = {6: "float16", 7: "float32", 8: "float64", 13: "bfloat16"}
MOST_FEWEST = 65_536
"""A program that wants more rows than this at once is refused: calls are filled up to what it wants."""


@dataclass(frozen=True, slots=True)
class ProgramInput:
    """One tensor that the program takes.

    Parameters
    ----------
    name : str
        Name of the forward argument.
    dtype : str
        torch's name of its type.
    rank : int
        Dimensions: 1 or 2.
    width : int or None
        Columns; None where they are free.
    keyword : bool
        Whether it is passed by name.
    """

    name: str
    dtype: str
    rank: int
    width: int | None
    keyword: bool


@dataclass(frozen=True, slots=True)
class Program:
    """A vetted program.

    Parameters
    ----------
    text : bytes
        The cleaned JSON.
    inputs : tuple of ProgramInput
        What it takes, in order of the call.
    batch : tuple of int and (int or None)
        Fewest and most rows per call; the same where it was exported for a fixed number of rows.
    operators : int
        Nodes of the graph.
    expressions : int
        Symbolic expressions checked.
    torch_version : str
        Version of torch that wrote it.
    other_device : bool
        Whether it was exported on another device than the CPU.
    """

    text: bytes
    inputs: tuple[ProgramInput, ...]
    batch: tuple[int, int | None]
    operators: int
    expressions: int
    torch_version: str
    other_device: bool


def read_json(content: bytes) -> Any:
    """Parse JSON of a model file.

    Raises
    ------
    IntakeRefused
        It is none.
    """
    try:
        return json.loads(content)
    except (ValueError, RecursionError):
        raise IntakeRefused(
            "the .pt2 is damaged: a description in it is not JSON", hint="export the model again"
        ) from None


def vet_program(content: bytes) -> Program:
    """Check and clean a program.

    Raises
    ------
    IntakeRefused
        Training mode, a batch of unusable size, a foreign operator, an unsafe expression, anything unknown.
    """
    program = read_json(content)
    try:
        version = str(program.get("torch_version", ""))
        graph, signature = program["graph_module"]["graph"], program["graph_module"]["signature"]
        _check_operators(graph["nodes"])
        walk = _Walk()
        walk.clean(program, "", 0)
        _check_training(graph["nodes"], signature)
        inputs, symbols = _find_inputs(program["graph_module"])
        batch = _find_batch(symbols, program["range_constraints"])
    except (KeyError, TypeError, AttributeError, IndexError, StopIteration):
        raise IntakeRefused(
            "the .pt2 does not have the form that torch.export.save writes", hint="export it again with a current torch"
        ) from None
    return Program(
        json.dumps(program).encode(), inputs, batch, len(graph["nodes"]), walk.expressions, version, walk.other_device
    )


class _Walk:
    """One walk over the JSON that checks every text and removes what is not needed."""

    def __init__(self) -> None:
        self.expressions = 0
        self.other_device = False

    def clean(self, value: Any, key: str, depth: int) -> None:
        if depth > MAX_DEPTH:
            raise _refusal("is nested too deeply")
        if isinstance(value, dict):
            self._clean_table(value, key, depth)
        elif isinstance(value, list):
            for item in value:
                self.clean(item, key, depth + 1)
        elif isinstance(value, str):
            self._check_text(value, key)

    def _clean_table(self, table: dict[str, Any], key: str, depth: int) -> None:
        if key in NAMED_TABLES and not all(NAME.match(name) for name in table):
            raise _refusal("holds a name that is none")
        if key == "range_constraints" and not all(SYMBOL.match(name) for name in table):
            raise _refusal("holds a size that is none")
        for inner in list(table):
            if inner in FOREIGN_KEYS:
                raise IntakeRefused(
                    "the .pt2 holds custom objects or nested graphs, which are not let in",
                    hint="export a module that only computes on tensors (no torch.no_grad() or cond inside "
                    "forward, no custom classes)",
                )
            if inner in ("custom_obj_values", "treespec_namedtuple_fields") and table[inner]:
                raise _refusal("holds custom classes")
            if inner == "metadata":
                table[inner] = {}
            elif inner == "guards_code":
                table[inner] = []
            elif inner in ("device", "as_device"):
                table[inner] = self._place_on_cpu(table[inner])
            elif inner in ("in_spec", "out_spec"):
                _check_tree(table[inner])
            else:
                self.clean(table[inner], inner, depth + 1)

    def _place_on_cpu(self, device: Any) -> dict[str, Any]:
        kind = str(device["type"])
        if kind == "meta":
            raise _refusal("was exported without weights (meta device)")
        self.other_device |= kind != "cpu"
        return {"type": "cpu", "index": None}

    def _check_text(self, text: str, key: str) -> None:
        if key == "expr_str":
            check_expression(text)
            self.expressions += 1
        elif key == "verifiers":
            if text not in VERIFIERS:
                raise _refusal("asks for a form of graph that is not let in")
        elif key != "target" and not (key in TEXT_RULES and TEXT_RULES[key].match(text)):
            raise _refusal("holds a text where none belongs")


TEXT_RULES: dict[str, re.Pattern[str]] = {
    **dict.fromkeys(NAME_KEYS, NAME),
    **dict.fromkeys(DOTTED_KEYS, DOTTED),
    "forward_arg_names": NAME,
    "as_string": OPTION,
    "as_strings": OPTION,
    "torch_version": VERSION,
    **dict.fromkeys(("as_float", "as_floats", "as_float_lists", "real", "imag"), re.compile(r"^(-?Infinity|NaN)$")),
}
"""Key to what a text under it must look like."""


def _check_tree(text: Any) -> None:
    """Refuse tree descriptions whose types torch would have to import."""
    tree = read_json(text.encode())

    def check(node: dict[str, Any]) -> None:
        context = node["context"]
        plain = context is None or all(isinstance(item, str | int) for item in (json.loads(context) or ()))
        if node["type"] not in TREE_TYPES or not plain:
            raise IntakeRefused(
                "the .pt2 takes or returns a class of its own",
                hint="export a module that takes tensors and returns one tensor",
            )
        for child in node["children_spec"]:
            check(child)

    check(tree[1])


def _check_operators(nodes: list[dict[str, Any]]) -> None:
    import torch

    known = set(torch._C._dispatch_get_all_op_names())
    for node in nodes:
        target = str(node["target"])
        if target in SIZE_OPERATORS:
            continue
        match = OPERATOR.match(target)
        if not match:
            raise IntakeRefused(
                "the .pt2 calls an operator that is not one of torch.ops.aten",
                hint="export it without custom operators and without torch.no_grad() or cond inside forward",
            )
        name, overload = match.groups()
        # aten::save and its like exist for TorchScript alone and write files; they are not in the dispatcher
        full = f"aten::{name}" if overload == "default" else f"aten::{name}.{overload}"
        if name in FILE_OPERATORS or full not in known or any(item["name"] == "filename" for item in node["inputs"]):
            raise IntakeRefused(
                f"the .pt2 calls the operator aten.{name[:40]}, which a model does not need to compute",
                hint="it may touch files or memory of this machine; remove it and export again",
            )


def _check_training(nodes: list[dict[str, Any]], signature: dict[str, Any]) -> None:
    for node in nodes:
        flags = {item["name"]: item["arg"] for item in node["inputs"]}
        idle = any(flags.get(name, {}).get("as_float") == 0.0 for name in ("p", "dropout"))
        training = any(flags.get(name, {}).get("as_bool") is True for name in ("train", "training"))
        if (training and not idle) or (flags.get("dropout_p", {}).get("as_float") or 0.0) > 0.0:
            kind = str(node["target"]).split(".")[3][:40]
            raise IntakeRefused(
                f"the model was exported in training mode: {kind} is switched on in its graph", hint=TRAINING_HINT
            )
    if any("buffer_mutation" in spec or "parameter_mutation" in spec for spec in signature["output_specs"]):
        raise IntakeRefused(
            "the model was exported in training mode: it changes its own buffers when called", hint=TRAINING_HINT
        )


def _find_inputs(module: dict[str, Any]) -> tuple[tuple[ProgramInput, ...], list[Any]]:
    call = next(entry["signature"] for entry in module["module_call_graph"] if entry["fqn"] == "")
    args, keywords = json.loads(call["in_spec"])[1]["children_spec"]
    if any(child["type"] is not None for child in (*args["children_spec"], *keywords["children_spec"])):
        raise IntakeRefused("the model takes lists or dictionaries", hint="export a module whose forward takes tensors")
    names = list(_user_tensors(module["signature"]["input_specs"]))
    shown = call.get("forward_arg_names") or names
    by_name = json.loads(keywords["context"] or "[]")
    positional = len(args["children_spec"])
    if len(names) != positional + len(by_name):
        raise IntakeRefused(
            "the model takes something else than tensors", hint="export it with tensors as its only inputs"
        )
    outputs = sum("user_output" in spec for spec in module["signature"]["output_specs"])
    if outputs != 1:
        raise IntakeRefused(f"the model returns {outputs} tensors", hint="export a module that returns one tensor")
    labels = [*shown[:positional], *by_name]
    found, sizes = [], []
    for at, (name, label) in enumerate(zip(names, labels, strict=True)):
        tensor = module["graph"]["tensor_values"][name]
        found.append(_describe_input(label, tensor, keyword=at >= positional))
        sizes.append(tensor["sizes"][0])
    return tuple(found), sizes


def _user_tensors(specs: list[dict[str, Any]]) -> Iterator[str]:
    for spec in specs:
        if "user_input" in spec:
            yield spec["user_input"]["arg"]["as_tensor"]["name"]
        elif "constant_input" in spec:
            raise IntakeRefused(
                "the model takes something else than tensors", hint="export it with tensors as its only inputs"
            )


def _describe_input(label: str, tensor: dict[str, Any], *, keyword: bool) -> ProgramInput:
    sizes = tensor["sizes"]
    dtype = {**WHOLE_DTYPES, **FLOAT_DTYPES}.get(tensor["dtype"])
    if dtype is None or len(sizes) not in (1, 2):
        raise IntakeRefused(
            f"the model's input {label} is not a table of numbers or codes",
            hint="tables only so far: inputs of shape [rows, columns]",
        )
    width = 1 if len(sizes) == 1 else sizes[1].get("as_int")
    return ProgramInput(label, dtype, len(sizes), width, keyword)


def _find_batch(sizes: list[Any], ranges: dict[str, Any]) -> tuple[int, int | None]:
    """Return fewest and most rows per call; both are the same where the program was exported for so many rows."""
    fixed = {int(size["as_int"]) for size in sizes if "as_expr" not in size}
    if fixed:
        return _fixed_batch(fixed, free=any("as_expr" in size for size in sizes))
    low, high = 1, None
    for size in sizes:
        symbol = re.search(r"[a-z]{1,4}[0-9]+", size["as_expr"]["expr_str"])
        limits = ranges.get(symbol.group(0), {}) if symbol else {}
        low = max(low, limits.get("min_val") or 1)
        top = limits.get("max_val")
        high = top if high is None else min(high, top or high)
    if low > MOST_FEWEST:
        raise _batch_refusal(f"asks for at least {low:,} rows at once")
    return low, high


def _fixed_batch(fixed: set[int], *, free: bool) -> tuple[int, int]:
    if free or len(fixed) > 1:
        raise _batch_refusal("was exported for inputs of different numbers of rows")
    (rows,) = fixed
    if not 1 <= rows <= MOST_FEWEST:
        raise _batch_refusal(f"was exported for a fixed batch of {rows:,} rows")
    return rows, rows


def _batch_refusal(what: str) -> IntakeRefused:
    return IntakeRefused(
        f"the model {what}",
        hint="export it with a free batch: torch.export.export(net, args, dynamic_shapes={input: "
        "{0: torch.export.Dim('batch')}})",
    )


def _refusal(why: str) -> IntakeRefused:
    return IntakeRefused(f"the graph of the .pt2 {why}", hint="export the model again with torch.export.save")
