"""Maintenance of a gallery: ``doctor``, ``tune``, ``reindex``, backup and exchange."""

import os
import sys
from typing import TYPE_CHECKING

import click

from kkcv.errors import RequestError

from .language import say
from .network import Network, network_options, warn_of_random
from .options import OneOf, Within, json_option, kinds, open_gallery
from .output import echo, print_json, print_result, print_table, progress_bar

if TYPE_CHECKING:
    from kkcv.embedding.space import EmbeddingSpace
    from kkcv.search.gallery import Gallery


@click.command()
@open_gallery
@click.option("--repair", is_flag=True, help="Repair what can be repaired; nothing is deleted.")
@json_option
def doctor(gallery: "Gallery", repair: bool, as_json: bool) -> None:
    """Check a gallery for damage.

    The exit code is 1 if something is wrong and was not repaired.

    \b
    kkcv doctor photos.kkcv --repair
    """
    from kkcv.search.maintenance.doctor import examine

    with progress_bar("looking") as update:
        findings = examine(gallery, repair=repair, progress=update)
        pictures = len(gallery)
    if as_json:
        print_json({"pictures": pictures, "findings": [f._asdict() for f in findings]})
    elif findings:
        rows = [(say(f.kind), say(f.what), say(f.mended or f.advice)) for f in findings]
        print_table(["finding", "what", "mended" if repair else "to do"], rows)
    else:
        echo(f"{pictures} pictures, all well")
    if not all(f.mended for f in findings):
        sys.exit(1)


@click.command()
@open_gallery
@click.option(
    "--recall",
    type=Within(0.5, 1),
    default=0.99,
    show_default=True,
    help="The recall@10 to reach, against exact search.",
)
@click.option(
    "--memory",
    metavar="SIZE",
    help="Memory limit for the part of the index that every search reads, such as 800MB or 2GB.",
)
@click.option("--kind", type=OneOf(kinds), help="[default: by size]")
@json_option
def tune(
    gallery: "Gallery", recall: float, memory: str | None, kind: str | None, as_json: bool
) -> None:
    """Rebuild the index of a gallery, and measure how hard it must search for a recall.

    The recall is measured with pictures that the index was built without, perturbed copies, and
    pictures of other things. What is asked for here also holds when the index is built again later.
    Where comparing with every vector is nearly as quick, that is done. Searches go on meanwhile.

    \b
    kkcv tune photos.kkcv --recall 0.995
    kkcv tune photos.kkcv --memory 500MB
    """
    from kkcv.search.engine.tuning import Goal, parse_memory

    goal = Goal(recall, parse_memory(memory) if memory is not None else None, kind)
    gallery.generation.index.tune(goal)
    described = gallery.generation.index.describe()
    if as_json:
        print_json(described)
        return
    if curve := described.get("curve"):
        print_table(
            ["k", "effort", "recall", "worst tenth", "ms a query"],
            [tuple(point.values()) for point in curve],
            title=f"{described['kind']}: what each effort finds",
        )
    print_table(
        ["k", "efforts", "recall", "worst tenth", "at least", "ms a query"],
        [
            (p["k"], " then ".join(map(str, p["efforts"])), *list(p.values())[2:])
            for p in described.get("plans", [])
        ],
        title=f"{described['kind']}: how it finds k neighbors (all: by comparing all)",
    )


