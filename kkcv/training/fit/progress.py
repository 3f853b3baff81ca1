"""How far a run has come: the epochs behind it, and the best weights so far."""

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple, TypedDict

from torch import Tensor

from kkcv.tables import write_table


class Row(TypedDict):
    """An epoch, as metrics.csv and the resume point have it."""

    stage: str
    epoch: int  # from 0 in its stage
    train_loss: float
    train_accuracy: float
    val_loss: float
    val_accuracy: float
    learning_rate: float


COLUMNS = tuple(Row.__annotations__)


class Figures(NamedTuple):
    """Figures of the validation part: means over its pictures."""

    loss: float
    accuracy: float


class TrainingFigures(NamedTuple):
    """Figures of one epoch; ``rate`` is the head's learning rate at its end."""

    loss: float
    accuracy: float
    rate: float


class Progress:
    """The state of a run besides the weights under training; the resume point saves it too."""

    def __init__(self, choose_by: str = "loss") -> None:
        self.choose_by = choose_by
        self.began, self.seconds_before = time.monotonic(), 0.0
        self.stage = 0
        self.rows: list[Row] = []
        self.accumulate = 0  # parts of a step, where memory was too small for the recipe's
        self.rows_before = 0  # rows of the stages before this one
        self.best: Figures | None = None
        self.best_at: tuple[int, int] = (0, 0)  # stage, epoch
        self.best_state: dict[str, Tensor] = {}
        self.latest: Figures | None = None

    def begin_stage(self, number: int) -> None:
        self.stage, self.rows_before = number, len(self.rows)

    def restart_stage(self) -> None:
        """Forget the epochs of this stage; the best weights stay."""
        del self.rows[self.rows_before :]

    def improves(self, figures: Figures) -> bool:
        """Whether these are better than the best; the other figure decides between equals.

        With ``both``, neither may be worse, so the end is no worse than the first stage. In that
        one the loss chooses, as it does in a run of the head alone.
        """
        if self.best is None:
            return True
        if self.choose_by == "both" and self.stage > 0:
            worse = figures.loss > self.best.loss or figures.accuracy < self.best.accuracy
            return not worse and figures != self.best
        return self.order(figures) < self.order(self.best)

    def order(self, figures: Figures) -> tuple[float, float]:
        both = (figures.loss, -figures.accuracy)
        return both[::-1] if self.choose_by == "accuracy" else both

    def validated(self, epoch: int, figures: Figures, state: Mapping[str, Tensor]) -> None:
        """Take note of an epoch's figures, and of the weights if they are the best so far."""
        self.latest = figures
        if self.improves(figures):
            self.best, self.best_at = figures, (self.stage, epoch)
            self.best_state = {k: v.detach().cpu().clone() for k, v in state.items()}

    def end_epoch(self, stage: str, epoch: int, figures: TrainingFigures) -> None:
        assert self.latest is not None
        row = Row(
            stage=stage,
            epoch=epoch,
            train_loss=figures.loss,
            train_accuracy=figures.accuracy,
            val_loss=self.latest.loss,
            val_accuracy=self.latest.accuracy,
            learning_rate=figures.rate,
        )
        self.rows.append(row)

    def write_csv(self, path: Path) -> None:
        write_table(path, [COLUMNS, *(row.values() for row in self.rows)])

    @property
    def seconds(self) -> float:
        """Since the run began, without the time between a stop and --resume."""
        return self.seconds_before + time.monotonic() - self.began

    def to_state(self) -> dict[str, Any]:
        """Plain values and tensors."""
        return {
            "seconds": self.seconds,
            "stage": self.stage,
            "rows": self.rows,
            "rows_before": self.rows_before,
            "accumulate": self.accumulate,
            "best": None if self.best is None else list(self.best),
            "best_at": list(self.best_at),
            "best_state": self.best_state,
            "latest": None if self.latest is None else list(self.latest),
        }

    def load_state(self, state: Mapping[str, Any]) -> None:
        self.began, self.seconds_before = time.monotonic(), state["seconds"]
        self.stage, self.rows = state["stage"], list(state["rows"])
        self.rows_before, self.accumulate = state["rows_before"], state["accumulate"]
        self.best = None if state["best"] is None else Figures(*state["best"])
        self.best_at = tuple(state["best_at"])
        self.best_state = dict(state["best_state"])
        self.latest = None if state["latest"] is None else Figures(*state["latest"])
