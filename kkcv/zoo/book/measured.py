"""Figures of the networks that the chapters quote, read from ``measured.json`` without torch.

``make docs-zoo`` measures it on the networks (docs/zoo_pages/measure.py), and a test compares.
"""

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

Shape = tuple[int, ...]
Named = tuple[tuple[str, Shape], ...]


@dataclass(frozen=True)
class Line:
    """A statement of a ``forward`` as it ran: its source, the layers it called, what it made.

    Shapes are those of one picture, without the batch.
    """

    source: str
    called: Named
    made: Named


@dataclass(frozen=True)
class Walk:
    """One module's ``forward``: where it stands, and its lines in the order of the source."""

    file: str
    name: str
    takes: Named
    lines: tuple[Line, ...]


@cache
def document() -> dict[str, Any]:
    with Path(__file__).with_name("measured.json").open(encoding="utf-8") as file:
        found: dict[str, Any] = json.load(file)
    return found


def walk(key: str) -> Walk:
    """The walk through ``"NETWORK path.of.module"``."""
    row = entry("walks", key)
    return Walk(
        row["file"],
        row["name"],
        named(row["takes"]),
        tuple(Line(source, named(called), named(made)) for source, called, made in row["lines"]),
    )


def layers(key: str) -> list[tuple[str, Shape, int, int]]:
    """The parts of ``"NETWORK path.of.module"``: name, output, parameters, multiply-adds."""
    return [(name, tuple(shape), *counts) for name, shape, *counts in entry("layers", key)]


def figure(key: str) -> int:
    """A count: ``"parameters NETWORK"`` or ``"macs NETWORK path.of.module"``."""
    return int(entry("figures", key))


def entry(kind: str, key: str) -> Any:
    found = document()[kind].get(key)
    if found is None:
        raise KeyError(f"{key!r} was not measured; to do so: make docs-zoo")
    return found


def named(rows: list[list[Any]]) -> Named:
    return tuple((name, tuple(shape)) for name, shape in rows)
