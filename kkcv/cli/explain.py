"""``kkcv explain``: where the score of two pictures comes from."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from kkcv.errors import RequestError

from .network import ema_option, weights_meant
from .options import json_option
from .output import echo, print_json
from .search import as_picture

if TYPE_CHECKING:
    from kkcv.embedding.explanation import Explanation
    from kkcv.search.explain import Points


@click.command()
@click.argument("pictures", nargs=-1, metavar="[GALLERY] QUERY HIT")
@click.option("--out", "-o", type=click.Path(), help="Write both pictures with heat maps as a PNG.")
@click.option("--gallery", help="Use its network; QUERY and HIT may be id:17 then.")
@click.option(
    "--model", metavar="NAME|RUN", help="Without a gallery.  [default: efficientnet_lite0]"
)
@click.option("--weights", metavar="imagenet|none|PATH", help="[default: imagenet]")
@ema_option
@click.option(
    "--matches", is_flag=True, help="Draw lines between matching points instead of heat maps."
)
@json_option
def explain(
    pictures: tuple[str, ...],
    out: str | None,
    gallery: str | None,
    model: str | None,
    weights: str | None,
    ema: bool | None,
    matches: bool,
    as_json: bool,
) -> None:
    """Show which regions of QUERY and HIT made them match: files, or id:17 of GALLERY.

    The heat of a place is what it adds to the score: all places of one picture, and a rest that
    belongs to no place, add up to it. The network sees the middle of a picture; what it does not
    see is dark. The score is that of a search, also where a part of HIT has it; PyTorch computes
    the shares in float32.

    \b
    kkcv explain photos.kkcv cat.jpg id:17 -o why.png
    kkcv explain photos.kkcv cup.jpg id:4 --matches -o points.png
    """
    from kkcv.checkpoint import DEFAULT_NETWORK
    from kkcv.images.source import read_bytes
    from kkcv.search.explain import bytes_of, shared_points
    from kkcv.search.explain import explain as explained
    from kkcv.search.gallery import Gallery
    from kkcv.worker.worker import Worker

    if len(pictures) == 3 and not gallery:
        gallery, *pair = pictures
    else:
        pair = list(pictures)
    if len(pair) != 2:
        raise RequestError("name two pictures: kkcv explain [GALLERY] QUERY HIT")
    query, hit = pair
    if not out and not as_json:
        raise RequestError("name the picture to write: -o why.png (or --json for the numbers)")
    if gallery and (model or weights):
        raise RequestError("a gallery has its own network: leave out --model and --weights")
    weights = weights_meant(weights, ema)
    first, second = as_picture(query), as_picture(hit)
    if gallery:
        with Gallery(gallery) as opened:
            data = bytes_of(opened, first), bytes_of(opened, second)
            pair_there = (
                each if isinstance(each, int) else content
                for each, content in zip((first, second), data, strict=True)
            )
            found = explained(opened, *pair_there)
    elif isinstance(first, int) or isinstance(second, int):
        named = query if isinstance(first, int) else hit
        raise RequestError(f"{named} is a picture of a gallery; name it: --gallery GALLERY")
    else:
        data = read_bytes(first), read_bytes(second)
        worker = Worker()
        try:
            found = worker.explain((model or DEFAULT_NETWORK, weights or "imagenet"), *data)
        finally:
            worker.close()
    points = shared_points(*data) if matches else None
    title = found.title
    if points is not None:
        title = f"{title}, {len(points) or 'no'} points agree"
    if out:
        draw(out, title, found, points, data, (Path(query).name, Path(hit).name))
    if as_json:
        print_json({**found.to_dict(), **({} if points is None else {"matches": points})})
    else:
        echo(f"{title}; {out}")


def draw(
    path: str,
    title: str,
    found: "Explanation",
    points: "list[Points] | None",
    pictures: tuple[bytes, bytes],
    names: tuple[str, str],
) -> None:
    """Draw both pictures with heat maps, or with lines between matching points."""
    from kkcv.images.decode import decode_small
    from kkcv.images.heat import SIDE, overlaid, side_by_side
    from kkcv.images.sheet import save_png

    shown = [decode_small(picture, SIDE) for picture in pictures]
    if points is None:
        sides = found.query, found.hit
        shown = [overlaid(p, s.heat, s.seen) for p, s in zip(shown, sides, strict=True)]
    save_png(path, side_by_side(*shown, title=title, captions=names, matches=points or ()))
