"""The pictures that a person should look at: the worst errors, and labels that may be wrong."""

from pathlib import Path

import numpy as np

from kkcv.images.decode import decode
from kkcv.images.sheet import CELL, contact_sheet, save_png

from .scoring import Scored

MOST = 24  # pictures on a sheet


def most_confidently_wrong(probabilities: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Indices of errors, the surest first: at most 24."""
    taken = probabilities.argmax(axis=1)
    wrong = np.flatnonzero(taken != labels)
    surest = np.argsort(-probabilities[wrong, taken[wrong]], kind="stable")
    return wrong[surest][:MOST]


def likeliest_mislabelled(probabilities: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Indices of pictures whose own label is the least probable, where another is more so.

    The "self-confidence" of confident learning (Northcutt et al., arXiv:1911.00068).
    """
    own = probabilities[np.arange(len(labels)), labels]
    suspects = np.flatnonzero(probabilities.argmax(axis=1) != labels)
    return suspects[np.argsort(own[suspects], kind="stable")][:MOST]


def write_sheet(
    path: Path,
    root: Path,
    scored: Scored,
    probabilities: np.ndarray,
    which: np.ndarray,
    classes: tuple[str, ...],
) -> None:
    """A contact sheet of these pictures: what each is labelled, what it was taken for."""
    cells = []
    for i in which:
        picture, taken = scored.pictures[i], int(probabilities[i].argmax())
        caption = (
            f"{picture.label}, taken for {classes[taken]} ({probabilities[i, taken]:.1%})\n"
            f"{picture.path.rpartition('/')[2]}"
        )
        cells.append((decode(root / picture.path, target=CELL), caption))
    save_png(path, contact_sheet(None, cells, columns=6))
