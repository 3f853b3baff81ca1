"""``kkcv index``: pictures, or vectors from elsewhere, into a gallery."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from shlex import join, quote
from typing import TYPE_CHECKING

import click

from kkcv.errors import GalleryError, NotAGallery, RequestError
from kkcv.images.formats import OTHERS, with_hint
from kkcv.search.options import OPTIONS

from .embed import index_from
from .language import say
from .network import Network, network_options, warn_of_random
from .options import json_option, threads_option
from .output import echo, print_json, print_result, print_table, progress_bar, tell_skipped

if TYPE_CHECKING:
    from collections import Counter

    from kkcv.search.gallery import Gallery
    from kkcv.search.importing import ImportReport

SHOWN_REJECTS = 10  # lines that fit below the table in a terminal; rejects.csv has all
SHOWN_PATHS = 3  # of those that were named, in the next steps
ONE = {  # of what is passed over
    "recycle bins": "recycle bin",
    "system folders": "system folder",
    "galleries": "gallery",
    "training runs": "training run",
    OTHERS: "other file",
}
SHOWN_KINDS = 8  # of what is passed over
SAID = {"copied": "copied, with the bytes of another"}  # counts that one word does not explain


@click.command()
@click.argument("gallery")
@click.argument("paths", nargs=-1)
@click.option(
    "--from",
    "shards",
    multiple=True,
    metavar="FILE|FOLDER",
    help="Take vectors from the Parquet files of kkcv embed; PATHS are such files too then.",
)
@click.option("--plan", metavar="PLAN", help="With --from: all shards of this plan, or none.")
@network_options
@click.option(
    "--vectors",
    type=click.Choice(["float16", "float32"]),
    help="How a new gallery stores its vectors.  [default: float16]",
)
@threads_option
@click.option(
    "--ranking", metavar="NAME", help=f"{OPTIONS['ranking'].help} From now on, for all searches."
)
@click.option(
    "--labels",
    type=click.Choice(["folder"]),
    help='Give each picture without a label the name of its folder, for filters: label == "cat".',
)
@click.option(
    "--exclude",
    multiple=True,
    metavar="PATTERN",
    help="Leave out what matches, as in gitignore, from now on; !PATTERN takes it in again.",
)
@click.option(
    "--local-features",
    is_flag=True,
    help="Make the local features that --verify and --copies compare ahead, from now on.",
)
@click.option("--rehash", is_flag=True, help="Read all files, also those that look unchanged.")
@json_option
def index(
    gallery: str,
    paths: tuple[str, ...],
    shards: tuple[str, ...],
    plan: str | None,
    network: Network,
    vectors: str | None,
    threads: int | None,
    ranking: str | None,
    labels: str | None,
    exclude: tuple[str, ...],
    local_features: bool,
    rehash: bool,
    as_json: bool,
) -> None:
    """Make a gallery of pictures, or add to it: files and folders, with their subfolders.

    What is known already is not embedded again: a moved file keeps its id, a copied one gets
    another. Unreadable files are skipped and listed in rejects.csv in the gallery; the exit code is
    1 if all were. It may be stopped at any time and run again.

    \b
    kkcv index photos.kkcv ~/Pictures
    kkcv index photos.kkcv --from vectors/ --plan photos.plan
    kkcv index photos.kkcv --ranking best
    kkcv index pets.kkcv pets/ --labels folder
    kkcv index photos.kkcv ~/Pictures --exclude raw/ --exclude '*.tif'
    """
    if ranking:
        OPTIONS["ranking"].check(ranking)  # before a gallery is made
    if ranking and not (shards or paths):
        change_ranking(gallery, ranking, as_json)
        return
    if shards:
        making = (vectors, threads, ranking, labels, exclude, rehash, local_features)
        if network.given or any(making):
            raise RequestError("--from takes vectors as they are: leave out how to make them")
        index_from(gallery, (*shards, *paths), plan, as_json)
        return
    if plan or not paths:
        raise RequestError("name files or folders of pictures, or --from what kkcv embed made")
    from kkcv.search.describing.describing import label_by_folder
    from kkcv.search.importing import files_to_import, import_pictures
    from kkcv.search.verification.making import are_wanted, make_missing, want

    opened = open_or_create(gallery, network, vectors, paths)
    with opened:
        if ranking:
            opened.rank_by(ranking)
        first_time = len(opened) == 0
        with progress_bar("indexing") as update:
            # the folders are walked ahead, so that the bar has an end
            total = sum(1 for _ in files_to_import(opened, paths, exclude))
            last: ImportReport | None = None

            def progress(current: "ImportReport") -> None:
                nonlocal last
                last = current
                update(current.files, total)

            with saying_how_far(total, lambda: last.files if last else 0):
                report = import_pictures(
                    opened,
                    paths,
                    threads=threads,
                    exclude=exclude,
                    rehash=rehash,
                    progress=progress,
                )
        labelled = label_by_folder(opened, paths).changed if labels else None
        if local_features:
            want(opened.catalog)
        if are_wanted(opened.catalog):
            with progress_bar("making local features") as update:
                make_missing(opened, update)
        if opened.generation.index.wants_rebuild:
            echo("building the index", err=True)
            opened.generation.index.rebuild()
        show_report(opened, report, as_json, labelled)
        if first_time and len(opened) and not as_json:
            show_next_steps(gallery, paths)
        if report.rejected and len(report.rejected) == report.files:
            sys.exit(1)


@contextmanager
def saying_how_far(total: int, done: Callable[[], int]) -> Iterator[None]:
    """When an import is stopped or fails, such as by a full disk, say how many files are done."""
    try:
        yield
    except (KeyboardInterrupt, GalleryError) as stop:
        where = f"stopped after {done()} of {total} files; run it again to go on"
        if isinstance(stop, KeyboardInterrupt):
            stop.add_note(where)
        elif done():
            echo(where, err=True)
        raise


def show_next_steps(gallery: str, paths: tuple[str, ...]) -> None:
    """Print what can be done with a new gallery."""
    gallery = quote(gallery)
    named = join(paths) if len(paths) <= SHOWN_PATHS else "PATHS"
    steps = (
        (f"kkcv search {gallery} PICTURE", "the pictures most like one"),
        (f"kkcv web {gallery}", "the same in a browser"),
        (f"kkcv index {gallery} {named}", "again when there are new pictures"),
    )
    width = max(len(command) for command, _ in steps)
    echo("next:", err=True)
    for command, what in steps:
        echo(f"  {command:{width}}  {say(what)}", err=True)


def change_ranking(folder: str, ranking: str, as_json: bool) -> None:
    """Set the ranking of an existing gallery."""
    from kkcv.search.gallery import Gallery

    with Gallery(folder) as opened:
        opened.rank_by(ranking)
    line = f"{folder} ranks by {ranking} from now on"
    print_result({"gallery": folder, "ranking": ranking}, line, as_json)


def open_or_create(
    address: str, network: Network, vectors: str | None, paths: tuple[str, ...]
) -> "Gallery":
    """The existing gallery, if it fits the options, or a new one for the paths."""
    from kkcv.images.folder import find_pictures
    from kkcv.search.engines import engine_at
    from kkcv.search.gallery import Gallery
    from kkcv.search.opened.generation import origin

    try:
        gallery = Gallery(address)
    except NotAGallery:
        engine_at(address).must_be_free(address)
        embedder = network.load(find_pictures(paths))
        gallery = Gallery.create(address, embedder, vectors=vectors or "float16")
        warn_of_random(embedder, f"to change it: kkcv reindex {address}")
        return gallery
    stored = gallery.catalog.settings
    if vectors and vectors != stored["vectors"]:
        raise RequestError(f"{address} stores {stored['vectors']}; its type cannot be changed")
    if not network.given:
        return gallery
    if network.int8 and gallery.space.int8 and not (network.model or network.weights):
        return gallery  # with the network that it keeps
    if network.int8:
        raise RequestError(
            f"{address} has other vectors, which cannot be mixed with int8; "
            f"to change them: kkcv reindex {address} --precision int8"
        )
    # opened again with the network that was asked for, which must embed as the gallery's does
    gallery.close()
    as_stored = {"backend": stored["backend"]}
    if not network.model:
        as_stored |= dict(zip(("model", "weights"), origin(stored), strict=True))
    return Gallery(address, Network(**{**as_stored, **network.given}).load())


def show_report(
    gallery: "Gallery", report: "ImportReport", as_json: bool, labelled: int | None = None
) -> None:
    rejects = [reject._asdict() for reject in report.rejected]
    counts = {
        "added": report.added,
        "replaced": report.replaced,
        "moved": report.moved,
        "copied": report.copied,
        "unchanged": report.unchanged,
        "rejected": len(rejects),
        "pictures": len(gallery),
    }
    if labelled is not None:
        counts["labelled"] = labelled
    if as_json:
        passed = dict(report.passed)
        lists = {"rejects": rejects, "passed": passed, "linked": report.linked}
        print_json({**counts, **lists, "gallery": gallery.address})
        return
    print_table(["", ""], [(SAID.get(name, name), count) for name, count in counts.items()])
    if not report.files:
        echo("there was no picture in what was named", err=True)
    if report.passed:
        echo(f"passed over: {passed_over(report.passed)}", err=True)
    if report.linked:
        more = ["…"] if len(report.linked) > 3 else []
        echo(
            f"indexed too, by a link or a mount: {', '.join([*report.linked[:3], *more])}; "
            f"all: kkcv roots {quote(gallery.address)}",
            err=True,
        )
    tell_of_absent(gallery, report)
    tell_skipped(rejects[:SHOWN_REJECTS])
    if len(rejects) > SHOWN_REJECTS:
        echo(f"… all {len(rejects)} are in {gallery.folder / 'rejects.csv'}", err=True)


def tell_of_absent(gallery: "Gallery", report: "ImportReport") -> None:
    """Say which pictures are not there; looked for only if the import did not meet them all."""
    from kkcv.search.library.absence import standings

    if len(gallery) <= report.files - len(report.rejected):
        return
    found = standings(gallery.library, gallery.pictures())
    for doubt in (standing.doubt for standing in found if standing.doubt):
        echo(
            f"{doubt}; its pictures stay in the gallery: kkcv roots {quote(gallery.address)}",
            err=True,
        )
    if gone := sum(len(standing.gone) for standing in found if not standing.doubt):
        echo(
            f"no longer where they were: {gone:,}; to take them out: "
            f"kkcv remove {quote(gallery.address)} --missing",
            err=True,
        )


def passed_over(passed: "Counter[str]") -> str:
    """``12 .NEF (pip install 'kkcv[raw]'), 2 recycle bins``; rare extensions are other files."""
    shown = passed.copy()
    rare = [kind for kind, _ in passed.most_common() if kind[0] == "." and with_hint(kind) == kind]
    for kind in rare[SHOWN_KINDS:]:
        shown[OTHERS] += shown.pop(kind)
    return say(", ").join(
        say(f"{count:,} {with_hint(ONE.get(reason, reason) if count == 1 else reason)}")
        for reason, count in shown.most_common()
    )
