"""Several networks over the same labelled folder: quality, time, and room, a row each."""

from collections.abc import Callable, Sequence
from os import PathLike
from typing import Any

from kkcv.embedding.embedder import Embedder
from kkcv.embedding.pricing import milliseconds_alone
from kkcv.timing import Progress, no_progress

from .evaluate import evaluate_search

VECTOR_BYTES = 2  # a number of a vector, as galleries store it unless told otherwise
FACTS = ("pictures", "classes", "queries", "rejected")  # the same for every network
OF_ONE = ("network", "fingerprint")


def compare_models(
    folder: str | PathLike[str],
    models: Sequence[str],
    load: Callable[[str], Embedder],
    *,
    progress: Progress = no_progress,
    **asked: Any,
) -> dict[str, Any]:
    """``evaluate_search`` with each network, as plain values: ``models`` has a row for each.

    Args:
        folder: its subfolders are classes.
        models: their names.
        load: makes the embedder of a name; one is in memory at a time.
        progress: is called with the numbers of pictures done and of all, of all networks together.
        asked: as ``evaluate_search`` takes it.

    A row has, besides the retrieval figures, ``milliseconds`` of the network for one picture alone
    (the median), ``numbers`` of a vector, and the ``bytes`` that a gallery stores of it.

    Raises DataError, RequestError, and what ``load`` raises.
    """
    rows, facts = [], {}
    for place, model in enumerate(models):
        embedder = load(model)

        def onward(done: int, total: int, place: int = place) -> None:
            progress(place * total + done, len(models) * total)

        result = evaluate_search(folder, embedder, progress=onward, **asked)
        facts = {name: result.pop(name) for name in FACTS}
        described = {name: result.pop(name) for name in OF_ONE}
        rows.append(
            {
                "model": model,
                **result,
                "milliseconds": milliseconds_alone(embedder),
                "numbers": embedder.space.dim,
                "bytes": VECTOR_BYTES * embedder.space.dim,
                **described,
            }
        )
    return {"models": rows, **facts}
