"""A look at every picture before anything is trained: what is damaged, doubled, small."""

import hashlib
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from PIL import Image

from kkcv.embedding.pipeline import ahead
from kkcv.errors import DataError, PictureError
from kkcv.images.decode import decode, image_size
from kkcv.images.source import read_bytes

from .labelled import LabelledData, Picture

# A near duplicate differs in at most so many of the 256 bits of its hash, and its thumbnail has at
# least this correlation. Copies of photographs in other sizes have 10 bits at most and 0.998 at
# least; the nearest of 1,240 different photographs 40 bits; digits as few bits, but up to 0.97.
NEAR_BITS, NEAR_CORRELATION = 20, 0.99
FLAT = 1.0  # deviation of grey levels below which a thumbnail shows nothing
THUMBNAIL = (17, 16)  # width and height in pixels
MOST_COMPARED = 200_000  # pictures whose pairs are compared; beyond, exact copies alone are found
SMALLEST = 5  # pictures that the report names

Progress = Callable[[int, int], None]


class Looked(NamedTuple):
    """What one look at a picture keeps; ``size`` is width and height in pixels."""

    picture: Picture
    sha256: str
    size: tuple[int, int]
    thumbnail: np.ndarray  # uint8 (16, 17)


class Unreadable(NamedTuple):
    """A picture that is left out, and why."""

    picture: Picture
    reason: str
    message: str


class Pair(NamedTuple):
    """Two pictures, by their place in the list, that show the same; ``bits`` is 0 for copies."""

    a: int
    b: int
    bits: int


@dataclass(frozen=True)
class Inspection:
    """All readable pictures, those that are not, and the pairs that show the same."""

    looked: tuple[Looked, ...]
    unreadable: tuple[Unreadable, ...]
    pairs: tuple[Pair, ...]


def inspect_pictures(
    data: LabelledData, *, threads: int | None = None, progress: Progress | None = None
) -> Inspection:
    """Decode every labelled picture once, in threads, and compare them all.

    Raises DataError when a class has no readable picture.
    """
    looked, unreadable = [], []
    look = Look(data.root)
    for done, (picture, result) in enumerate(ahead(look, data.pictures, threads=threads), 1):
        if isinstance(result, PictureError):
            unreadable.append(Unreadable(picture, result.reason, str(result)))
        else:
            looked.append(result)
        if progress:
            progress(done, len(data.pictures))
    readable = {each.picture.label for each in looked}
    for label in data.classes:
        if label not in readable:
            first = next(each for each in unreadable if each.picture.label == label)
            raise DataError(
                f"no picture of the class {label!r} can be read; the first: {first.message}"
            )
    return Inspection(tuple(looked), tuple(unreadable), tuple(same_pictures(looked)))


