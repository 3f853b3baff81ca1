"""The stages of a run, one after the other, by PyTorch Lightning."""

import dataclasses
from pathlib import Path
from typing import NamedTuple

import torch
from lightning.pytorch.loggers import TensorBoardLogger
from torch import Tensor

from kkcv.checkpoint import Checkpoint
from kkcv.errors import TrainingError
from kkcv.training.plan import Stage, stages
from kkcv.zoo.network import Network

from . import callbacks, datasets
from .batches import FixedOrder, Loader
from .datasets import Embeddings, Pictures
from .find_rate import find_rate
from .freezing import freeze
from .job import Job
from .network import network_for, seen_by
from .progress import Progress
from .trainer import Position, callbacks_for, classifier_for, order_for, quiet, trainer_for


class Fitted(NamedTuple):
    """The result of training: the best weights in ``progress``, the last ones in ``network``.

    ``best`` and ``last`` are the base checkpoint with the views of the best epoch's stage and of
    the last one. ``embeddings`` are those of the training part's views and crops, (N * V, D), where
    the best epoch's stage was trained on them.
    """

    progress: Progress
    best: Checkpoint
    network: Network
    last: Checkpoint
    embeddings: Tensor | None


def fit(job: Job) -> Fitted:
    """Train all stages; from the resume point, if there is one.

    Each stage begins with the best weights of those before it, so that the best of all is never
    worse than the first stage's. Raises TrainingError.
    """
    progress, point = Progress(job.recipe.choose_by), None
    progress.began = job.began
    if job.files.resume.is_file():
        saved = callbacks.load(job.files.resume)
        progress.load_state(saved["kkcv"])
        if "state_dict" in saved:  # a stage that starts again has no position in it
            point = job.files.resume
    plan, network, embeddings = stages(job.recipe), None, None
    for number, stage in enumerate(plan):
        if number < progress.stage:
            continue
        late = job.deadline is not None and progress.seconds > job.deadline
        if late and network is not None:
            break
        if point is None:
            progress.begin_stage(number)
        network, train = fit_stage_in_memory(job, stage, progress, point)
        point = None
        if progress.best_at[0] == number:
            embeddings = train.embeddings if isinstance(train, Embeddings) else None
    assert network is not None
    best, last = (seen_by(job.base, plan[i]) for i in (progress.best_at[0], progress.stage))
    return Fitted(progress, best, network, last, embeddings)


def fit_stage_in_memory(
    job: Job, stage: Stage, progress: Progress, point: Path | None
) -> tuple[Network, Embeddings | Pictures]:
    """Train one stage; where the GPU's memory is too small, again in more and smaller parts.

    Returns the network after its last step, and the pictures that it was trained on.
    """
    job = dataclasses.replace(job, base=seen_by(job.base, stage))
    while True:
        parts = max(job.recipe.accumulate, progress.accumulate)
        job = dataclasses.replace(job, recipe=dataclasses.replace(job.recipe, accumulate=parts))
        network = network_for(job.base, job.classes, job.recipe.seed)
        network.load_state_dict(progress.best_state, strict=False)
        freeze(network, stage.depth)
        stage = dataclasses.replace(stage, sees_map=network.classifies_map)
        try:
            with quiet():
                return network, fit_stage(job, stage, network, progress, point)
        except torch.OutOfMemoryError:
            progress.accumulate = more_parts(job)
            progress.restart_stage()
            point = None
        job.reporter.say(
            f"out of GPU memory with {job.recipe.batch_size // job.recipe.accumulate} pictures at "
            f"once: {stage.name} starts again with {job.recipe.batch_size // progress.accumulate}, "
            f"in {progress.accumulate} parts a step"
        )
        torch.cuda.empty_cache()


def more_parts(job: Job) -> int:
    """The next number of parts that a step can be computed in, at least twice as many.

    Raises TrainingError where there is none, and for several processes: they cannot agree on one.
    """
    batch, parts, world = job.recipe.batch_size, job.recipe.accumulate, job.processes.world
    if world > 1:
        raise TrainingError(
            "out of GPU memory; begin again with a smaller --batch-size, or with --accumulate "
            f"{2 * parts}"
        ) from None
    for more in range(2 * parts, batch + 1):
        if batch % more == 0:
            return more
    raise TrainingError(
        "out of GPU memory with one picture at a time; choose a smaller --size or network, or "
        "unfreeze fewer stages"
    ) from None


def fit_stage(
    job: Job, stage: Stage, network: Network, progress: Progress, point: Path | None
) -> Embeddings | Pictures:
    """Train one stage, in place; returns the pictures or embeddings that it was trained on."""
    train: Embeddings | Pictures
    val: Embeddings | Pictures
    if stage.on_embeddings:
        train, val = datasets.embeddings(job, stage, network)
    else:
        train, val = datasets.pictures(job, stage)
        network.to(memory_format=torch.channels_last)
    place = Position()
    order = order_for(job, progress.stage, len(train), place)
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
