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
_NUMBER = re.compile(r"^-?[0-9]{1,40}(\.[0-9]{0,40})?(e[-+]?[0-9]{1,3})?$|^-?(inf|oo)$")

# fmt: off
FUNCTIONS = frozenset({
    "Symbol", "Integer", "Float", "Rational", "Add", "Mul", "Pow", "Max", "Min", "Abs", "Eq", "Ne", "Equality",
    "Unequality", "Gt", "Ge", "Lt", "Le", "GreaterThan", "LessThan", "StrictGreaterThan", "StrictLessThan", "And", "Or",
    "Not", "Piecewise", "ExprCondPair", "FloorDiv", "ModularIndexing", "Where", "PythonMod", "Mod", "CleanDiv",
    "CeilToInt", "FloorToInt", "CeilDiv", "LShift", "RShift", "PowByNatural", "FloatPow", "FloatTrueDiv", "IntTrueDiv",
    "IsNonOverlappingAndDenseIndicator", "TruncToFloat", "TruncToInt", "RoundToInt", "RoundDecimal", "ToFloat",
    "Identity", "ceiling", "floor",
})
"""Names that may be called."""

CONSTANTS = frozenset({"true", "false", "oo", "int_oo", "True", "False"})
KEYWORDS = frozenset(
    {"positive", "integer", "nonnegative", "real", "finite", "negative", "precision", "dps", "evaluate"}
)
NODES = (
    ast.Expression, ast.BinOp, ast.UnaryOp, ast.Compare, ast.BoolOp, ast.Call, ast.Name, ast.Constant, ast.Load,
    ast.Tuple, ast.keyword, ast.Add, ast.Sub, ast.Mult, ast.Div, ast.FloorDiv, ast.Mod, ast.Pow, ast.USub, ast.UAdd,
    ast.Not, ast.Invert, ast.And, ast.Or, ast.BitAnd, ast.BitOr, ast.Eq, ast.NotEq, ast.Lt, ast.LtE, ast.Gt, ast.GtE,
)
# fmt: on
QUOTING = frozenset({"Symbol", "Integer", "Float", "Rational"})
"""Functions that take a text."""
GROWING = frozenset({"Pow", "PowByNatural", "FloatPow", "LShift", "RShift"})
"""Functions whose result can be far longer than their text."""


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
    growth = 1
    quoted = {id(argument) for node in ast.walk(tree) for argument in _quoted_arguments(node)}
    for node in ast.walk(tree):
        text_elsewhere = isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in quoted
        if not isinstance(node, NODES) or text_elsewhere:
            raise _refusal("does more than arithmetic")
        growth *= _check_node(node)
        if growth > MAX_POWER:
            raise _refusal("raises to a power that is not small")


def _quoted_arguments(node: ast.AST) -> list[ast.expr]:
    """Return the arguments of a call that may be a text: the name of a symbol, the digits of a number."""
    named = isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in QUOTING
    return list(node.args) if named and isinstance(node, ast.Call) else []


def _check_node(node: ast.AST) -> int:
    """Check one node and return the power it raises to, 1 for most."""
    if isinstance(node, ast.Call):
        if not isinstance(node.func, ast.Name) or node.func.id not in FUNCTIONS:
            raise _refusal("calls a function that is not arithmetic")
        if any(keyword.arg not in KEYWORDS for keyword in node.keywords):
            raise _refusal("passes an unknown option")
        return _power_of(node.args[-1]) if node.func.id in GROWING and node.args else 1
    if isinstance(node, ast.Name) and node.id not in FUNCTIONS | CONSTANTS and not SYMBOL.match(node.id):
        raise _refusal("uses a name that is no size")
    if isinstance(node, ast.Constant):
        _check_constant(node.value)
    return _power_of(node.right) if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Pow) else 1


def _check_constant(value: object) -> None:
    if isinstance(value, bool) or value is None:
        return
    if isinstance(value, int | float) and abs(value) < 2**63:
        return
    if isinstance(value, str) and (SYMBOL.match(value) or _NUMBER.match(value)):
        return
    raise _refusal("holds a text or a number that is no size")


def _power_of(node: ast.AST) -> int:
    """Return how far a power or shift can grow; a size counts as 1, since it stays a symbol."""
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and len(node.args) == 1:
        if node.func.id == "Symbol":
            return 1
        node = node.args[0]
    if isinstance(node, ast.UnaryOp):
        node = node.operand
    if isinstance(node, ast.Name):
        return 1
    if isinstance(node, ast.Constant) and isinstance(node.value, int | float):
        return int(min(max(abs(node.value), 1), MAX_POWER + 1))
    return MAX_POWER + 1


def _refusal(why: str) -> IntakeRefused:
    return IntakeRefused(
        f"a symbolic expression in the .pt2 {why}",
        hint="torch would evaluate it as code; export the model again with torch.export.save",
    )
