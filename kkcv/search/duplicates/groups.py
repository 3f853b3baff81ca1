"""Groups of duplicates, without comparing every pair.

    pictures, oldest file first ─index▶ older ones that score high ─witness▶ the one it is a copy of

A picture joins the group of the oldest one that it is a duplicate of, so every member is like the
picture that is kept: no chain of small steps puts different pictures together. A copy is made after
its original, so the file that was modified first is kept, whichever was indexed first.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from kkcv.embedding import windows
from kkcv.errors import KkcvError
from kkcv.images.decode import decode
from kkcv.search.engine import Reader
from kkcv.search.engine.entries import PARTS
from kkcv.search.opened.rows import Rows
from kkcv.search.options import OPTIONS
from kkcv.search.picture import Picture
from kkcv.timing import Progress, no_progress

from .decisions import Decisions, decisions_of
from .witness import Witness, mirrored, turned

BATCH, COPY_BATCH = 64, 16  # a small one where each takes long: progress is told soon
NEIGHBORS = 32  # of each picture; those of a larger group lead to the one that is kept
COPY_SCORE = 0.5  # of a copy that was changed, whose points must agree
COPY_NEIGHBORS = 8  # of each way to change it, and pictures that it is compared with
SAME_BYTES = "the same bytes"
WAYS = (turned(1), turned(2), turned(3), mirrored)

Near = dict[int, float]  # ids with their scores


class DuplicateGroup(NamedTuple):
    """Duplicates of the first picture, whose file was modified first.

    ``exact``: they have the same bytes. ``similarity`` is the lowest score with the first. ``how``
    says for each of the others how it is a copy of the first: the same bytes, the same, or among
    ``copies`` turned by 90, 180 or 270 (degrees clockwise), mirrored, a part, a mirrored part,
    with more around it (the first is in it, as in a screenshot), also mirrored.
    """

    pictures: tuple[Picture, ...]
    exact: bool
    similarity: float
    how: tuple[str, ...] = ()

    @property
    def ids(self) -> tuple[int, ...]:
        return tuple(picture.id for picture in self.pictures)


def duplicates(
    gallery: Rows,
    min_score: float = 0.95,
    progress: Progress = no_progress,
    *,
    copies: bool = False,
    unread: Callable[[int], None] = lambda pictures: None,
) -> list[DuplicateGroup]:
    """Groups of pictures with the same bytes, or that show the same, largest first.

    Each picture asks the index for its nearest, and those that score at least ``min_score`` are
    compared pixel by pixel (witness.py). What people decided to keep is left out.

    Args:
        copies: find turned, mirrored, grey and cropped copies too, which takes the embedding of
            each picture in four more ways. Small crops are found in a gallery with parts.
        unread: called with the number of pictures that could not be read, of which only the bytes
            were compared.

    Raises RequestError for an impossible score.
    """
    OPTIONS["min_score"].check(min_score)
    index = gallery.generation.index
    if index.wants_rebuild:
        index.rebuild()
    pictures = {picture.id: picture for picture in gallery.pictures()}
    witness = Witness(gallery.read, gallery.folder)
    with gallery.catalog.reading() as rows:
        found = Grouping(pictures, rows, witness, decisions_of(rows), min_score, copies)
        oldest_first = [picture.id for picture in sorted(pictures.values(), key=age)]
        least = COPY_SCORE if copies else min_score
        for some in nearest(gallery, rows, oldest_first, least, copies):
            for id, near in some.items():
                found.place(id, near)
                progress(len(found.kept_for), len(pictures))
    unread(len(witness.unread))
    return sorted(found.groups(), key=lambda group: (-len(group.pictures), group.pictures[0].id))


def age(picture: Picture) -> tuple[float, int]:
    """Sorts the oldest file first, then the one that was indexed first."""
    modified = picture.file.mtime_ns / 1e9
    return (modified if modified > 0 else picture.added_seconds), picture.id


def summary_of(groups: list[DuplicateGroup]) -> dict[str, int]:
    """The numbers of groups, and what would be freed if only the oldest of each were kept."""
    spare = [picture for group in groups for picture in group.pictures[1:]]
    return {
        "exact_groups": sum(group.exact for group in groups),
        "near_groups": sum(not group.exact for group in groups),
        "spare_pictures": len(spare),
        "spare_bytes": sum(picture.file.bytes for picture in spare),
    }


@dataclass
class Grouping:
    """Places pictures, oldest first, each beside the one that it is a duplicate of.

    ``kept_for`` has for each id the picture that is kept for it, or itself.
    """

    pictures: dict[int, Picture]
    rows: Reader
    witness: Witness
    decisions: Decisions
    min_score: float
    copies: bool
    kept_for: dict[int, int] = field(default_factory=dict)
    _by_bytes: dict[bytes, int] = field(default_factory=dict)
    _how: dict[int, tuple[float, str]] = field(default_factory=dict)
    # a crop finds its original by its parts, not the other way round: what older ones have found
    _found_by: dict[int, Near] = field(default_factory=dict)

    def place(self, id: int, near: Near) -> None:
        """``near`` are pictures that may be the same, with their scores."""
        picture = self.pictures[id]
        self.kept_for[id] = id
        if self.copies:
            near |= self._found_by.pop(id, {})
            for other in near.keys() - self.kept_for.keys():
                self._found_by.setdefault(other, {})[id] = near[other]
        sha256 = picture.file.sha256
        twin = self._by_bytes.setdefault(sha256, id)
        if twin != id and not self.decisions.apart(sha256, sha256):
            self.kept_for[id] = self.kept_for[twin]
            self._how[id] = self._how.get(twin, (1.0, ""))[0], SAME_BYTES
            return
        older = {self.kept_for[other] for other in near if other in self.kept_for} - {id}
        # a member of a group leads to the picture that is kept, which the index may not have named
        missing = older - near.keys()
        near = {other: near[other] for other in older - missing} | self._scores(id, missing)
        best = sorted(near.items(), key=lambda pair: (-pair[1], pair[0]))
        for other, score in best[: COPY_NEIGHBORS if self.copies else None]:
            if score < self.min_score and not self.copies:
                continue
            kept = self.pictures[other]
            if self.decisions.apart(sha256, kept.file.sha256):
                continue
            how = self.witness.same(picture, kept, self.copies)
            if how is not None:
                self.kept_for[id], self._how[id] = other, (score, how)
                return

    def groups(self) -> Iterator[DuplicateGroup]:
        members: dict[int, list[int]] = {}
        for id, kept in self.kept_for.items():
            members.setdefault(kept, []).append(id)
        for kept, ids in members.items():
            if len(ids) > 1:
                scores, how = zip(*(self._how[id] for id in ids if id != kept), strict=True)
                pictures = tuple(self.pictures[id] for id in ids)
                exact = len({picture.file.sha256 for picture in pictures}) == 1
                yield DuplicateGroup(pictures, exact, min(scores), how)

    def _scores(self, id: int, others: set[int]) -> Near:
        """The scores with kept pictures that a member of their group led to."""
        if not others:
            return {}
        ids = sorted(others)
        first, *vectors = self.rows.vectors_of(np.array([id, *ids]))
        return {other: float(first @ vector) for other, vector in zip(ids, vectors, strict=True)}


def nearest(
    gallery: Rows, rows: Reader, order: list[int], min_score: float, copies: bool
) -> Iterator[dict[int, Near]]:
    """The pictures in an order of ids, each with others that score at least that."""
    index = gallery.generation.index
    size = COPY_BATCH if copies else BATCH
    for some in (order[n : n + size] for n in range(0, len(order), size)):
        found: dict[int, Near] = {id: {} for id in some}
        for ids, stored in rows.stored_vectors(ids=np.sort(some)):
            near = index.search(rows, rows.whole(stored), NEIGHBORS)
            collect(found, ids, near.ids, near.scores, min_score)
            if not copies:
                continue
            if index.parts is not None:
                sketches = windows.sketch(stored[:, : rows.shape.whole])
                near = index.parts.search(rows, sketches, NEIGHBORS)  # its own too
                keys = np.where(near.ids < 0, -1, near.ids // PARTS)
                collect(found, ids, keys, near.scores, min_score)
            whose, changed = in_other_ways(gallery, ids)
            if len(whose):
                near = index.search(rows, changed, COPY_NEIGHBORS)
                collect(found, whose, near.ids, near.scores, min_score)
        yield found


def collect(
    found: dict[int, Near], whose: np.ndarray, ids: np.ndarray, scores: np.ndarray, least: float
) -> None:
    for id, others, high in zip(whose.tolist(), ids.tolist(), scores.tolist(), strict=True):
        for other, score in zip(others, high, strict=True):
            if other >= 0 and other != id and score >= least:
                found[id][other] = max(score, found[id].get(other, score))


def in_other_ways(gallery: Rows, ids: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The vectors of pictures that are turned and mirrored, and whose they are: (N,), (N, D)."""
    embedder = gallery.generation.embedder
    target = embedder.checkpoint.preprocess.target
    whose: list[int] = []
    crops: list[np.ndarray] = []
    for picture in gallery.get_many(ids.tolist()):
        try:
            pixels = decode(gallery.read(picture), target=target)
        except KkcvError:  # the witness counts it
            continue
        crops += [embedder.crop(way(pixels)) for way in WAYS]
        whose += [picture.id] * len(WAYS)
    if not whose:
        return np.empty(0, np.int64), np.empty((0, 0), np.float32)
    return np.array(whose), gallery.generation.projected(embedder.embed_crops(crops))
