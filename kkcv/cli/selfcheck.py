"""``kkcv selfcheck``: how well a gallery finds disturbed copies of its pictures."""

import click

from .options import json_option
from .output import print_json, print_table, progress_bar


@click.command()
@click.argument("gallery")
@click.option(
    "--sample",
    type=click.IntRange(1),
    default=100,
    show_default=True,
    help="Number of pictures to disturb.",
)
@json_option
def selfcheck(gallery: str, sample: int, as_json: bool) -> None:
    """Measure how often a gallery finds the original of a disturbed copy.

    A sample of its pictures is turned, mirrored, cropped, recolored, compressed and resized. The
    table has, for each way and strength, the share of copies whose original came first, and among
    the first five. Nothing is changed.

    \b
    kkcv selfcheck photos.kkcv --sample 200
    """
    from kkcv.search.gallery import Gallery
    from kkcv.search.quality.selfcheck import selfcheck as check

    with Gallery.open(gallery) as opened, progress_bar("checking") as update:
        found = check(opened, sample, progress=update)
    if as_json:
        print_json({**found._asdict(), "rows": [row._asdict() for row in found.rows]})
        return
    left = f", {found.left_out} could not be read" if found.left_out else ""
    rows = [(r.disturbance, r.strength, f"{r.first:.1%}", f"{r.top5:.1%}") for r in found.rows]
    title = f"originals of {found.pictures} pictures found{left}"
    print_table(["copy", "strength", "first", "in the top 5"], rows, title=title)
