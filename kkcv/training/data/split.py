"""The part of each picture (train, val, test): seeded, stratified, without leaks, written out."""

import csv
import hashlib
import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from kkcv.errors import DataError
from kkcv.tables import write_table

from .inspection import Inspection
from .labelled import PARTS, Picture


@dataclass
class Split:
    """``parts`` has the part of each readable picture, in order.

    ``divided`` has the size of the group that had to be cut, for each class that is mostly one
    group; ``unmeasured`` the classes that are trained on but have nothing to measure on.
    """

    parts: list[str]
    divided: dict[str, int] = field(default_factory=dict)
    unmeasured: list[str] = field(default_factory=list)


def split(inspection: Inspection, *, val: float, test: float, seed: int) -> Split:
    """Decide the part of each readable picture.

    Parts that the data have stay. Without a validation part, the share ``val`` of each class is
    taken for it from train; without any parts, the share ``test`` is kept for testing too. Pictures
    that show the same stay together, unless they are most of a class. The order in which groups are
    taken depends only on the seed and their paths, so a picture keeps its part when others come and
    go. A class of one picture is trained on, of two has one in val.

    Raises DataError when a class would have no training pictures, or nothing is left to validate
    on.
    """
    pictures = inspection.pictures
    result = Split([picture.part for picture in pictures])
    given = set(result.parts)
    if "val" not in given:
        shares = {"val": val} if given - {""} else {"val": val, "test": test}
        carve(inspection, result, shares, seed)
    result.parts = [part or "train" for part in result.parts]
    check(pictures, result.parts, val)
    return result


def carve(inspection: Inspection, result: Split, shares: dict[str, float], seed: int) -> None:
    """Fill the parts, class by class, with whole groups in the order of their hashes."""
    pictures, parts = inspection.pictures, result.parts
    movable = {i for i, part in enumerate(parts) if part in ("", "train")}
    totals = Counter(pictures[i].label for i in movable)
    wanted = {label: wanted_of(total, shares) for label, total in totals.items()}
    waiting: dict[str, list[list[int]]] = {label: [] for label in sorted(totals)}
    for group in inspection.groups:
        # A group with a picture that must stay stays as a whole: moving the rest would leak.
        if not movable.issuperset(group):
            continue
        for unit in units(group, pictures, wanted):
            waiting[pictures[unit[0]].label].append(unit)
    for label, groups in waiting.items():
        groups.sort(key=lambda group: rank(seed, pictures[group[0]].path))
        for part in sorted(shares):  # test, then val
            fill(result, label, groups, part, wanted[label][part])
        if not any(wanted[label].values()):
            result.unmeasured.append(label)


def wanted_of(total: int, shares: dict[str, float]) -> dict[str, int]:
    """How many pictures each part should have of a class: at least one, if one is left to train."""
    left, wanted = total - 1, {}
    for part, share in shares.items():
        wanted[part] = min(left, max(1, round(share * total))) if share > 0 else 0
        left -= wanted[part]
    return wanted


def units(
    group: list[int], pictures: Sequence[Picture], wanted: dict[str, dict[str, int]]
) -> list[list[int]]:
    """The group, or where it holds much of some class, the pictures of each label by themselves."""
    by_label: dict[str, list[int]] = {}
    for i in group:
        by_label.setdefault(pictures[i].label, []).append(i)
    small = all(len(of) <= min(wanted[label].values()) for label, of in by_label.items())
    return [group] if small else list(by_label.values())


def fill(result: Split, label: str, groups: list[list[int]], part: str, wanted: int) -> None:
    """Move groups out of ``groups`` into a part, until it has what it wants of this class."""
    taken, left = 0, sum(map(len, groups))
    for group in list(groups):
        if len(group) <= wanted - taken and len(group) < left - taken:
            groups.remove(group)
            assign(result, group, part)
            taken += len(group)
    if 2 * taken >= wanted or not groups:
        return
    # Only groups larger than the rest of the part are left: one that leaves the class most of its
    # pictures is moved whole, else the largest is cut.
    smallest, largest = min(groups, key=len), max(groups, key=len)
    if 2 * len(smallest) <= left - taken and len(smallest) <= 2 * wanted:
        groups.remove(smallest)
        assign(result, smallest, part)
    elif len(largest) > 1:
        # The end of a run, not pictures at random: neighbors in a film are the most alike.
        cut = max(1, len(largest) - (wanted - taken))
        groups[groups.index(largest)] = largest[:cut]
        assign(result, largest[cut:], part)
        result.divided[label] = max(result.divided.get(label, 0), len(largest))


def assign(result: Split, group: list[int], part: str) -> None:
    for i in group:
        result.parts[i] = part


def rank(seed: int, path: str) -> str:
    return hashlib.sha256(f"{seed}\0{path}".encode("utf-8", "surrogateescape")).hexdigest()


def check(pictures: Sequence[Picture], parts: Sequence[str], val: float) -> None:
    """Raises DataError unless every class is trained on, and there is something to measure on."""
    trained = {p.label for p, part in zip(pictures, parts, strict=True) if part == "train"}
    if missing := sorted({picture.label for picture in pictures} - trained):
        count = sum(picture.label == missing[0] for picture in pictures)
        raise DataError(
            f"the class {missing[0]!r} has no picture to train on, of {count} in all; add "
            "pictures to its training part"
        )
    if "val" not in parts and val > 0:
        raise DataError(
            "nothing is left to validate on: each class has one picture; two are the least, and "
            "20 a good beginning"
        )
    if "val" not in parts:
        raise DataError("there is no validation part; give one, or a --val above 0")


def fingerprint(pictures: Sequence[Picture]) -> str:
    """sha256 of what is trained on: contents, labels and parts, whatever the files are called."""
    rows = sorted((each.sha256, each.label, each.part) for each in pictures)
    return hashlib.sha256(json.dumps(rows).encode()).hexdigest()


def write_split(path: Path, pictures: Sequence[Picture]) -> None:
    """A CSV of path, label, part and sha256, which ``read_split`` reads back."""
    write_table(path, [Picture._fields, *pictures])


def read_split(path: Path) -> tuple[Picture, ...]:
    """The pictures of a run, each with its part and the sha256 that it had when the run began.

    Raises DataError for a file that ``write_split`` has not written.
    """
    try:
        with path.open(encoding="utf-8", errors="surrogateescape", newline="") as file:
            pictures = tuple(
                Picture(row["path"], row["label"], row["part"], row.get("sha256") or "")
                for row in csv.DictReader(file)
            )
    except (OSError, KeyError, csv.Error) as error:
        raise DataError(f"{path} cannot be read as the split of a run: {error}") from None
    if wrong := {picture.part for picture in pictures} - set(PARTS):
        raise DataError(f"{path} has the part {min(wrong)!r}; there are: {', '.join(PARTS)}")
    return pictures
