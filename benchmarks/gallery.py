"""A large gallery beside raw Faiss: open, search, recall, bytes a picture, import.

    python -m benchmarks.gallery PICTURES... [--count 1000000] [--keep FOLDER]

The vectors are grown from the real embeddings of PICTURES (grown.py), written as workers write them
(Parquet), loaded into a gallery and indexed, each in a process of its own. Then new vectors, grown
likewise, are searched for in the gallery and in Faiss itself: the same index file with the same
parameters, query by query in turn, so that what else the machine does meets both alike. A gallery's
answer has path and metadata of each hit from the catalog; Faiss's has row numbers.
"""

import argparse
import multiprocessing
import os
import platform
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import faiss
import numpy as np
from rich import box
from rich.console import Console
from rich.table import Table

from kkcv.search.exchange.loading import load, parquet_files
from kkcv.search.gallery import Gallery
from kkcv.search.index import kinds
from kkcv.search.index.exact import inner_products
from kkcv.search.index.neighbors import Neighbors, nearest_of, no_neighbors

from .command import existing, pictures_in, run
from .grown import FILE_ROWS, Grown, embedded, write
from .opened import index_of

K = 10
SINGLE, BATCHES, BATCH, COMPARED = 500, 40, 64, 200
GB = 10**9
Rows = list[tuple[str, str]]


def say(text: str) -> None:
    print(f"{time.strftime('%H:%M:%S')} {text}", file=sys.stderr, flush=True)


def apart(work: Callable[..., Any], *arguments: object) -> Any:
    """The return value, from a process of its own, whose memory can be told."""
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, mp_context=context) as pool:
        return pool.submit(work, *arguments).result()


