"""Routes about the service itself."""

from flask import Response
from prometheus_client import CONTENT_TYPE_LATEST

from kkcv import __version__, deadline
from kkcv.search.duplicates import duplicates, keep_both
from kkcv.search.ranking.names import RANKINGS
from kkcv.serve.models.requests import DuplicatesQuery, KeepRequest
from kkcv.serve.models.responses import (
    DuplicateGroup,
    Duplicates,
    Galleries,
    Health,
    Model,
    NamedGallery,
    Stats,
)
from kkcv.serve.problems import Problem
from kkcv.serve.service import Service


def health(service: Service) -> Health:
    """Check that the process is alive."""
    return Health(status="ok", version=__version__)


def ready(service: Service) -> Health:
    """Check that the network is loaded and every gallery can be read; else 503."""
    for each in service.named.values():
        each.must_be_ready()
    return Health(status="ready", version=__version__)


def metrics(service: Service) -> Response:
    """Show metrics of this process for Prometheus."""
    return Response(service.metrics.text(), content_type=CONTENT_TYPE_LATEST)


def galleries(service: Service) -> Galleries:
    """List the galleries of the service."""
    return Galleries(
        galleries=[
            NamedGallery(
                name=name,
                url=each.address,
                pictures=len(each.gallery),
                network=each.gallery.space.network,
            )
            for name, each in service.named.items()
        ]
    )


def stats(service: Service) -> Stats:
    """Show figures of the gallery."""
    return Stats(**service.gallery.stats())


def find_duplicates(service: Service, query: DuplicatesQuery) -> Duplicates:
    """Find groups of exact and near duplicates.

    It takes as long as a search by every picture; one request at a time may ask for it.
    """

    def in_time(done: int, total: int) -> None:
        if deadline.is_over():
            raise Problem(
                "timed-out",
                f"{done} of {total} pictures were looked at in the time of a request; use kkcv "
                "duplicates, or a service with a longer --timeout",
            )

    with service.long_work():
        groups = duplicates(service.gallery, query.min_score, in_time, copies=query.copies)
    shown = [
        DuplicateGroup.model_validate(group, from_attributes=True)
        for group in groups[: query.limit]
    ]
    return Duplicates(groups=shown, total=len(groups))


def keep_duplicates(service: Service, body: KeepRequest) -> None:
    """Remember that pictures are no duplicates, so that they are not found again as such."""
    keep_both(service.gallery, body.ids)


def model(service: Service) -> Model:
    """Show the network of the gallery, and the search options that depend on it."""
    space = service.gallery.space
    return Model(
        network=space.network,
        fingerprint=space.fingerprint,
        dim=space.dim,
        vectors=service.gallery.catalog.settings["vectors"],
        preprocess=space.preprocess.to_dict(),
        text=space.text,
        rankings=list(RANKINGS),
    )
