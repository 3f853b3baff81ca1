"""Work in the background: it can be followed, stopped, and fail."""

import threading

from kkcv.errors import KkcvError
from kkcv.web.components.job import Job


def test_what_it_makes_is_kept() -> None:
    job = Job(lambda job: 42)

    assert job.wait(10)
    assert (job.result, job.error) == (42, None)


def test_it_says_how_far_it_is_and_stops_when_it_is_told_to() -> None:
    half, told = threading.Event(), threading.Event()

    def work(job: Job[None]) -> None:
        job.progress(1, 2)
        half.set()
        told.wait(10)
        job.progress(2, 2)

    job = Job(work)
    half.wait(10)
    assert (job.done, job.total) == (1, 2)
    job.stop()
    told.set()

    assert job.wait(10)
    assert (job.result, job.error) == (None, None)


def test_what_went_wrong_is_kept() -> None:
    def work(job: Job[None]) -> None:
        raise KkcvError("no")

    job = Job(work)

    assert job.wait(10)
    assert str(job.error) == "no"


def test_stopping_may_hasten_the_end() -> None:
    hurry = threading.Event()
    job = Job(lambda job: hurry.wait(10), on_stop=hurry.set)

    job.stop()

    assert job.wait(5)
