"""The content of a gallery: ``stats``, ``duplicates``."""

import re
from shlex import quote
from typing import TYPE_CHECKING, Any

import click

from kkcv.errors import RequestError
from kkcv.hit import HIGHEST, LOWEST

from .language import each_said, language
from .options import Within, json_option, open_gallery
from .output import counted, echo, print_json, print_result, print_table, progress_bar

if TYPE_CHECKING:
    from kkcv.search.gallery import Gallery


@click.command()
@open_gallery
@json_option
def stats(gallery: "Gallery", as_json: bool) -> None:
    """Show the content, network and index of a gallery, with recall, memory and time.

    The recall was measured by the last tuning; the time is measured now.

    \b
    kkcv stats photos.kkcv
    """
    from kkcv.embedding.terms import facts
    from kkcv.search.quality.latency import latency

    figures = gallery.stats() | {"milliseconds_a_query": latency(gallery.generation)}
    if as_json:
        print_json(figures)
    else:
        figures |= facts(figures["network"], language())
        index = figures.pop("index")
        for detail in ("curve", "plans"):  # kkcv tune shows them
            index.pop(detail, None)
        figures |= {f"index {name}": value for name, value in index.items()}
        print_table(["", ""], [(n.replace("_", " "), in_words(v)) for n, v in figures.items()])


def in_words(value: Any) -> str:
    """A figure as text."""
    if isinstance(value, dict):
        return ", ".join(f"{name} {in_words(each)}" for name, each in value.items())
    if isinstance(value, list | tuple):
        return "/".join(map(in_words, value))
    if isinstance(value, int | float) and not isinstance(value, bool):
        return f"{round(value, 4):,}"
    return str(value)


def how_said(how: str) -> str:
    """How one picture is a copy of another, such as "mirrored, turned by 90", for people."""
    return each_said(
        re.sub(r"turned by (\d+)", lambda found: f"turned by {found[1]}° clockwise", how)
    )


def hint_of_parts(gallery: "Gallery") -> str:
    """How small crops are found too, where a gallery has no parts; else ""."""
    from kkcv.checkpoint import is_public
    from kkcv.search.opened.generation import origin

    if gallery.generation.stored_space.parts:
        return ""
    model, weights = origin(gallery.catalog.settings)
    return (
        "without parts small crops may be missed, such as a quarter of a picture; to find them: "
        f"kkcv reindex {quote(gallery.address)} --model "
        f"{model if is_public(weights) else 'NETWORK'}+parts"
    )


@click.command()
@open_gallery
@click.argument("pictures", nargs=-1, metavar="[ID|PATH]...")
@click.option(
    "--min-score",
    type=Within(LOWEST, HIGHEST),
    default=0.95,
    show_default=True,
    help="The lowest score of near duplicates.",
)
@click.option(
    "--copies",
    is_flag=True,
    help="Find turned, mirrored, recolored and cropped copies too. Every picture is embedded four "
    "more times and compared point by point, which takes a tenth of a second for each picture. "
    "Small crops, such as a quarter, are found in a gallery with parts (--model NETWORK+parts).",
)
@click.option(
    "--keep-both", is_flag=True, help="Remember that the named pictures are no duplicates."
)
@click.option("--forget-decisions", is_flag=True, help="Forget all that --keep-both remembered.")
@json_option
def duplicates(
    gallery: "Gallery",
    pictures: tuple[str, ...],
    min_score: float,
    copies: bool,
    keep_both: bool,
    forget_decisions: bool,
    as_json: bool,
) -> None:
    """List groups of pictures with the same bytes, or that show the same.

    The first of a group is the file that was modified first; each of the others scores --min-score
    or more with it, and agrees with it in its details or point by point. Nothing is removed: kkcv
    remove does that.

    \b
    kkcv duplicates photos.kkcv --min-score 0.9
    kkcv duplicates photos.kkcv --copies
    kkcv duplicates photos.kkcv 3 17 --keep-both
    """
    from kkcv.search import duplicates as room

    if pictures and not keep_both:
        raise RequestError("pictures are named to keep them: add --keep-both")
    if keep_both and not pictures:
        raise RequestError("name the pictures to keep: ids or paths")
    if keep_both or forget_decisions:
        forgotten = room.forget_decisions(gallery) if forget_decisions else 0
        ids = [gallery.find(picture).id for picture in pictures]
        kept = room.keep_both(gallery, ids) if keep_both else []
        done = [f"kept apart: {', '.join(map(str, kept))}"] if kept else []
        done += [f"forgot {counted(forgotten, 'decision')}"] if forget_decisions else []
        print_result({"kept": kept, "forgotten": forgotten}, "; ".join(done), as_json)
        return
    unread: list[int] = []
    with progress_bar("comparing") as update:
        groups = room.duplicates(gallery, min_score, update, copies=copies, unread=unread.append)
    summary = room.summary_of(groups) | {"unread": sum(unread)}
    if as_json:
        listed = [
            {
                "exact": group.exact,
                "similarity": group.similarity,
                "pictures": [
                    {"id": p.id, "path": str(gallery.path(p)), "how": how}
                    for p, how in zip(group.pictures, (None, *group.how), strict=True)
                ],
            }
            for group in groups
        ]
        print_json({"groups": listed, "min_score": min_score, "copies": copies, **summary})
        return
    if groups:
        rows = [
            (n, how_said(how), group.similarity, p.id, str(gallery.path(p)))
            for n, group in enumerate(groups, 1)
            for p, how in zip(group.pictures, ("oldest file", *group.how), strict=True)
        ]
        print_table(["group", "kind", "similarity", "id", "path"], rows)
        echo(
            f"{counted(summary['exact_groups'], 'group')} of the same bytes, "
            f"{summary['near_groups']} of pictures that show the same; beyond the "
            f"oldest file of each: {counted(summary['spare_pictures'], 'picture')}, "
            f"{summary['spare_bytes']:,} bytes"
        )
    else:
        echo("no duplicates")
    if copies and (hint := hint_of_parts(gallery)):
        echo(hint, err=True)
    if summary["unread"]:
        echo(
            f"{counted(summary['unread'], 'picture')} could not be read: only the same bytes count",
            err=True,
        )
