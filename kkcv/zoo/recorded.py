"""Facts of each network that are read from ``recorded.json``, without building it or torch.

``python -m kkcv.zoo.record`` measures them on the networks themselves, and a test compares.
"""

import difflib
import json
import re
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import cache
from pathlib import Path
from typing import Any

from kkcv.errors import UnknownNetwork

from .richness import PARTS, RICHNESS, SIGN

Shape = tuple[int, ...]


@dataclass(frozen=True)
class Paper:
    """Where a family of networks is described."""

    title: str
    authors: str
    year: int
    where: str  # venue and arXiv number

    @property
    def published(self) -> str:
        """``where``, with the year if that does not name one."""
        named = re.search(r"(?<!arXiv:)\b(19|20)\d\d\b", self.where)
        return self.where if named else f"{self.where}, {self.year}"


@dataclass(frozen=True)
class StageCost:
    """One row of a network's table.

    ``part`` is ``stages``, ``neck`` or ``head``; ``shape`` is the output for one picture, (C, H, W)
    or (D,); ``blocks`` are the units with weights that stand in a row, 0 in a pool.
    """

    part: str
    name: str
    shape: Shape
    blocks: int
    parameters: int
    macs: int


@dataclass(frozen=True)
class Recorded:
    """One network. ``input_size`` is (C, H, W) as published, in pixels; the counts are at that."""

    name: str
    family: str  # its name in ``families()``
    aliases: tuple[str, ...]
    input_size: tuple[int, int, int]
    min_size: int
    embedding_dim: int
    parameters: int
    macs: int  # multiply-adds (costs.py)
    stages: tuple[StageCost, ...]


@dataclass(frozen=True)
class RecordedFamily:
    """The networks of one paper, as in ``network.Family``."""

    name: str
    title: str
    idea: str
    example: str
    paper: Paper
    networks: tuple[str, ...]


@cache
def document() -> dict[str, Any]:
    with Path(__file__).with_name("recorded.json").open(encoding="utf-8") as file:
        found: dict[str, Any] = json.load(file)
    return found


@cache
def families() -> dict[str, RecordedFamily]:
    """The families by name, in the order of the zoo."""
    return {
        row["name"]: RecordedFamily(
            **{**row, "paper": Paper(**row["paper"]), "networks": tuple(row["networks"])}
        )
        for row in document()["families"]
    }


@cache
def networks() -> dict[str, Recorded]:
    """The networks by name, in the order of the zoo."""
    return {row["name"]: read(row) for row in document()["networks"]}


def read(row: dict[str, Any]) -> Recorded:
    channels, height, width = row["input_size"]
    return Recorded(
        **{
            **row,
            "aliases": tuple(row["aliases"]),
            "input_size": (channels, height, width),
            "stages": tuple(
                StageCost(part, name, tuple(shape), *counts)
                for part, name, shape, *counts in row["stages"]
            ),
        }
    )


def names(pattern: str = "*") -> list[str]:
    """The networks whose name matches a shell pattern such as ``resnet*``, in the papers' order.

    Everyday names match too, and a family's name all its networks; upper and lower case are the
    same.
    """
    if of := family(pattern):
        return list(of.networks)
    pattern = pattern.lower()
    return [
        known.name
        for known in networks().values()
        if any(fnmatchcase(name.lower(), pattern) for name in (known.name, *known.aliases))
    ]


def recorded(name: str) -> Recorded:
    """The facts of one network, by name or everyday name, in any case (UnknownNetwork)."""
    found = networks().get(name) or by_any_name().get(name.lower())
    if found is None:
        raise unknown(name, [*networks(), *by_any_name()])
    return found


def family(name: str) -> RecordedFamily | None:
    """The family of this name or title, in any case, unless it is that of a network too."""
    asked = name.lower()
    if asked in by_any_name():
        return None
    titled = (each for each in families().values() if each.title.lower() == asked)
    return families().get(asked) or next(titled, None)


@cache
def by_any_name() -> dict[str, Recorded]:
    """The networks by their names and everyday names in lower case."""
    return {
        name.lower(): known
        for known in networks().values()
        for name in (known.name, *known.aliases)
    }


def unknown(name: str, known: list[str]) -> UnknownNetwork:
    """The error for an unknown name, with the nearest known ones."""
    near = difflib.get_close_matches(name.lower(), dict.fromkeys(known), n=4, cutoff=0.4)
    hint = f"the nearest: {', '.join(near)}" if near else "see: kkcv zoo list"
    if SIGN in name and name.partition(SIGN)[0].lower() in {each.lower() for each in known}:
        hint = f"what may follow a {SIGN}: {', '.join((*RICHNESS, PARTS))}"
    if of := family(name):
        hint = f"it is a family: {', '.join(of.networks)}"
    return UnknownNetwork(f"no network {name!r} in the zoo; {hint}")
