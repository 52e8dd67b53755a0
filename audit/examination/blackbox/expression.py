"""Symbolic expressions of an exported program, checked before anything evaluates them.

Comes in: a text that torch would hand to a parser which evaluates it as Python. Goes out: nothing, or a refusal. Only
integers, size symbols, arithmetic, comparisons and the named functions of torch's own printer pass.
"""

from __future__ import annotations

import ast
import re

from audit.errors import IntakeRefused

MAX_LENGTH = 4_000
MAX_POWER = 64
SYMBOL = re.compile(r"^[a-z]{1,4}[0-9]{1,9}$")
_NUMBER = re.compile(r"^-?[0-9]+(\.[0-9]*)?(e[-+]?[0-9]+)?$|^-?(inf|oo)$")

FUNCTIONS = frozenset(
    ["Symbol", "Integer", "Float", "Rational", "Add", "Mul", "Pow", "Max", "Min", "Abs", "Eq", "Ne", "Equality", "Unequality", "Gt", "Ge", "Lt", "Le", "GreaterThan", "LessThan", "StrictGreaterThan", "StrictLessThan", "And", "Or", "Not", "Piecewise", "ExprCondPair", "FloorDiv", "ModularIndexing", "Where", "PythonMod", "Mod", "CleanDiv", "CeilToInt", "FloorToInt", "CeilDiv", "LShift", "RShift", "PowByNatural", "FloatPow", "FloatTrueDiv", "IntTrueDiv", "IsNonOverlappingAndDenseIndicator", "TruncToFloat", "TruncToInt", "RoundToInt", "RoundDecimal", "ToFloat", "Identity", "ceiling", "floor"]
)
"""Names that may be called."""

CONSTANTS = frozenset({"true", "false", "oo", "int_oo", "True", "False"})
KEYWORDS = frozenset(
    {"positive", "integer", "nonnegative", "real", "finite", "negative", "precision", "dps", "evaluate"}
)
NODES = (
    ast.Expression,
    ast.BinOp,
    ast.UnaryOp,
    ast.Compare,
    ast.BoolOp,
    ast.Call,
    ast.Name,
    ast.Constant,
    ast.Load,
    ast.Tuple,
    ast.keyword,
    ast.Add,
    ast.Sub,
    ast.Mult,
    ast.Div,
    ast.FloorDiv,
    ast.Mod,
    ast.Pow,
    ast.USub,
    ast.UAdd,
    ast.Not,
    ast.Invert,
    ast.And,
    ast.Or,
    ast.BitAnd,
    ast.BitOr,
    ast.Eq,
    ast.NotEq,
    ast.Lt,
    ast.LtE,
    ast.Gt,
    ast.GtE,
)


def check_expression(text: str) -> None:
    """Refuse an expression that is more than arithmetic on sizes.

    Raises
    ------
    IntakeRefused
        Anything that is not on the lists above; the text itself is not repeated.

    Examples
    --------
    >>> check_expression("Mul(Integer(2), Symbol('s0', integer=True))")
    """
    if len(text) > MAX_LENGTH:
        raise _refusal("is too long")
    try:
        tree = ast.parse(text, mode="eval")
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        raise _refusal("is not an expression") from None
    for node in ast.walk(tree):
        if not isinstance(node, NODES):
            raise _refusal("does more than arithmetic")
        _check_node(node)


def _check_node(node: ast.AST) -> None:
    if isinstance(node, ast.Call):
        if not isinstance(node.func, ast.Name) or node.func.id not in FUNCTIONS:
            raise _refusal("calls a function that is not arithmetic")
        if node.func.id in ("Pow", "PowByNatural", "FloatPow"):
            _check_power(node.args[-1] if node.args else node)
        if any(keyword.arg not in KEYWORDS for keyword in node.keywords):
            raise _refusal("passes an unknown option")
    elif isinstance(node, ast.Name):
        if node.id not in FUNCTIONS and node.id not in CONSTANTS and not SYMBOL.match(node.id):
            raise _refusal("uses a name that is no size")
    elif isinstance(node, ast.Constant):
        _check_constant(node.value)
    elif isinstance(node, ast.BinOp) and isinstance(node.op, ast.Pow):
        _check_power(node.right)


def _check_constant(value: object) -> None:
    if isinstance(value, bool) or value is None:
        return
    if isinstance(value, int | float) and abs(value) < 2**63:
        return
    if isinstance(value, str) and (SYMBOL.match(value) or _NUMBER.match(value)):
        return
    raise _refusal("holds a text or a number that is no size")


def _check_power(node: ast.AST) -> None:
    """Refuse towers of powers, which take for ever to evaluate."""
    inner = node.args[0] if isinstance(node, ast.Call) and len(node.args) == 1 else node
    if isinstance(inner, ast.UnaryOp):
        inner = inner.operand
    small = isinstance(inner, ast.Constant) and isinstance(inner.value, int | float) and abs(inner.value) <= MAX_POWER
    symbol = isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "Symbol"
    if not small and not symbol and not isinstance(inner, ast.Name):
        raise _refusal("raises to a power that is not small")


def _refusal(why: str) -> IntakeRefused:
    return IntakeRefused(
        f"a symbolic expression in the .pt2 {why}",
        hint="torch would evaluate it as code; export the model again with torch.export.save",
    )
