"""Embedding on many machines: ``embed``, and ``index --from`` for its shards."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

from kkcv.environment import scheduled_worker
from kkcv.errors import RequestError

from .network import Network, network_options
from .options import json_option, threads_option
from .output import echo, print_facts, progress_bar

if TYPE_CHECKING:
    from kkcv.search.exchange.loading import LoadReport
    from kkcv.search.exchange.shards import WorkReport


@click.command()
@click.argument("paths", nargs=-1, required=True, metavar="PLAN | PATHS...")
@click.option("--plan", "new_plan", metavar="PLAN", help="Write a plan for PATHS, a new folder.")
@click.option("--shards", type=click.IntRange(1), help="Number of shards of similar size.")
@click.option(
    "--shard-pictures", type=click.IntRange(1), help="Pictures a shard.  [default: 10000]"
)
@click.option(
    "--vectors",
    type=click.Choice(["float16", "float32"]),
    help="How the vectors are stored.  [default: float16]",
)
@click.option("--out", metavar="DIR", help="Folder for the Parquet files of a worker.")
@click.option(
    "--shard",
    "worker",
    metavar="I/N",
    help="This is worker I of N, counted from 0: 0/4, 1/4, 2/4, 3/4."
    "  [default: $RANK/$WORLD_SIZE, else 0/1]",
)
@threads_option
@network_options
@json_option
def embed(
    paths: tuple[str, ...],
    new_plan: str | None,
    shards: int | None,
    shard_pictures: int | None,
    vectors: str | None,
    out: str | None,
    worker: str | None,
    threads: int | None,
    network: Network,
    as_json: bool,
) -> None:
    """Embed many pictures into Parquet files, on any number of machines.

    First a plan, which says what is in which shard; then any number of workers, each with its
    number, counted from 0. What is done is not done again, so a worker that died is simply started
    again. All see the pictures under the same paths. At last: kkcv index GALLERY --from DIR.

    \b
    kkcv embed --plan photos.plan ~/Pictures
    kkcv embed photos.plan --out vectors --shard 0/2 &
    kkcv embed photos.plan --out vectors --shard 1/2 & wait
    kkcv index photos.kkcv --from vectors --plan photos.plan
    """
    if new_plan:
        refuse("a plan", {"--out": out, "--shard": worker, "--threads": threads})
        if shards and shard_pictures:
            raise RequestError("--shards and --shard-pictures are two ways to say it; take one")
        write_plan(new_plan, paths, shards, shard_pictures, vectors, network, as_json)
        return
    asked = {"--shards": shards, "--shard-pictures": shard_pictures, "--vectors": vectors}
    refuse("a worker", asked)
    if len(paths) > 1 or not out:
        raise RequestError(
            "a worker takes one plan and --out DIR; to make a plan: kkcv embed --plan PLAN PATHS..."
        )
    work(paths[0], out, worker_of(worker or scheduled_worker()), threads, network, as_json)


def refuse(who: str, given: Mapping[str, object]) -> None:
    """Refuse options that do not go together (RequestError)."""
    for name, value in given.items():
        if value is not None:
            raise RequestError(f"{name} is not for {who}; see: kkcv embed --help")


def worker_of(text: str | None) -> tuple[int, int]:
    """The number of this worker, counted from 0, and of all, from ``I/N``; the only one for None.

    Raises RequestError.
    """
    if text is None:
        return 0, 1
    i, slash, n = text.partition("/")
    if not (slash and i.isdecimal() and n.isdecimal() and int(i) < int(n)):
        raise RequestError(
            f"--shard (or RANK/WORLD_SIZE) is I/N with I from 0 to N-1, as 0/4, got {text!r}"
        )
    return int(i), int(n)


def write_plan(
    folder: str,
    paths: tuple[str, ...],
    shards: int | None,
    shard_pictures: int | None,
    vectors: str | None,
    network: Network,
    as_json: bool,
) -> None:
    from kkcv.search.exchange.plan import SHARD_PICTURES, make_plan

    embedder = network.load()
    with progress_bar("planning") as update:
        plan = make_plan(
            folder,
            paths,
            embedder,
            vectors=vectors or "float16",
            shards=shards,
            shard_pictures=shard_pictures or SHARD_PICTURES,
            progress=lambda pictures: update(pictures, None),
        )
    facts = {
        "plan": str(plan.folder),
        "shards": len(plan.shards),
        "pictures": plan.pictures,
        "picture_bytes": sum(shard.bytes for shard in plan.shards),
        "network": plan.space.network,
        "fingerprint": plan.space.fingerprint,
        "runtime": plan.choice.runtime,
        "precision": plan.choice.precision,
        "vectors": plan.settings["vectors"],
    }
    print_facts(facts, as_json)


def work(
    folder: str,
    out: str,
    worker: tuple[int, int],
    threads: int | None,
    network: Network,
    as_json: bool,
) -> None:
    from kkcv.search.exchange.plan import read_plan
    from kkcv.search.exchange.shards import embed_shards, load_embedder

    plan = read_plan(folder)
    embedder = load_embedder(plan, **network.given)
    total = sum(shard.pictures for shard in plan.shards[worker[0] :: worker[1]])
    with progress_bar("embedding") as update:

        def progress(report: "WorkReport") -> None:
            update(report.pictures, total)

        with resumable():
            report = embed_shards(plan, out, embedder, *worker, threads=threads, progress=progress)
    facts = {
        "worker": f"{worker[0]}/{worker[1]}",
        "shards": report.shards,
        "skipped": report.skipped,
        "embedded": report.embedded,
        "rejected": report.rejected,
        "out": out,
    }
    print_facts(facts, as_json)


def index_from(gallery: str, sources: tuple[str, ...], plan: str | None, as_json: bool) -> None:
    """``kkcv index GALLERY --from``: vectors that are there already, into a gallery."""
    from kkcv.search.exchange.loading import load, parquet_files
    from kkcv.search.exchange.plan import read_plan
    from kkcv.search.gallery import Gallery

    planned = read_plan(plan) if plan else None
    files = parquet_files(sources, planned)
    with progress_bar("loading") as update:

        def progress(report: "LoadReport") -> None:
            update(report.files, len(files))

        with resumable():
            report = load(gallery, files, verified=planned is not None, progress=progress)
    with Gallery(gallery) as opened:
        if opened.generation.index.wants_rebuild:
            echo("building the index", err=True)
            opened.generation.index.rebuild()
        facts = {
            "files": report.files,
            "added": report.added,
            "replaced": report.replaced,
            "unchanged": report.unchanged,
            "rejected": report.rejected,
            "pictures": len(opened),
            "gallery": opened.address,
        }
    print_facts(facts, as_json)


@contextmanager
def resumable() -> Iterator[None]:
    """Ctrl-C stops the work, which goes on when the command is run again."""
    try:
        yield
    except KeyboardInterrupt as stop:
        stop.add_note("stopped; run it again to go on")
        raise
