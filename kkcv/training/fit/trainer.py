"""Lightning's trainer for a stage, and its parts: order of pictures, module, callbacks."""

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Literal

import lightning.pytorch as pl
import torch
from lightning.pytorch.callbacks import EarlyStopping, EMAWeightAveraging
from torch import Tensor

from kkcv.training.plan import Stage
from kkcv.zoo.network import Network

from . import callbacks
from .augment import mixing
from .batches import TrainOrder, seed_of
from .classifier import Classifier
from .job import Job
from .progress import Progress

PRECISION: dict[str, Literal["32-true", "bf16-mixed", "16-mixed"]] = {
    "32": "32-true",
    "bf16": "bf16-mixed",
    "16": "16-mixed",
}
REMARKS = (
    ".*treespec, LeafSpec",  # Lightning's own use of what torch has deprecated
    "Found .* module.* in eval mode",  # what is frozen is meant to be
    ".*does not have many workers",  # threads decode
    "It is recommended to use `self.log",  # with sync_dist: our sums are of all processes
    "You defined a `validation_step`",  # the test of rates does not validate
)


class Position:
    """A trainer's position in its stage: the epoch, and how many batches of it are done."""

    trainer: pl.Trainer

    def __call__(self) -> tuple[int, int]:
        loop = self.trainer.fit_loop
        done = loop.epoch_loop.batch_progress.current.ready
        epoch = loop.epoch_progress.current.processed  # type: ignore[attr-defined]
        return epoch, done if done < loop.max_batches else 0


def order_for(job: Job, stage: int, count: int, place: Position) -> TrainOrder:
    return TrainOrder(
        count,
        job.recipe.batch_size,
        seed=seed_of(job.recipe.seed, stage),
        accumulate=job.recipe.accumulate,
        rank=job.processes.rank,
        world=job.processes.world,
        position=place,
    )


def classifier_for(
    job: Job, stage: Stage, network: Network, progress: Progress, batches: int
) -> Classifier:
    return Classifier(
        network,
        stage,
        job.recipe,
        progress,
        batches // job.recipe.accumulate * stage.epochs,
        class_weights=class_weights(job),
        mix=None if stage.on_embeddings else mixing(job.recipe, len(job.classes)),
    )


def class_weights(job: Job) -> Tensor | None:
    """Weights that make each class count the same: float32 (K,), 1 in the mean over pictures."""
    if job.recipe.class_weights == "none":
        return None
    labels, classes = job.train.labels, len(job.classes)
    return len(labels) / (classes * torch.bincount(torch.tensor(labels), minlength=classes))


def callbacks_for(job: Job, progress: Progress) -> list[pl.Callback]:
    """Their order matters: see ``callbacks``."""
    recipe = job.recipe
    chosen: list[pl.Callback] = [callbacks.KeepBest()]
    if recipe.ema:
        chosen.append(EMAWeightAveraging(decay=recipe.ema))
    if recipe.patience:
        figure, mode = ("accuracy", "max") if recipe.choose_by == "accuracy" else ("loss", "min")
        chosen.append(EarlyStopping(f"val_{figure}", patience=recipe.patience, mode=mode))
    if job.deadline is not None:
        chosen.append(callbacks.Deadline(job.deadline, progress))
    chosen.append(callbacks.Bar(job.reporter.show))
    files = job.files
    chosen.append(callbacks.ResumePoint(files.resume, recipe.save_minutes, progress, files.table))
    return chosen


def trainer_for(job: Job, **settings: Any) -> pl.Trainer:
    """Lightning's trainer on the run's devices, without the features that kkcv replaces."""
    recipe, processes = job.recipe, job.processes
    return pl.Trainer(
        accelerator="gpu" if job.device.type == "cuda" else job.device.type,
        devices=processes.local,
        num_nodes=processes.world // processes.local,
        strategy="ddp" if processes.world > 1 else "auto",
        precision=PRECISION[recipe.precision],
        accumulate_grad_batches=recipe.accumulate,
        gradient_clip_val=recipe.clip or None,
        plugins=[callbacks.WholeFiles()],
        default_root_dir=job.files.resume.parent,
        use_distributed_sampler=False,  # batches.py divides them among processes
        num_sanity_val_steps=0,  # its figures would be taken for an epoch's
        enable_progress_bar=False,
        enable_model_summary=False,
        **settings,
    )


@contextmanager
def quiet() -> Iterator[None]:
    """Lightning's remarks (which devices there are, what its cloud offers) are not for our user."""
    loggers = [logging.getLogger(name) for name in ("lightning.pytorch", "lightning.fabric")]
    before = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            for message in REMARKS:
                warnings.filterwarnings("ignore", message)
            yield
    finally:
        for logger, level in zip(loggers, before, strict=True):
            logger.setLevel(level)
