"""Pictures that come at the same time are embedded together; each gets its own answer or error."""

import threading
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor

import numpy as np
import pytest

from kkcv.embedding.gathering import Gathering, Sharing
from kkcv.embedding.runtimes import Runtime


class Means(Runtime):
    """The mean of each crop; it does nothing until it is let, and refuses crops of 255."""

    dim = 1
    chunk = 8

    def __init__(self) -> None:
        self.batches: list[int] = []
        self.begun = threading.Semaphore(0)
        self.open = threading.Event()

    def run(self, crops: np.ndarray) -> np.ndarray:
        self.begun.release()
        assert self.open.wait(30)
        self.batches.append(len(crops))
        if (crops == 255).all(axis=(1, 2, 3)).any():
            raise ValueError("too bright")
        return crops.mean(axis=(1, 2, 3), dtype=np.float32)[:, np.newaxis]


def crop(value: int, count: int = 1) -> np.ndarray:
    return np.full((count, 2, 2, 3), value, np.uint8)


class Crowd:
    """Many callers of one gathering; the first is inside the network, the others wait."""

    def __init__(self, pool: ThreadPoolExecutor) -> None:
        self.means = Means()
        self.gathering = Gathering(self.means)
        self.pool = pool

    def ask(self, *values: int) -> list["Future[np.ndarray]"]:
        """The first caller runs the network; each of the others is queued before the next asks."""
        asked = [self.pool.submit(self.gathering.run, crop(values[0]))]
        assert self.means.begun.acquire(timeout=30)
        for number, value in enumerate(values[1:], 1):
            asked.append(self.pool.submit(self.gathering.run, crop(value)))
            while self.gathering.queued < number:
                threading.Event().wait(0.001)
        return asked


@pytest.fixture
def crowd() -> Iterator[Crowd]:
    with ThreadPoolExecutor(32) as pool:
        crowd = Crowd(pool)
        yield crowd
        crowd.means.open.set()


def test_who_comes_while_the_network_is_busy_shares_the_next_batches(crowd: Crowd) -> None:
    asked = crowd.ask(*range(20))

    crowd.means.open.set()
    answers = [future.result(30)[0, 0] for future in asked]

    assert answers == list(range(20))
    assert crowd.means.batches == [1, 8, 8, 3]
    assert crowd.gathering.queued == 0


def test_one_alone_waits_for_nobody(crowd: Crowd) -> None:
    crowd.gathering.sharing = Sharing(wait=3600)
    crowd.means.open.set()

    with crowd.gathering.expected() as run:
        assert run(crop(7))[0, 0] == 7


def test_a_batch_waits_for_a_picture_that_is_being_decoded(crowd: Crowd) -> None:
    crowd.gathering.sharing = Sharing(wait=30)
    crowd.means.open.set()

    with crowd.gathering.expected() as run:  # it is being decoded here
        first = crowd.pool.submit(crowd.gathering.run, crop(1))
        assert not crowd.means.begun.acquire(timeout=0.05)
        mine = run(crop(2))

    assert (first.result(30)[0, 0], mine[0, 0]) == (1, 2)
    assert crowd.means.batches == [2]


def test_a_batch_does_not_wait_for_a_picture_that_cannot_be_decoded(crowd: Crowd) -> None:
    crowd.gathering.sharing = Sharing(wait=3600)
    crowd.means.open.set()

    decoding = crowd.gathering.expected()
    decoding.__enter__()
    first = crowd.pool.submit(crowd.gathering.run, crop(1))
    decoding.__exit__(None, None, None)  # nothing was run

    assert first.result(30)[0, 0] == 1


def test_the_wait_is_bounded(crowd: Crowd) -> None:
    crowd.gathering.sharing = Sharing(wait=0.01)
    crowd.means.open.set()

    with crowd.gathering.expected():
        assert crowd.pool.submit(crowd.gathering.run, crop(1)).result(30)[0, 0] == 1


def test_lanes_do_not_share_out_what_makes_one_batch(crowd: Crowd) -> None:
    """The second joins the first; the third, for whom there is a lane, is not waited for."""
    crowd.gathering = Gathering(TwoLanes(crowd.means))
    crowd.gathering.sharing = Sharing(wait=30)
    coming = [crowd.gathering.expected() for _ in range(3)]
    first, second, third = [each.__enter__() for each in coming]

    asked = [crowd.pool.submit(first, crop(1))]
    assert not crowd.means.begun.acquire(timeout=0.05)
    asked.append(crowd.pool.submit(second, crop(2)))
    assert crowd.means.begun.acquire(timeout=30)
    asked.append(crowd.pool.submit(third, crop(3)))
    assert crowd.means.begun.acquire(timeout=30)  # beside the others, who are still at it
    crowd.means.open.set()

    assert [future.result(30)[0, 0] for future in asked] == [1, 2, 3]
    assert sorted(crowd.means.batches) == [1, 2]


class TwoLanes(Runtime):
    """A network that runs two batches beside each other."""

    dim, lanes, chunk = 1, 2, 8

    def __init__(self, means: Means) -> None:
        self.means = means

    def run(self, crops: np.ndarray) -> np.ndarray:
        return self.means.run(crops)


def test_an_error_is_for_those_at_fault_alone(crowd: Crowd) -> None:
    asked = crowd.ask(0, 1, 255, 3)

    crowd.means.open.set()

    with pytest.raises(ValueError, match="too bright"):
        asked[2].result(30)
    assert [asked[i].result(30)[0, 0] for i in (0, 1, 3)] == [0, 1, 3]


def test_many_pictures_of_one_caller_are_a_batch_of_their_own(crowd: Crowd) -> None:
    crowd.means.open.set()

    assert crowd.gathering.run(crop(5, 8))[:, 0].tolist() == [5] * 8
    assert crowd.means.batches == [8]


def test_a_caller_that_is_interrupted_holds_nobody_up(
    crowd: Crowd, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = crowd.ask(0)[0]
    with monkeypatch.context() as patch:
        patch.setattr(threading.Event, "wait", interrupt)
        with pytest.raises(KeyboardInterrupt):
            crowd.gathering.run(crop(1))
    second = crowd.pool.submit(crowd.gathering.run, crop(2))
    crowd.means.open.set()

    assert (first.result(30)[0, 0], second.result(30)[0, 0]) == (0, 2)


def interrupt(*_: object) -> bool:
    raise KeyboardInterrupt


def test_every_run_is_told(crowd: Crowd) -> None:
    told: list[tuple[int, float]] = []
    crowd.gathering.sharing = Sharing(
        watch=lambda pictures, seconds: told.append((pictures, seconds))
    )
    asked = crowd.ask(0, 1, 2)

    crowd.means.open.set()
    for future in asked:
        future.result(30)

    assert [pictures for pictures, _ in told] == [1, 2]
    assert all(seconds >= 0 for _, seconds in told)
