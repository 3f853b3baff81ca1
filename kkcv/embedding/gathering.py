"""Pictures that come one at a time, from many threads, run through the network together.

While the network is busy, new crops wait in a queue, and the caller that runs it next takes all of
them along. So batches grow by themselves as requests become more, and one request alone never
waits. A network with several lanes runs as many batches beside each other, but they are gathered
one after the other: two at once would share out between them what makes one full. There is no
thread for it: the callers take turns.
"""

import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, field

import numpy as np

from .runtimes import Runtime


@dataclass(eq=False)
class Waiting:
    """A caller's crops until they are vectors. ``woken`` is set for the answer, or for its turn."""

    crops: np.ndarray  # uint8 (N, H, W, C)
    vectors: np.ndarray | None = None
    error: BaseException | None = None
    woken: threading.Event = field(default_factory=threading.Event)

    @property
    def done(self) -> bool:
        return self.vectors is not None or self.error is not None


def ignore(pictures: int, seconds: float) -> None:
    pass


@dataclass(frozen=True)
class Sharing:
    """How many requests share an embedder.

    ``turn`` is entered while a picture is decoded, to limit how many are decoded at the same time.
    ``wait`` is how many seconds a batch that is not full waits for pictures that are being decoded
    just now; where there are none, or a lane for each of them, it waits for nothing. ``watch`` is
    told the pictures and seconds of each run of the network.
    """

    turn: Callable[[], AbstractContextManager[None]] = nullcontext
    wait: float = 0.0
    watch: Callable[[int, float], None] = ignore


class Gathering:
    """Runs a network for callers in many threads."""

    def __init__(self, runtime: Runtime) -> None:
        self.sharing = Sharing()
        self._runtime = runtime
        self._lanes, self._largest = runtime.lanes, runtime.chunk
        self._queue: deque[Waiting] = deque()
        self._running = 0
        self._gathering = False
        self._coming = 0
        self._changed = threading.Condition()

    @property
    def queued(self) -> int:
        """Pictures that wait for the network just now."""
        return sum(len(each.crops) for each in list(self._queue))  # a copy: it is read unlocked

    @contextmanager
    def expected(self) -> Iterator[Callable[[np.ndarray], np.ndarray]]:
        """A picture is on its way, for which others may wait; gives the function that runs it."""
        arrived = False

        def run(crops: np.ndarray) -> np.ndarray:
            nonlocal arrived
            arrived = True
            return self.run(crops, came=1)

        with self._changed:
            self._coming += 1
        try:
            yield run
        finally:
            if not arrived:
                self._arrive(1)

    def run(self, crops: np.ndarray, *, came: int = 0) -> np.ndarray:
        """Embeddings: uint8 (N, H, W, C) → float32 (N, D). An error is the caller's own."""
        if len(crops) > self._largest // 2:  # nearly a batch already
            self._arrive(came)
            return self._timed(crops)
        mine = Waiting(crops)
        with self._changed:
            leads = self._running < self._lanes and not self._gathering
            if leads:
                self._running += 1
                self._gathering = True
            else:
                self._queue.append(mine)
            self._arrive(came)
        if not leads:
            self._wait(mine)
        if not mine.done:
            self._lead(mine)
        if mine.error is not None:
            raise mine.error
        assert mine.vectors is not None
        return mine.vectors

    def _arrive(self, came: int) -> None:
        with self._changed:
            self._coming -= came
            self._changed.notify_all()

    def _wait(self, mine: Waiting) -> None:
        try:
            mine.woken.wait()
        except BaseException:  # Ctrl-C: those behind must not wait for us
            with self._changed:
                if mine in self._queue:
                    self._queue.remove(mine)
                elif mine.woken.is_set() and not mine.done:
                    self._gathering = False
                    self._pass_on()
            raise

    def _pass_on(self) -> None:
        """A lane is free, with ``_changed`` held."""
        self._running -= 1
        self._let_lead()

    def _let_lead(self) -> None:
        """The next one leads where there is a lane, with ``_changed`` held."""
        if self._queue and self._running < self._lanes and not self._gathering:
            self._running += 1
            self._gathering = True
            self._queue.popleft().woken.set()

    def _lead(self, mine: Waiting) -> None:
        """Run a batch for this caller and those that wait, then let the next one lead."""
        batch = [mine]
        try:
            self._gather(batch)
            self._embed(batch)
        except BaseException as error:
            for each in batch:
                each.error = each.error or (None if each.done else error)
        finally:
            with self._changed:
                self._pass_on()
            for each in batch[1:]:
                each.woken.set()

    def _gather(self, batch: list[Waiting]) -> None:
        """Take along the callers that wait, and wait a little for those that are expected."""
        until = time.monotonic() + self.sharing.wait
        with self._changed:
            try:
                while True:
                    size = sum(len(each.crops) for each in batch)
                    while self._queue and size + len(self._queue[0].crops) <= self._largest:
                        batch.append(self._queue.popleft())
                        size += len(batch[-1].crops)
                    left = until - time.monotonic()
                    # those that find a lane free need not be waited for
                    more = self._coming > self._lanes - self._running
                    if size >= self._largest or self._queue or left <= 0 or not more:
                        return
                    self._changed.wait(left)
            finally:
                self._gathering = False
                self._let_lead()

    def _embed(self, batch: list[Waiting]) -> None:
        """One run for all; where it fails, one for each, so that only those at fault fail."""
        try:
            vectors = self._timed(np.concatenate([each.crops for each in batch]))
        except Exception as error:
            if len(batch) == 1:
                batch[0].error = error
                return
            for each in batch:
                try:
                    each.vectors = self._timed(each.crops)
                except Exception as error:
                    each.error = error
            return
        start = 0
        for each in batch:
            each.vectors = vectors[start : start + len(each.crops)]
            start += len(each.crops)

    def _timed(self, crops: np.ndarray) -> np.ndarray:
        began = time.perf_counter()
        vectors = self._runtime.run(crops)
        self.sharing.watch(len(crops), time.perf_counter() - began)
        return vectors
