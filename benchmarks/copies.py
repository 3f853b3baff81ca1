"""The findings and the cost of parts of pictures and of a search for copies: docs/quality.md.

python -m benchmarks.copies price DATA
python -m benchmarks.copies likeness DATA
python -m benchmarks.copies found DATA [--sample N]
python -m benchmarks.copies strangers DATA [--sample N]
python -m benchmarks.copies duplicates DATA [--sample N]

DATA is the folder with imagenette, monkeys, produce, cats_dogs and near_dup_caltech. ``price``:
embedding with parts beside without, and what a search takes with its parts of it. ``likeness``: the
whole picture, its parts, and both, as orders of labelled pictures. ``found``: kkcv selfcheck, plain
and with parts and --copies. ``strangers``: how often the first hit is confirmed, of copies of all
kinds as the original, of pictures of other sets, and of the set's own pictures with themselves left
out: some scenes were photographed twice, and three pictures of monkeys are there twice.
``duplicates``: seconds that kkcv duplicates takes for N pictures of each set, and minutes of one
core for 10,000 at that rate; the groups that it finds there; and of one copy of each picture, in
turn of four kinds, how many come into the group of their original, in a gallery with parts.
"""

import argparse
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from itertools import cycle
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from PIL import Image

from kkcv.checkpoint import DEFAULT_NETWORK
from kkcv.embedding.embedder import Embedder
from kkcv.hit import Hit
from kkcv.images.decode import decode
from kkcv.images.disturb import (
    COPIES,
    DISTURBANCES,
    PASTED,
    Disturbance,
    cropped_anywhere,
    mirrored,
    pasted_into,
    shrunk,
    turned,
)
from kkcv.images.folder import labelled_pictures
from kkcv.search.gallery import Gallery
from kkcv.search.importing import import_pictures
from kkcv.search.picture import Picture
from kkcv.search.quality.selfcheck import pixels_of, sampled, selfcheck
from kkcv.search.verification.making import make_missing

from .command import existing, run
from .parts import CATS, PARTS, SETS, likeness, price
from .quality import show

CHANGES = (*DISTURBANCES[1:], *COPIES)
PLANTED = {  # kinds of copies that kkcv duplicates has to find
    "cropped to 50%": cropped_anywhere(0.5),
    "turned by 90 degrees": turned(90),
    "mirrored": mirrored,
    "shrunk to 128 pixels": shrunk(128),
}
MANY = 4  # times the sample without an original, and of every so many changes one for each picture


def found(data: Path, sample: int) -> list[dict[str, Any]]:
    rows = []
    for name in SETS:
        columns = {}
        for title, model, copies in (
            ("whole", DEFAULT_NETWORK, False),
            ("parts, copies", PARTS, True),
        ):
            with filled(data / name, model) as gallery:
                columns[title] = selfcheck(gallery, sample, copies=copies).rows
        for plain, better in zip(*columns.values(), strict=True):
            firsts = {"whole": plain.first, "parts, copies": better.first}
            rows.append({"set": name, "copy": f"{plain.disturbance} {plain.strength}", **firsts})
    return rows


def strangers(data: Path, sample: int) -> list[dict[str, Any]]:
    """The share of queries whose first hit is confirmed; of copies, as the original."""
    rows = []
    pictures = {
        name: [path for path, _ in labelled_pictures(data / name)] for name in (*SETS, CATS)
    }
    random = np.random.default_rng(0)
    for name in SETS:
        others = [path for other in pictures if other != name for path in pictures[other]]
        with filled(data / name, PARTS) as gallery:
            copied, again = [], []
            for number, picture in enumerate(sampled(gallery, MANY * sample)):
                twins = same_bytes(gallery, picture)
                hits = gallery.search_id(picture.id, 1 + len(twins), copies=True)
                again.append(confirmed([hit for hit in hits if hit.id not in twins]))
                if number < sample:
                    copied += list(found_again(gallery, picture, number))
            from_elsewhere = [
                confirmed(gallery.search(others[n], 1, copies=True))
                for n in random.permutation(len(others))[: MANY * sample]
            ]
        told = {
            "copies": copied,
            "pictures of other sets": from_elsewhere,
            "its pictures without themselves": again,
        }
        rows.append({"set": name, **{title: float(np.mean(each)) for title, each in told.items()}})
    return rows


