"""A search for copies among very many pictures, beside a plain search in the same gallery.

python -m benchmarks.copies_at_scale DATA [--count 100000] [--sample 40]

DATA is the folder with imagenette, monkeys, produce and cats_dogs. The gallery holds the pictures
of the first three, with their local features, and rows grown from theirs (grown.py) up to
``--count``: each has the features of a real picture at random, so that every candidate is compared
with the query point by point. Queries go from JPEG to hits, one after the other: copies of pictures
in the gallery, and pictures that it does not have. ``times`` is the ratio to the plain search,
which embeds its query too; ``first``: the original came first.
"""

import argparse
import io
import time
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from PIL import Image

from kkcv.embedding.embedder import Embedder
from kkcv.images import disturb
from kkcv.images.folder import labelled_pictures
from kkcv.search.gallery import Gallery
from kkcv.search.importing import import_pictures
from kkcv.search.picture import PictureFile
from kkcv.search.quality.selfcheck import pixels_of, sampled
from kkcv.search.verification.making import make_missing

from .copies import PARTS, SETS
from .grown import Grown
from .quality import show

COPIES = {
    "as it is": lambda picture: picture,
    "cropped to 50%": disturb.cropped_anywhere(0.5),
    "turned by 90 degrees": disturb.turned(90),
    "mirrored and cropped": disturb.mirrored_and_cropped(0.7),
    "in a screenshot": disturb.on_a_page,
}
TOGETHER = 2000  # rows in a transaction


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("data", type=Path)
    parser.add_argument("--count", type=int, default=100_000)
    parser.add_argument("--sample", type=int, default=40)
    asked = parser.parse_args()
    with (
        TemporaryDirectory() as folder,
        Gallery.create(f"{folder}/gallery", Embedder.load(PARTS)) as gallery,
    ):
        import_pictures(gallery, [asked.data / name for name in SETS])
        make_missing(gallery)
        chosen = sampled(gallery, asked.sample)
        grow(gallery, asked.count - len(gallery))
        gallery.generation.index.rebuild()
        show(list(measured(gallery, chosen, asked.data)))


def grow(gallery: Gallery, count: int) -> None:
    """Add rows that are grown from those in the gallery, each with the bytes of a real picture."""
    with gallery.catalog.reading() as rows:
        real = np.concatenate([some for _, some in rows.stored_vectors()])
        whole = rows.shape.whole
        sha256 = [picture.file.sha256 for picture in rows.pictures()]
    random, number = np.random.default_rng(0), 0
    for grown in Grown(real, whole).chunks(count, most=TOGETHER):
        with gallery.catalog.writing() as writer:
            for vector in grown:
                name = sha256[int(random.integers(len(sha256)))]
                writer.add(PictureFile(f"/photos/{number:09d}.jpg", False, name, 1, 1), vector, {})
                number += 1


def measured(gallery: Gallery, chosen: list[Any], data: Path) -> Iterator[dict[str, Any]]:
    here = [Image.fromarray(pixels_of(gallery, picture)) for picture in chosen]
    others = [path for path, _ in labelled_pictures(data / "cats_dogs" / "val")][: len(chosen)]
    queries = {name: [jpeg(change(each)) for each in here] for name, change in COPIES.items()}
    queries["not in the gallery"] = [path.read_bytes() for path in others]
    gallery.search(queries["as it is"][0], copies=True)  # loads all that it needs
    plain = took(gallery, queries["as it is"], copies=False)[0]
    yield {"query": "plain search", "p50": plain, "p90": "", "times": 1.0, "first": ""}
    for name, some in queries.items():
        p50, p90, ids = took(gallery, some, copies=True)
        right = [id == picture.id for id, picture in zip(ids, chosen, strict=True)]
        first = float(np.mean(right)) if name in COPIES else ""
        yield {"query": name, "p50": p50, "p90": p90, "times": p50 / plain, "first": first}


def jpeg(picture: Image.Image) -> bytes:
    file = io.BytesIO()
    picture.save(file, "JPEG", quality=90)
    return file.getvalue()


def took(gallery: Gallery, queries: list[bytes], *, copies: bool) -> tuple[float, float, list[int]]:
    """Milliseconds, median and 90th percentile, and the first ids."""
    milliseconds, ids = [], []
    for query in queries:
        began = time.perf_counter()
        hits = gallery.search(query, 10, copies=copies)
        milliseconds.append(1000 * (time.perf_counter() - began))
        ids.append(hits[0].id if hits else 0)
    p50, p90 = np.percentile(milliseconds, [50, 90])
    return float(p50), float(p90), ids


if __name__ == "__main__":
    main()
