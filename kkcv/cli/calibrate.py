"""``kkcv calibrate``: the meaning of the scores of a gallery."""

import click

from .options import json_option
from .output import print_json, print_table, progress_bar


@click.command()
@click.argument("gallery")
@click.option(
    "--sample",
    type=click.IntRange(1),
    default=50,
    show_default=True,
    help="Number of pictures to disturb.",
)
@json_option
def calibrate(gallery: str, sample: int, as_json: bool) -> None:
    """Measure what the scores of a gallery mean, and which cut-off keeps how much.

    For each rate of false matches: the score that it takes, how many unrelated pictures of this
    gallery a search then lets through, and the share of sure matches, disturbed copies of its own
    pictures (kkcv selfcheck), that are kept. Searches measure the rates themselves, at first and
    whenever the gallery has grown by a fifth.

    \b
    kkcv calibrate photos.kkcv
    """
    from kkcv.search.gallery import Gallery
    from kkcv.search.quality.calibrate import calibrate as measure

    with Gallery.open(gallery) as opened, progress_bar("comparing") as update:
        found = measure(opened, sample, progress=update)
    facts = {
        "pictures": found.calibration.pictures,
        "pairs": found.calibration.pairs,
        "by_labels": found.calibration.bulk is None,
        "copies": found.copies,
    }
    if as_json:
        print_json({**facts, "cut_offs": [each._asdict() for each in found.cut_offs]})
        return
    rows = [
        (f"{each.rate:g}", f"{each.score:.3f}", f"{each.mistakes:.3g}", f"{each.kept:.1%}")
        for each in found.cut_offs
    ]
    title = f"from {facts['pairs']} pairs and {facts['copies']} disturbed copies"
    print_table(["max chance", "score", "let through a search", "copies kept"], rows, title=title)
