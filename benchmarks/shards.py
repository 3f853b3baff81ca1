"""The needs of very many pictures: machines, memory, disk and time, computed from measurements.

python -m benchmarks.shards FOLDER [--pictures 512] [--rows 20000]

Measured here, in this run: one worker on pictures of FOLDER, from its first file to its last
checksum, once its network is loaded; then ``rows`` rows, which are the real vectors each moved by a
tenth of its length in a random direction, written as workers write them, loaded into a gallery, and
indexed. Memories are of ``kkcv embed`` and ``kkcv index --from`` as processes of their own. The
second table multiplies.
"""

import argparse
import json
import math
import os
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np
from rich import box
from rich.console import Console
from rich.table import Table

from benchmarks.command import existing, pictures_in, run
from benchmarks.opened import index_of
from kkcv.embedding.embedder import Embedder
from kkcv.embedding.space import EmbeddingSpace
from kkcv.search.exchange.loading import load, parquet_files
from kkcv.search.exchange.parquet import (
    Row,
    batches,
    described_schema,
    opened,
    parquet_writer,
    table,
    unpacked,
)
from kkcv.search.exchange.plan import SHARD_PICTURES, make_plan
from kkcv.search.exchange.shards import embed_shards
from kkcv.search.gallery import Gallery
from kkcv.search.index.kinds import KINDS
from kkcv.search.picture import PictureFile

SIZES = (10**6, 10**7, 10**8, 10**9)
CHUNK = 1000  # rows that are made at a time
GB = 10**9


# getrusage would count the memory of the process that started it
WITH_MEMORY = """
from kkcv.cli import main
main(standalone_mode=False)
for line in open("/proc/self/status"):
    if line.startswith("VmHWM"):
        print(line.split()[1])
"""


class Measured(NamedTuple):
    """Rates are a second, bytes are of one picture, memories are the most that a process had."""

    rate: float
    worker_memory: int
    picture_bytes: float
    plan_bytes: float
    parquet_bytes: float
    catalog_bytes: float
    index_bytes: float
    load_rate: float
    load_memory: int


def memory_of(*arguments: object) -> int:
    """The most bytes of memory that ``kkcv …`` had, as a process of its own."""
    command = [sys.executable, "-c", WITH_MEMORY, *map(str, arguments), "--json"]
    said = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout
    return int(said.split()[-1]) * 1024


