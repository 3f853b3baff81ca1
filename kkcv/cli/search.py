"""``kkcv search``: the pictures most like one, like several, or like a text."""

import gc
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from shlex import quote
from typing import Any

import click

from kkcv.errors import RequestError
from kkcv.hit import FIELDS, Hit
from kkcv.hits import ENDS, Hits
from kkcv.query import Region
from kkcv.search.options import SearchOptions

from .gallery import hint_of_parts, how_said
from .language import language, say
from .metadata import in_a_cell
from .options import json_option, search_options
from .output import echo, print_json, print_table


@contextmanager
def without_collecting() -> Iterator[None]:
    """Pause Python's garbage collection, which takes a tenth of a short command: of its imports."""
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


@click.command(context_settings={"allow_extra_args": True})  # for a better error message
@click.argument("gallery")
@click.argument("picture", required=False)
@click.option("--text", help="What to look for, where the gallery's network reads text (CLIP).")
@click.option(
    "--like", multiple=True, metavar="PICTURE", help="More like this one, or id:17; repeatable."
)
@click.option(
    "--unlike", multiple=True, metavar="PICTURE", help="Less like this one, or id:17; repeatable."
)
@click.option("--region", metavar="L,T,W,H", help="Only this part of PICTURE, as fractions of it.")
@click.option(
    "-k", "--top", "k", type=int, default=10, show_default=True, help="Number of hits, 1 to 1000."
)
@search_options
@click.option("--sheet", type=click.Path(), help="Write query and hits side by side as a PNG.")
@json_option
@without_collecting()
def search(
    gallery: str,
    picture: str | None,
    text: str | None,
    like: tuple[str, ...],
    unlike: tuple[str, ...],
    region: str | None,
    k: int,
    options: SearchOptions,
    sheet: str | None,
    as_json: bool,
) -> None:
    """Find the pictures most like PICTURE (a file, id:17, or - for standard input).

    With --text instead of PICTURE, find what looks like the text. The score is the cosine
    similarity, from -1 to 1: 1 is the same to the network. In a gallery of 30 pictures or more,
    "1 in 20,000" says how often unrelated pictures have such a score.

    \b
    kkcv search photos.kkcv cat.jpg -k 5 --sheet answer.png
    kkcv search photos.kkcv cat.jpg --like id:17 --unlike id:23
    kkcv search photos.kkcv cat.jpg --ranking best --max-chance 1e-4
    kkcv search shop.kkcv package.jpg --verify --json
    kkcv search photos.kkcv cat.jpg --fold
    kkcv search photos.kkcv --text "a red bus"
    """
    if sheet:
        from kkcv.images.sheet import check_png

        check_png(sheet)
    from kkcv.query import Like, Text
    from kkcv.search.gallery import Gallery
    from kkcv.search.learning.feedback import rocchio

    if more := click.get_current_context().args:
        raise RequestError(
            f"one picture to search with, got {more[0]!r} too; for what is like both: "
            f"--like {more[0]}"
        )
    if (picture is None) == (text is None):
        raise RequestError("name a picture to search with, or what it shows: --text (not both)")
    asked = Text(text) if text is not None else as_picture(picture or "")
    query = Like(asked, 1.0, parse_region(region) if region else None)
    likes = rocchio(query, [as_picture(p) for p in like], [as_picture(p) for p in unlike])
    with Gallery(gallery) as opened:
        hits = opened.search_like(likes, k, options)
        # 0 only where the filter, and not the search, leaves nothing
        left = len(hits) or options.where is None or opened.count(options.where)
        empty = not len(opened)
        known = [] if left else opened.keys()
        hint = hint_of_parts(opened) if options.copies and not (hits.divider or empty) else ""
        if sheet:
            data = opened.read(opened.get(asked)) if isinstance(asked, int) else asked
            write_sheet(sheet, data, hits)
    if as_json:
        fields = [name for name in FIELDS if name != "url"]  # only a service has addresses
        shown = [{name: getattr(hit, name) for name in fields} for hit in hits]
        print_json({"query": picture or text, "k": k, "divider": hits.divider, "hits": shown})
    else:
        print_hits(hits, options.max_chance)
        if empty:
            name = quote(gallery)
            echo(
                f"there are no pictures in {name}; to add some: kkcv index {name} PICTURES",
                err=True,
            )
        elif not left:
            named = ", ".join(known[:20] + ["…"] * (len(known) > 20))
            keys = f" and the keys {named}" if known else ", and keys of the metadata"
            echo(
                f"no picture matches the filter; it may name id, path, bytes, added{keys}", err=True
            )
        if hint:
            echo(hint, err=True)
        if options.verify and hits and not any(hit.points for hit in hits):
            echo("none of the hits could be verified point by point", err=True)


