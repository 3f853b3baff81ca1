"""The stages of a run, one after the other, by PyTorch Lightning."""

import dataclasses
import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal, NamedTuple

import lightning.pytorch as pl
import torch
from lightning.pytorch.callbacks import EarlyStopping, EMAWeightAveraging
from lightning.pytorch.loggers import TensorBoardLogger
from lightning.pytorch.tuner import Tuner
from torch import Tensor

from kkcv.errors import TrainingError
from kkcv.training.recipe import Stage, stages
from kkcv.zoo.network import Network

from . import callbacks, datasets
from .augment import mixing
from .batches import Embeddings, FixedOrder, Loader, Pictures, TrainOrder, seed_of
from .classifier import Classifier
from .freezing import freeze
from .job import Job
from .network import network_for
from .progress import Figures, Progress

PRECISION: dict[str, Literal["32-true", "bf16-mixed", "16-mixed"]] = {
    "32": "32-true",
    "bf16": "bf16-mixed",
    "16": "16-mixed",
}
LOWEST_RATE, HIGHEST_RATE, RATE_STEPS = 1e-6, 1.0, 100  # of the learning-rate finder
REMARKS = (
    ".*treespec, LeafSpec",  # Lightning's own use of what torch has deprecated
    "Found .* module.* in eval mode",  # what is frozen is meant to be
    ".*does not have many workers",  # threads decode
    "You defined a `validation_step`",  # the test of rates does not validate
)


class Fitted(NamedTuple):
    """What training leaves: the best weights in ``progress``, the last ones in ``network``.

    ``embeddings`` are those of the training part, where the best network's backbone made them.
    """

    progress: Progress
    network: Network
    embeddings: Tensor | None


def fit(job: Job) -> Fitted:
    """Train all stages; from the resume point, if there is one.

    Each stage begins with the best weights of those before it, so that the best of all is never
    worse than the first stage's. Raises TrainingError.
    """
    progress, resumed = Progress(job.recipe.choose_by), job.files.resume.is_file()
    if resumed:
        saved = callbacks.load(job.files.resume)
        progress.load_state(saved["kkcv"])
        resumed = "state_dict" in saved  # a stage that starts again has no position in it
    plan, embeddings = stages(job.recipe), None
    for number, stage in enumerate(plan):
        if number < progress.stage:
            continue
        point = job.files.resume if resumed and number == progress.stage else None
        if point is None:
            progress.begin_stage(number)
        network = network_for(job.base, job.classes, job.recipe.seed)
        network.load_state_dict(progress.best_state, strict=False)
        freeze(network, stage.depth)
        stage = dataclasses.replace(stage, sees_map=network.classifies_map)
        with quiet():
            train = fit_stage(job, stage, network, progress, point)
        if isinstance(train, Embeddings):
            embeddings = train.embeddings
    if not plan[progress.best_at[0]].on_embeddings:
        embeddings = None
    return Fitted(progress, network, embeddings)


def fit_stage(
    job: Job, stage: Stage, network: Network, progress: Progress, point: Path | None
) -> Embeddings | Pictures:
    """Train one stage, in place; gives what it was trained on."""
    make = (
        datasets.embeddings(job, network) if stage.on_embeddings else datasets.pictures(job, stage)
    )
    train, val = make
    place = Place()
    order = order_for(job, progress.stage, place)
    if job.recipe.find_lr and point is None:
        rate = find_rate(job, stage, network, train)
        stage = dataclasses.replace(stage, lr=rate)
    module = classifier_for(job, stage, network, progress, len(order))
    logger = TensorBoardLogger(
        job.files.logs, name=None, version=f"{progress.stage}-{stage.name.replace(' ', '-')}"
    )
    place.trainer = trainer_for(
        job,
        max_epochs=stage.epochs,
        callbacks=callbacks_for(job, progress),
        logger=logger,
        log_every_n_steps=1,
    )
    fixed = FixedOrder(len(val), order.share, job.processes.rank, job.processes.world)
    workers = 0 if stage.on_embeddings else job.recipe.workers
    loaders = Loader(train, order, workers), Loader(val, fixed, workers)
    place.trainer.fit(module, *loaders, ckpt_path=point)
    return train


class Place:
    """Where in the stage a trainer is: the epoch, and how many batches of it are done."""

    trainer: pl.Trainer

    def __call__(self) -> tuple[int, int]:
        loop = self.trainer.fit_loop
        done = loop.epoch_loop.batch_progress.current.ready
        epoch = loop.epoch_progress.current.processed  # type: ignore[attr-defined]
        return epoch, done if done < loop.max_batches else 0


def order_for(job: Job, stage: int, place: Place) -> TrainOrder:
    return TrainOrder(
        len(job.train.paths),
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
        mode = "min" if recipe.choose_by == "loss" else "max"
        chosen.append(EarlyStopping(f"val_{recipe.choose_by}", patience=recipe.patience, mode=mode))
    chosen.append(callbacks.Bar(job.reporter.show))
    files = job.files
    chosen.append(callbacks.ResumePoint(files.resume, recipe.save_minutes, progress, files.table))
    return chosen


def trainer_for(job: Job, **settings: Any) -> pl.Trainer:
    """Lightning's trainer on our devices, without what we do ourselves."""
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
        use_distributed_sampler=False,
        num_sanity_val_steps=0,
        enable_progress_bar=False,
        enable_model_summary=False,
        **settings,
    )


def find_rate(job: Job, stage: Stage, network: Network, train: Embeddings | Pictures) -> float:
    """The learning rate where the loss falls fastest, by Lightning's range test.

    Smith: Cyclical Learning Rates for Training Neural Networks, arXiv:1506.01186, section 3.3. All
    groups have the same rate during the test; the network is as before after it.

    Raises TrainingError where the loss never falls, and for more than one process.
    """
    if job.processes.world > 1:
        raise TrainingError("find_lr works in one process; find the rate first, then give it as lr")
    before = {name: value.clone() for name, value in network.state_dict().items()}
    place, progress = Place(), Progress()
    progress.latest = Figures(0.0, 0.0)
    order = order_for(job, len(stages(job.recipe)), place)
    module = classifier_for(job, stage, network, progress, len(order))
    place.trainer = trainer_for(
        job, logger=False, enable_checkpointing=False, limit_val_batches=0, max_epochs=-1
    )
    finder = Tuner(place.trainer).lr_find(
        module,
        Loader(train, order),
        min_lr=LOWEST_RATE,
        max_lr=HIGHEST_RATE,
        num_training=RATE_STEPS,
        update_attr=False,
    )
    rate = finder.suggestion() if finder else None
    network.load_state_dict(before)
    if rate is None:
        raise TrainingError("no learning rate lets the loss fall; give one as lr and head_lr")
    job.reporter.show(f"{stage.name}: learning rate {rate:.2g}", 1, 1)
    return float(rate)


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
