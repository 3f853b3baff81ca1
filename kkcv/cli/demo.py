"""``kkcv demo``: the main job on real pictures, with an answer that can be checked."""

import shlex
import sys
import time
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import click

from kkcv.disk import typed, write_file
from kkcv.errors import DataError, MissingExtra

from .output import echo, progress_bar

if TYPE_CHECKING:
    from kkcv.search.gallery import Gallery
    from kkcv.search.picture import Picture

# The photographs in scikit-image; its other pictures are drawings and text.
PHOTOGRAPHS = (
    "astronaut.png",
    "brick.png",
    "camera.png",
    "cell.png",
    "chelsea.png",
    "clock_motion.png",
    "coffee.png",
    "coins.png",
    "color.png",
    "grass.png",
    "gravel.png",
    "hubble_deep_field.jpg",
    "ihc.png",
    "moon.png",
    "motorcycle_left.png",
    "page.png",
    "retina.jpg",
    "rocket.jpg",
)
QUERY = "chelsea.png"  # a cat
# Other shots of each photograph, which belong to the answer: their names, and how they are made.
SHOTS = {
    "close": ("cropped", "to 70% of each side"),
    "tilted": ("turned", "15°"),
    "grey": ("recolored", "grey"),
    "small": ("resized", "to 128 pixels"),
}
SHEET_HITS = 5  # the original and its four other shots


@click.command()
@click.option("--images", type=click.Path(), help="Your own folder instead of the photographs.")
@click.option(
    "--out",
    type=click.Path(),
    default="demo-out",
    show_default=True,
    help="Folder for gallery, query and contact sheet.",
)
def demo(images: str | None, out: str) -> None:
    """Index pictures, search with a disturbed copy of one of them, and show the answer.

    Without --images they are the photographs of scikit-image, each with four other shots of it:
    close, tilted, grey and small.

    The query is cropped, mirrored and compressed again; the demo fails (exit code 1) when its
    original does not come first.
    """
    from kkcv.search.gallery import Gallery
    from kkcv.search.importing import files_to_import, import_pictures

    from .index import show_report
    from .search import print_hits, write_sheet

    began = time.monotonic()
    folder = Path(out)
    paths = [typed(images)] if images else with_shots(photographs(), folder)
    with Gallery.create(folder / "gallery") as gallery:
        named = images or "the photographs of scikit-image, each with four other shots"
        echo(f"1. index {named} ({gallery.folder})")
        with progress_bar("indexing") as update:
            files = list(files_to_import(gallery, paths))
            report = import_pictures(gallery, paths, progress=lambda r: update(r.files, len(files)))
        held = {picture.file.path: picture for picture in gallery.pictures()}
        if images:  # it may be the gallery of an earlier demo, with others in it
            gallery.remove([held[path].id for path in held.keys() - set(files)])
        show_report(gallery, report, as_json=False)
        candidates = [held[f] for f in files if f in held and (images or Path(f).name == QUERY)]
        if not candidates:
            raise DataError(f"no picture could be read in {', '.join(paths)}")
        expected = candidates[len(candidates) // 2]  # the cat, or the middle one of the user's own
        query = disturbed_copy(gallery, expected)
        write_file(folder / "query.jpg", query)
        echo(f"2. search with {folder / 'query.jpg'}, a cropped, mirrored, compressed copy of")
        echo(f"   {gallery.path(expected)}, which should come first\n")
        hits = gallery.search(query, SHEET_HITS)
        print_hits(hits)
        sheet = folder / "sheet.png"
        write_sheet(str(sheet), query, hits)
        found = gallery.get(hits[0].id).file.sha256 == expected.file.sha256
    if not found and images is None:
        echo(f"FAILED: {hits[0].path} came first instead of {expected.file.path}", err=True)
        sys.exit(1)
    echo("found: it came first" if found else "another picture of yours is nearer still")
    echo(f"contact sheet: {sheet.absolute()}   ({time.monotonic() - began:.1f} s)\n")
    kkcv, place = shlex.quote(sys.argv[0]), shlex.quote(str(folder / "gallery"))
    echo("go on with")
    echo(f"  {kkcv} serve {place}    the HTTP API")
    echo(f"  {kkcv} web {place}      the web app")


def photographs() -> list[str]:
    """The paths of scikit-image's photographs (MissingExtra)."""
    package = find_spec("skimage")
    if package is None or not package.submodule_search_locations:
        raise MissingExtra("scikit-image, whose photographs the demo searches,", "demo")
    folder = Path(next(iter(package.submodule_search_locations))) / "data"
    return [str(folder / name) for name in PHOTOGRAPHS]


def with_shots(paths: list[str], folder: Path) -> list[str]:
    """The photographs, and other shots of each, which are written into the folder."""
    import io

    from PIL import Image

    from kkcv.images.decode import decode
    from kkcv.images.disturb import DISTURBANCES

    changes = {(change.name, change.strength): change for change in DISTURBANCES}
    made = []
    for path in paths:
        for name, how in SHOTS.items():
            shot = folder / "shots" / f"{Path(path).stem}-{name}.jpg"
            if not shot.exists():
                out = io.BytesIO()
                pixels = changes[how](decode(path, target=512))
                Image.fromarray(pixels).save(out, "JPEG", quality=90)
                shot.parent.mkdir(parents=True, exist_ok=True)
                write_file(shot, out.getvalue())
            made.append(str(shot))
    return paths + made


def disturbed_copy(gallery: "Gallery", picture: "Picture") -> bytes:
    """A JPEG of quality 50 of the mirrored picture without its borders."""
    import io

    import numpy as np
    from PIL import Image

    from kkcv.images.decode import decode

    pixels = decode(gallery.path(picture), target=512)
    height, width = pixels.shape[:2]
    top, left = height // 12, width // 8  # enough that no byte and no edge is the same
    cropped = pixels[top : height - top // 2, left : width - left // 2]
    out = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(cropped[:, ::-1])).save(out, "JPEG", quality=50)
    return out.getvalue()
