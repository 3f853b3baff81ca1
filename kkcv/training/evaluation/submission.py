"""Predictions for pictures without labels, as Kaggle takes them."""

import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from kkcv.tables import write_table

from .scoring import Scored

SUREST = 0.995  # the log loss of one sure error is endless


def write_submission(
    path: Path, scored: Scored, classes: tuple[str, ...], temperature: float
) -> None:
    """A row for each picture, by its name without the extension, in the order of numbers.

    Of two classes, ``label`` is the probability of the second (Dogs vs. Cats: dog), kept within
    0.005 and 0.995; of more, each class has a column. Unreadable pictures get equal probabilities,
    for Kaggle wants a row for every one.
    """
    known = {
        p.path: row
        for p, row in zip(scored.pictures, scored.probabilities(temperature), strict=True)
    }
    unknown = np.full(len(classes), 1 / len(classes))
    paths = sorted([*known, *(each["path"] for each in scored.unreadable)], key=by_number)

    def rows() -> Iterator[list[str]]:
        yield ["id", "label"] if len(classes) == 2 else ["id", *classes]
        for each in paths:
            row = known.get(each, unknown)
            if len(classes) == 2:
                row = np.clip(row[1:], 1 - SUREST, SUREST)
            yield [Path(each).stem, *(f"{p:.6f}" for p in row)]

    write_table(path, rows())


def by_number(path: str) -> list[tuple[int, int | str]]:
    """2.jpg before 10.jpg."""
    words = re.split(r"(\d+)", path)
    return [(0, int(word)) if word.isdecimal() else (1, word) for word in words]
