"""Arithmetic as a textbook writes it: ``3·3·64·(64 + 1)``."""

import ast
import operator
from collections.abc import Callable
from fractions import Fraction

SIGNS = str.maketrans({"·": "*", "×": "*", "−": "-", ",": None, "÷": "/"})
OPERATORS: dict[type[ast.operator], Callable[[Fraction, Fraction], Fraction]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.Pow: lambda base, power: Fraction(base ** int(power)),
}


def value_of(text: str) -> Fraction:
    """The exact value. Raises ValueError for what is no sum of numbers."""
    plain = text.translate(SIGNS).replace("²", "**2").replace("³", "**3")
    try:
        return compute(ast.parse(plain.strip(), mode="eval").body)
    except (SyntaxError, TypeError, KeyError):
        raise ValueError(f"{text!r} is no sum of numbers") from None


def compute(node: ast.expr) -> Fraction:
    if isinstance(node, ast.Constant):
        return Fraction(str(node.value))
    if isinstance(node, ast.BinOp):
        return OPERATORS[type(node.op)](compute(node.left), compute(node.right))
    raise TypeError


def written(value: Fraction) -> str:
    """A whole number with its thousands apart; anything else in three digits."""
    return f"{int(value):,}" if value.denominator == 1 else f"{float(value):.3g}"
