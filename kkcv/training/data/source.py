"""Where labelled pictures are: a folder or a CSV."""

from dataclasses import dataclass
from pathlib import Path

from kkcv.errors import DataError

from .folders import read_folder
from .labelled import LabelledData
from .tables import read_csv


def read_data(
    path: str | Path,
    *,
    path_column: str | None = None,
    label_column: str | None = None,
    root: str | Path | None = None,
) -> LabelledData:
    """The labelled pictures of a folder or a CSV, in an order that does not change.

    A folder holds class folders, or ``train``, ``val``, ``test`` with class folders in them, or
    what Kaggle's zip holds: ``train/cat.0.jpg`` … and ``test1/`` without labels. A CSV has a column
    of paths, relative to ``root`` (its own folder), one of labels, and perhaps one of parts.

    Raises DataError.
    """
    path = Path(path)
    if path.is_file():
        if path.suffix.lower() != ".csv":
            raise DataError(f"{path}: give a folder or a .csv; a .zip must be unzipped first")
        return read_csv(path, path_column, label_column, Path(root) if root else path.parent)
    if not path.is_dir():
        raise DataError(f"{path}: there is no folder and no .csv at this path")
    return read_folder(path)


@dataclass(frozen=True)
class Source:
    """Where labelled pictures are, before they are read."""

    path: Path
    path_column: str | None = None
    label_column: str | None = None
    root: Path | None = None

    def read(self) -> LabelledData:
        """See ``read_data``."""
        return read_data(
            self.path,
            path_column=self.path_column,
            label_column=self.label_column,
            root=self.root,
        )
