"""How a picture that is longer than 3:1 is best embedded: docs/library.md.

python -m benchmarks.panoramas DATA [--sample N]

DATA is the folder with imagenet_sample_300 and imagenette. Half of the panoramas are bands out of
photographs, half are stitched from several. They are searched among themselves and the photographs
of imagenette, by a square out of their left third, by a shot that begins a quarter further right,
and by a copy of half the size. ``class``: the share of bands from imagenette whose ten nearest
photographs show the same thing, on average.
"""

import argparse
import io
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from kkcv.embedding.embedder import Embedder
from kkcv.embedding.panoramas import squares
from kkcv.embedding.space import unit
from kkcv.images.decode import decode
from kkcv.images.folder import find_pictures, labelled_pictures

from .command import existing, run
from .quality import show

RATIOS = (4, 8)
TALL = 224
NEAREST = 10


def window(pixels: np.ndarray, start: float) -> np.ndarray:
    """A square window, as high as the panorama; ``start`` from 0, left, to 1, right."""
    tall, wide = pixels.shape[:2]
    left = round(start * (wide - tall))
    return pixels[:, left : left + tall]


def letterboxed(pixels: np.ndarray) -> np.ndarray:
    tall, wide = pixels.shape[:2]
    square = np.full((wide, wide, 3), pixels.mean((0, 1)).astype(np.uint8))
    top = (wide - tall) // 2
    square[top : top + tall] = pixels
    return square


def folded(pixels: np.ndarray) -> np.ndarray:
    """Cut into as many pieces, one below the other, as make it nearly square."""
    tall, wide = pixels.shape[:2]
    rows = round((wide / tall) ** 0.5)
    each = wide // rows
    return np.concatenate([pixels[:, row * each : (row + 1) * each] for row in range(rows)])


def squashed(pixels: np.ndarray) -> np.ndarray:
    side = max(len(pixels), TALL)
    return np.asarray(Image.fromarray(pixels).resize((side, side)))


WAYS: dict[str, Callable[[np.ndarray], list[np.ndarray]]] = {
    "the middle": lambda pixels: [window(pixels, 0.5)],
    "squashed": lambda pixels: [squashed(pixels)],
    "letterboxed": lambda pixels: [letterboxed(pixels)],
    "folded": lambda pixels: [folded(pixels)],
    "mean of 3 windows": lambda pixels: [window(pixels, start) for start in (0, 0.5, 1)],
    "mean of squares side by side": squares,
}


def band(path: Path, ratio: int) -> np.ndarray:
    """A panorama out of the middle of a photograph."""
    pixels = decode(path)
    tall = max(1, pixels.shape[1] // ratio)
    top = (pixels.shape[0] - tall) // 2
    return resized(pixels[top : top + tall])


def stitched(paths: list[Path]) -> np.ndarray:
    """Photographs side by side, each fading into the next."""
    squares = [resized(middle(decode(path))) for path in paths]
    fade = TALL // 8
    whole = squares[0]
    for square in squares[1:]:
        share = np.linspace(0, 1, fade)[None, :, None]
        seam = whole[:, -fade:] * (1 - share) + square[:, :fade] * share
        whole = np.concatenate([whole[:, :-fade], seam.astype(np.uint8), square[:, fade:]], 1)
    return whole


def middle(pixels: np.ndarray) -> np.ndarray:
    """The largest square."""
    side = min(pixels.shape[:2])
    top, left = ((length - side) // 2 for length in pixels.shape[:2])
    return pixels[top : top + side, left : left + side]


def resized(pixels: np.ndarray) -> np.ndarray:
    """To the height of a panorama."""
    image = Image.fromarray(pixels)
    return np.asarray(image.resize((round(image.width * TALL / image.height), TALL)))


def panoramas(data: Path, ratio: int, sample: int) -> Iterator[np.ndarray]:
    photos = sorted(find_pictures(data / "imagenet_sample_300"))
    wide = [path for path in photos if Image.open(path).width > Image.open(path).height]
    yield from (band(path, ratio) for path in wide[: sample // 2])
    random = np.random.default_rng(0)
    for _ in range(sample // 2):
        chosen = random.choice(len(photos), ratio, replace=False)
        yield stitched([photos[each] for each in chosen])


def half_size(pixels: np.ndarray) -> np.ndarray:
    image = Image.fromarray(pixels)
    file = io.BytesIO()
    image.resize((image.width // 2, image.height // 2)).save(file, "JPEG", quality=60)
    return decode(file.getvalue())


def out_of_the_left(pixels: np.ndarray) -> np.ndarray:
    """A square somewhere in the left third, from two thirds of the height to all of it."""
    random = np.random.default_rng(pixels[0].sum())
    tall, wide = pixels.shape[:2]
    side = round(random.uniform(2 / 3, 1) * tall)
    left = round(random.uniform(0, max(0, wide / 3 - side)))
    top = round(random.uniform(0, tall - side))
    return pixels[top : top + side, left : left + side]


QUERIES: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "left third": out_of_the_left,
    "further right": lambda pixels: pixels[:, pixels.shape[1] // 4 :],
    "half size": half_size,
}


def vectors(
    embedder: Embedder, pictures: list[np.ndarray], way: Callable[[np.ndarray], list[np.ndarray]]
) -> np.ndarray:
    """Unit vectors, (N, D): panoramas in this way, others as they are."""
    made = []
    for pixels in pictures:
        long, short = max(pixels.shape[:2]), min(pixels.shape[:2])
        views = way(pixels) if long > 3 * short else [pixels]
        made.append(embedder.embed_crops([embedder.crop(view) for view in views]).mean(0))
    return unit(np.stack(made))


def compared(data: Path, sample: int) -> list[dict[str, Any]]:
    embedder = Embedder.load()
    labelled = labelled_pictures(data / "imagenette")
    photos = [decode(path, target=TALL) for path, _ in labelled]
    labels = np.array([label for _, label in labelled])
    others = vectors(embedder, photos, WAYS["the middle"])
    rows = []
    for ratio in RATIOS:
        pictures = list(panoramas(data, ratio, sample))
        queries = {name: [cut(each) for each in pictures] for name, cut in QUERIES.items()}
        chosen = list(range(0, len(labelled), max(1, len(labelled) // sample)))
        bands = [band(labelled[row][0], ratio) for row in chosen]
        for name, way in WAYS.items():
            gallery = np.concatenate([vectors(embedder, pictures, way), others])
            found = {
                query: recall(vectors(embedder, cut, way) @ gallery.T)
                for query, cut in queries.items()
            }
            alike = vectors(embedder, bands, way) @ others.T
            alike[np.arange(len(chosen)), chosen] = -1  # the photograph itself
            near = np.argsort(-alike, axis=1)[:, :NEAREST]
            same = float((labels[near] == labels[chosen][:, None]).mean())
            rows.append({"ratio": f"{ratio}:1", "embedded": name, **found, "class": same})
    return rows


def recall(scores: np.ndarray) -> float:
    """The share of queries whose own panorama, in the column of its number, is the first hit."""
    return float((scores.argmax(1) == np.arange(len(scores))).mean())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=existing)
    parser.add_argument("--sample", type=int, default=200, help="panoramas of each shape")
    options = parser.parse_args()
    show(compared(options.data, options.sample))


if __name__ == "__main__":
    run(main)
