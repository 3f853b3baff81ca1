"""Lightning callbacks: keep the best weights, save resume points, show progress."""

import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import lightning.pytorch as pl
import torch
from lightning.pytorch.plugins.io import TorchCheckpointIO

from kkcv.disk import atomic_write
from kkcv.errors import TrainingError

from .classifier import Classifier
from .progress import Progress


class KeepBest(pl.Callback):
    """Hands each epoch's figures and weights to the progress.

    It stands before the averaging of weights, which swaps its own in for validation and out again.
    """

    def on_validation_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        assert isinstance(pl_module, Classifier)
        prefix = "head." if pl_module.stage.on_embeddings else ""
        state = {prefix + name: value for name, value in pl_module.model.state_dict().items()}
        figures = pl_module.validation_figures()
        pl_module.progress.validated(trainer.current_epoch, figures, state)


class ResumePoint(pl.callbacks.Checkpoint):
    """Saves all that a resumed run needs: after each epoch, and between steps every few minutes.

    A step is never saved half accumulated. An early end is remembered.
    """

    def __init__(self, path: Path, minutes: float, progress: Progress, table: Path) -> None:
        self.path, self.seconds, self.progress, self.table = path, 60 * minutes, progress, table
        self.last_time, self.last_step, self.stop = time.monotonic(), 0, False

    def on_train_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        trainer.should_stop = self.stop
        self.last_step = trainer.global_step

    def on_train_batch_end(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, *_: Any
    ) -> None:
        stepped = trainer.global_step > self.last_step and not trainer.is_last_batch
        due = time.monotonic() - self.last_time >= self.seconds
        if stepped and trainer.strategy.broadcast(due):
            self.save(trainer)

    def on_train_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        if trainer.is_global_zero:
            self.progress.write_csv(self.table)
        self.save(trainer)

    def save(self, trainer: pl.Trainer) -> None:
        trainer.save_checkpoint(self.path)
        self.last_time, self.last_step = time.monotonic(), trainer.global_step

    def on_save_checkpoint(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, checkpoint: dict[str, Any]
    ) -> None:
        checkpoint["stop"] = trainer.should_stop

    def on_load_checkpoint(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, checkpoint: dict[str, Any]
    ) -> None:
        self.stop = checkpoint["stop"]


class Deadline(pl.Callback):
    """Ends training after so many seconds of the run; the step that is under way is finished."""

    def __init__(self, seconds: float, progress: Progress) -> None:
        self.seconds, self.progress = seconds, progress

    def on_train_batch_end(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, *_: Any
    ) -> None:
        if trainer.strategy.broadcast(self.progress.seconds > self.seconds):
            trainer.should_stop = True


class Bar(pl.Callback):
    """Tells how far the stage is: ``show(text, done, total)``, a step at a time."""

    def __init__(self, show: Callable[[str, int, int], None]) -> None:
        self.show = show

    def on_train_batch_end(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, *_: Any
    ) -> None:
        assert isinstance(pl_module, Classifier)
        name, epoch = pl_module.stage.name, trainer.current_epoch + 1
        text = f"{name}: epoch {epoch}, steps"
        if (val := pl_module.progress.latest) is not None:
            figures = f"val loss {val.loss:.4f}, accuracy {val.accuracy:.2%}"
            text = f"{name}: epoch {epoch}, {figures}, steps"
        self.show(text, trainer.global_step, pl_module.steps)


class WholeFiles(TorchCheckpointIO):
    """Saves a state so that the one before it is kept until the new one is on the disk."""

    def save_checkpoint(
        self, checkpoint: dict[str, Any], path: Any, storage_options: Any | None = None
    ) -> None:
        path = Path(path)
        try:
            with atomic_write(path) as part:
                torch.save(checkpoint, part)
        except (OSError, RuntimeError) as error:  # torch's writer turns a full disk into the latter
            raise TrainingError(unwritable(path, error)) from None

    def load_checkpoint(
        self, path: Any, map_location: Any = None, weights_only: bool | None = None
    ) -> dict[str, Any]:
        return load(Path(path))


def restart_stage(path: Path) -> None:
    """Let a resumed run start its stage again, from the best weights so far, if there are any.

    The best figures are forgotten: they are of other pictures.
    """
    if not path.is_file():
        return
    progress = Progress()
    progress.load_state(load(path)["kkcv"])
    progress.restart_stage()
    progress.best = None
    WholeFiles().save_checkpoint({"kkcv": progress.to_state()}, path)


def unwritable(path: Path, error: Exception) -> str:
    """The message when weights cannot be written."""
    why = os.strerror(error.errno) if isinstance(error, OSError) and error.errno else str(error)
    return (
        f"{path} cannot be written ({why.splitlines()[0]}); what was saved before is whole: "
        "make room, and go on with --resume"
    )


def load(path: Path) -> dict[str, Any]:
    """A resume point, its tensors on the CPU (TrainingError)."""
    try:
        state: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # a damaged pickle can raise nearly anything
        raise TrainingError(
            f"{path} is damaged and cannot be resumed from ({type(error).__name__}); remove the "
            "folder, and begin again"
        ) from None
    return state
