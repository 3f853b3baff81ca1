"""What a run needs to know while it trains."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import torch

from kkcv.checkpoint import Checkpoint
from kkcv.training.recipe import Recipe

from .processes import Processes

Show = Callable[[str, int, int], None]  # what, done, total


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
    """The same for all stages: ``val`` is what the best epoch is chosen by."""

    base: Checkpoint
    recipe: Recipe
    classes: tuple[str, ...]
    train: Labelled
    val: Labelled
    files: Files
    device: torch.device
    processes: Processes
    show: Show = lambda what, done, total: None

    @property
    def threads(self) -> int:
        return self.recipe.threads or torch.get_num_threads()