def as_picture(text: str) -> "str | bytes | int":
    """The path of a file, the bytes of standard input, or the id after ``id:``."""
    from kkcv.images.source import read_bytes

    if text.startswith("id:") and text[3:].isdecimal():
        return int(text[3:23])  # one digit more than the largest id
    return read_bytes(sys.stdin.buffer) if text == "-" else text


def parse_region(text: str) -> Region:
    try:
        left, top, width, height = map(float, text.split(","))
    except ValueError:
        raise RequestError(
            f"a region is four numbers such as 0.1,0.2,0.5,0.5, got {text!r}"
        ) from None
    return Region(left, top, width, height)


def by_chance(rate: float | None, or_less: bool = False) -> str:
    """A rate as "1 in 20,000"; two digits are all that is known of it."""
    if rate is None:
        return ""
    count = f"{round(float(f'{1 / rate:.2g}')):,}"
    return say(f"1 in {count} or less" if or_less else f"1 in {count}")


def plain(value: Any) -> Any:
    return "" if value is None or value == {} else value


# The first columns of a table of hits, and those that show more than the value of the field.
COLUMNS: dict[str, tuple[str, Callable[[Hit], Any]]] = {
    "score": ("score", lambda hit: hit.score),
    # of its score; a copy is confirmed by its points, however low it scores
    "chance": ("by chance", lambda hit: "" if hit.match else by_chance(hit.chance, hit.or_less)),
    "likeness": ("likeness", lambda hit: say(hit.likeness or "")),
    "points": ("verified", lambda hit: say(f"{hit.points} points") if hit.points else ""),
    "match": ("copy", lambda hit: how_said(hit.match)),
    "id": ("id", lambda hit: hit.id),
    "path": ("path", lambda hit: hit.path),
    "metadata": ("metadata", lambda hit: in_a_cell(hit.metadata or {})),
    "missing": ("file", lambda hit: say("missing") if hit.missing else ""),
    "folded": ("folded", lambda hit: " ".join(map(str, hit.folded))),
}
TOLD_ELSEWHERE = ("or_less", "url", "place", "query_place")  # fields without a column


def print_hits(hits: Hits, max_chance: float | None = None) -> None:
    """The ranked hits as a table; only columns that say something are shown."""
    if not hits:
        echo(ENDS[False][0] if max_chance else "nothing found")
        return
    none, beyond = ENDS[hits.copies]
    if hits.divider == 0:
        echo(f"{none}; the nearest are {beyond}")
    columns: dict[str, Sequence[Any]] = {"rank": range(1, len(hits) + 1)}
    for name in dict.fromkeys([*COLUMNS, *FIELDS]):
        if name in COLUMNS:
            title, cell = COLUMNS[name]
            columns[title] = [cell(hit) for hit in hits]
        elif name not in TOLD_ELSEWHERE:
            columns[name] = [plain(getattr(hit, name)) for hit in hits]
    always = ("rank", "score", "id", "path")
    shown = {name: column for name, column in columns.items() if name in always or any(column)}
    print_table(
        list(shown),
        list(zip(*shown.values(), strict=True)),
        line_after=hits.divider or 0,
        spare=["by chance"] if "likeness" in shown else [],  # it says the same in a word
    )
    if hits.divider and hits.divider < len(hits):
        echo(f"from rank {hits.divider + 1} on {beyond}")


def write_sheet(path: str, query: Any, hits: Hits) -> None:
    """The contact sheet of a picture or a text; a hit whose file has gone is an empty frame."""
    import numpy as np

    from kkcv.errors import PictureError
    from kkcv.images.decode import decode
    from kkcv.images.sheet import (
        BY_CHANCE,
        NO_COPY,
        contact_sheet,
        draws_chinese,
        outlined,
        save_png,
    )
    from kkcv.query import Text

    words = say if language() == "en" or draws_chinese() else str
    shown: list[tuple[Any, str]] = []
    for hit in hits:
        try:
            pixels = decode(hit.path, target=256)
            if hit.place:
                pixels = outlined(pixels, hit.place)
        except PictureError:
            pixels = np.full((256, 256, 3), 235, np.uint8)
        likeness = f", {words(hit.likeness)}" if hit.likeness else ""
        shown.append((pixels, f"{hit.score:.3f}{likeness}\n{Path(hit.path).name}"))
    title = words(ENDS[hits.copies][0]) if hits.divider == 0 else None
    beyond = NO_COPY if hits.copies else BY_CHANCE
    if isinstance(query, Text):
        title = f"{query.text}: {title}" if title else query.text
    asked = None if isinstance(query, Text) else decode(query, target=256)
    sheet = contact_sheet(asked, shown, title=title, divider=hits.divider, beyond=beyond, say=words)
    save_png(path, sheet)
