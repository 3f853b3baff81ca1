"""A gallery on the real Milvus: what a transaction, a search and a filter take, at two ticks.

    make bench-milvus COUNT=20000

Vectors are random, which is as hard as it gets for recall; rows come in as Parquet files load them.
"""

import argparse
import os
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.table import Table

from benchmarks.command import run
from kkcv.checkpoint import Checkpoint
from kkcv.embedding.embedder import Embedder
from kkcv.embedding.runtimes import RUNTIMES, Runtime
from kkcv.images.preprocess import Preprocess
from kkcv.search.gallery import Gallery
from kkcv.search.picture import PictureFile
from tests.milvus_server import bring_up_loopback, real

DIM = 1280
TRANSACTION = 1024
QUERIES = 40


class Random(Runtime):
    """Embeds nothing: it only has a dimension."""

    dim = DIM

    def run(self, crops: np.ndarray) -> np.ndarray:
        raise NotImplementedError


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--count", type=int, default=20_000)
    count = parser.parse_args().count
    bring_up_loopback()
    RUNTIMES["random"] = lambda *_: Random()
    table = Table("tick, ms", "what", "median", "99%", title=f"{count} vectors, load {load():.1f}")
    for tick in (200, 20):
        with tempfile.TemporaryDirectory() as folder, real(Path(folder), tick) as server:
            for what, *figures in measured(f"{server}/bench?files={folder}/files", count):
                table.add_row(str(tick), what, *figures)
    Console(width=100).print(table)


def load() -> float:
    return os.getloadavg()[0]


def measured(address: str, count: int) -> list[tuple[str, str, str]]:
    half = (0.5,) * 3
    sizes = Preprocess((32, 32), resize=32, interpolation="bilinear", mean=half, std=half)
    embedder = Embedder(Checkpoint("random", "random", None, sizes), runtime="random")
    chance = np.random.default_rng(0)
    vectors = chance.normal(size=(count, DIM)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    with Gallery.create(address, embedder) as gallery:
        began = time.perf_counter()
        for start in range(0, count, TRANSACTION):
            files = [
                PictureFile(f"/{n}", False, n.to_bytes(32, "big"), n, 1)
                for n in range(start, min(count, start + TRANSACTION))
            ]
            with gallery.catalog.writing() as writer:
                writer.expect(files)
                for file in files:
                    writer.by_path(file.path)
                    writer.add(file, vectors[file.bytes], {"n": file.bytes})
        rate = count / (time.perf_counter() - began)
        queries = vectors[chance.integers(0, count, QUERIES)]
        ids = chance.integers(1, count, 10).tolist()
        return [
            ("rows loaded a second", f"{rate:.0f}", ""),
            timed("search", lambda n: gallery.search_vector(queries[n])),
            timed(
                "search, one is left", lambda n: gallery.search_vector(queries[n], where=f"n=={n}")
            ),
            timed("64 queries", lambda n: gallery.search_vectors(vectors[:64])),
            timed("describe one", lambda n: gallery.describe(ids[n % 10], {"n": n})),
        ]


def timed(what: str, work: Callable[[int], object]) -> tuple[str, str, str]:
    took = []
    for n in range(QUERIES):
        began = time.perf_counter()
        work(n)
        took.append(1000 * (time.perf_counter() - began))
    median, most = np.percentile(took, (50, 99))
    return what, f"{median:.0f} ms", f"{most:.0f} ms"


if __name__ == "__main__":
    run(main)
