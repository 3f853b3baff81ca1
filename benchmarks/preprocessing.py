"""How close the preprocessing backends land, and how fast they are, on a folder of pictures.

python -m benchmarks.preprocessing FOLDER [--pictures 300] [--network efficientnet_lite0]

Each row is compared with Pillow resizing the whole decoded picture: mean difference of the crops in
levels of 0 to 255, cosine of the embeddings (mean and least), and the share of pictures whose
nearest neighbor in the folder stays the same. The rate is of one thread, from pixels to crop; with
``decoded``, from the bytes of the file to the crop.
"""

import argparse
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
from PIL import Image
from rich.console import Console
from rich.table import Table

from benchmarks.command import existing, pictures_in, run
from kkcv.embedding.embedder import Embedder
from kkcv.images.backends import BACKENDS
from kkcv.images.decode import decode
from kkcv.images.preprocess import Preprocess


class Row(NamedTuple):
    name: str
    rate: float  # pictures a second
    crops: list[np.ndarray]


def measure(name: str, prepare: Callable, pictures: list, repeat: int = 3) -> Row:
    """The crops, and the best rate of a few passes."""
    best = float("inf")
    for _ in range(repeat):
        start = time.perf_counter()
        crops = [prepare(picture) for picture in pictures]
        best = min(best, time.perf_counter() - start)
    return Row(name, len(pictures) / best, crops)


def opencv_area(spec: Preprocess, pixels: np.ndarray) -> np.ndarray:
    """OpenCV's own way against aliasing."""
    (height, width), (top, left, high, wide) = spec.geometry(*pixels.shape[:2])
    resized = cv2.resize(pixels, (width, height), interpolation=cv2.INTER_AREA)
    return resized[top : top + high, left : left + wide]


def pillow_window(spec: Preprocess, pixels: np.ndarray) -> np.ndarray:
    """Only the part that is kept is resized; Pillow keeps its box in single precision."""
    (height, width), (top, left, high, wide) = spec.geometry(*pixels.shape[:2])
    down, across = pixels.shape[0] / height, pixels.shape[1] / width
    box = (left * across, top * down, (left + wide) * across, (top + high) * down)
    resized = Image.fromarray(pixels).resize((wide, high), Image.Resampling.BICUBIC, box)
    return np.asarray(resized)


OTHER_WAYS = {"cv2.resize, INTER_AREA": opencv_area, "pillow, window only": pillow_window}


def measure_all(embedder: Embedder, paths: list[Path]) -> list[Row]:
    """The reference, the other backends, two ways that were not taken, and scaled decoding."""
    spec = embedder.checkpoint.preprocess
    pixels = [decode(path) for path in paths]
    rows = [measure(each, lambda p, b=each: spec.crop(p, b), pixels) for each in BACKENDS]
    rows += [measure(name, lambda p, f=f: f(spec, p), pixels) for name, f in OTHER_WAYS.items()]
    data = [path.read_bytes() for path in paths]
    rows.append(measure("pillow, decoded whole", lambda d: spec.crop(decode(d)), data))
    scaled = "pillow, decoded scaled"
    rows.append(measure(scaled, lambda d: spec.crop(decode(d, target=spec.target)), data))
    return rows


def nearest(vectors: np.ndarray) -> np.ndarray:
    """Row of the most alike other vector: unit (N, D) → (N,)."""
    similarity = vectors @ vectors.T
    np.fill_diagonal(similarity, -1)
    return similarity.argmax(1)


def report(embedder: Embedder, rows: list[Row]) -> Table:
    columns = ("", "pictures/s", "pixel difference", "worst", "cosine", "least", "same neighbor")
    table = Table(*columns)
    reference = embedder.embed_crops(rows[0].crops)
    for row in rows:
        pairs = zip(row.crops, rows[0].crops, strict=True)
        off = [np.abs(a.astype(int) - b).mean() for a, b in pairs]
        vectors = embedder.embed_crops(row.crops)
        cosine = np.einsum("nd,nd->n", vectors, reference)
        same = (nearest(vectors) == nearest(reference)).mean()
        table.add_row(
            row.name,
            f"{row.rate:,.0f}",
            f"{np.mean(off):.4f}",
            f"{np.max(off):.4f}",
            f"{cosine.mean():.5f}",
            f"{cosine.min():.5f}",
            f"{same:.3f}",
        )
    return table


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=existing)
    parser.add_argument("--pictures", type=int, default=300, help="at most so many of the folder")
    parser.add_argument("--network", default="efficientnet_lite0")
    options = parser.parse_args()

    import torch

    cv2.setNumThreads(1)
    torch.set_num_threads(1)
    found = pictures_in([options.folder])
    paths = found[:: max(1, len(found) // options.pictures)][: options.pictures]
    embedder = Embedder.load(options.network)
    console = Console(width=114)
    console.print(f"{len(paths)} pictures of {options.folder.name}, {options.network}, one thread")
    console.print(report(embedder, measure_all(embedder, paths)))


if __name__ == "__main__":
    run(main)
