"""A gallery from the command line: ``index``, ``search``, ``remove``, ``stats``."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from kkcv.errors import NotAGallery, RequestError

from .embed import index_from
from .options import (
    RANKING_HELP,
    asked_of_runtimes,
    json_option,
    load_embedder,
    network_options,
    search_options,
    wants_int8,
)
from .output import print_json, print_table, progress_bar

if TYPE_CHECKING:
    from kkcv.search.gallery import Gallery, Hit
    from kkcv.search.importing import ImportReport
    from kkcv.search.options import SearchOptions
    from kkcv.search.query import Region

SHOWN_REJECTS = 10


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
@click.option("--threads", type=click.IntRange(1), help="Decoding threads.  [default: one a core]")
@click.option("--ranking", metavar="NAME", help=f"{RANKING_HELP}  From now on, for all searches.")
@json_option
def index(
    gallery: str,
    paths: tuple[str, ...],
    shards: tuple[str, ...],
    plan: str | None,
    model: str | None,
    weights: str | None,
    backend: str | None,
    device: str | None,
    vectors: str | None,
    threads: int | None,
    ranking: str | None,
    as_json: bool,
) -> None:
    """Make a gallery of pictures, or add to it: files, and folders with all below them.

    What is known already is not embedded again; a moved file keeps its id. Unreadable files are
    skipped and listed in rejects.csv in the gallery. It may be stopped at any time and run again.

    \b
    kkcv index photos.kkcv ~/Pictures
    kkcv index photos.kkcv --from vectors/ --plan photos.plan
    kkcv index photos.kkcv --ranking best
    """
    if ranking:
        from kkcv.search.options import check_ranking

        check_ranking(ranking)  # before a gallery is made
    if ranking and not (shards or paths):
        change_ranking(gallery, ranking, as_json)
        return
    if shards:
        if any((model, weights, backend, device, vectors, threads, ranking)):
            raise RequestError("--from takes vectors as they are: leave out how to make them")
        index_from(gallery, (*shards, *paths), plan, as_json)
        return
    if plan or not paths:
        raise RequestError("name files or folders of pictures, or --from what kkcv embed made")
    from kkcv.search.importing import files_to_import, import_pictures

    opened = open_or_create(gallery, model, weights, backend, device, vectors, paths)
    with opened, progress_bar("indexing") as update:
        if ranking:
            opened.rank_by(ranking)
        total = sum(1 for _ in files_to_import(opened, paths))
        report = last = None

        def progress(current: "ImportReport") -> None:
            nonlocal last
            last = current
            update(current.files, total)

        try:
            report = import_pictures(opened, paths, threads=threads, progress=progress)
            if opened.live.wants_rebuild:
                click.echo("building the index", err=True)
                opened.live.rebuild()
        except KeyboardInterrupt:
            done = last.files if last else 0
            click.echo(f"stopped after {done} of {total} files; run it again to go on", err=True)
            sys.exit(130)
        show_report(opened, report, as_json)


def change_ranking(folder: str, ranking: str, as_json: bool) -> None:
    """Another order for all searches of a gallery that is there."""
    from kkcv.search.gallery import Gallery

    with Gallery.open(folder) as opened:
        opened.rank_by(ranking)
    if as_json:
        print_json({"gallery": folder, "ranking": ranking})
    else:
        click.echo(f"{folder} ranks by {ranking} from now on")


def open_or_create(
    address: str,
    model: str | None,
    weights: str | None,
    backend: str | None,
    device: str | None,
    vectors: str | None,
    paths: tuple[str, ...],
) -> "Gallery":
    """The gallery that is there, which must be as asked for, or a new one of the paths."""
    from kkcv.images.folder import find_pictures
    from kkcv.search.engines import must_be_free
    from kkcv.search.gallery import Gallery

    asked = any((model, weights, backend, device, *asked_of_runtimes().values()))
    try:
        gallery = Gallery.open(address)
    except NotAGallery:
        must_be_free(address)
        embedder = load_embedder(model, weights, backend, device, find_pictures(paths))
        return Gallery.create(address, embedder, vectors=vectors or "float16")
    stored = gallery.catalog.settings
    if vectors and vectors != stored["vectors"]:
        raise RequestError(f"{address} stores {stored['vectors']}; its type cannot be changed")
    if asked and wants_int8() and gallery.space.int8 and not (model or weights):
        return gallery  # with the network that it keeps
    if asked and wants_int8():
        raise RequestError(
            f"{address} has other vectors, which cannot be mixed with int8; "
            f"to change them: kkcv reindex {address} --precision int8"
        )
    if asked:
        gallery.close()
        embedder = load_embedder(
            model or stored["model"],
            weights or (stored["weights"] if not model else None),
            backend or stored["backend"],
            device,
        )
        return Gallery.open(address, embedder)
    return gallery


def show_report(gallery: "Gallery", report: "ImportReport", as_json: bool) -> None:
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
    if as_json:
        print_json({**counts, "rejects": rejects, "gallery": gallery.address})
        return
    print_table(["", ""], list(counts.items()))
    for reject in report.rejected[:SHOWN_REJECTS]:
        click.echo(f"skipped: {reject.message} [{reject.reason}]", err=True)
    if len(rejects) > SHOWN_REJECTS:
        click.echo(f"… all {len(rejects)} are in {gallery.folder / 'rejects.csv'}", err=True)


@click.command()
@click.argument("gallery")
@click.argument("picture", required=False)
@click.option("--text", help="What is to be seen, where the gallery's network reads (CLIP).")
@click.option(
    "--like", multiple=True, metavar="PICTURE", help="More like this one, or id:17; repeatable."
)
@click.option(
    "--unlike", multiple=True, metavar="PICTURE", help="Less like this one, or id:17; repeatable."
)
@click.option("--region", metavar="L,T,W,H", help="Only this part of PICTURE, as fractions of it.")
@click.option("-k", type=int, default=10, show_default=True, help="How many hits, 1 to 1000.")
@search_options
@click.option("--sheet", type=click.Path(), help="Write query and hits side by side as a PNG.")
@json_option
def search(
    gallery: str,
    picture: str | None,
    text: str | None,
    like: tuple[str, ...],
    unlike: tuple[str, ...],
    region: str | None,
    k: int,
    options: "SearchOptions",
    sheet: str | None,
    as_json: bool,
) -> None:
    """The pictures of a gallery most like PICTURE (a file, id:17, or - for standard input).

    With --text instead of PICTURE, what looks like the text says. The score is the cosine
    similarity, from -1 to 1: 1 is the same to the network. In a gallery of 30 pictures or more,
    "1 in 20,000" says how often chance alone makes such a score.

    \b
    kkcv search photos.kkcv cat.jpg -k 5 --sheet answer.png
    kkcv search photos.kkcv cat.jpg --like id:17 --unlike id:23
    kkcv search photos.kkcv cat.jpg --ranking best --max-chance 1e-4
    kkcv search shop.kkcv package.jpg --verify --json
    kkcv search photos.kkcv cat.jpg --fold
    kkcv search photos.kkcv --text "a red bus"
    """
    from kkcv.search.gallery import Gallery
    from kkcv.search.learning.feedback import moved
    from kkcv.search.query import Like, Text

    if (picture is None) == (text is None):
        raise RequestError("name a picture to search with, or what it shows: --text (not both)")
    asked = Text(text) if text is not None else as_picture(picture or "")
    query = Like(asked, 1.0, parse_region(region) if region else None)
    likes = moved(query, [as_picture(p) for p in like], [as_picture(p) for p in unlike])
    with Gallery.open(gallery) as opened:
        hits = opened.search_like(likes, k, options)
        if sheet:
            data = opened.read(opened.get(asked)) if isinstance(asked, int) else asked
            write_sheet(sheet, data, hits)
    if as_json:
        print_json({"query": picture or text, "k": k, "hits": [hit._asdict() for hit in hits]})
    else:
        print_hits(hits, options.max_chance)


def as_picture(text: str) -> "str | bytes | int":
    """The path of a file, the bytes of standard input, or the id after ``id:``."""
    from kkcv.images.source import read_bytes

    if text.startswith("id:") and text[3:].isdecimal():
        return int(text[3:])
    return read_bytes(sys.stdin.buffer) if text == "-" else text


def parse_region(text: str) -> "Region":
    from kkcv.search.query import Region

    try:
        left, top, width, height = map(float, text.split(","))
    except ValueError:
        raise RequestError(
            f"a region is four numbers such as 0.1,0.2,0.5,0.5, got {text!r}"
        ) from None
    return Region(left, top, width, height)


def print_hits(hits: "list[Hit]", max_chance: float | None = None) -> None:
    """The ranked hits as a table."""
    from kkcv.search.chance.model import in_words

    if not hits:
        click.echo("nothing like it here" if max_chance else "nothing found")
        return
    columns = {
        "rank": range(1, len(hits) + 1),
        "score": [hit.score for hit in hits],
        "by chance": [in_words(hit.chance) for hit in hits],
        "verified": ["yes" if hit.place else "" for hit in hits],
        "id": [hit.id for hit in hits],
        "path": [hit.path for hit in hits],
        "folded": [" ".join(map(str, hit.folded)) for hit in hits],
        "metadata": [hit.metadata or "" for hit in hits],
    }
    always = ("rank", "score", "id", "path")
    shown = {name: column for name, column in columns.items() if name in always or any(column)}
    print_table(list(shown), list(zip(*shown.values(), strict=True)))


def write_sheet(path: str, query: Any, hits: "list[Hit]") -> None:
    """The contact sheet of a picture or a text; a hit whose file has gone is an empty frame."""
    import numpy as np

    from kkcv.errors import PictureError
    from kkcv.images.decode import decode
    from kkcv.images.sheet import contact_sheet, picture_grid, save_png
    from kkcv.search.query import Text

    shown: list[tuple[Any, str]] = []
    for hit in hits:
        try:
            pixels = decode(hit.path, target=256)
        except PictureError:
            pixels = np.full((256, 256, 3), 235, np.uint8)
        shown.append((pixels, f"{hit.score:.3f}  {Path(hit.path).name}"))
    if isinstance(query, Text):
        save_png(path, picture_grid(shown, title=query.text))
    else:
        save_png(path, contact_sheet(decode(query, target=256), shown))


@click.command()
@click.argument("gallery")
@click.argument("pictures", nargs=-1, metavar="[ID|PATH]...")
@click.option("--missing", is_flag=True, help="All whose file is no longer there.")
@json_option
def remove(gallery: str, pictures: tuple[str, ...], missing: bool, as_json: bool) -> None:
    """Take pictures out of a gallery, by id or path. Your own files are never deleted.

    \b
    kkcv remove photos.kkcv 17 ~/Pictures/old.jpg
    """
    from kkcv.search.gallery import Gallery

    if not pictures and not missing:
        raise RequestError("name what to remove: ids, paths, or --missing")
    with Gallery.open(gallery) as opened:
        ids = [opened.find(picture).id for picture in pictures]
        if missing:
            ids += [p.id for p in opened.pictures() if not opened.path(p).exists()]
        removed = opened.remove(dict.fromkeys(ids))
        left = len(opened)
    if as_json:
        print_json({"removed": removed, "pictures": left})
    else:
        click.echo(f"removed {len(removed)}, {left} left")


@click.command()
@click.argument("gallery")
@json_option
def stats(gallery: str, as_json: bool) -> None:
    """What a gallery holds, which network made it, and how it answers: recall, memory, time.

    The recall is of the index as it was tuned, the time is measured now.

    \b
    kkcv stats photos.kkcv
    """
    from kkcv.search.gallery import Gallery
    from kkcv.search.quality.measuring import latency

    with Gallery.open(gallery) as opened:
        figures = opened.stats() | {"milliseconds_a_query": latency(opened.generation)}
    if as_json:
        print_json(figures)
    else:
        index = figures.pop("index")
        index.pop("curve", None)  # kkcv tune shows it
        figures |= {f"index {name.replace('_', ' ')}": value for name, value in index.items()}
        print_table(["", ""], [(name, str(value)) for name, value in figures.items()])


@click.command()
@click.argument("gallery")
@click.option(
    "--min-score",
    type=click.FloatRange(-1, 1),
    default=0.95,
    show_default=True,
    help="How alike near duplicates are at least.",
)
@json_option
def duplicates(gallery: str, min_score: float, as_json: bool) -> None:
    """Groups of pictures with the same bytes, or nearly the same to the network.

    \b
    kkcv duplicates photos.kkcv --min-score 0.9
    """
    from kkcv.search.duplicates import duplicates as find
    from kkcv.search.duplicates import summary_of
    from kkcv.search.gallery import Gallery

    with Gallery.open(gallery) as opened, progress_bar("comparing") as update:
        groups = find(opened, min_score, update)
    summary = summary_of(groups)
    if as_json:
        listed = [
            {
                "exact": group.exact,
                "similarity": group.similarity,
                "pictures": [{"id": p.id, "path": str(opened.path(p))} for p in group.pictures],
            }
            for group in groups
        ]
        print_json({"groups": listed, "min_score": min_score, **summary})
    elif groups:
        rows = [
            (n, "exact" if group.exact else "near", group.similarity, p.id, str(opened.path(p)))
            for n, group in enumerate(groups, 1)
            for p in group.pictures
        ]
        print_table(["group", "kind", "similarity", "id", "path"], rows)
        click.echo(
            f"{summary['exact_groups']} groups of the same bytes, {summary['near_groups']} of "
            f"pictures that score {min_score:g} or more; beyond the oldest of each: "
            f"{summary['spare_pictures']} pictures, {summary['spare_bytes']:,} bytes"
        )
    else:
        click.echo("no duplicates")
