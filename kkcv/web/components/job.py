"""Work that takes long: it goes on in a thread, whatever its visitor looks at meanwhile."""

import logging
import threading
from collections.abc import Callable
from typing import Generic, TypeVar

import streamlit as st

from kkcv.errors import KkcvError
from kkcv.web.strings import Strings

T = TypeVar("T")
SOON = 0.25  # seconds: what is done by then shows no bar
log = logging.getLogger("kkcv.web")


class Stopped(Exception):
    """The visitor does not want it any more."""


class Job(Generic[T]):
    """A function in a thread. It calls ``job.progress(done, total)`` as often as it can.

    ``result`` is None until it has come to an end, and where it was stopped or failed; what went
    wrong is in ``error``. ``on_stop`` may hasten the end.
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
        """Note how far it is. Raises Stopped when it was stopped."""
        self.done, self.total = done, total
        if self.stopped:
            raise Stopped

    def stop(self) -> None:
        self.stopped = True
        self._on_stop()

    def wait(self, seconds: float | None = None) -> bool:
        """Whether it has come to an end within so many seconds."""
        return self._ended.wait(seconds)

    def _run(self, work: Callable[["Job[T]"], T]) -> None:
        try:
            self.result = work(self)
        except Stopped:
            pass
        except Exception as error:
            if self.stopped:
                return
            self.error = error
            if not isinstance(error, KkcvError):
                log.exception("a job failed")
        finally:
            self._ended.set()


def wait_for(job: Job[T], text: Strings, what: str, key: str = "") -> bool:
    """A bar and a button that stops it, while it goes on; whether it has come to an end.

    ``key`` tells bars apart that are shown together.

    Raises what went wrong in it.
    """
    if not job.wait(SOON):
        show_bar(job, text, what, key)
        return False
    if job.error is not None:
        raise job.error
    return True


@st.fragment(run_every=0.5)
def show_bar(job: Job[T], text: Strings, what: str, key: str) -> None:
    if job.wait(0):
        st.rerun()
    share = min(1.0, job.done / job.total) if job.total else 0.0
    with st.container(key=f"bar-{key}"):
        how_far = text("page.of", done=job.done, total=job.total) if job.total else ""
        st.progress(share, f"{what} {how_far}")
        if st.button(text("page.stop"), key=f"stop-{key}", disabled=job.stopped):
            job.stop()