class Look:
    """One look at a picture below the root."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def __call__(self, picture: Picture) -> Looked:
        path = self.root / picture.path
        content = read_bytes(path)
        try:
            size = image_size(content)
            pixels = decode(content, target=4 * THUMBNAIL[0])
        except PictureError as error:  # from memory, it has no name
            raise PictureError(f"{picture.path}: {error}", error.reason) from None
        grey = Image.fromarray(pixels).convert("L")
        thumbnail = np.asarray(grey.resize(THUMBNAIL, Image.Resampling.BICUBIC))
        return Looked(picture, hashlib.sha256(content).hexdigest(), size, thumbnail)


def same_pictures(looked: Sequence[Looked]) -> list[Pair]:
    """Pairs of exact copies, and of near ones: by the 256 signs of horizontal steps (dHash)."""
    copies: dict[str, list[int]] = {}
    for i, each in enumerate(looked):
        copies.setdefault(each.sha256, []).append(i)
    pairs = {(same[0], i): 0 for same in copies.values() for i in same[1:]}
    unique = np.array([same[0] for same in copies.values()])
    if 1 < len(unique) <= MOST_COMPARED:
        thumbnails = np.stack([looked[i].thumbnail for i in unique])
        pairs |= {(int(unique[a]), int(unique[b])): bits for a, b, bits in near(thumbnails)}
    return [Pair(a, b, bits) for (a, b), bits in sorted(pairs.items())]


def near(thumbnails: np.ndarray) -> list[tuple[int, int, int]]:
    """Near pairs of uint8 (N, 16, 17): first index, second, bits that differ."""
    import faiss

    steps = thumbnails[:, :, 1:] > thumbnails[:, :, :-1]
    hashes = np.packbits(steps.reshape(len(steps), -1), axis=1)
    index = faiss.IndexBinaryFlat(8 * hashes.shape[1])
    index.add(hashes)
    limits, bits, found = index.range_search(hashes, NEAR_BITS + 1)  # strictly below
    rows = np.repeat(np.arange(len(hashes)), np.diff(limits.astype(np.int64)))
    keep = rows < found
    return [
        (int(a), int(b), int(d))
        for a, b, d in zip(rows[keep], found[keep], bits[keep], strict=True)
        if correlation(thumbnails[a], thumbnails[b]) >= NEAR_CORRELATION
    ]


def correlation(a: np.ndarray, b: np.ndarray) -> float:
    """Of grey levels, from -1 to 1; two flat thumbnails are alike, whatever their level."""
    x, y = a - a.mean(), b - b.mean()
    spread = float(x.std() * y.std())
    if spread < FLAT**2:
        return float(max(x.std(), y.std()) < FLAT)
    return float((x * y).mean()) / spread


def groups(count: int, pairs: Sequence[Pair]) -> list[list[int]]:
    """Those that show the same belong together: 0 … count - 1, as connected by the pairs."""
    parent = list(range(count))

    def top(i: int) -> int:
        while parent[i] != i:
            parent[i] = parent[parent[i]]
            i = parent[i]
        return i

    for pair in pairs:
        parent[top(pair.b)] = top(pair.a)
    members: dict[int, list[int]] = {}
    for i in range(count):
        members.setdefault(top(i), []).append(i)
    return list(members.values())


def report(inspection: Inspection, parts: Sequence[str]) -> dict[str, Any]:
    """What a person should know before the first epoch; ``parts`` are those of ``looked``."""
    looked = inspection.looked
    counts: dict[str, Counter[str]] = {}
    for each, part in zip(looked, parts, strict=True):
        counts.setdefault(each.picture.label, Counter())[part] += 1
    smallest = sorted(looked, key=lambda each: (min(each.size), each.picture.path))[:SMALLEST]
    return {
        "pictures": len(looked),
        "classes": {label: dict(sorted(of.items())) for label, of in sorted(counts.items())},
        "unreadable": [
            {"path": u.picture.path, "reason": u.reason, "message": u.message}
            for u in inspection.unreadable
        ],
        "copies": [described(p, looked, parts) for p in inspection.pairs if p.bits == 0],
        "near_duplicates": [described(p, looked, parts) for p in inspection.pairs if p.bits],
        "leaks": sum(parts[p.a] != parts[p.b] for p in inspection.pairs),
        "label_conflicts": sum(
            looked[p.a].picture.label != looked[p.b].picture.label for p in inspection.pairs
        ),
        "near_duplicates_searched": len(looked) <= MOST_COMPARED,
        "smallest": [
            {"path": e.picture.path, "width": e.size[0], "height": e.size[1]} for e in smallest
        ],
    }


def described(pair: Pair, looked: Sequence[Looked], parts: Sequence[str]) -> dict[str, Any]:
    a, b = looked[pair.a].picture, looked[pair.b].picture
    return {
        "paths": [a.path, b.path],
        "labels": [a.label, b.label],
        "parts": [parts[pair.a], parts[pair.b]],
        "bits": pair.bits,
    }


def leaks(report: dict[str, Any]) -> list[dict[str, Any]]:
    """The pairs that look the same in two parts."""
    return [p for p in report["copies"] + report["near_duplicates"] if len(set(p["parts"])) > 1]


def lines(report: dict[str, Any]) -> list[str]:
    """The report as lines for a terminal."""
    out = [f"{report['pictures']} pictures of {len(report['classes'])} classes"]
    for label, of in report["classes"].items():
        out.append(f"  {label}: {', '.join(f'{n} {part}' for part, n in of.items())}")
    out += [f"left out, unreadable: {u['message']} [{u['reason']}]" for u in report["unreadable"]]
    out.append(
        f"{len(report['copies'])} exact copies, {len(report['near_duplicates'])} near duplicates; "
        f"{report['leaks']} across the split, {report['label_conflicts']} with two labels"
    )
    out += [
        f"  leak: {p['paths'][0]} ({p['parts'][0]}) is like {p['paths'][1]} ({p['parts'][1]})"
        for p in leaks(report)
    ]
    if not report["near_duplicates_searched"]:
        out.append(f"near duplicates are not searched beyond {MOST_COMPARED:,} pictures")
    small = report["smallest"]
    if small:
        named = ", ".join(f"{s['path']} {s['width']}x{s['height']}" for s in small)
        out.append(f"the smallest: {named}")
    return out
