"""A gallery that learns from labels: ``adapt``."""

import click

from .options import json_option
from .output import print_json, print_table


@click.command()
@click.argument("gallery")
@click.option(
    "--labels",
    metavar="folder|KEY",
    default="folder",
    show_default=True,
    help="The label of a picture: the name of its folder, or a key of its metadata.",
)
@click.option("--undo", is_flag=True, help="Go back to the vectors of the network.")
@json_option
def adapt(gallery: str, labels: str, undo: bool, as_json: bool) -> None:
    """Adapt a gallery to its labels.

    A projection of the vectors is learned in seconds, and used only if pictures that it has not
    seen find others of their label better with it. No picture is embedded again.

    \b
    kkcv adapt photos.kkcv --labels folder
    kkcv adapt photos.kkcv --undo
    """
    from kkcv.search.gallery import Gallery
    from kkcv.search.learning import adapt as work

    with Gallery.open(gallery) as opened:
        if undo:
            work.undo(opened)
            if as_json:
                print_json({"adopted": False})
            else:
                click.echo("the vectors are those of the network again")
            return
        report = work.adapt(opened, labels)
    if as_json:
        print_json(work.as_plain(report))
        return
    was, now = report.before, report.after
    rows = [
        ("mAP", f"{was.mean_average_precision:.3f}", f"{now.mean_average_precision:.3f}"),
        ("first hit right", f"{was.first:.3f}", f"{now.first:.3f}"),
    ]
    title = f"{report.pictures} pictures of {report.labels} labels, not seen in learning"
    print_table(["", "before", "after"], rows, title=title)
    click.echo("used from now on" if report.adopted else "not used: it is not surely better")
