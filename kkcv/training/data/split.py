"""Which picture is trained on and which is kept for measuring: seeded, stratified, written out."""

import csv
import hashlib
import json
from collections import deque
from collections.abc import Sequence
from pathlib import Path

from kkcv.disk import atomic_write
from kkcv.errors import DataError

from .inspection import Inspection, groups
from .labelled import LabelledData, Picture


def split(inspection: Inspection, *, val: float, test: float, seed: int) -> list[str]:
    """The part of each readable picture, in order.

    Parts that the data have stay. Where there is no validation part, the share ``val`` of what is
    left goes to it; where there are no parts at all, the share ``test`` is kept for testing too.
    Pictures that show the same stay together, so that no split of ours leaks; each class is split
    by itself. Who goes where hangs on the seed and the picture's path alone: it keeps its part when
    others come and go.

    Raises DataError when a class is too small.
    """
    pictures = [each.picture for each in inspection.looked]
    parts = [picture.part for picture in pictures]
    given = set(parts)
    if "val" not in given:
        shares = {"val": val} if given - {""} else {"test": test, "val": val}
        movable = [i for i, part in enumerate(parts) if part in ("", "train")]
        carve(inspection, parts, movable, shares, seed)
    parts = [part or "train" for part in parts]
    check(pictures, parts)
    return parts


def carve(
    inspection: Inspection,
    parts: list[str],
    movable: list[int],
    shares: dict[str, float],
    seed: int,
) -> None:
    """Fill each share, class by class, with whole groups in the order of their hashes."""
    pictures, free = [each.picture for each in inspection.looked], set(movable)
    together = [g for g in groups(len(pictures), inspection.pairs) if free.issuperset(g)]
    by_label: dict[str, deque[list[int]]] = {}
    for group in sorted(together, key=lambda g: rank(seed, pictures[g[0]].path)):
        by_label.setdefault(pictures[group[0]].label, deque()).append(group)
    for waiting in by_label.values():
        total = sum(len(group) for group in waiting)
        for part, share in shares.items():
            wanted = max(1, round(share * total)) if share > 0 else 0
            taken = 0
            while taken < wanted and waiting:
                group = waiting.popleft()
                taken += len(group)
                for i in group:
                    parts[i] = part


def rank(seed: int, path: str) -> str:
    return hashlib.sha256(f"{seed}\0{path}".encode("utf-8", "surrogateescape")).hexdigest()


def check(pictures: Sequence[Picture], parts: Sequence[str]) -> None:
    """Every class must be learned, and there must be something to measure on."""
    classes = {picture.label for picture in pictures}
    learned = {
        picture.label for picture, part in zip(pictures, parts, strict=True) if part == "train"
    }
    if missing := sorted(classes - learned):
        count = sum(picture.label == missing[0] for picture in pictures)
        raise DataError(
            f"the class {missing[0]!r} has no picture to train on, of {count} in all; add "
            "pictures, or lower --val and --test"
        )
    if "val" not in parts:
        raise DataError("there is no validation part; give one, or a --val above 0")


def fingerprint(inspection: Inspection, parts: Sequence[str]) -> str:
    """sha256 of what was trained on: contents, labels and parts, whatever the files are called."""
    rows = sorted(
        (each.sha256, each.picture.label, part)
        for each, part in zip(inspection.looked, parts, strict=True)
    )
    return hashlib.sha256(json.dumps(rows).encode()).hexdigest()


def write_split(path: Path, data: LabelledData) -> None:
    """A CSV of path, label and part, which ``read_data`` takes back with the same root."""
    with (
        atomic_write(path) as part,
        part.open("w", encoding="utf-8", errors="surrogateescape", newline="") as file,
    ):
        table = csv.writer(file, lineterminator="\n")
        table.writerow(Picture._fields)
        table.writerows(data.pictures)
