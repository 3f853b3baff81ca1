"""Labelled pictures, wherever they were read from."""

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
    """``path`` is below the root, with forward slashes; ``part`` is empty while undecided."""

    path: str
    label: str
    part: str = ""


@dataclass(frozen=True)
class LabelledData:
    """Pictures with their classes, as they lie; ``unlabelled`` are those to predict."""

    root: Path
    pictures: tuple[Picture, ...]
    unlabelled: tuple[str, ...] = ()

    @property
    def classes(self) -> tuple[str, ...]:
        """In alphabetic order: the index of a class is its place here."""
        return tuple(sorted({picture.label for picture in self.pictures}))

    def of(self, part: str) -> tuple[Picture, ...]:
        return tuple(picture for picture in self.pictures if picture.part == part)


def labelled_data(
    root: Path, pictures: list[Picture], unlabelled: tuple[str, ...], named: Path | None = None
) -> LabelledData:
    """Refuse what cannot be learned from: nothing, one class, a path with two labels."""
    where = named or root
    data = LabelledData(root, tuple(pictures), unlabelled)
    if not pictures:
        raise DataError(f"{where}: there are no pictures")
    if len(data.classes) < 2:
        raise DataError(
            f"{where}: there is one class, {data.classes[0]!r}; a classifier needs two or more"
        )
    seen: dict[str, str] = {}
    for picture in pictures:
        if seen.setdefault(picture.path, picture.label) != picture.label:
            both = f"{seen[picture.path]!r} and {picture.label!r}"
            raise DataError(f"{where}: {picture.path} has two labels, {both}")
    if len(seen) < len(pictures):
        raise DataError(f"{where}: {len(pictures) - len(seen)} pictures are listed twice")
    return data