def duplicates(data: Path, sample: int) -> list[dict[str, Any]]:
    """Without and with copies, and with points that were made before."""
    rows: list[dict[str, Any]] = []
    for name in SETS:
        paths = [path for path, _ in labelled_pictures(data / name)]
        chosen = [paths[n] for n in np.random.default_rng(0).permutation(len(paths))[:sample]]
        with (
            TemporaryDirectory() as folder,
            Gallery.create(f"{folder}/g", Embedder.load()) as gallery,
        ):
            import_pictures(gallery, chosen)
            for way in ("plain", "--copies", "--copies, points made before"):
                if way.endswith("before"):
                    make_missing(gallery)
                began, worked = time.perf_counter(), time.process_time()
                groups = gallery.duplicates(copies=way != "plain")
                seconds, worked = time.perf_counter() - began, time.process_time() - worked
                rows.append(
                    {
                        "set": name,
                        "duplicates": way,
                        "pictures": len(chosen),
                        "seconds": seconds,
                        "of one core": worked,
                        "minutes of 10,000": worked / len(chosen) * 10_000 / 60,
                        "groups": len(groups),
                        "found": "",
                    }
                )
        rows += [
            {**dict.fromkeys(rows[0], ""), "set": name, "duplicates": kind, **figures}
            for kind, figures in planted(chosen).items()
        ]
    return rows


def planted(originals: list[Path]) -> dict[str, dict[str, int]]:
    """One copy of each picture, in turn of each kind: how many, and found with their original."""
    counts = {kind: {"pictures": 0, "found": 0} for kind in PLANTED}
    with TemporaryDirectory() as name, Gallery.create(f"{name}/g", Embedder.load(PARTS)) as gallery:
        copies = {Path(name) / f"{n}.png": path.resolve() for n, path in enumerate(originals)}
        kinds = dict(zip(copies, cycle(PLANTED), strict=False))
        for copy, original in copies.items():
            PLANTED[kinds[copy]](Image.fromarray(decode(original))).save(copy)
        import_pictures(gallery, [*originals, *copies])
        groups = [
            {each.file.path for each in group.pictures} for group in gallery.duplicates(copies=True)
        ]
    for copy, original in copies.items():
        counts[kinds[copy]]["pictures"] += 1
        counts[kinds[copy]]["found"] += any({str(copy), str(original)} <= each for each in groups)
    return counts


def found_again(gallery: Gallery, picture: Picture, number: int) -> Iterator[bool]:
    """Whether copies of some kinds are confirmed as the picture, or as what it was pasted into."""
    (other,) = sampled(gallery, 1)
    into = pasted_into(Image.fromarray(pixels_of(gallery, other)))
    pixels, changes = pixels_of(gallery, picture), (*CHANGES, Disturbance(*PASTED, into))
    for change in changes[number % MANY :: MANY]:
        right = same_bytes(gallery, picture)
        if change.change is into:
            right |= same_bytes(gallery, other)
        hits = gallery.search(change(pixels), 1, copies=True)
        yield confirmed(hits) and hits[0].id in right


def same_bytes(gallery: Gallery, picture: Picture) -> set[int]:
    """The ids of a picture, and of others with its bytes."""
    with gallery.catalog.reading() as reader:
        return {each.id for each in reader.by_sha256(picture.file.sha256)}


def confirmed(hits: Sequence[Hit]) -> bool:
    return bool(hits and hits[0].points)


@contextmanager
def filled(pictures: Path, model: str) -> Iterator[Gallery]:
    """A gallery of a folder, with local features."""
    with (
        TemporaryDirectory() as folder,
        Gallery.create(f"{folder}/g", Embedder.load(model)) as gallery,
    ):
        import_pictures(gallery, [pictures])
        make_missing(gallery)
        yield gallery


WORK: dict[str, Callable[[Path, int], list[dict[str, Any]]]] = {
    "price": price,
    "likeness": likeness,
    "found": found,
    "strangers": strangers,
    "duplicates": duplicates,
}


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("what", choices=WORK)
    parser.add_argument("data", type=existing)
    parser.add_argument("--sample", type=int, default=100)
    asked = parser.parse_args()
    show(WORK[asked.what](asked.data, asked.sample))


if __name__ == "__main__":
    run(main)
