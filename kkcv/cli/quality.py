"""Measuring and improving a gallery: ``selfcheck``, ``calibrate``, ``adapt``."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import click

from kkcv.errors import RequestError

from .language import say
from .options import json_option, open_gallery
from .output import echo, print_json, print_table, progress_bar

if TYPE_CHECKING:
    from kkcv.search.engine.projection import Projection
    from kkcv.search.gallery import Gallery
    from kkcv.search.learning.adapt import Adapted


def sample_option(default: int) -> Callable[[Callable[..., None]], Callable[..., None]]:
    return click.option(
        "--sample",
        type=click.IntRange(1),
        default=default,
        show_default=True,
        help="Number of pictures to disturb.",
    )


@click.command()
@open_gallery
@sample_option(100)
@click.option("--copies", is_flag=True, help="Search for copies: kkcv search --copies.")
@json_option
def selfcheck(gallery: "Gallery", sample: int, copies: bool, as_json: bool) -> None:
    """Measure how often a gallery finds the original of a disturbed copy.

    A sample of its pictures is turned, mirrored, cropped, recolored, compressed, resized,
    captioned, put on a page, and pasted into another picture. The table has, for each way and
    strength, the share of copies whose original came first, and among the first five. Nothing is
    changed.

    \b
    kkcv selfcheck photos.kkcv --sample 200
    """
    from kkcv.search.quality.selfcheck import selfcheck as check

    with progress_bar("checking") as update:
        found = check(gallery, sample, copies=copies, progress=update)
    if as_json:
        print_json({**found._asdict(), "rows": [row._asdict() for row in found.rows]})
        return
    left = f", {found.left_out} could not be read" if found.left_out else ""
    rows = [
        (say(r.disturbance), say(r.strength), f"{r.first:.1%}", f"{r.top5:.1%}") for r in found.rows
    ]
    title = f"originals of {found.pictures} pictures found{left}"
    print_table(["copy", "strength", "first", "in the top 5"], rows, title=title)


@click.command()
@open_gallery
@sample_option(50)  # fewer than selfcheck: only scores are wanted, of which each picture has many
@json_option
def calibrate(gallery: "Gallery", sample: int, as_json: bool) -> None:
    """Measure what the scores of a gallery mean, and which cut-off keeps how much.

    For each rate of false matches: the score that it takes, how many unrelated pictures of this
    gallery a search then lets through, and the share of sure matches, disturbed copies of its own
    pictures (kkcv selfcheck), that are kept. Searches measure the rates themselves, at first and
    whenever the gallery has grown by a fifth.

    \b
    kkcv calibrate photos.kkcv
    """
    from kkcv.search.quality.calibrate import calibrate as measure

    with progress_bar("comparing") as update:
        found = measure(gallery, sample, progress=update)
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


@click.command()
@open_gallery
@click.option(
    "--labels",
    metavar="folder|KEY",
    default="folder",
    show_default=True,
    help="The label of a picture: the name of its folder, or a key of its metadata.",
)
@click.option("--undo", is_flag=True, help="Go back to the vectors of the network.")
@click.option(
    "--save",
    metavar="FILE",
    help="Write the projection that the gallery has learned into a file, and do nothing else.",
)
@click.option(
    "--use",
    metavar="FILE",
    help="Use the projection in FILE, which another gallery of the same network has learned.",
)
@json_option
def adapt(
    gallery: "Gallery", labels: str, undo: bool, save: str | None, use: str | None, as_json: bool
) -> None:
    """Adapt a gallery to its labels.

    A projection of the vectors is learned in seconds, and used only if pictures that it has not
    seen find others of their label better with it. No picture is embedded again.

    \b
    kkcv adapt photos.kkcv --labels folder
    kkcv adapt photos.kkcv --undo
    kkcv adapt photos.kkcv --save plants.npz
    kkcv adapt others.kkcv --use plants.npz
    """
    from kkcv.search.learning import adapt as work
    from kkcv.search.learning import projection_file

    if (save is not None) + (use is not None) + undo > 1:
        raise RequestError("--undo, --save and --use are three things to do; name one")
    report = None
    plain: dict[str, Any]
    with progress_bar("adapting") as update:
        if undo:
            work.undo(gallery, update)
            plain, said = {"adopted": False}, "the vectors are those of the network again"
        elif save is not None:
            plain, said = used(projection_file.save(gallery, save)), f"the projection is in {save}"
        elif use is not None:
            plain = used(projection_file.use(gallery, use, update))
            said = f"the projection of {use} is used from now on"
        else:
            report = work.adapt(gallery, labels, update)
            plain = work.as_plain(report)
            adopted, not_adopted = "used from now on", "not used: it is not surely better"
            said = adopted if report.adopted else not_adopted
    if as_json:
        print_json(plain)
        return
    if report is not None:
        show_gain(report)
    echo(said)


def used(projection: "Projection") -> dict[str, Any]:
    """For JSON."""
    return {"adopted": True, "projection": projection.fingerprint, "numbers": projection.dim}


def show_gain(report: "Adapted") -> None:
    was, now = report.before, report.after
    rows = [
        ("mAP", f"{was.mean_average_precision:.3f}", f"{now.mean_average_precision:.3f}"),
        ("first hit right", f"{was.first:.3f}", f"{now.first:.3f}"),
    ]
    title = f"{report.pictures} pictures of {report.labels} labels, not seen in learning"
    print_table(["", "before", "after"], rows, title=title)
