"""Groups of exact and near duplicates, without comparing every pair."""

from collections.abc import Callable, Iterator
from typing import NamedTuple

from .options import OPTIONS
from .picture import Picture
from .rows import Rows

BATCH = 64
NEIGHBORS = 32  # of each picture; a larger group is joined through its members


class DuplicateGroup(NamedTuple):
    """Duplicates of each other, oldest first.

    ``exact``: they have the same bytes. ``similarity`` is the lowest score that joined them.
    """

    pictures: tuple[Picture, ...]
    exact: bool
    similarity: float


def duplicates(
    gallery: Rows,
    min_score: float = 0.95,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> list[DuplicateGroup]:
    """Groups in which each picture scores at least ``min_score`` with another, largest first.

    Each picture asks the index for its nearest, so it takes as long as that many searches. The
    index is built first if the gallery wants one.

    Raises RequestError for an impossible score.
    """
    OPTIONS["min_score"].check(min_score)
    if gallery.generation.index.wants_rebuild:
        gallery.generation.index.rebuild()
    pictures = {picture.id: picture for picture in gallery.pictures()}
    groups = UnionFind()
    for a, b, score in near_pairs(gallery, min_score, len(pictures), progress):
        if a in pictures and b in pictures:
            groups.join(a, b, score)
    by_bytes: dict[bytes, int] = {}
    for picture in pictures.values():
        first = by_bytes.setdefault(picture.file.sha256, picture.id)
        if first != picture.id:
            groups.join(first, picture.id, 1.0)
    found = [
        DuplicateGroup(
            tuple(pictures[id] for id in sorted(ids)),
            len({pictures[id].file.sha256 for id in ids}) == 1,
            score,
        )
        for ids, score in groups.all()
    ]
    return sorted(found, key=lambda group: (-len(group.pictures), group.pictures[0].id))


def summary_of(groups: list[DuplicateGroup]) -> dict[str, int]:
    """The numbers of groups, and what would be freed if only the oldest of each were kept."""
    spare = [picture for group in groups for picture in group.pictures[1:]]
    return {
        "exact_groups": sum(group.exact for group in groups),
        "near_groups": sum(not group.exact for group in groups),
        "spare_pictures": len(spare),
        "spare_bytes": sum(picture.file.bytes for picture in spare),
    }


def near_pairs(
    gallery: Rows, min_score: float, total: int, progress: Callable[[int, int], None]
) -> Iterator[tuple[int, int, float]]:
    """Pairs of ids, the smaller first, that score at least ``min_score``."""
    generation = gallery.generation
    done = 0
    with generation.catalog.reading() as rows:
        for ids, vectors in rows.vectors(BATCH):
            near = generation.index.search(rows, vectors, NEIGHBORS)
            for id, others, scores in zip(ids, near.ids, near.scores, strict=True):
                for other, score in zip(others.tolist(), scores.tolist(), strict=True):
                    if other >= 0 and other != id and score >= min_score:
                        yield min(int(id), other), max(int(id), other), score
            done += len(ids)
            progress(done, total)


class UnionFind:
    """Sets that are joined step by step, each with the lowest score that joined it."""

    def __init__(self) -> None:
        self._parent: dict[int, int] = {}
        self._score: dict[int, float] = {}

    def join(self, a: int, b: int, score: float) -> None:
        a, b = self._root(a), self._root(b)
        if a != b:
            self._parent[max(a, b)] = min(a, b)
            scores = (self._score.get(a, 1.0), self._score.get(b, 1.0), score)
            self._score[min(a, b)] = min(scores)

    def all(self) -> list[tuple[list[int], float]]:
        members: dict[int, list[int]] = {}
        for id in self._parent:
            members.setdefault(self._root(id), []).append(id)
        return [(ids, self._score[root]) for root, ids in members.items() if len(ids) > 1]

    def _root(self, id: int) -> int:
        self._parent.setdefault(id, id)
        while self._parent[id] != id:
            self._parent[id] = self._parent[self._parent[id]]
            id = self._parent[id]
        return id
