"""A report on the data: what a person should know before the first epoch."""

import re
import unicodedata
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from .duplicates import MOST_COMPARED
from .inspection import Inspection, Unreadable
from .labelled import LabelledData
from .split import Split

NAMED = 5  # members of a group, and smallest pictures, that are named
LISTED = 10  # lines of one kind on a terminal; data.json has all


@dataclass(frozen=True)
class DuplicateGroup:
    """Pictures that show the same: how many, of which ``copies`` repeat a file byte by byte."""

    size: int
    copies: int
    labels: dict[str, int]
    parts: dict[str, int]
    paths: list[str]  # the first few


@dataclass(frozen=True)
class Small:
    """One of the smallest pictures, in pixels."""

    path: str
    width: int
    height: int


@dataclass(frozen=True)
class DataReport:
    """Counts and findings, as data.json keeps them; ``classes`` counts parts, by class."""

    pictures: int
    classes: dict[str, dict[str, int]]
    unreadable: list[Unreadable]
    empty_classes: list[str]
    duplicates: list[DuplicateGroup]  # the largest first
    near_duplicates_searched: bool
    divided: dict[str, int]  # by class: pictures of a group that had to be split between parts
    unmeasured: list[str]  # classes with too few pictures for a part to measure on
    smallest: list[Small]
    # pictures in no class folder; runs that began before they were listed can be resumed
    loose: list[str] = field(default_factory=list)

    @classmethod
    def from_dict(cls, facts: Mapping[str, Any]) -> "DataReport":
        """The report that ``dataclasses.asdict`` made a dictionary of."""
        lists = {"unreadable": Unreadable, "duplicates": DuplicateGroup, "smallest": Small}
        made = {name: [kind(**each) for each in facts[name]] for name, kind in lists.items()}
        return cls(**{**facts, **made})

    @property
    def copies(self) -> int:
        """Pictures that repeat another file byte by byte."""
        return sum(group.copies for group in self.duplicates)

    @property
    def near_duplicates(self) -> int:
        """Pictures that look like another one of their group, besides copies."""
        return sum(group.size - 1 - group.copies for group in self.duplicates)

    @property
    def leaks(self) -> list[DuplicateGroup]:
        """Groups in two parts or more."""
        return [group for group in self.duplicates if len(group.parts) > 1]

    @property
    def conflicts(self) -> list[DuplicateGroup]:
        """Groups with two labels or more."""
        return [group for group in self.duplicates if len(group.labels) > 1]

    @property
    def nearly_same(self) -> list[list[str]]:
        """Names of classes that differ in case, spaces and the like alone."""
        alike: dict[str, list[str]] = {}
        for label in self.classes:
            alike.setdefault(plain(label), []).append(label)
        return [labels for labels in alike.values() if len(labels) > 1]

    def lines(self) -> list[str]:
        """The report for a terminal."""
        out = [f"{self.pictures} pictures of {len(self.classes)} classes"]
        out += listed(
            [
                f"  {label}: {of.get('train', 0)} train, {of.get('val', 0)} val, "
                f"{of.get('test', 0)} test"
                for label, of in self.classes.items()
            ],
            most=60,
        )
        out += listed(
            [
                "warning: these are trained as different classes, though their names differ in "
                f"case or spaces alone: {', '.join(map(repr, labels))}"
                for labels in self.nearly_same
            ]
        )
        out += listed([f"left out, an empty class folder: {name}" for name in self.empty_classes])
        out += listed([f"left out, in no class folder: {path}" for path in self.loose])
        out += listed([f"left out, unreadable: {u.message} [{u.reason}]" for u in self.unreadable])
        out.append(
            f"{self.copies} exact copies, {self.near_duplicates} near duplicates; "
            f"{len(self.leaks)} groups across the split, {len(self.conflicts)} with two labels"
        )
        out += listed([f"  alike: {described(group)}" for group in self.duplicates])
        out += listed([divided_warning(label, n) for label, n in self.divided.items()])
        out += listed(
            [
                f"warning: {label!r} has too few pictures to measure on; all are trained on"
                for label in self.unmeasured
            ]
        )
        if not self.near_duplicates_searched:
            out.append(f"near duplicates are not searched beyond {MOST_COMPARED:,} pictures")
        if self.smallest:
            named = ", ".join(f"{s.path} {s.width}x{s.height}" for s in self.smallest)
            out.append(f"the smallest: {named}")
        return out


def report(data: LabelledData, inspection: Inspection, split: Split) -> DataReport:
    """The findings of an inspection of the data, and how they were split."""
    pictures, parts = inspection.pictures, split.parts
    classes: dict[str, Counter[str]] = {}
    for picture, part in zip(pictures, parts, strict=True):
        classes.setdefault(picture.label, Counter())[part] += 1
    alike = [group for group in inspection.groups if len(group) > 1]
    smallest = sorted(inspection.readable, key=lambda r: (min(r.size), r.picture.path))[:NAMED]
    return DataReport(
        pictures=len(pictures),
        classes={label: dict(sorted(of.items())) for label, of in sorted(classes.items())},
        unreadable=list(inspection.unreadable),
        empty_classes=list(data.empty),
        loose=list(data.loose),
        duplicates=[
            DuplicateGroup(
                size=len(group),
                copies=len(group) - len({pictures[i].sha256 for i in group}),
                labels=dict(Counter(pictures[i].label for i in group)),
                parts=dict(Counter(parts[i] for i in group)),
                paths=[pictures[i].path for i in group[:NAMED]],
            )
            for group in sorted(alike, key=len, reverse=True)
        ],
        near_duplicates_searched=len({p.sha256 for p in pictures}) <= MOST_COMPARED,
        divided=split.divided,
        unmeasured=split.unmeasured,
        smallest=[Small(r.picture.path, *r.size) for r in smallest],
    )


def plain(label: str) -> str:
    """A name without case, spaces, hyphens and underscores, and with one form of each letter."""
    return re.sub(r"[\s_-]+", "", unicodedata.normalize("NFKC", label)).casefold()


def listed(lines: list[str], most: int = LISTED) -> list[str]:
    """The first lines, and how many more there are."""
    if len(lines) <= most:
        return lines
    return [*lines[:most], f"  … and {len(lines) - most:,} more, all in data.json"]


def described(group: DuplicateGroup) -> str:
    """``3 pictures (2 train, 1 val): cats/1.jpg, cats/2.jpg, dogs/1.jpg; labels cats, dogs``."""
    parts = ", ".join(f"{n} {part}" for part, n in group.parts.items())
    more = ", …" if group.size > len(group.paths) else ""
    labels = f"; labels {', '.join(group.labels)}" if len(group.labels) > 1 else ""
    return f"{group.size} pictures ({parts}): {', '.join(group.paths)}{more}{labels}"


def divided_warning(label: str, size: int) -> str:
    return (
        f"warning: {label!r} is mostly one run of {size} pictures that look alike; it was cut into "
        "parts in the order of its files, so the figures of this class are too good: they are "
        "measured on pictures like those that were trained on"
    )
