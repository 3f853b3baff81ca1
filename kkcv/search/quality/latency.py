"""How quickly a gallery answers, measured on its own vectors."""

import time

import numpy as np

from kkcv.search.index.outside import perturbed
from kkcv.search.opened.generation import Generation

QUERIES = 100  # the fewest that have a 99th percentile
K = 10


def latency(generation: Generation) -> dict[str, float] | None:
    """Milliseconds of the index per query, as ``p50`` and ``p99``; None without vectors."""
    with generation.catalog.reading() as rows:
        for _, vectors in rows.vectors(QUERIES):
            took = []
            # changed a little: the pictures themselves are found too easily
            for query in perturbed(vectors)[:QUERIES]:
                began = time.perf_counter()
                generation.index.search(rows, query[None], K)
                took.append(1000 * (time.perf_counter() - began))
            p50, p99 = np.percentile(took, [50, 99])
            return {"p50": round(float(p50), 2), "p99": round(float(p99), 2)}
    return None
