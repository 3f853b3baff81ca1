"""The pictures of a gallery and their metadata: ``list``, ``show``, ``describe``."""

import csv
import sys
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import TYPE_CHECKING, Any

import click

from kkcv.errors import RequestError

from .language import say
from .options import json_option, open_gallery
from .output import counted, echo, json_text, print_json, print_table

if TYPE_CHECKING:
    from kkcv.search.describing.describing import Described
    from kkcv.search.gallery import Gallery
    from kkcv.search.picture import Picture

LISTED = 1000  # pictures in a table for people
SHOWN_ROWS = 10  # lines; the rest is counted
IN_A_CELL = 120  # letters of metadata in a table; keywords of EXIF may be hundreds
COLUMNS = ("id", "path", "bytes", "added")

where_option = click.option("--where", metavar="EXPR", help="Only pictures that match a filter.")


@click.command("list")
@open_gallery
@where_option
@json_option
@click.option("--csv", "as_csv", is_flag=True, help="Print CSV, a column for each key.")
@click.option("--limit", type=click.IntRange(1), metavar="N", help="At most so many pictures.")
def list_(
    gallery: "Gallery", where: str | None, as_json: bool, as_csv: bool, limit: int | None
) -> None:
    """List pictures with their metadata, in the order of their ids.

    A table shows the first 1000 unless --limit says otherwise. The CSV can be edited and read again
    by kkcv describe --from.

    \b
    kkcv list photos.kkcv --where 'exif.taken >= "2024"'
    kkcv list photos.kkcv --csv > photos.csv
    """
    from kkcv.search.describing.describing import matching

    if as_json and as_csv:
        raise RequestError("one form at a time: --json or --csv")
    total = gallery.count(where)
    most = limit or (None if as_json or as_csv else LISTED)  # programs get all

    def listed() -> Iterator["Picture"]:
        return islice(matching(gallery, where), most)

    if as_json:
        print_objects(gallery, listed(), total)
    elif as_csv:
        print_csv(gallery, listed)
    elif total:
        rows = [[p.id, gallery.path(p), in_a_cell(p.metadata)] for p in listed()]
        print_table(["id", "path", "metadata"], rows)
        if len(rows) < total:
            left = f"{total - len(rows):,} more"
            echo(f"… {left}; --limit {total} shows all, --csv and --json too", err=True)
    else:
        echo("no picture matches the filter" if where else "there are no pictures")


def print_objects(gallery: "Gallery", pictures: Iterable["Picture"], total: int) -> None:
    """One JSON object, printed a picture at a time."""
    click.echo(f'{{"gallery": {json_text(gallery.address)}, "total": {total}, "pictures": [')
    before = ""
    for known in facts(gallery, pictures):
        click.echo(f"{before}{json_text(known)}", nl=False)
        before = ",\n"
    click.echo("]}")


def print_csv(gallery: "Gallery", listed: Any) -> None:
    # listed twice, for the columns and for the rows: all at once may not fit into memory
    names = dict.fromkeys(name for p in listed() for name, _ in cells(p.metadata))
    table = csv.writer(sys.stdout, lineterminator="\n")
    table.writerow([*COLUMNS, *names])
    for known in facts(gallery, listed()):
        values = dict(cells(known["metadata"]))
        own = [values.get(name, "") for name in names]
        table.writerow([*(known[column] for column in COLUMNS), *own])


def facts(gallery: "Gallery", pictures: Iterable["Picture"]) -> Iterator[dict[str, Any]]:
    """Pictures as plain values for JSON; ``added`` as ISO 8601 in UTC."""
    left = iter(pictures)
    while some := [(str(gallery.path(picture)), picture) for picture in islice(left, LISTED)]:
        missing = gallery.library.missing(path for path, _ in some)
        for path, picture in some:
            yield {
                "id": picture.id,
                "path": path,
                "missing": path in missing,
                "bytes": picture.file.bytes,
                "added": picture.added.isoformat(timespec="seconds"),
                "sha256": picture.file.sha256.hex(),
                "metadata": picture.metadata,
            }