@click.command()
@open_gallery
@network_options
@click.option("--leave-out", is_flag=True, help="Continue without files that cannot be read.")
@click.option(
    "--undo", is_flag=True, help="Go back to the previous network; a second time, to this one."
)
@json_option
def reindex(
    gallery: "Gallery", network: Network, leave_out: bool, undo: bool, as_json: bool
) -> None:
    """Embed a gallery with another network, then use its vectors.

    Searches go on meanwhile; it may be stopped and run again. Says how much the answers change:
    the overlap of the ten nearest, and retrieval figures where the metadata have a label.

    \b
    kkcv reindex photos.kkcv --model mobilenet_v3_large_1.0
    kkcv reindex photos.kkcv --undo
    """
    from kkcv.search.maintenance import reindex as work

    if not undo and not {"model", "weights", "precision"} & network.given.keys():
        raise RequestError("name the other network: --model NAME (see: kkcv zoo list), or --undo")
    with progress_bar("embedding") as update:
        if undo:
            report = work.undo(gallery, leave_out=leave_out, progress=update)
        else:
            paths = (gallery.path(picture) for picture in gallery.pictures())
            warn_of_head_alone(network.model, gallery.space)
            embedder = network.load(paths)
            warn_of_random(embedder, "the way back: --undo")
            report = work.reindex(gallery, embedder, leave_out=leave_out, progress=update)
        name = gallery.space.network
    if as_json:
        print_json({"network": name, **work.as_plain(report)})
        return
    rows = [
        ("network", name),
        ("pictures", report.pictures),
        ("left out", len(report.left_out)),
        ("overlap at 10", f"{report.overlap:.4f}"),
    ]
    for name, figures in (("before", report.before), ("after", report.after)):
        rows += [(f"{key} {name}", f"{value:.4f}") for key, value in (figures or {}).items()]
    print_table(["", ""], rows)


def warn_of_head_alone(model: str | None, space: "EmbeddingSpace") -> None:
    """Say before the work that a run changes no search, where only its head was trained."""
    from kkcv.training.run_folder import RunFolder

    if model is None or not (run := RunFolder(model)).is_finished:
        return
    if run.finds_the_same(space.weights, space.preprocess.to_dict()):
        echo(
            f"note: in {model} only the head was trained, so the vectors and what is found stay "
            "the same; to change them, train with --unfreeze 1 or --auto",
            err=True,
        )


@click.command()
@open_gallery
@click.argument("file", type=click.Path())
def backup(gallery: "Gallery", file: str) -> None:
    """Write a gallery into one FILE, also while it is in use.

    \b
    kkcv backup photos.kkcv photos.backup
    """
    from kkcv.search.maintenance.backup import backup as write

    echo(f"{write(gallery, file)} pictures are in {file}")


@click.command()
@click.argument("gallery")
@click.argument("file", type=click.Path())
def restore(gallery: str, file: str) -> None:
    """Make a new gallery from a backup FILE.

    \b
    kkcv restore again.kkcv photos.backup
    """
    from kkcv.search.maintenance.backup import restore as read

    if os.path.isfile(gallery) and not os.path.isfile(file):
        gallery, file = file, gallery  # as it was written before galleries came first
    with read(file, gallery) as restored:
        echo(f"{len(restored)} pictures are in {gallery}")


@click.command()
@open_gallery
@click.argument("file", type=click.Path())
def export(gallery: "Gallery", file: str) -> None:
    """Write the pictures of a gallery into a FILE, in the format of its extension.

    .parquet has everything, vectors too, and can be imported again; .csv and .jsonl have ids, paths
    and metadata; .npz has ids, vectors and paths for NumPy.

    \b
    kkcv export photos.kkcv photos.parquet
    kkcv export photos.kkcv photos.csv
    """
    from kkcv.search.exchange.export import export as write

    echo(f"{write(gallery, file)} pictures are in {file}")


@click.command("import")
@click.argument("gallery")
@click.argument("files", nargs=-1, required=True, type=click.Path())
@click.option(
    "--root",
    "roots",
    multiple=True,
    metavar="FOLDER",
    help="A further folder whose files the rows may name; may be given several times.",
)
@json_option
def import_(gallery: str, files: tuple[str, ...], roots: tuple[str, ...], as_json: bool) -> None:
    """Import exported Parquet FILES into a gallery, new or of the same network.

    Rows name files of this machine: below the folders that the export is of, below those of the
    gallery, or below --root. Others are refused.

    \b
    kkcv import copy.kkcv photos.parquet
    """
    from kkcv.search.exchange.loading import import_parquet

    counts = [import_parquet(gallery, file, roots=roots) for file in files]
    added, known = (sum(column) for column in zip(*counts, strict=True))
    line = f"{added} pictures came in, {known} were there"
    print_result({"added": added, "known": known}, line, as_json)
