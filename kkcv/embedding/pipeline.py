"""Many pictures at once: they are read and decoded in threads while the network runs."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import islice
from typing import TypeVar

import numpy as np

from kkcv.errors import PictureError
from kkcv.machine import cores

from .embedder import BATCH, Embedder, finite

Item = TypeVar("Item")
Result = TypeVar("Result")
Batch = list[tuple[Item, np.ndarray | PictureError | None]]
VIEWS = 4  # dimensions of the views of a row: a crop has three
AHEAD = 2 * BATCH  # pictures under way in threads


def ahead(
    function: Callable[[Item], Result], items: Iterable[Item], *, threads: int | None = None
) -> Iterator[tuple[Item, Result | PictureError]]:
    """Each item with the function's result, or the PictureError that it raised, in order.

    The function runs in threads, at most ``AHEAD`` items before the one that is asked for. When the
    consumer leaves early, what has not begun is not begun.
    """
    items = iter(items)
    pool = ThreadPoolExecutor(threads or cores())
    waiting: deque[tuple[Item, Future[Result]]] = deque()
    try:
        while True:
            for item in islice(items, AHEAD - len(waiting)):
                waiting.append((item, pool.submit(function, item)))
            if not waiting:
                return
            item, future = waiting.popleft()
            try:
                result: Result | PictureError = future.result()
            except PictureError as error:
                result = error
            yield item, result
    finally:
        # without waiting: a generator that was left may be closed in one of these very threads
        pool.shutdown(wait=False, cancel_futures=True)


def embed_stream(
    embedder: Embedder, crops: Iterable[tuple[Item, np.ndarray | PictureError | None]]
) -> Iterator[tuple[Item, np.ndarray | PictureError | None]]:
    """Each item with the vector of its crop, in order, a batch at a time.

    A crop, uint8 (H, W, C), gives a unit vector, float32 (D,); the views of a row of a gallery,
    uint8 (V, H, W, C), give its row, float32 (row,). What is neither (an error, or None for nothing
    to do) passes through. One batch is embedded while the next is gathered and the last is used, so
    that the network never waits.
    """

    def embed(batch: Batch[Item]) -> np.ndarray:
        crops = [crop for _, crop in batch if isinstance(crop, np.ndarray)]
        rows = bool(crops) and crops[0].ndim == VIEWS
        return embedder.embed_rows(crops) if rows else embedder.embed_crops(crops)

    crops = iter(crops)
    thread = ThreadPoolExecutor(1, "embed")
    running: deque[tuple[Batch[Item], Future[np.ndarray]]] = deque()
    try:
        while batch := list(islice(crops, BATCH)):
            running.append((batch, thread.submit(embed, batch)))
            if len(running) > 1:  # one runs, and the next is ready when it is done
                yield from joined(*running.popleft())
        while running:
            yield from joined(*running.popleft())
    finally:
        thread.shutdown(wait=False, cancel_futures=True)  # as in ahead()


def joined(
    batch: Batch[Item], future: Future[np.ndarray]
) -> Iterator[tuple[Item, np.ndarray | PictureError | None]]:
    """The items of a batch with what became of their crops."""
    vectors = iter(future.result())
    for item, crop in batch:
        yield item, finite_or_error(next(vectors)) if isinstance(crop, np.ndarray) else crop


def finite_or_error(vector: np.ndarray) -> np.ndarray | PictureError:
    try:
        return finite(vector)
    except PictureError as error:
        return error
