"""Why two pictures score what they do: ``explain``."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from kkcv.errors import RequestError

from .gallery import as_picture
from .options import json_option
from .output import print_json

if TYPE_CHECKING:
    from kkcv.embedding.explanation import Explanation


@click.command()
@click.argument("query")
@click.argument("hit")
@click.option("--out", "-o", type=click.Path(), help="Write both pictures with heat maps as a PNG.")
@click.option("--gallery", help="Use its network; QUERY and HIT may be id:17 then.")
@click.option(
    "--model", metavar="NAME|RUN", help="Without a gallery.  [default: efficientnet_lite0]"
)
@click.option("--weights", metavar="imagenet|none|PATH", help="[default: imagenet]")
@json_option
def explain(
    query: str,
    hit: str,
    out: str | None,
    gallery: str | None,
    model: str | None,
    weights: str | None,
    as_json: bool,
) -> None:
    """Show which regions of QUERY and HIT made them match.

    The heat of a place is what it adds to the score: all places of one picture, and a rest that
    belongs to no place, add up to it. The network sees the middle of a picture; what it does not
    see is dark.

    \b
    kkcv explain cat.jpg id:17 --gallery photos.kkcv -o why.png
    """
    from kkcv.apart import Apart
    from kkcv.checkpoint import DEFAULT_NETWORK
    from kkcv.images.source import read_bytes
    from kkcv.search.explain import bytes_of
    from kkcv.search.explain import explain as explained
    from kkcv.search.gallery import Gallery

    if not out and not as_json:
        raise RequestError("name the picture to write: -o why.png (or --json for the numbers)")
    if gallery and (model or weights):
        raise RequestError("a gallery has its own network: leave out --model and --weights")
    first, second = as_picture(query), as_picture(hit)
    if gallery:
        with Gallery.open(gallery) as opened:
            pictures = bytes_of(opened, first), bytes_of(opened, second)
            found = explained(opened, *pictures)
    elif isinstance(first, int) or isinstance(second, int):
        raise RequestError("id:17 is a picture of a gallery: name it with --gallery")
    else:
        pictures = read_bytes(first), read_bytes(second)
        apart = Apart()
        try:
            found = apart.explain((model or DEFAULT_NETWORK, weights or "imagenet"), *pictures)
        finally:
            apart.close()
    if out:
        draw(out, found, pictures, (query, hit))
    if as_json:
        print_json(found.to_dict())
    else:
        click.echo(f"score {found.score:.4f}; {out}")


def draw(
    path: str, found: "Explanation", pictures: tuple[bytes, bytes], names: tuple[str, str]
) -> None:
    """Both pictures, each with what its places add."""
    from kkcv.images.decode import decode
    from kkcv.images.heat import overlaid, side_by_side
    from kkcv.images.sheet import save_png

    sides = found.query, found.hit
    shown = [
        overlaid(decode(picture, target=448), side.heat, side.seen)
        for picture, side in zip(pictures, sides, strict=True)
    ]
    captions = Path(names[0]).name, Path(names[1]).name
    title = f"score {found.score:.4f}"
    save_png(path, side_by_side(*shown, title=title, captions=captions))