def in_a_cell(metadata: dict[str, Any]) -> str:
    """As ``label=cat exif.width=600``; its beginning where that is long: kkcv show has it all."""
    own_first = sorted(cells(metadata), key=lambda cell: cell[0].startswith("exif."))
    line = " ".join(map("=".join, own_first))
    return line if len(line) <= IN_A_CELL else f"{line[:IN_A_CELL]}…"


def cells(metadata: dict[str, Any]) -> list[tuple[str, str]]:
    """Keys as filters name them, with their values as text, as kkcv describe takes both."""
    from kkcv.search.describing.describing import as_cell
    from kkcv.search.filters.conditions import META
    from kkcv.search.filters.expression import spelled
    from kkcv.search.opened.keys import leaves

    return [(spelled(name), as_cell(value)) for name, value in leaves((META,), metadata)]


@click.command()
@open_gallery
@click.argument("picture", metavar="ID|PATH")
@json_option
def show(gallery: "Gallery", picture: str, as_json: bool) -> None:
    """Show what a gallery knows of one picture.

    \b
    kkcv show photos.kkcv 17
    """
    found = gallery.find(picture)
    known = next(facts(gallery, [found]))
    if as_json:
        print_json(known)
        return
    known.pop("metadata")
    known["missing"] = say("yes" if known["missing"] else "no")
    rows = [(name, f"{value:,}" if name == "bytes" else value) for name, value in known.items()]
    print_table(["", ""], [*rows, *cells(found.metadata)])


@click.command()
@open_gallery
@click.argument("values", nargs=-1, metavar="[KEY=VALUE]...")
@where_option
@click.option("--from", "table", metavar="TABLE", help="A CSV with a column of paths or of id.")
@click.option("--path-column", metavar="NAME", help="With --from: its column of paths.")
@json_option
def describe(
    gallery: "Gallery",
    values: tuple[str, ...],
    where: str | None,
    table: str | None,
    path_column: str | None,
    as_json: bool,
) -> None:
    """Set metadata of many pictures: of those that match a filter, or by a table.

    Other keys stay. A value is JSON or else text; an empty one takes the key away. In a table each
    column is a key, and empty cells change nothing.

    \b
    kkcv describe photos.kkcv --where 'path.startswith("/home/me/Berlin")' city=Berlin trip=true
    kkcv describe photos.kkcv --where 'id == 17' label=cat exif.rating=5
    kkcv describe photos.kkcv --from labels.csv
    """
    from kkcv.disk import absolute
    from kkcv.search.describing.describing import assignments, describe_by_table, describe_where
    from kkcv.tables import read_table

    if table is None and (where is None or not values):
        raise RequestError(
            "say which pictures and what: --where EXPR KEY=VALUE, or --from TABLE; "
            "all pictures are --where 'id > 0'"
        )
    if table is not None and (where or values):
        raise RequestError("--from has the pictures and their values: leave out the others")
    given = assignments(values)
    read = None if table is None else read_table(absolute(table))
    if read is not None:
        report = describe_by_table(gallery, read, path_column)
    else:
        report = describe_where(gallery, where or "", given)
    show_report(report, as_json)


def show_report(report: "Described", as_json: bool) -> None:
    if as_json:
        unknown = [{"row": row, "message": why} for row, why in report.unknown]
        print_json({"changed": report.changed, "unchanged": report.unchanged, "unknown": unknown})
    else:
        said = f"described {counted(report.changed, 'picture')}"
        if report.unchanged:
            said = f"{said}, {report.unchanged:,} were so already"
        echo(said)
        for row, why in report.unknown[:SHOWN_ROWS]:
            echo(f"row {row}: {why}", err=True)
        if len(report.unknown) > SHOWN_ROWS:
            echo(f"… {len(report.unknown):,} rows without a picture", err=True)
    if report.unknown and not report.changed + report.unchanged:
        sys.exit(2)
