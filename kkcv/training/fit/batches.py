"""Batches in an order that hangs on seed, epoch and step alone.

Nothing random is remembered between steps: a run that was killed finds its place again by counting,
and a batch is the same however many processes share the work.
"""

import hashlib
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from kkcv.errors import PictureError, TrainingError
from kkcv.images.decode import decode
from kkcv.images.preprocess import Preprocess

from .augment import Augment


class Slot(NamedTuple):
    """Which picture, in which epoch; ``counts`` is False for one that only fills up a batch."""

    at: int
    epoch: int = 0
    counts: bool = True


class Batch(NamedTuple):
    """``inputs`` (N, …), ``labels`` int64 (N,), ``counts`` bool (N,)."""

    inputs: Tensor
    labels: Tensor
    counts: Tensor


def seed_of(*numbers: int) -> int:
    """A seed that differs for each tuple of whole numbers, 0 to 2⁶³ - 1."""
    digest = hashlib.sha256(repr(numbers).encode()).digest()
    return int.from_bytes(digest[:8], "little") >> 1


class Pictures(Dataset[Batch]):
    """Files as tensors, a batch at a time: decoded in threads, augmented by seed and epoch."""

    def __init__(
        self,
        paths: Sequence[Path],
        labels: Sequence[int],
        preprocess: Preprocess,
        augment: Augment | None = None,
        *,
        seed: int = 0,
        threads: int = 1,
    ) -> None:
        self.paths, self.labels = list(paths), torch.tensor(labels, dtype=torch.int64)
        self.preprocess, self.augment = preprocess, augment
        self.seed, self.threads = seed, threads

    def __len__(self) -> int:
        return len(self.paths)

    def __getitems__(self, places: list[Slot]) -> Batch:
        with ThreadPoolExecutor(self.threads) as pool:
            pixels = list(pool.map(self.pixels, [place.at for place in places]))
        tensors = [self.tensor(p, place) for p, place in zip(pixels, places, strict=True)]
        return collected(torch.stack(tensors), self.labels, places)

    def pixels(self, index: int) -> np.ndarray:
        """What can be done in threads: the crop, or for augmentation the decoded picture."""
        try:
            pixels = decode(self.paths[index], target=self.preprocess.target)
        except PictureError as error:  # it was readable when the run began
            raise TrainingError(f"a picture has become unreadable: {error}") from None
        return pixels if self.augment else self.preprocess.crop(pixels)

    def tensor(self, pixels: np.ndarray, place: Slot) -> Tensor:
        if self.augment is None:
            return torch.from_numpy(self.preprocess.normalize(pixels[np.newaxis])[0])
        return self.augment(pixels, seed_of(self.seed, place.epoch, place.at))


class Embeddings(Dataset[Batch]):
    """What a frozen backbone answers, float32 (N, D), instead of the pictures."""

    def __init__(self, embeddings: Tensor, labels: Sequence[int]) -> None:
        self.embeddings, self.labels = embeddings, torch.tensor(labels, dtype=torch.int64)

    def __len__(self) -> int:
        return len(self.embeddings)

    def __getitems__(self, places: list[Slot]) -> Batch:
        return collected(self.embeddings[[p.at for p in places]], self.labels, places)


def collected(inputs: Tensor, labels: Tensor, places: list[Slot]) -> Batch:
    counts = torch.tensor([place.counts for place in places])
    return Batch(inputs, labels[[place.at for place in places]], counts)


class TrainOrder:
    """Which pictures each step of an epoch takes, shuffled anew for each.

    A step takes ``batch_size`` pictures; every process (``rank`` of ``world``) gets its equal share
    of each of the ``accumulate`` parts. What is left over at the end of an epoch waits for another.
    ``position`` tells the epoch and the parts of it that are done.
    """

    def __init__(
        self,
        count: int,
        batch_size: int,
        *,
        seed: int,
        accumulate: int = 1,
        rank: int = 0,
        world: int = 1,
        position: Callable[[], tuple[int, int]],
    ) -> None:
        size = min(batch_size, count - count % (accumulate * world))
        if size < 1 or size % (accumulate * world):
            raise TrainingError(
                f"a batch of {min(batch_size, count)} pictures cannot be shared equally by {world} "
                f"processes in {accumulate} parts; choose another batch_size"
            )
        self.count, self.share = count, size // (accumulate * world)
        self.parts = count // size * accumulate
        self.seed, self.rank, self.world, self.position = seed, rank, world, position

    def __len__(self) -> int:
        return self.parts

    def __iter__(self) -> Iterator[list[Slot]]:
        epoch, done = self.position()
        shuffle = torch.Generator().manual_seed(seed_of(self.seed, epoch))
        order = torch.randperm(self.count, generator=shuffle).tolist()
        for part in range(done, self.parts):
            start = (part * self.world + self.rank) * self.share
            yield [Slot(index, epoch) for index in order[start : start + self.share]]


class FixedOrder:
    """Every picture once, in order; each process takes every ``world``-th.

    All processes get as many, so that none waits for another: the first pictures fill up.
    """

    def __init__(self, count: int, batch_size: int, rank: int = 0, world: int = 1) -> None:
        mine = range(rank, -(-count // world) * world, world)
        self.places = [Slot(i % count, counts=i < count) for i in mine]
        self.batch_size = batch_size

    def __len__(self) -> int:
        return -(-len(self.places) // self.batch_size)

    def __iter__(self) -> Iterator[list[Slot]]:
        for start in range(0, len(self.places), self.batch_size):
            yield self.places[start : start + self.batch_size]


class Loader(DataLoader[Batch]):
    """A loader that finds its place by itself (``TrainOrder``), so there is nothing to save."""

    def __init__(
        self, dataset: Dataset[Batch], order: TrainOrder | FixedOrder, workers: int = 0
    ) -> None:
        super().__init__(
            dataset,
            batch_sampler=order,
            num_workers=workers,
            collate_fn=whole,  # type: ignore[arg-type]
            pin_memory=torch.cuda.is_available(),
        )

    def state_dict(self) -> dict[str, Any]:
        return {}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        pass


def whole(batch: Batch) -> Batch:
    """The dataset gives whole batches already."""
    return batch
