"""Labelled pictures, whatever they were read from."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from kkcv.errors import DataError

PARTS = ("train", "val", "test")
PART_NAMES = {
    **dict.fromkeys(("train", "training", "training_set"), "train"),
    **dict.fromkeys(("val", "valid", "validation", "validation_set", "dev"), "val"),
    **dict.fromkeys(("test", "testing", "test_set"), "test"),
}


class Picture(NamedTuple):
    """A labelled picture.

    ``path`` is relative to the root, with forward slashes. ``part`` is empty while undecided,
    ``sha256`` (of the file) until the picture has been inspected.
    """

    path: str
    label: str
    part: str = ""
    sha256: str = ""


@dataclass(frozen=True)
class LabelledData:
    """Pictures with their classes as they lie on disk.

    ``unlabelled`` are pictures to predict, ``empty`` class folders without any picture, ``loose``
    pictures that lie in no class folder.
    """

    root: Path
    pictures: tuple[Picture, ...]
    unlabelled: tuple[str, ...] = ()
    empty: tuple[str, ...] = ()
    loose: tuple[str, ...] = ()

    @property
    def classes(self) -> tuple[str, ...]:
        """In alphabetic order: the index of a class is its place here."""
        return tuple(sorted({picture.label for picture in self.pictures}))

    def of(self, part: str) -> tuple[Picture, ...]:
        return tuple(picture for picture in self.pictures if picture.part == part)

    def check_trainable(self) -> None:
        """Raises DataError for fewer than two classes."""
        if len(self.classes) < 2:
            label = self.classes[0]
            if all(picture.path.startswith(f"{label}/") for picture in self.pictures) and all(
                picture.path.count("/") > 1 for picture in self.pictures
            ):
                raise DataError(
                    f"{self.root}: there is one class, {label!r}; if the folders in it are the "
                    f"classes, give {self.root / label}"
                )
            empty = f" (without pictures: {', '.join(self.empty)})" if self.empty else ""
            raise DataError(
                f"{self.root}: there is one class, {label!r}{empty}; a classifier needs two or more"
            )


def check_paths(where: Path, pictures: Sequence[Picture]) -> None:
    """Raises DataError when there are no pictures, or a path has two labels or is listed twice."""
    if not pictures:
        raise DataError(f"{where}: there are no pictures")
    labels: dict[str, str] = {}
    for picture in pictures:
        if labels.setdefault(picture.path, picture.label) != picture.label:
            both = f"{labels[picture.path]!r} and {picture.label!r}"
            raise DataError(
                f"{where}: {picture.path} has two labels, {both}; multi-label data cannot be "
                "trained on: a picture has one label"
            )
    if len(labels) < len(pictures):
        twice = next(path for path, n in Counter(p.path for p in pictures).items() if n > 1)
        count = len(pictures) - len(labels)
        raise DataError(f"{where}: {count} pictures are listed twice, the first: {twice}")