def seconds_of(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def measure(pictures: list[Path], rows: int, scratch: Path) -> Measured:
    plan, out, grown = scratch / "plan", scratch / "out", scratch / "grown"
    embedder = Embedder.load()
    planned = make_plan(plan, pictures, embedder)
    embedder.embed_picture(pictures[0])  # what is made at the first picture
    embedding = seconds_of(lambda: embed_shards(planned, out, embedder))
    lists = sum(file.stat().st_size for file in plan.glob("*.jsonl"))

    grow(out, grown, rows)
    files = parquet_files([grown])
    loading = seconds_of(lambda: load(scratch / "gallery", files))
    catalogs = sum(f.stat().st_size for f in (scratch / "gallery").glob("catalog.sqlite*"))
    with Gallery.open(scratch / "gallery") as gallery:
        index = index_of(gallery)
        index.rebuild(kind=KINDS["ivf"])
        index_bytes = index.describe()["bytes_a_picture"]
    return Measured(
        rate=len(pictures) / embedding,
        worker_memory=memory_of("embed", plan, "--out", scratch / "again"),
        picture_bytes=sum(shard.bytes for shard in planned.shards) / len(pictures),
        plan_bytes=lists / len(pictures),
        parquet_bytes=sum(file.stat().st_size for file in files) / rows,
        catalog_bytes=catalogs / rows,
        index_bytes=index_bytes,
        load_rate=rows / loading,
        load_memory=memory_of("index", scratch / "another", "--from", grown),
    )


def grow(out: Path, grown: Path, rows: int) -> None:
    """Parquet files with as many rows a shard as a plan gives, from the few that are real."""
    real: list[Row] = []
    settings: dict[str, str] = {}
    for file in parquet_files([out]):
        source, settings = opened(file)
        dim = EmbeddingSpace.from_dict(json.loads(settings["space"])).dim
        real += [row for batch in batches(source, file) for row in unpacked(batch, file, dim)]
    vectors = np.stack([row.vector for row in real])
    schema = described_schema(settings)
    generator = np.random.default_rng(0)
    grown.mkdir()
    for shard, start in enumerate(range(0, rows, SHARD_PICTURES)):
        end = min(start + SHARD_PICTURES, rows)
        with parquet_writer(grown / f"{shard:06d}.parquet", schema) as writer:
            for begin in range(start, end, CHUNK):
                numbers = np.arange(begin, min(begin + CHUNK, end))
                moved = vectors[numbers % len(real)]
                noise = generator.normal(size=moved.shape).astype(np.float32)
                moved = moved + 0.1 * noise / np.linalg.norm(noise, axis=1, keepdims=True)
                moved /= np.linalg.norm(moved, axis=1, keepdims=True)
                files = [renamed(real[n % len(real)].file, n) for n in numbers.tolist()]
                writer.write_table(table(schema, files, moved))


def renamed(file: PictureFile, number: int) -> PictureFile:
    """Another path of the same length and more, and other bytes."""
    path = Path(file.path)
    sha256 = file.sha256[:24] + number.to_bytes(8)
    name = str(path.with_stem(f"{number:09d}-{path.stem}"))
    return PictureFile(name, False, sha256, file.bytes, file.mtime_ns)


def report_measured(found: Measured) -> Table:
    shown = Table("measured", "", title="One machine", title_justify="left", box=box.ASCII)
    for name, value in (
        ("a worker embeds", f"{found.rate:,.1f} pictures/s"),
        ("a worker's memory, at most", f"{found.worker_memory / GB:.2f} GB"),
        ("a picture's file", f"{found.picture_bytes:,.0f} bytes"),
        ("a picture in the plan", f"{found.plan_bytes:,.0f} bytes"),
        ("a picture in Parquet", f"{found.parquet_bytes:,.0f} bytes"),
        ("a picture in the catalog", f"{found.catalog_bytes:,.0f} bytes"),
        ("a picture in the index (ivf)", f"{found.index_bytes:,.0f} bytes"),
        ("index --from loads", f"{found.load_rate:,.0f} pictures/s"),
        ("its memory, at most", f"{found.load_memory / GB:.2f} GB"),
    ):
        shown.add_row(name, value)
    return shown


def report_computed(found: Measured, memory: int) -> Table:
    """One row a figure with its formula, a column a size."""
    rows = (
        ("embedding, machine-days", "N / rate / 86,400", lambda n: n / found.rate / 86_400),
        ("machines to embed in a week", "days / 7, up", lambda n: up(n / found.rate / 604_800)),
        ("pictures read, GB", "N x file", lambda n: n * found.picture_bytes / GB),
        ("plan, GB", "N x plan", lambda n: n * found.plan_bytes / GB),
        ("shards", "N / 10,000", lambda n: up(n / SHARD_PICTURES)),
        ("Parquet, GB", "N x Parquet", lambda n: n * found.parquet_bytes / GB),
        ("loading, hours", "N / load rate / 3,600", lambda n: n / found.load_rate / 3600),
        ("catalogs, GB", "N x catalog", lambda n: n * found.catalog_bytes / GB),
        ("indexes, GB of memory", "N x index", lambda n: n * found.index_bytes / GB),
        (
            f"machines of {memory / GB:.0f} GB to search",
            "indexes / (0.8 x memory), up",
            lambda n: up(n * found.index_bytes / (0.8 * memory)),
        ),
    )
    shown = Table("computed", "formula", title="N pictures", title_justify="left", box=box.ASCII)
    for size in SIZES:
        shown.add_column(f"{size:,}", justify="right")
    for name, formula, figure in rows:
        shown.add_row(name, formula, *(short(figure(size)) for size in SIZES))
    return shown


def up(value: float) -> int:
    return max(1, math.ceil(value))


def short(value: float) -> str:
    return f"{value:,.0f}" if isinstance(value, int) or value >= 100 else f"{value:.2g}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=existing)
    parser.add_argument("--pictures", type=int, default=512, help="at most so many of the folder")
    parser.add_argument("--rows", type=int, default=20_000, help="rows to load and to index")
    options = parser.parse_args()

    found = pictures_in([options.folder])
    pictures = found[:: max(1, len(found) // options.pictures)][: options.pictures]
    with tempfile.TemporaryDirectory() as scratch:
        measured = measure(pictures, options.rows, Path(scratch))
        runtime = json.loads((Path(scratch) / "plan/plan.json").read_bytes())["runtime"]
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    load_average = os.getloadavg()[0]
    console = Console(width=118)
    console.print(
        f"{len(pictures)} pictures of {options.folder.name}, {options.rows:,} rows; "
        f"{' in '.join(runtime.values())}; {os.cpu_count()} cores, {memory / GB:.0f} GB, "
        f"{platform.machine()}, load average at the end {load_average:.1f}"
    )
    console.print(report_measured(measured))
    console.print(report_computed(measured, memory))


if __name__ == "__main__":
    run(main)
