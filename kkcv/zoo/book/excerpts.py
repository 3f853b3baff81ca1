"""Lines of the zoo's source by what they define, read without importing them."""

import ast
from functools import cache
from pathlib import Path
from textwrap import dedent


@cache
def lines_of(file: str) -> tuple[str, ...]:
    """The lines of a file of ``kkcv/zoo``."""
    text = (Path(__file__).parents[1] / file).read_text(encoding="utf-8")
    return tuple(text.splitlines())


def excerpt(file: str, name: str) -> str:
    """The source of ``name`` in a file: a class, a function, ``Class.method``, or a table.

    A table comes with the comment above it. Raises KeyError where the file has no such thing.
    """
    node = find(file, name)
    lines = lines_of(file)
    # a decorator stands above the line of its function
    above = (decorator.lineno for decorator in getattr(node, "decorator_list", ()))
    start, end = min([node.lineno, *above]), node.end_lineno or node.lineno
    while isinstance(node, ast.Assign | ast.AnnAssign) and lines[start - 2].startswith("#"):
        start -= 1
    return dedent("\n".join(lines[start - 1 : end]))


def find(file: str, name: str) -> ast.stmt:
    body = statements(file)
    found: ast.stmt | None = None
    for part in name.split("."):
        found = next((node for node in body if part in names_of(node)), None)
        if found is None:
            raise KeyError(f"{file} has no {name}")
        body = getattr(found, "body", [])
    assert found is not None
    return found


@cache
def statements(file: str) -> list[ast.stmt]:
    return ast.parse("\n".join(lines_of(file))).body


def names_of(node: ast.stmt) -> list[str]:
    """The names that a statement defines."""
    if isinstance(node, ast.ClassDef | ast.FunctionDef):
        return [node.name]
    if isinstance(node, ast.AnnAssign):
        return [node.target.id] if isinstance(node.target, ast.Name) else []
    if isinstance(node, ast.Assign):
        return [target.id for target in node.targets if isinstance(target, ast.Name)]
    return []
