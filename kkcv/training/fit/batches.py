"""The order of batches, which depends only on seed, epoch and step.

Nothing random is remembered between steps: a run that was killed finds its place again by counting,
and a batch is the same however many processes share the work.
"""

import hashlib
import multiprocessing
from collections.abc import Callable, Iterator
from multiprocessing.context import BaseContext
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from kkcv.errors import TrainingError


class Slot(NamedTuple):
    """A picture's index and the epoch; ``counts`` is False for one that only fills up a batch."""

    at: int
    epoch: int = 0
    counts: bool = True


class Batch(NamedTuple):
    """``inputs`` (N, …), ``labels`` int64 (N,), ``counts`` bool (N,)."""

    inputs: Tensor
    labels: Tensor
    counts: Tensor


def seed_of(*parts: int | str) -> int:
    """A seed that differs for each tuple of whole numbers and names, 0 to 2⁶³ - 1."""
    digest = hashlib.sha256(repr(parts).encode()).digest()
    return int.from_bytes(digest[:8], "little") >> 1  # a signed number of 64 bits holds it


class TrainOrder:
    """The pictures of each step of an epoch, shuffled again for each epoch.

    A step takes ``batch_size`` pictures; every process (``rank`` of ``world``) gets its equal share
    of each of the ``accumulate`` parts. Pictures that do not fill a last step are left out of this
    epoch. ``position`` tells the epoch and the parts of it that are done.
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
            collate_fn=unchanged,  # type: ignore[arg-type]
            pin_memory=torch.cuda.is_available(),
            persistent_workers=workers > 0,
            multiprocessing_context=clean_context() if workers else None,
        )

    def state_dict(self) -> dict[str, Any]:
        return {}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        pass


def clean_context() -> BaseContext:
    """The way to start worker processes: not by a fork, for other threads may hold locks."""
    if "forkserver" not in multiprocessing.get_all_start_methods():
        return multiprocessing.get_context("spawn")
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["kkcv.training.fit.datasets"])  # imports torch once for all
    return context


def unchanged(batch: Batch) -> Batch:
    """The dataset gives whole batches already."""
    return batch
