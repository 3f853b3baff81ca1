"""The two parts of a stage as datasets: pictures, or the embeddings of a frozen backbone."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import Dataset

from kkcv.errors import PictureError, TrainingError
from kkcv.images.decode import decode
from kkcv.images.preprocess import Preprocess
from kkcv.training.inference import MoreCrops, outputs, placed
from kkcv.training.plan import Stage
from kkcv.zoo.network import Network

from .augment import Augment
from .batches import Batch, Slot, seed_of
from .job import Job, Labelled


class Pictures(Dataset[Batch]):
    """Files as tensors, a batch at a time: decoded in threads, augmented by seed and epoch.

    Without augmentation each view of a picture is an example of its own.
    """

    def __init__(
        self,
        paths: Sequence[Path],
        labels: Sequence[int],
        views: Sequence[Preprocess],
        augment: Augment | None = None,
        *,
        seed: int = 0,
        threads: int = 1,
    ) -> None:
        self.views, self.augment = views[:1] if augment else views, augment
        self.paths, self.labels = list(paths), in_views(labels, len(self.views))
        self.seed, self.threads = seed, threads

    def __len__(self) -> int:
        return len(self.labels)

    def __getitems__(self, places: list[Slot]) -> Batch:
        with ThreadPoolExecutor(self.threads) as pool:
            pixels = list(pool.map(self.pixels, [place.at for place in places]))
        tensors = [self.tensor(p, place) for p, place in zip(pixels, places, strict=True)]
        return batch_of(torch.stack(tensors), self.labels, places)

    def pixels(self, index: int) -> np.ndarray:
        """The part that runs in threads: the crop, or for augmentation the decoded picture."""
        try:
            pixels = decode(self.paths[index // len(self.views)], target=self.views[0].target)
        except PictureError as error:  # it was readable when the run began
            raise TrainingError(f"a picture has become unreadable: {error}") from None
        return pixels if self.augment else self.views[index % len(self.views)].crop(pixels)

    def tensor(self, pixels: np.ndarray, place: Slot) -> Tensor:
        if self.augment is None:
            return torch.from_numpy(self.views[0].normalize(pixels[np.newaxis])[0])
        return self.augment(pixels, seed_of(self.seed, place.epoch, place.at))


class Embeddings(Dataset[Batch]):
    """The outputs of a frozen backbone for the views, (N, V, D), in place of the pictures.

    Each view is an example of its own: ``embeddings`` is float32 (N * V, D).
    """

    def __init__(self, views: Tensor, labels: Sequence[int]) -> None:
        self.embeddings, self.labels = views.flatten(0, 1), in_views(labels, views.shape[1])

    def __len__(self) -> int:
        return len(self.embeddings)

    def __getitems__(self, places: list[Slot]) -> Batch:
        return batch_of(self.embeddings[[p.at for p in places]], self.labels, places)


def in_views(labels: Sequence[int], views: int) -> Tensor:
    """The label of each view: int64 (N * V,)."""
    return torch.tensor(labels, dtype=torch.int64).repeat_interleave(views)


def batch_of(inputs: Tensor, labels: Tensor, places: list[Slot]) -> Batch:
    counts = torch.tensor([place.counts for place in places])
    return Batch(inputs, labels[[place.at for place in places]], counts)


def pictures(job: Job, stage: Stage) -> tuple[Pictures, Pictures]:
    """Training part, augmented as the stage says, and validation part."""
    preprocess, views, recipe = job.base.preprocess, job.base.views, job.recipe
    augment = None if stage.augment == "none" else Augment(stage.augment, recipe, preprocess)
    return (
        Pictures(*job.train, views, augment, seed=recipe.seed, threads=job.threads),
        Pictures(*job.val, views, threads=job.threads),
    )


def embeddings(job: Job, stage: Stage, network: Network) -> tuple[Embeddings, Embeddings]:
    """Both parts, through the backbone once: it is frozen, so its outputs never change.

    Of the training part a few augmented crops are embedded too, where the stage augments.
    """
    network = placed(network, job.device)
    more = None
    if stage.crops:
        augment, seed = Augment(stage.augment, job.recipe, job.base.preprocess), job.recipe.seed

        def more(path: Path, pixels: np.ndarray) -> list[np.ndarray]:
            name = "/".join(path.parts[-2:])  # each class may have its own 1.jpg
            seeds = (seed_of(seed, name, i) for i in range(stage.crops))
            return [augment.crop(pixels, each) for each in seeds]

    return (
        Embeddings(embedded(job, network, job.train, "train", more), job.train.labels),
        Embeddings(embedded(job, network, job.val, "val"), job.val.labels),
    )


def embedded(
    job: Job, network: Network, part: Labelled, name: str, more: MoreCrops | None = None
) -> Tensor:
    """float32 (N, V, D); each process computes its share of the pictures."""
    rank, world = job.processes.rank, job.processes.world
    rows, errors = outputs(
        network.embedding,
        part.paths[rank::world],
        job.base.views,
        more=more,
        device=job.device,
        threads=job.recipe.threads or None,
        say=job.reporter.say,
        progress=lambda done, total: job.reporter.show(f"embedding {name}", done, total),
    )
    shares = job.processes.gather((rows, [str(error) for error in errors if error]))
    if failed := [message for _, messages in shares for message in messages]:
        raise TrainingError(f"a picture has become unreadable: {failed[0]}")
    shape = next(rows.shape[1:] for rows, _ in shares if len(rows))
    whole = torch.empty(len(part.paths), *shape)
    for other, (share, _) in enumerate(shares):
        if len(share):
            whole[other::world] = share
    return whole
