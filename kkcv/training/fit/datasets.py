"""The two parts of a stage as datasets: pictures, or what a frozen backbone makes of them."""

import torch
from torch import Tensor

from kkcv.errors import TrainingError
from kkcv.training.inference import outputs, placed
from kkcv.training.recipe import Stage
from kkcv.zoo.network import Network

from .augment import Augment
from .batches import Embeddings, Pictures
from .job import Job, Labelled


def pictures(job: Job, stage: Stage) -> tuple[Pictures, Pictures]:
    """Training part, augmented as the stage says, and validation part."""
    preprocess, recipe = job.base.preprocess, job.recipe
    augment = None if stage.augment == "none" else Augment(stage.augment, recipe, preprocess)
    return (
        Pictures(*job.train, preprocess, augment, seed=recipe.seed, threads=job.threads),
        Pictures(*job.val, preprocess, threads=job.threads),
    )


def embeddings(job: Job, network: Network) -> tuple[Embeddings, Embeddings]:
    """Both parts, through the backbone once and for all."""
    network = placed(network, job.device)
    return (
        Embeddings(embedded(job, network, job.train, "train"), job.train.labels),
        Embeddings(embedded(job, network, job.val, "val"), job.val.labels),
    )


def embedded(job: Job, network: Network, part: Labelled, name: str) -> Tensor:
    """float32 (N, D); each process computes its share of the pictures."""
    rank, world = job.processes.rank, job.processes.world
    rows, errors = outputs(
        network.embedding,
        part.paths[rank::world],
        job.base.preprocess,
        device=job.device,
        threads=job.recipe.threads or None,
        progress=lambda done, total: job.reporter.show(f"embedding {name}", done, total),
    )
    shares = job.processes.gather((rows, [str(error) for error in errors if error]))
    if failed := [message for _, messages in shares for message in messages]:
        raise TrainingError(f"a picture has become unreadable: {failed[0]}")
    whole = torch.empty(len(part.paths), max(rows.shape[1] for rows, _ in shares))
    for other, (share, _) in enumerate(shares):
        if len(share):
            whole[other::world] = share
    return whole
