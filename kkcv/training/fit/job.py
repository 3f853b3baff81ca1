"""The inputs of training: data, settings, devices, files."""

from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import torch

from kkcv.checkpoint import Checkpoint
from kkcv.training.recipe import Recipe
from kkcv.training.reporter import QUIET, Reporter

from .processes import Processes


class Labelled(NamedTuple):
    """Files and the indices of their classes."""

    paths: list[Path]
    labels: list[int]


class Files(NamedTuple):
    """Where an unfinished run keeps itself."""

    resume: Path  # the resume point
    table: Path  # metrics.csv
    logs: Path  # TensorBoard's folder


@dataclass(frozen=True)
class Job:
    """The inputs of all stages; ``val`` chooses the best epoch."""

    base: Checkpoint
    recipe: Recipe
    classes: tuple[str, ...]
    train: Labelled
    val: Labelled
    files: Files
    device: torch.device
    processes: Processes
    reporter: Reporter = QUIET
    began: float = 0.0  # by time.monotonic(), before the data were inspected
    deadline: float | None = None  # seconds after that when training stops

    @property
    def threads(self) -> int:
        return self.recipe.threads or torch.get_num_threads()
