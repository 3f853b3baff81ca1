"""The data of a run as data.json keeps them: where they are, what was found, what they were."""

import dataclasses
from dataclasses import dataclass
from pathlib import Path

from kkcv.errors import TrainingError

from .data.changes import Changes
from .data.report import DataReport
from .data.source import Source
from .run_folder import read_json, write_json


@dataclass(frozen=True)
class RunData:
    """The data that a run trains on.

    ``fingerprint`` is of contents, labels and parts (``split.fingerprint``); ``changes`` are those
    that were accepted when the run was resumed.
    """

    source: Source
    root: Path
    fingerprint: str
    classes: tuple[str, ...]
    unlabelled: tuple[str, ...]
    report: DataReport
    changes: tuple[Changes, ...] = ()

    def write(self, path: Path) -> None:
        facts = dataclasses.asdict(self)
        table = self.source.to_dict()
        facts |= {"source": table.pop("path"), "table": table, "root": str(self.root)}
        write_json(path, facts)

    @classmethod
    def read(cls, path: Path) -> "RunData":
        """Raises TrainingError for a file that ``write`` has not written."""
        facts = read_json(path)
        try:
            return cls(
                source=Source.from_dict({"path": facts["source"], **facts["table"]}),
                root=Path(facts["root"]),
                fingerprint=facts["fingerprint"],
                classes=tuple(facts["classes"]),
                unlabelled=tuple(facts["unlabelled"]),
                report=DataReport.from_dict(facts["report"]),
                changes=tuple(Changes(**each) for each in facts["changes"]),
            )
        except (KeyError, TypeError) as error:
            raise TrainingError(
                f"{path} is of another version of kkcv ({error}); begin the run again"
            ) from None