def most_memory() -> int:
    """The most bytes that this process has had."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmHWM"):
            return int(line.split()[1]) * 1024
    raise OSError("this system does not tell")


def imported(scratch: Path) -> tuple[float, int, int]:
    """Seconds, and the most memory after the first Parquet file and after all."""
    found = parquet_files([scratch / "parquet"])
    began = time.perf_counter()
    load(scratch / "gallery", found[:1])
    early = most_memory()
    load(scratch / "gallery", found[1:])
    return time.perf_counter() - began, early, most_memory()


def indexed(scratch: Path, recall: float) -> tuple[float, int]:
    """Seconds, and the most memory."""
    began = time.perf_counter()
    with Gallery.open(scratch / "gallery") as gallery:
        index_of(gallery).rebuild(recall=recall)
    return time.perf_counter() - began, most_memory()


def opened(scratch: Path) -> tuple[float, float]:
    """Seconds to open the gallery, and to answer the first question after that."""
    began = time.perf_counter()
    with Gallery.open(scratch / "gallery") as gallery:
        took = time.perf_counter() - began
        gallery.search_vectors(np.load(scratch / "real.npy")[:1])
        return took, time.perf_counter() - began - took


def truth(scratch: Path, count: int, queries: np.ndarray) -> tuple[np.ndarray, float]:
    """The exact K nearest of all in float32, and the share of them that float16 finds."""
    exact = halved = no_neighbors(len(queries))
    before = 0
    for vectors in Grown(np.load(scratch / "real.npy")).chunks(count):
        for half in (False, True):
            stored = vectors.astype(np.float16).astype(np.float32) if half else vectors
            rows, scores = inner_products(queries, stored, K)
            best = nearest_of([halved if half else exact, Neighbors(rows + before, scores)], K)
            exact, halved = (exact, best) if half else (best, halved)
        before += len(vectors)
    return exact.ids, overlap(halved.ids, exact.ids)


def of_real_ones(scratch: Path) -> float:
    """The share of the K nearest other pictures, of each real one, that float16 finds."""
    real = np.load(scratch / "real.npy")
    half = real.astype(np.float16).astype(np.float32)
    return overlap(inner_products(half, half, K + 1)[0], inner_products(real, real, K + 1)[0])


def overlap(found: np.ndarray, exact: np.ndarray) -> float:
    shares = [len(set(a) & set(b)) for a, b in zip(found.tolist(), exact.tolist(), strict=True)]
    return sum(shares) / exact.size


def alternately(
    raw: Callable[[np.ndarray], object],
    ours: Callable[[np.ndarray], object],
    parts: list[np.ndarray],
) -> np.ndarray:
    """Milliseconds of both for each part, by the clock and of all processors' time: (2, 2, parts).

    The first one changes by turns.
    """
    took = np.empty((2, 2, len(parts)))
    for number, part in enumerate(parts):
        for which in (0, 1) if number % 2 else (1, 0):
            began = time.perf_counter(), time.process_time()
            (raw, ours)[which](part)
            ended = time.perf_counter(), time.process_time()
            took[which, :, number] = 1000 * np.subtract(ended, began)
    return took


def compared(what: str, took: np.ndarray) -> Rows:
    return [
        (f"{what}, p{share}: gallery, Faiss", "{1:.2f}, {0:.2f} ms".format(*clock))
        for share in (50, 99)
        for clock in [np.percentile(took[:, 0], share, axis=1)]
    ]


def searched(scratch: Path, count: int) -> tuple[Rows, str]:
    """The rows of the table about searching, and the kind of index."""
    grown = Grown(np.load(scratch / "real.npy"))
    queries = np.concatenate(list(grown.chunks(max(SINGLE, BATCH * BATCHES) + 64, seed=1)))
    warm, queries = queries[:64], queries[64:]
    with Gallery.open(scratch / "gallery") as gallery:
        snapshot = index_of(gallery).refreshed().snapshot
        if snapshot is None:
            raise SystemExit(f"{count} pictures need no index; try more")
        (file,) = (scratch / "gallery/index").glob("*.faiss")
        index = faiss.read_index(str(file), faiss.IO_FLAG_MMAP_IFC)
        look, effort = kinds.opened(snapshot.kind, index), snapshot.plan(K).steps[0].effort

        def raw(part: np.ndarray) -> np.ndarray:
            return look(part, K, effort)[1]

        def ours(part: np.ndarray) -> list[list[int]]:
            return [[hit.id for hit in hits] for hits in gallery.search_vectors(part, K)]

        raw(warm), ours(warm)
        one = alternately(raw, ours, [queries[n : n + 1] for n in range(SINGLE)])
        many = alternately(raw, ours, np.split(queries[: BATCH * BATCHES], BATCHES))
        say("comparing with all")
        exact, halved = truth(scratch, count, queries[:COMPARED])
        found = overlap(np.array(ours(queries[:COMPARED])) - 1, exact)  # ids count from 1
        disk = gallery.generation.index.describe()["bytes_a_picture"]
        resident = snapshot.kind.resident(gallery.space.dim)
    rows = [
        ("recall of the exact 10", f"{found:.4f}"),
        ("the same, exact search in float16", f"{halved:.4f}"),
        ("the same, among the real pictures", f"{of_real_ones(scratch):.4f}"),
        *compared("one query", one),
        ("over Faiss, median", f"{np.median(one[1, 0] - one[0, 0]):.2f} ms"),
        ("the same in processor time", f"{np.median(one[1, 1] - one[0, 1]):.2f} ms"),
        *compared(f"{BATCH} queries", many),
        ("over Faiss, median", f"{np.median(many[1, 0] / many[0, 0]) - 1:.1%}"),
        ("the same in processor time", f"{np.median(many[1, 1] / many[0, 1]) - 1:.1%}"),
        ("a picture in the index, on disk", f"{disk:,.0f} bytes"),
        ("of these every search goes through", f"{resident:,} bytes"),
    ]
    return rows, f"{snapshot.kind.name}, effort {effort}"


def made(pictures: list[Path], count: int, recall: float, scratch: Path) -> Rows:
    """A gallery, and what it took."""
    say(f"embedding {len(pictures)} pictures")
    settings = apart(embedded, pictures, scratch)
    say(f"growing {count:,} vectors")
    apart(write, scratch, count, settings)
    say("importing")
    import_seconds, early, late = apart(imported, scratch)
    say("indexing")
    index_seconds, index_memory = apart(indexed, scratch, recall)
    catalog = sum(f.stat().st_size for f in (scratch / "gallery").glob("catalog.sqlite*"))
    parquet = sum(f.stat().st_size for f in (scratch / "parquet").iterdir())
    first = f"first {min(count, FILE_ROWS):,}"
    return [
        ("import", f"{count / import_seconds:,.0f} pictures/s"),
        (f"its memory: {first}, all", f"{early / GB:.2f}, {late / GB:.2f} GB"),
        ("a picture in Parquet", f"{parquet / count:,.0f} bytes"),
        ("a picture in the catalog", f"{catalog / count:,.0f} bytes"),
        ("indexing", f"{index_seconds:,.0f} s"),
        ("its memory", f"{index_memory / GB:.2f} GB"),
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folders", type=existing, nargs="+", metavar="PICTURES")
    parser.add_argument("--count", type=int, default=1_000_000, help="vectors in the gallery")
    parser.add_argument("--recall", type=float, default=0.99, help="what the index is tuned for")
    parser.add_argument(
        "--keep", type=Path, help="where to keep the gallery; one that is there is only searched"
    )
    options = parser.parse_args()
    pictures = pictures_in(options.folders)
    scratch = nullcontext(options.keep) if options.keep else tempfile.TemporaryDirectory()
    with scratch as name:
        folder, rows = Path(name), []
        if not (folder / "gallery").exists():
            folder.mkdir(parents=True, exist_ok=True)
            rows = made(pictures, options.count, options.recall, folder)
        say("opening")
        open_seconds, first_seconds = apart(opened, folder)
        say("searching")
        searching, kind = apart(searched, folder, options.count)
        rows += [
            ("open", f"{open_seconds:.2f} s"),
            ("first answer after that", f"{first_seconds:.2f} s"),
            *searching,
        ]
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    console = Console(width=100)
    console.print(
        f"{options.count:,} vectors grown from {len(pictures)} pictures; {kind}; "
        f"{os.cpu_count()} cores, {memory / GB:.0f} GB, {platform.machine()}, "
        f"load average at the end {os.getloadavg()[0]:.1f}"
    )
    shown = Table("measured", "", box=box.ASCII, title="A gallery beside raw Faiss")
    for row in rows:
        shown.add_row(*row)
    console.print(shown)


if __name__ == "__main__":
    run(main)
