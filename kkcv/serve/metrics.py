"""Prometheus metrics of this process: requests, time spent, state."""

import time
from collections.abc import Mapping
from typing import NamedTuple

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    ProcessCollector,
    generate_latest,
)

from kkcv.search.gallery import Gallery

# bounds of buckets: from an answer without a network to a minute, the default timeout
SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)
PICTURES = (1, 2, 4, 8, 16, 32)  # bounds of buckets, up to a batch of the network


class Seen(NamedTuple):
    """A finished request. ``route`` is None for an unknown address."""

    route: str | None
    status: int
    seconds: float
    stages: Mapping[str, float]


class Metrics:
    """The metrics of one service. Labels never come from clients, so their number is bounded."""

    def __init__(self) -> None:
        self.registry = registry = CollectorRegistry()
        ProcessCollector(registry=registry)
        self._requests = Counter(
            "kkcv_requests", "Requests that were answered.", ["route", "status"], registry=registry
        )
        self._seconds = Histogram(
            "kkcv_request_seconds", "From the whole request to its answer.", ["route"],
            buckets=SECONDS, registry=registry,
        )  # fmt: skip
        self._stages = Histogram(
            "kkcv_stage_seconds", "Of a request, in each stage that it went through.", ["stage"],
            buckets=SECONDS, registry=registry,
        )  # fmt: skip
        self.inside = Gauge("kkcv_requests_inside", "Requests at work.", registry=registry)
        self.waiting = Gauge(
            "kkcv_requests_waiting", "Requests that wait for a worker.", registry=registry
        )
        self._batches = Histogram(
            "kkcv_batch_pictures", "Pictures that share a run of the network.",
            buckets=PICTURES, registry=registry,
        )  # fmt: skip
        self._runs = Counter("kkcv_run_seconds", "In the network.", registry=registry)
        self.queued = Gauge(
            "kkcv_pictures_queued", "Decoded pictures that wait for the network.", registry=registry
        )
        self.loaded = Gauge("kkcv_ready", "1 when the network is loaded.", registry=registry)
        self._pictures = Gauge(
            "kkcv_gallery_pictures", "In the gallery.", ["gallery"], registry=registry
        )
        self._recall = Gauge(
            "kkcv_live_recall", "Recall@10 of the index against the exact answer, as measured "
            "last on pictures of the gallery.", ["gallery"], registry=registry,
        )  # fmt: skip
        self._checked = Gauge(
            "kkcv_live_recall_time", "When it was measured, seconds since 1970.", ["gallery"],
            registry=registry,
        )  # fmt: skip

    def watch(self, name: str, gallery: Gallery) -> None:
        """Show the figures of a gallery under its name."""
        self._recall.labels(name).set(float("nan"))  # not measured yet
        self._pictures.labels(name).set_function(lambda: len(gallery))

    def count(self, seen: Seen) -> None:
        route = seen.route or "none"
        self._requests.labels(route, str(seen.status)).inc()
        self._seconds.labels(route).observe(seen.seconds)
        for stage, seconds in seen.stages.items():
            self._stages.labels(stage).observe(seconds)

    def ran(self, pictures: int, seconds: float) -> None:
        """Count a run of the network."""
        self._batches.observe(pictures)
        self._runs.inc(seconds)

    def recall_measured(self, name: str, recall: float) -> None:
        self._recall.labels(name).set(recall)
        self._checked.labels(name).set(time.time())

    def text(self) -> bytes:
        """All metrics in the text format of Prometheus."""
        return generate_latest(self.registry)
