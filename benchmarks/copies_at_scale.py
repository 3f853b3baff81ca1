"""A search for copies among very many pictures, beside a plain search in the same gallery.

python -m benchmarks.copies_at_scale DATA [--count 100000] [--sample 40] [--keep FOLDER]

DATA is the folder with imagenette, monkeys, produce and cats_dogs. The gallery holds the pictures
of the first three, with their local features, and rows grown from theirs (grown.py) up to
``--count``: each has the features of a real picture at random, so that every candidate is compared
with the query point by point. Some forty rows lie near each real picture, which few galleries have:
the original of a much changed copy is less often among the nearest, so more searches ask in every
way. Queries go from JPEG to hits, one after the other: copies of pictures in the gallery, and
pictures that it does not have. ``times`` is the ratio to the plain search, which embeds its query
too; ``cpu``: milliseconds of all cores together, which other work disturbs less; ``first``: the
original, or a row with its features, came first.
"""

import argparse
import io
import time
from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from PIL import Image

from kkcv.embedding.embedder import Embedder
from kkcv.errors import RequestError
from kkcv.images import disturb
from kkcv.images.folder import labelled_pictures
from kkcv.search.gallery import Gallery
from kkcv.search.importing import import_pictures
from kkcv.search.picture import Picture, PictureFile
from kkcv.search.quality.selfcheck import pixels_of
from kkcv.search.verification.making import make_missing

from .command import existing, run
from .grown import Grown
from .parts import PARTS, SETS
from .quality import show

COPIES = {
    "as it is": lambda picture: picture,
    "cropped to 50%": disturb.cropped_anywhere(0.5),
    "turned by 90 degrees": disturb.turned(90),
    "mirrored and cropped": disturb.mirrored_and_cropped(0.7),
    "in a screenshot": disturb.on_a_page,
}
TOGETHER = 2000  # rows in a transaction
GROWN = "/photos/"  # the folder that grown rows say they are in


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("data", type=existing)
    parser.add_argument("--count", type=int, default=100_000)
    parser.add_argument("--sample", type=int, default=40)
    parser.add_argument(
        "--keep", type=Path, help="where to keep the gallery; one that is there is only searched"
    )
    asked = parser.parse_args()
    scratch = nullcontext(asked.keep) if asked.keep else TemporaryDirectory()
    with scratch as name, filled(Path(name) / "gallery", asked.data, asked.count) as gallery:
        show(list(measured(gallery, originals(gallery, asked.sample), asked.data)))


def filled(folder: Path, data: Path, count: int) -> Gallery:
    embedder = Embedder.load(PARTS)
    if folder.exists():
        kept = Gallery.open(folder, embedder)
        if len(kept) == count:
            return kept
        raise RequestError(
            f"{folder} has {len(kept):,} pictures, not {count:,}, because --count differs or the "
            f"run that filled it was stopped; delete it, or name another --keep"
        )
    gallery = Gallery.create(folder, embedder)
    import_pictures(gallery, [data / name for name in SETS])
    make_missing(gallery)
    grow(gallery, count - len(gallery))
    gallery.generation.index.rebuild()
    return gallery


def originals(gallery: Gallery, sample: int) -> list[Picture]:
    """Random real pictures, the same each time."""
    with gallery.catalog.reading() as rows:
        real = [each for each in rows.pictures() if not each.file.path.startswith(GROWN)]
    return [real[n] for n in np.random.default_rng(0).permutation(len(real))[:sample]]


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
                writer.add(PictureFile(f"{GROWN}{number:09d}.jpg", False, name, 1, 1), vector, {})
                number += 1


def measured(gallery: Gallery, chosen: list[Picture], data: Path) -> Iterator[dict[str, Any]]:
    here = [Image.fromarray(pixels_of(gallery, picture)) for picture in chosen]
    others = [path for path, _ in labelled_pictures(data / "cats_dogs" / "val")][: len(chosen)]
    queries = {name: [jpeg(change(each)) for each in here] for name, change in COPIES.items()}
    queries["not in the gallery"] = [path.read_bytes() for path in others]
    gallery.search(queries["as it is"][0], copies=True)  # loads all that it needs
    took_plain, _ = took(gallery, queries["as it is"], copies=False)
    plain = figures(took_plain)
    yield {"query": "plain search", **plain, "times": 1.0, "first": ""}
    took_each = []
    for name, some in queries.items():
        seconds, found = took(gallery, some, copies=True)
        took_each.append(seconds)
        right = [each == picture.file.sha256 for each, picture in zip(found, chosen, strict=False)]
        first = float(np.mean(right)) if name in COPIES else ""
        yield {"query": name, **figures(seconds, plain), "first": first}
    together = np.concatenate(took_each, axis=1)
    yield {"query": "all of these", **figures(together, plain), "first": ""}


def jpeg(picture: Image.Image) -> bytes:
    file = io.BytesIO()
    picture.save(file, "JPEG", quality=90)
    return file.getvalue()


def took(gallery: Gallery, queries: list[bytes], *, copies: bool) -> tuple[np.ndarray, list[bytes]]:
    """Milliseconds, and those of all cores together, (2, N); and the sha256 of the first hits."""
    milliseconds, first = [], []
    for query in queries:
        began, cpu = time.perf_counter(), time.process_time()
        hits = gallery.search(query, 10, copies=copies)
        seconds = time.perf_counter() - began, time.process_time() - cpu
        milliseconds.append([1000 * each for each in seconds])
        first.append(gallery.get(hits[0].id).file.sha256 if hits else b"")
    return np.array(milliseconds).T, first


def figures(milliseconds: np.ndarray, plain: dict[str, float] | None = None) -> dict[str, float]:
    """The median and the ninth decile of (2, N), and the ratio to a plain search."""
    p50, p90 = np.percentile(milliseconds[0], [50, 90]).tolist()
    out = {"p50": p50, "p90": p90, "cpu": float(np.median(milliseconds[1]))}
    return out | ({"times": p50 / plain["p50"]} if plain else {})


if __name__ == "__main__":
    run(main)
