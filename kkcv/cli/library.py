"""The folders of a gallery: ``remove``, ``undo``, ``roots``, ``watch``."""

import json
import os
from datetime import datetime
from shlex import quote
from typing import TYPE_CHECKING, Any

import click

from kkcv.answering import answers
from kkcv.errors import RequestError

from .language import say
from .options import json_option, open_gallery, threads_option
from .output import counted, echo, print_json, print_result, print_table

if TYPE_CHECKING:
    from kkcv.search.gallery import Gallery
    from kkcv.search.importing.watching import Followed
    from kkcv.search.library.roots import Root
    from kkcv.search.picture import Picture

SHOWN = 3  # paths in a line


@click.command()
@open_gallery
@click.argument("pictures", nargs=-1, metavar="[ID|PATH]...")
@click.option(
    "--missing",
    is_flag=True,
    help="Remove all whose file was deleted; PATHS that are folders limit it to what is below.",
)
@click.option("--yes", is_flag=True, help="With --missing: also what may come back with its disk.")
@json_option
def remove(
    gallery: "Gallery", pictures: tuple[str, ...], missing: bool, yes: bool, as_json: bool
) -> None:
    """Remove pictures from a gallery, by id or path. Your own files are never deleted.

    --missing refuses where a folder that was indexed is empty, unreachable, or has lost more than
    half of its pictures: its disk may not be plugged in. What was removed comes back with kkcv
    undo, until the next change, and with the next kkcv index while its file is still there.

    \b
    kkcv remove photos.kkcv 17 ~/Pictures/old.jpg
    kkcv remove photos.kkcv --missing
    kkcv remove photos.kkcv --missing ~/Pictures
    """
    if not pictures and not missing:
        raise RequestError("name what to remove: ids, paths, or --missing")
    folders = [each for each in pictures if is_folder_of(gallery, each)]
    if folders and not missing:
        if gallery.library.roots.get(gallery.library.named(folders[0])) is None:
            raise RequestError(f"{folders[0]} is a folder; name the pictures to remove")
        raise RequestError(
            f"{folders[0]} is a folder; to take it and its pictures out of a gallery: "
            f"kkcv roots {quote(gallery.address)} --forget {quote(folders[0])}"
        )
    named = [gallery.find(picture) for picture in pictures if picture not in folders]
    ids = [picture.id for picture in named]
    if missing and (folders or not pictures):
        ids += missing_ids(gallery, folders, yes)
    removed = gallery.remove(dict.fromkeys(ids), at_least=1)
    left = len(gallery)
    facts = {"removed": removed, "pictures": left}
    print_result(facts, f"removed {len(removed)}, {left} left", as_json)
    if not as_json:
        tell_of_return(gallery, named)


def tell_of_return(gallery: "Gallery", removed: "list[Picture]") -> None:
    """Say which of the removed pictures the next import adds again, and how that is prevented."""
    from kkcv.search.library.forgetting import still_walked

    again: dict[str, list[str]] = {}
    for root, pattern in still_walked(gallery.library, removed):
        again.setdefault(root.path, []).append(pattern)
    for folder, patterns in again.items():
        excluded = " ".join(f"--exclude {quote(pattern)}" for pattern in patterns)
        echo(
            f"the next kkcv index adds {counted(len(patterns), 'picture')} again while the files "
            f"are there; to leave them out: kkcv index {quote(gallery.address)} {quote(folder)} "
            f"{excluded}",
            err=True,
        )


def is_folder_of(gallery: "Gallery", path: str) -> bool:
    if path.removeprefix("id:").isdecimal():  # an id, also where a folder has that name
        return False
    named = gallery.library.named(path)
    return gallery.library.roots.get(named) is not None or (answers(path) and os.path.isdir(path))


