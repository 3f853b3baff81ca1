"""The state that all routes share: gallery, settings, metrics, and limits on concurrent work."""

import logging
import threading
from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager
from functools import partial
from itertools import count
from threading import BoundedSemaphore as Slots
from urllib.parse import quote

from flask import request

from kkcv import deadline
from kkcv.embedding.gathering import Sharing
from kkcv.errors import NotAGallery
from kkcv.images.limits import Limits
from kkcv.images.thumbnails import Thumbnails
from kkcv.search.gallery import Gallery

from .access import Access
from .metrics import Metrics
from .problems import Problem
from .recall import RecallCheck
from .settings import Settings

log = logging.getLogger(__name__)


class Service:
    """A gallery as a service. It is not ready until ``load`` has loaded the network.

    A service with several galleries is one Service for each. They share metrics and limits with the
    ``first``, and the network with the first one of the same embedding space. ``named`` has them
    all.
    """

    def __init__(
        self, gallery: Gallery, settings: Settings, first: "Service | None" = None
    ) -> None:
        self.gallery = gallery
        self.named: dict[str, Service] = {} if first is None else first.named
        self.name = free_name(gallery.address, self.named)
        self.named[self.name] = self
        self._is_first = first is None
        self.thumbnails = Thumbnails()
        self.metrics: Metrics = first.metrics if first else Metrics()
        self.metrics.watch(self.name, gallery)
        # for requests: one too many is refused at once
        self._room: Slots = first._room if first else Slots(settings.concurrent)
        # for pictures: one too many waits for its turn
        self._workers: Slots = first._workers if first else Slots(settings.workers)
        # for searches by every picture: each takes a core until --timeout
        self._long: Slots = first._long if first else Slots(1)
        self._recall = RecallCheck(
            gallery, settings.recall_check, partial(self.metrics.recall_measured, self.name)
        )
        self._loaded = threading.Event()
        self.access: Access = first.access if first else Access(settings)
        self.settings = settings
        gallery.share(Sharing(self.turn, settings.batch_wait, self.metrics.ran))

    @classmethod
    def of_all(cls, galleries: Iterable[Gallery], settings: Settings) -> "Service":
        """The service of the first gallery, which knows the others too."""
        first, *others = galleries
        service = cls(first, settings)
        for gallery in others:
            cls(gallery, settings, service)
        return service

    @property
    def limits(self) -> Limits:
        """The limits of one picture."""
        return self.settings.limits

    @property
    def address(self) -> str:
        """Where its routes are on this service, as the client of the present request sees it."""
        below = "" if self._is_first else f"/galleries/{quote(self.name)}"
        return f"{request.script_root}/v1{below}"

    def url(self, id: int, what: str = "") -> str:
        """The address of a picture, its ``file`` or its ``thumbnail``."""
        return f"{self.address}/images/{id}{what and f'/{what}'}"

    def load(self) -> None:
        """Load networks and vectors, so that the first request is as fast as the others.

        Raises WeightsError, EmbedderMismatch and what else an embedder can lack.
        """
        loaded: list[Service] = []
        for each in self.named.values():
            space = each.gallery.generation.stored_space
            for other in loaded:
                # one network in memory for all of a space
                if other.gallery.generation.stored_space == space:
                    each.gallery.generation.use(other.gallery.embedder)
                    break
            _ = each.gallery.embedder  # loaded now, unless it is shared
            each.gallery.generation.index.rebuild_in_background()
            each._loaded.set()
            each._recall.start()
            loaded.append(each)
        self.metrics.queued.set_function(
            lambda: sum(each.gathering.queued for each in {s.gallery.embedder for s in loaded})
        )
        self.metrics.loaded.set(1)

    def close(self) -> None:
        """Stop the background work."""
        for each in self.named.values():
            each._recall.stop()
            each.gallery.worker.close()

    def reload(self, settings: Settings) -> None:
        """Take other settings; those of threads and workers need a restart (RequestError)."""
        access = Access(settings)
        for each in self.named.values():
            each.settings, each.access = settings, access

    def of(self, name: str) -> "Service":
        """The gallery of that name (Problem)."""
        found = self.named.get(name)
        if found is None:
            there_are = ", ".join(self.named)
            raise Problem("unknown-gallery", f"no gallery {name[:80]!r}; there are: {there_are}")
        return found

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
        self.metrics.inside.dec()  # before the slot is free, or the gauge would exceed the limit
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

    @contextmanager
    def long_work(self) -> Iterator[None]:
        """The one slot for what takes a core for seconds, so that others are answered (Problem)."""
        if not self._long.acquire(blocking=False):
            raise Problem("busy", "duplicates are being looked for already; try again later")
        try:
            yield
        finally:
            self._long.release()


def free_name(address: str, taken: Collection[str]) -> str:
    """The name of a gallery in addresses: ``photos`` for ``/data/photos.kkcv``.

    The second of that name is ``photos-2``.
    """
    name = address.rstrip("/").rpartition("/")[2].removesuffix(".kkcv") or "gallery"
    numbered = (f"{name}-{number}" for number in count(2))
    return name if name not in taken else next(each for each in numbered if each not in taken)
