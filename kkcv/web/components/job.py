"""Long work in a thread, which goes on while its visitor looks at other pages."""

import logging
import threading
from collections.abc import Callable
from typing import Generic, TypeVar

import streamlit as st

from kkcv.errors import KkcvError
from kkcv.web.strings import Strings

T = TypeVar("T")
SOON = 0.25  # seconds; a job that ends by then shows no bar
log = logging.getLogger("kkcv.web")


class Stopped(Exception):
    """The visitor has stopped the job."""


class Job(Generic[T]):
    """A function that runs in a thread and calls ``job.progress(done, total)`` often.

    ``result`` is None until it has ended, and after it was stopped or failed with ``error``.
    ``on_stop`` is called when it is stopped, to end it sooner.
    """

    def __init__(
        self, work: Callable[["Job[T]"], T], on_stop: Callable[[], None] = lambda: None
    ) -> None:
        self.done, self.total = 0, 0
        self.result: T | None = None
        self.error: Exception | None = None
        self.stopped = False
        self._on_stop = on_stop
        self._ended = threading.Event()
        threading.Thread(target=self._run, args=(work,), daemon=True).start()

    def progress(self, done: int, total: int) -> None:
        """Record the progress. Raises Stopped when the job was stopped."""
        self.done, self.total = done, total
        if self.stopped:
            raise Stopped

    def stop(self) -> None:
        self.stopped = True
        self._on_stop()

    def wait(self, seconds: float | None = None) -> bool:
        """Whether it ends within so many seconds."""
        return self._ended.wait(seconds)

    def _run(self, work: Callable[["Job[T]"], T]) -> None:
        try:
            self.result = work(self)
        except Stopped:
            pass
        except Exception as error:
            if self.stopped:  # it fails because what it was waiting for was ended
                return
            self.error = error
            if not isinstance(error, KkcvError):
                log.exception("a job failed")
        finally:
            self._ended.set()


def wait_for(job: Job[T], text: Strings, what: str, key: str = "") -> bool:
    """Whether the job has ended; until then, show its progress bar and a button that stops it.

    ``key`` must differ between bars that are shown together. Raises the error of the job.
    """
    if not job.wait(SOON):
        show_bar(job, text, what, key)
        return False
    if job.error is not None:
        raise job.error
    return True


@st.fragment(run_every=0.5)  # seconds: the bar alone is drawn again, not the page
def show_bar(job: Job[T], text: Strings, what: str, key: str) -> None:
    if job.wait(0):
        st.rerun()
    share = min(1.0, job.done / job.total) if job.total else 0.0
    with st.container(key=f"bar-{key}"):
        how_far = text("page.of", done=job.done, total=job.total) if job.total else ""
        st.progress(share, f"{what} {how_far}")
        if st.button(text("page.stop"), key=f"stop-{key}", disabled=job.stopped):
            job.stop()