def missing_ids(gallery: "Gallery", folders: list[str], insist: bool) -> list[int]:
    """The pictures that were deleted, of the whole gallery or below some folders."""
    from kkcv.search.library.absence import removable
    from kkcv.search.library.identity import is_below

    named = [gallery.library.named(folder) for folder in folders]
    pictures = (
        picture
        for picture in gallery.pictures()
        if not named or any(is_below(picture.file.path, folder) for folder in named)
    )
    return removable(gallery.library, pictures, insist)


@click.command()
@open_gallery
@json_option
def undo(gallery: "Gallery", as_json: bool) -> None:
    """Undo the last kkcv remove, describe or roots --forget.

    They come back with their ids, vectors and metadata. Only the last such change is kept.

    \b
    kkcv undo photos.kkcv
    """
    done = gallery.undo()
    left = len(gallery)
    when = datetime.fromtimestamp(done.when).astimezone()
    noun = say("picture" if done.pictures == 1 else "pictures")
    print_result(
        {"undone": done.what, "pictures": done.pictures, "in_all": left},
        f"undone: {done.pictures:,} {noun} {say(done.what)} at {when:%Y-%m-%d %H:%M}; "
        f"{left:,} are there now",
        as_json,
    )


@click.command()
@open_gallery
@click.option(
    "--move",
    nargs=2,
    metavar="OLD NEW",
    help="The folder OLD, or one below a root, is NEW now; its pictures keep all that is theirs.",
)
@click.option(
    "--forget",
    metavar="ROOT",
    help="Take a folder and its pictures out of the gallery; kkcv undo brings them back.",
)
@click.option("--yes", is_flag=True, help="With --move: also where none of the pictures is in NEW.")
@json_option
def roots(
    gallery: "Gallery", move: tuple[str, str] | None, forget: str | None, yes: bool, as_json: bool
) -> None:
    """List the folders that were indexed, and how they are: there, empty, unreachable, read-only.

    \b
    kkcv roots photos.kkcv
    kkcv roots photos.kkcv --move /mnt/old/Pictures ~/Pictures
    kkcv roots photos.kkcv --forget ~/Pictures/scans
    """
    if move and forget:
        raise RequestError("one at a time: --move or --forget")
    if move:
        move_root(gallery, *move, insist=yes, as_json=as_json)
    elif forget:
        forget_root(gallery, forget, as_json)
    else:
        list_roots(gallery, as_json)


def list_roots(gallery: "Gallery", as_json: bool) -> None:
    found = gallery.roots()
    facts = [
        {
            "root": each.place.path,
            "state": each.place.state,
            "why": each.place.why,
            "pictures": each.pictures,
            "missing": each.missing,
            "files_only": each.root is None,  # named one by one, not with their folder
            "names": [] if each.root is None else other_names(each.root, each.place.path),
            "exclude": [] if each.root is None else list(each.root.excludes),
            "within": each.root.within if each.root else "",
        }
        for each in found
    ]
    if as_json:
        print_json({"gallery": gallery.address, "roots": facts})
        return
    if not facts:
        echo("no folder was indexed yet")
        return
    rows = [
        (f["root"], say(str(f["state"])), f["pictures"], f["missing"] or "", remarks(f))
        for f in facts
    ]
    print_table(["root", "state", "pictures", "missing", ""], rows)


def other_names(root: "Root", path: str) -> list[str]:
    return [name for name in dict.fromkeys((root.path, root.real, *root.names)) if name != path]


def remarks(facts: dict[str, Any]) -> str:
    """Remarks on a root, in words."""
    said = [facts["why"]] if facts["why"] else []
    if facts["files_only"]:
        said.append("single files")
    if facts["within"]:
        said.append(f"linked or mounted in {facts['within']}")
    if facts["names"]:
        said.append(f"also {', '.join(facts['names'])}")
    if facts["exclude"]:
        said.append(f"without {' '.join(facts['exclude'])}")
    return say("; ".join(said))


