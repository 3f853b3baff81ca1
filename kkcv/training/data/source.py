"""Where labelled pictures are: a folder or a CSV."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from kkcv.disk import typed
from kkcv.errors import DataError

from .folders import read_folder
from .labelled import LabelledData
from .tables import SUFFIXES, read_csv


@dataclass(frozen=True)
class Source:
    """A folder (see ``read_folder``) or a table (see ``read_csv``) of labelled pictures.

    ``path_column`` and ``label_column`` are columns of the table; None finds them by their usual
    names. ``root`` is where the paths of a table begin; None is its own folder.
    """

    path: Path
    path_column: str | None = None
    label_column: str | None = None
    root: Path | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "path", Path(typed(self.path)))
        if self.root is not None:
            object.__setattr__(self, "root", Path(typed(self.root)))

    def read(self) -> LabelledData:
        """The labelled pictures, in an order that does not change.

        Raises DataError when there are none, a table cannot be used, and as ``check`` does.
        """
        self.check()
        if self.path.is_dir():
            return read_folder(self.path)
        root = self.root or self.path.parent
        return read_csv(self.path, self.path_column, self.label_column, root)

    def check(self) -> None:
        """Raises DataError where no data can lie, or a folder comes with the options of a table."""
        if self.path.is_file():
            if self.path.suffix.lower() not in SUFFIXES:
                raise DataError(
                    f"{self.path}: give a folder or a .csv; a .zip must be unzipped first"
                )
            return
        if not self.path.is_dir():
            raise DataError(f"{self.path}: there is no folder and no .csv at this path")
        if unused := [name for name in self.to_dict() if name != "path"]:
            raise DataError(
                f"--{unused[0].replace('_', '-')} is for a CSV, and {self.path} is a folder, whose "
                "subfolders are the classes; give the CSV itself"
            )

    def to_dict(self) -> dict[str, str]:
        """Without what is not set."""
        return {name: str(value) for name, value in vars(self).items() if value is not None}

    @classmethod
    def from_dict(cls, values: Mapping[str, str]) -> "Source":
        """The source that ``to_dict`` made a dictionary of."""
        paths = {name: Path(values[name]) for name in ("path", "root") if name in values}
        return cls(**{**values, **paths})  # type: ignore[arg-type]
