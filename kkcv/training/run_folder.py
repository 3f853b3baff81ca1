"""The folder of a run: what lies where, and when it counts as finished.

RUN/best.json best.safetensors   the checkpoint: written last of all, they make the run finished
    last.json last.safetensors   the weights after the last step
    recipe.json                  every setting
    split.csv data.json          the part of each picture; the findings of the inspection
    metrics.csv logs/            the epochs, for a table and for TensorBoard
    evaluation.json predictions.csv
    report.html plots/           for people
    submission.csv               where there are unlabelled pictures
    unfinished/                  the resume point; goes when the run is finished
"""

import json
import shutil
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from kkcv.disk import write_file
from kkcv.errors import TrainingError
from kkcv.images.skipped import SETTINGS, SPLIT

from .recipe import Recipe


class RunFolder:
    """Paths below a run, and the two states that it can be in."""

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        self.unfinished = self.path / "unfinished"
        self.resume = self.unfinished / "resume.ckpt"
        self.recipe = self.path / SETTINGS
        self.data = self.path / "data.json"
        self.split = self.path / SPLIT
        self.table = self.path / "metrics.csv"
        self.logs = self.path / "logs"
        self.evaluation = self.path / "evaluation.json"
        self.predictions = self.path / "predictions.csv"
        self.plots = self.path / "plots"
        self.report = self.path / "report.html"
        self.submission = self.path / "submission.csv"
        self.best = self.path / "best"  # stems of checkpoints
        self.last = self.path / "last"

    @property
    def is_finished(self) -> bool:
        return self.best.with_suffix(".json").is_file()

    def check_new(self) -> None:
        """Raises TrainingError when something is there already."""
        if self.is_finished:
            raise TrainingError(f"{self.path} holds a finished run; choose another folder")
        if self.unfinished.is_dir() and self.split.is_file():
            raise TrainingError(
                f"{self.path} holds a run that is not finished; go on with --resume, or remove it"
            )
        with suppress(OSError):
            self.unfinished.rmdir()  # empty: of a run that was killed while it looked at the data
        if self.path.is_dir() and any(self.path.iterdir()):
            raise TrainingError(f"{self.path} is not empty; choose another folder for the run")

    def begin(self) -> None:
        """Make the folder. Raises TrainingError when something is there already."""
        self.check_new()
        try:
            self.unfinished.mkdir(parents=True)
        except OSError as error:
            raise TrainingError(f"{self.path} cannot be made: {error.strerror}") from None

    def forget(self) -> None:
        """Remove what was begun, when nothing has come of it."""
        shutil.rmtree(self.path, ignore_errors=True)

    def check_resumable(self) -> None:
        """Raises TrainingError when there is nothing to go on with."""
        if self.is_finished:
            raise TrainingError(f"{self.path} holds a finished run; there is nothing to resume")
        if not (self.unfinished.is_dir() and self.split.is_file()):
            raise TrainingError(
                f"{self.path} holds no run that could be resumed: none was begun, or it was "
                "stopped while it looked at the data; begin without --resume"
            )

    def finds_the_same(self, weights: str, preprocess: Mapping[str, Any]) -> bool:
        """Whether a search with this run finds what one with these weights finds.

        It does where only the head was trained: the embedding is that of before.

        Args:
            weights: of an embedding space: its id of the weights.
            preprocess: its preprocessing, as ``Preprocess.to_dict`` gives it.
        """
        facts = read_json(self.best.with_suffix(".json"))
        backbone = facts.get("backbone", {"trained": True})
        return (
            not backbone["trained"]
            and backbone["weights"] == weights
            and facts["preprocess"] == dict(preprocess)
        )

    def report_in(self, language: str) -> str:
        """The report as HTML, in ``en`` or ``zh`` whatever the browser speaks."""
        html = self.report.read_text(encoding="utf-8")
        return html.replace("<html>", f'<html lang="{language}">', 1)

    def read_recipe(self) -> Recipe:
        return Recipe.from_dict(read_json(self.recipe))

    def finish(self) -> None:
        """Nothing is left to resume."""
        shutil.rmtree(self.unfinished, ignore_errors=True)


def read_json(path: Path) -> dict[str, Any]:
    """Raises TrainingError."""
    try:
        document: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise TrainingError(f"{path} cannot be read: {error}") from None
    return document


def write_json(path: Path, document: dict[str, Any]) -> None:
    text = json.dumps(document, indent=1, ensure_ascii=False) + "\n"
    write_file(path, text.encode(errors="backslashreplace"))
