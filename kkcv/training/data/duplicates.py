"""Groups of pictures that show the same: exact copies, and near duplicates."""

from collections.abc import Iterator, Sequence

import numpy as np

# A near duplicate differs in at most so many of the 256 bits of its hash, and its thumbnail has at
# least this correlation. Copies of photographs in other sizes have 10 bits at most and 0.998 at
# least; the nearest of 1,240 different photographs 40 bits; digits as few bits, but up to 0.97.
NEAR_BITS, NEAR_CORRELATION = 20, 0.99
FLAT = 1.0  # deviation of grey levels below which a thumbnail shows nothing to compare
# Each picture is compared with so many of its nearest. They connect the pictures of a group without
# all of its pairs, of which a class of one camera's pictures has millions.
NEIGHBORS = 16
MOST_COMPARED = 200_000  # unique pictures; beyond, exact copies alone are found
BLOCK = 2_000  # pictures whose neighbors are compared at a time


def groups(contents: Sequence[str], thumbnails: np.ndarray) -> list[list[int]]:
    """Indices of the pictures that show the same, each picture in one group, in their order.

    A group is what copies and near duplicates connect; a picture unlike all others is a group by
    itself. Time and memory grow with the pictures, however many are alike.

    Args:
        contents: sha256 of each file: N.
        thumbnails: grey levels, uint8 (N, height, width).
    """
    parent = np.arange(len(contents))

    def top(i: int) -> int:
        while parent[i] != i:
            parent[i] = parent[parent[i]]  # paths halve as they are walked: union-find
            i = int(parent[i])
        return i

    first: dict[str, int] = {}
    for i, content in enumerate(contents):
        parent[i] = first.setdefault(content, i)
    unique = np.array(list(first.values()), dtype=np.int64)
    if len(unique) <= MOST_COMPARED:
        for a, b in near(thumbnails[unique]):
            low, high = sorted((top(int(unique[a])), top(int(unique[b]))))
            parent[high] = low  # the first picture of a group stands for it
    members: dict[int, list[int]] = {}
    for i in range(len(contents)):
        members.setdefault(top(i), []).append(i)
    return list(members.values())


def near(thumbnails: np.ndarray) -> Iterator[tuple[int, int]]:
    """Pairs of near duplicates among uint8 (N, height, width), by dHash and correlation.

    dHash is the sign of each horizontal step: brightness and size do not change it. A flat
    thumbnail is like no other: its signs are noise, and blank pages would all be copies.
    """
    import faiss

    levels = thumbnails.reshape(len(thumbnails), -1).astype(np.float32)
    kept = np.flatnonzero(levels.std(axis=1) >= FLAT)
    if len(kept) < 2:
        return
    thumbnails, levels = thumbnails[kept], levels[kept]
    levels -= levels.mean(axis=1, keepdims=True)
    levels /= np.linalg.norm(levels, axis=1, keepdims=True)
    steps = thumbnails[:, :, 1:] > thumbnails[:, :, :-1]
    hashes = np.packbits(steps.reshape(len(steps), -1), axis=1)
    index = faiss.IndexBinaryFlat(8 * hashes.shape[1])
    index.add(hashes)
    for start in range(0, len(kept), BLOCK):
        block = slice(start, start + BLOCK)
        bits, found = index.search(hashes[block], min(NEIGHBORS + 1, len(kept)))  # and itself
        row, place = np.nonzero(bits <= NEAR_BITS)
        a, b = row + start, found[row, place]
        a, b = a[a != b], b[a != b]
        alike = np.einsum("nd,nd->n", levels[a], levels[b]) >= NEAR_CORRELATION
        yield from zip(kept[a[alike]].tolist(), kept[b[alike]].tolist(), strict=True)
