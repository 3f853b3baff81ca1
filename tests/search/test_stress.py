"""Searches while others write: Faiss itself crashes then, a gallery's index must not."""

import subprocess
import sys
import threading
from typing import Protocol

import faiss
import numpy as np
import pytest

from kkcv.search.index import kinds
from kkcv.search.index.layered import LayeredIndex

from .test_index import DIM, snapshot_of, unit_vectors

NOTHING = np.empty(0, np.int64)
STAY = 500  # ids that stay from the beginning to the end


class Searched(Protocol):
    def update(self, removed: np.ndarray, ids: np.ndarray, vectors: np.ndarray) -> None: ...

    def search(self, queries: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray]: ...


class Unguarded:
    """Faiss as it is: what a search reads is moved and freed while it reads."""

    def __init__(self) -> None:
        self.index = faiss.IndexIDMap2(faiss.IndexFlatIP(DIM))

    def update(self, removed: np.ndarray, ids: np.ndarray, vectors: np.ndarray) -> None:
        self.index.remove_ids(np.concatenate([removed, ids]))
        self.index.add_with_ids(vectors, ids)

    def search(self, queries: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray]:
        scores, ids = self.index.search(queries, k)
        return ids, scores


def stress(index: Searched, stay: np.ndarray, changes: int) -> list[int]:
    """The rows that a search missed, while 30 others came and went and 30 were put in anew."""
    stop, wrong = threading.Event(), []

    def write() -> None:
        chance = np.random.default_rng(2)
        for first in range(1000, 1000 + 30 * changes, 30):
            new, again = np.arange(first, first + 30), chance.permutation(STAY)[:30]
            # never nearest to one that stays
            vectors = np.concatenate([-stay[chance.integers(STAY, size=30)], stay[again]])
            index.update(new - 60, np.concatenate([new, again]), vectors)
        stop.set()

    def search() -> None:
        chance = np.random.default_rng(3)
        while not stop.is_set():
            row = int(chance.integers(STAY))
            ids, scores = index.search(stay[row : row + 1], 2)
            if ids[0, 0] != row or scores[0, 0] < 0.999:
                wrong.append(row)

    threads = [threading.Thread(target=target) for target in (write, search, search)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return wrong


@pytest.mark.parametrize("kind", [None, *kinds.KINDS])
def test_a_search_while_others_add_and_remove_is_exact(kind: str | None) -> None:
    """Whatever comes and goes, what is there all the time is always found."""
    ids, stay = np.arange(STAY), unit_vectors(1, STAY)
    index = LayeredIndex(DIM, snapshot_of(kind, ids, stay) if kind else None)
    if not kind:
        index.update(NOTHING, ids, stay)

    wrong = stress(index, stay, 500)

    assert not wrong
    assert len(index) == STAY + 60


def test_faiss_alone_does_not_stand_it() -> None:
    """The control: without the guard the same stress crashes, or misses what is there."""
    code = f"from {__name__} import main; main()"

    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)

    assert ended.returncode < 0 or ended.stdout == "missed some\n"


def main() -> None:
    stay, index = unit_vectors(1, STAY), Unguarded()
    index.update(NOTHING, np.arange(STAY), stay)
    print("missed some" if stress(index, stay, 2000) else "missed none")
