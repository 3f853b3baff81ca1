"""What every route works with: the gallery, the settings, and a limited number of workers."""

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from kkcv.apart import Apart
from kkcv.images.thumbnails import Thumbnails
from kkcv.search.gallery import Gallery

from .problem import Problem
from .settings import Settings

log = logging.getLogger(__name__)


class Service:
    """A gallery that is served. Its network is loaded by ``load``; until then it is not ready."""

    def __init__(self, gallery: Gallery, settings: Settings) -> None:
        self.gallery = gallery
        self.settings = settings
        self.limits = settings.limits
        self.thumbnails = Thumbnails()
        self.apart = Apart()
        self._workers = threading.BoundedSemaphore(settings.workers)
        self._loaded = threading.Event()

    def load(self) -> None:
        """Load the network and read the vectors, so that the first request is as quick as others.

        Raises WeightsError, EmbedderMismatch and what else an embedder can lack.
        """
        _ = self.gallery.embedder
        self.gallery.live.rebuild_in_background()
        self._loaded.set()

    @property
    def ready(self) -> bool:
        """Whether it can answer: the network is loaded and the catalog can be read."""
        if not self._loaded.is_set():
            return False
        try:
            len(self.gallery)
        except Exception:  # whatever it is, no search would succeed
            log.exception("the catalog cannot be read")
            return False
        return True

    @contextmanager
    def worker(self) -> Iterator[None]:
        """A turn at decoding and embedding: each picture costs memory and a core.

        The first requests wait for the network, so that a client need not ask twice.

        Raises Problem: loading, busy.
        """
        if not self._loaded.wait(self.settings.wait_seconds):
            raise Problem("loading", "the network is being loaded; try again in a few seconds")
        if not self._workers.acquire(timeout=self.settings.wait_seconds):
            raise Problem("busy", "too many pictures are waiting to be looked at; try again")
        try:
            yield
        finally:
            self._workers.release()
