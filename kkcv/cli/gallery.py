"""The content of a gallery: ``stats``, ``duplicates``."""

from typing import Any

import click

from kkcv.hit import HIGHEST, LOWEST

from .options import Within, json_option
from .output import counted, print_json, print_table, progress_bar


@click.command()
@click.argument("gallery")
@json_option
def stats(gallery: str, as_json: bool) -> None:
    """Show the content, network and index of a gallery, with recall, memory and time.

    The recall was measured by the last tuning; the time is measured now.

    \b
    kkcv stats photos.kkcv
    """
    from kkcv.search.gallery import Gallery
    from kkcv.search.quality.latency import latency

    with Gallery.open(gallery) as opened:
        figures = opened.stats() | {"milliseconds_a_query": latency(opened.generation)}
    if as_json:
        print_json(figures)
    else:
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
    return f"{value:,}" if isinstance(value, int) and not isinstance(value, bool) else str(value)


@click.command()
@click.argument("gallery")
@click.option(
    "--min-score",
    type=Within(LOWEST, HIGHEST),
    default=0.95,
    show_default=True,
    help="The lowest score of near duplicates.",
)
@json_option
def duplicates(gallery: str, min_score: float, as_json: bool) -> None:
    """List groups of pictures with the same bytes, or nearly the same to the network.

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
            f"{counted(summary['exact_groups'], 'group')} of the same bytes, "
            f"{summary['near_groups']} of pictures that score {min_score:g} or more; beyond the "
            f"oldest of each: {counted(summary['spare_pictures'], 'picture')}, "
            f"{summary['spare_bytes']:,} bytes"
        )
    else:
        click.echo("no duplicates")
