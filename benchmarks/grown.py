"""Synthetic vectors that are grown from real embeddings, as many as wanted, again and again alike.

Each is a mix, in a random proportion, of a real embedding and one of its ten nearest, plus 0.3
times a random combination of the deviations of 256 others from the mean (noise with the real
covariance), clipped at zero as the activations are, and scaled to length one. Easier than life:
all come from a few thousand pictures.
"""

import hashlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from kkcv.embedding import windows
from kkcv.embedding.embedder import Embedder
from kkcv.embedding.pipeline import ahead, embed_stream
from kkcv.embedding.space import unit
from kkcv.search.exchange.parquet import described_schema, parquet_writer, table
from kkcv.search.index.exact import inner_products
from kkcv.search.opened.generation import settings_for
from kkcv.search.picture import PictureFile

CHUNK = 10_000
FILE_ROWS = 100_000  # in a Parquet file
NOISE = 0.3
TERMS = 256  # of a combination


class Grown:
    """Unit vectors float32 (N, D) by their number, from real ones, float32 (R, D).

    Rows with parts (kkcv/embedding/windows.py) have ``whole`` numbers before them: all are grown
    together, from whole pictures that are near each other.
    """

    def __init__(self, real: np.ndarray, whole: int | None = None) -> None:
        self.real = real
        self._whole = whole or real.shape[1]
        pictures = real[:, : self._whole]
        self._near = inner_products(pictures, pictures, 11)[0][:, 1:]
        self._deviations = real - real.mean(axis=0)

    def chunks(self, count: int, seed: int = 0, most: int = CHUNK) -> Iterator[np.ndarray]:
        """``count`` vectors, at most so many at a time; another seed gives others."""
        for start in range(0, count, most):
            size = min(most, count - start)
            chance = np.random.default_rng((seed, start))
            first = chance.integers(len(self.real), size=size)
            second = self._near[first, chance.integers(self._near.shape[1], size=size)]
            share = chance.random((size, 1), np.float32)
            terms = self._deviations[chance.permutation(len(self.real))[:TERMS]]
            noise = chance.standard_normal((size, len(terms)), np.float32) @ terms
            mixed = share * self.real[first] + (1 - share) * self.real[second]
            mixed += NOISE / len(terms) ** 0.5 * noise
            whole, parts = mixed[:, : self._whole], windows.parts_of(mixed, self._whole)
            flat = unit(parts.reshape(-1, windows.NUMBERS)).reshape(size, -1)
            yield np.concatenate([unit(np.maximum(whole, 0)), flat], axis=1)


def embedded(pictures: list[Path], scratch: Path) -> dict[str, str]:
    """Real embeddings into a file, float32 (R, D); what a catalog remembers of their network."""
    embedder = Embedder.load()
    stream = embed_stream(embedder, ahead(embedder.prepare, pictures))
    vectors = [vector for _, vector in stream if isinstance(vector, np.ndarray)]
    np.save(scratch / "real.npy", np.stack(vectors))
    return settings_for(embedder, "float16")


def write(scratch: Path, count: int, settings: dict[str, str]) -> None:
    grown = Grown(np.load(scratch / "real.npy"))
    schema = described_schema(settings)
    (scratch / "parquet").mkdir()
    chunks = grown.chunks(count)
    for start in range(0, count, FILE_ROWS):
        with parquet_writer(scratch / f"parquet/{start:09d}.parquet", schema) as writer:
            done, end = start, min(start + FILE_ROWS, count)
            while done < end:
                vectors = next(chunks)
                writer.write_table(table(schema, files(done, len(vectors)), vectors))
                done += len(vectors)


def files(first: int, count: int) -> list[PictureFile]:
    return [
        PictureFile(f"/photos/{n // 1000:06d}/{n:09d}.jpg", False, digest(n), 100_000, n)
        for n in range(first, first + count)
    ]


def digest(n: int) -> bytes:
    return hashlib.sha256(n.to_bytes(8, "big")).digest()