def move_root(gallery: "Gallery", old: str, new: str, *, insist: bool, as_json: bool) -> None:
    count = gallery.move_root(old, new, insist=insist)
    line = f"{counted(count, 'picture')} of {old} are in {new} now"
    print_result({"moved": count, "root": new}, line, as_json)


def forget_root(gallery: "Gallery", root: str, as_json: bool) -> None:
    from kkcv.search.library.forgetting import pattern_of
    from kkcv.search.library.identity import below
    from kkcv.search.library.ignore import Ignored

    count = gallery.forget_root(root)
    left = len(gallery)
    line = f"removed {count:,}, {left:,} left; back again: kkcv undo {quote(gallery.address)}"
    print_result({"removed": count, "pictures": left}, line, as_json)
    folder = gallery.library.named(root)
    outer = gallery.library.roots.of(folder)
    if outer is not None and not Ignored(outer.path, outer.excludes)(folder, True) and not as_json:
        pattern = quote(pattern_of(below(folder, outer.path)) + "/")
        echo(
            f"they come in again with {outer.path}, unless it is left out: kkcv index "
            f"{quote(gallery.address)} {quote(outer.path)} --exclude {pattern}",
            err=True,
        )


@click.command()
@open_gallery
@click.option("--poll", is_flag=True, help="Look for changes, also where the system tells of them.")
@threads_option
@click.option("--json", "as_json", is_flag=True, help="Print a JSON object a line, for programs.")
def watch(gallery: "Gallery", poll: bool, threads: int | None, as_json: bool) -> None:
    """Follow the folders of a gallery until Ctrl-C: what is done to their files is done here too.

    New files are added, changed ones embedded again, moved ones keep their ids, and deleted ones
    are marked as missing. The service and the page answer meanwhile. On network disks, which tell
    nothing, changes are looked for every few seconds. A folder that comes back is imported again.

    \b
    kkcv watch photos.kkcv
    """
    import threading

    from kkcv.search.importing.watching import Watching

    stop = threading.Event()
    if not len(gallery.library.roots):
        raise RequestError(
            f"{gallery.address} has no folder to follow; to add one: "
            f"kkcv index {quote(gallery.address)} FOLDER"
        )

    def tell(done: "Followed") -> None:
        click.echo(json_line(done) if as_json else in_a_line(done))

    def warn(message: str) -> None:
        echo(f"kkcv: {message}", err=True)

    try:
        _ = gallery.embedder  # before "watching": it may have to be loaded
        echo(f"watching {counted(len(gallery.library.roots), 'folder')}", err=True)
        Watching(gallery, stop, tell, warn, poll=poll, threads=threads).run()
    except KeyboardInterrupt:  # at SIGTERM too, by which systemd ends it
        stop.set()
    echo("stopped", err=True)


def happened(done: "Followed") -> dict[str, int]:
    report = done.report
    counts = {name: getattr(report, name) for name in ("added", "replaced", "moved", "copied")}
    counts |= {"missing": len(done.missing), "rejected": len(report.rejected)}
    return {name: count for name, count in counts.items() if count}


def in_a_line(done: "Followed") -> str:
    """``12:30:05  added 2, missing 1: /photos/a.jpg``."""
    from kkcv.images.source import printable

    counts = ", ".join(f"{say(name)} {count:,}" for name, count in happened(done).items())
    named = [*done.missing, *(say(reject.message) for reject in done.report.rejected)]
    more = [f"… {say(f'{len(named) - SHOWN} more')}"] if len(named) > SHOWN else []
    shown = "; ".join(named[:SHOWN] + more)
    return printable(f"{datetime.now():%H:%M:%S}  {counts}{': ' * bool(shown)}{shown}")


def json_line(done: "Followed") -> str:
    rejects = [reject._asdict() for reject in done.report.rejected]
    facts = {**happened(done), "paths_missing": done.missing, "rejects": rejects}
    return json.dumps({"time": datetime.now().astimezone().isoformat(), **facts})
