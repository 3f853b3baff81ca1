"""The state that all routes share: gallery, settings, metrics, and limits on concurrent work."""

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from kkcv import deadline
from kkcv.embedding.gathering import Sharing
from kkcv.errors import NotAGallery
from kkcv.images.thumbnails import Thumbnails
from kkcv.search.gallery import Gallery

from .metrics import Metrics
from .problems import Problem
from .recall import RecallCheck
from .settings import Settings

log = logging.getLogger(__name__)


class Service:
    """A gallery as a service. It is not ready until ``load`` has loaded the network."""

    def __init__(self, gallery: Gallery, settings: Settings) -> None:
        self.gallery = gallery
        self.settings = settings
        self.limits = settings.limits
        self.thumbnails = Thumbnails()
        self.metrics = Metrics(gallery)
        self._recall = RecallCheck(gallery, settings.recall_check, self.metrics.recall_measured)
        self._room = threading.BoundedSemaphore(settings.concurrent)
        self._workers = threading.BoundedSemaphore(settings.workers)
        self._loaded = threading.Event()
        gallery.share(Sharing(self.turn, settings.batch_wait, self.metrics.ran))

    def load(self) -> None:
        """Load the network and the vectors, so that the first request is as fast as the others.

        Raises WeightsError, EmbedderMismatch and what else an embedder can lack.
        """
        _ = self.gallery.embedder
        self.metrics.queued.set_function(lambda: self.gallery.embedder.gathering.queued)
        self.gallery.generation.index.rebuild_in_background()
        self._loaded.set()
        self.metrics.loaded.set(1)
        self._recall.start()

    def close(self) -> None:
        """Stop the background work."""
        self._recall.stop()
        self.gallery.worker.close()

    def must_be_ready(self) -> None:
        """Check that the network is loaded and the catalog is readable. Needs no key.

        Raises Problem, with a status of 503.
        """
        if not self._loaded.is_set():
            raise Problem("loading", "the network is being loaded; try again in a few seconds")
        try:
            len(self.gallery)
        except NotAGallery:
            raise Problem("not-a-gallery", "put it back, or restore a backup of it") from None
        except Exception:  # no search would succeed either
            log.exception("the catalog cannot be read")
            detail = "the gallery cannot be read; the service's log says why"
            raise Problem("internal", detail, status=503) from None

    def enter(self) -> None:
        """Take a slot for a request, until ``leave`` (Problem: busy)."""
        if not self._room.acquire(blocking=False):
            raise Problem("busy", "too many requests are being answered; try again")
        self.metrics.inside.inc()

    def leave(self) -> None:
        self.metrics.inside.dec()
        self._room.release()

    def wait_until_loaded(self) -> None:
        """Wait for the network, so that the first clients need not retry.

        Raises Problem: loading, and TimedOut.
        """
        deadline.check()
        if not self._loaded.wait(min(self.settings.wait_seconds, deadline.left())):
            raise Problem("loading", "the network is being loaded; try again in a few seconds")

    @contextmanager
    def worker(self) -> Iterator[None]:
        """A decoding slot, once the network is loaded (Problem: loading, busy; TimedOut)."""
        self.wait_until_loaded()
        with self.turn():
            yield

    @contextmanager
    def turn(self) -> Iterator[None]:
        """A decoding slot: each picture takes memory and a core (Problem: busy; TimedOut)."""
        deadline.check()
        with self.metrics.waiting.track_inprogress():
            free = self._workers.acquire(timeout=min(self.settings.wait_seconds, deadline.left()))
        if not free:
            raise Problem("busy", "too many pictures are waiting to be looked at; try again")
        try:
            yield
        finally:
            self._workers.release()
