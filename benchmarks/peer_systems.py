"""The systems of peers.py: each stores unit vectors and finds the ten nearest, numbered from 0.

Settings are each system's own advice: 16 links a vector up, 200 candidates while building (hnswlib
and Chroma), or its defaults. ``effort`` is what trades time for recall while searching.
"""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from kkcv.machine import cores

from .opened import index_of

PATIENCE = 240  # seconds of processor time for storing


class TooSlow(Exception):
    """How far it came."""


class System(Protocol):
    effort: int
    tunable: bool

    def search(self, queries: np.ndarray, k: int) -> np.ndarray:
        """float32 (Q, D) → numbers (Q, k)."""
        ...


class Kkcv:
    """A gallery: SQLite holds the rows; each hit comes with its path and metadata."""

    tunable = False  # it tunes itself
    effort = 0

    def __init__(self, vectors: np.ndarray, folder: Path) -> None:
        from kkcv.embedding.embedder import Embedder
        from kkcv.search.gallery import Gallery

        from .grown import files

        self.gallery = Gallery.create(folder, Embedder.load())
        with self.gallery.catalog.writing() as writer:
            for file, vector in zip(files(0, len(vectors)), vectors, strict=True):
                writer.add(file, np.asarray(vector), {})
        self.gallery.generation.index.rebuild()

    def search(self, queries: np.ndarray, k: int) -> np.ndarray:
        found = self.gallery.search_vectors(queries, k)
        return np.array([[hit.id for hit in hits] for hits in found]) - 1


class KkcvIndex(Kkcv):
    """The index of the gallery before, asked for ids alone, as the libraries below are."""

    def __init__(self, vectors: np.ndarray, folder: Path) -> None:
        from kkcv.search.gallery import Gallery

        self.gallery = Gallery.open(folder.parent / "kkcv gallery")

    def search(self, queries: np.ndarray, k: int) -> np.ndarray:
        return index_of(self.gallery).refreshed().search(queries, k).ids - 1


class FaissHNSW:
    tunable = True
    effort = 16

    def __init__(self, vectors: np.ndarray, folder: Path) -> None:
        import faiss

        self.faiss = faiss
        self.index = faiss.IndexHNSWFlat(vectors.shape[1], 32, faiss.METRIC_INNER_PRODUCT)
        self.index.add(np.ascontiguousarray(vectors))

    def search(self, queries: np.ndarray, k: int) -> np.ndarray:
        parameters = self.faiss.SearchParametersHNSW(efSearch=self.effort)
        return self.index.search(queries, k, params=parameters)[1]


class FaissFlat:
    tunable = False
    effort = 0

    def __init__(self, vectors: np.ndarray, folder: Path) -> None:
        import faiss

        self.index = faiss.IndexFlatIP(vectors.shape[1])
        self.index.add(np.ascontiguousarray(vectors))

    def search(self, queries: np.ndarray, k: int) -> np.ndarray:
        return self.index.search(queries, k)[1]


class Hnswlib:
    tunable = True
    effort = 16

    def __init__(self, vectors: np.ndarray, folder: Path) -> None:
        import hnswlib

        self.index = hnswlib.Index("ip", vectors.shape[1])
        self.index.init_index(len(vectors), ef_construction=200, M=16)
        self.index.add_items(vectors, num_threads=cores())

    def search(self, queries: np.ndarray, k: int) -> np.ndarray:
        self.index.set_ef(max(self.effort, k))
        return self.index.knn_query(queries, k, num_threads=cores() if len(queries) > 1 else 1)[0]


class Usearch:
    tunable = True
    effort = 16
    dtype = "f32"

    def __init__(self, vectors: np.ndarray, folder: Path) -> None:
        from usearch.index import Index

        self.index = Index(ndim=vectors.shape[1], metric="ip", dtype=self.dtype)
        self.index.add(np.arange(len(vectors)), np.ascontiguousarray(vectors), threads=cores())

    def search(self, queries: np.ndarray, k: int) -> np.ndarray:
        self.index.expansion_search = self.effort
        found = self.index.search(queries, k, threads=cores() if len(queries) > 1 else 1)
        return np.asarray(found.keys).reshape(len(queries), -1).astype(np.int64)


class UsearchHalf(Usearch):
    dtype = "f16"


class Lance:
    """IVF_HNSW_SQ, re-ranked from the stored vectors."""

    tunable = True
    effort = 16

    def __init__(self, vectors: np.ndarray, folder: Path) -> None:
        import lancedb
        import pyarrow as pa

        database = lancedb.connect(folder)
        flat = pa.array(np.ascontiguousarray(vectors).reshape(-1))
        column = pa.FixedSizeListArray.from_arrays(flat, vectors.shape[1])
        rows = pa.table({"id": np.arange(len(vectors)), "vector": column})
        self.table = database.create_table("t", rows)
        self.table.create_index(metric="dot", index_type="IVF_HNSW_SQ", num_partitions=16)

    def search(self, queries: np.ndarray, k: int) -> np.ndarray:
        return np.array([self._one(query, k) for query in queries])

    def _one(self, query: np.ndarray, k: int) -> list[int]:
        asked = self.table.search(query).distance_type("dot").limit(k)
        tuned = asked.nprobes(min(16, self.effort)).ef(40 + 4 * self.effort).refine_factor(4)
        return tuned.select(["id"]).to_arrow()["id"].to_pylist()


class Chroma:
    tunable = False  # its effort is set when the collection is made
    effort = 0

    def __init__(self, vectors: np.ndarray, folder: Path) -> None:
        import chromadb
        from chromadb.config import Settings

        client = chromadb.PersistentClient(str(folder), Settings(anonymized_telemetry=False))
        hnsw: Any = {"space": "ip", "ef_construction": 200, "ef_search": 64, "max_neighbors": 16}
        self.collection = client.create_collection("vectors", configuration={"hnsw": hnsw})

        def add(start: int, part: np.ndarray) -> None:
            ids = [str(start + number) for number in range(len(part))]
            self.collection.add(ids=ids, embeddings=part)

        patiently(vectors, 5000, add)

    def search(self, queries: np.ndarray, k: int) -> np.ndarray:
        found = self.collection.query(query_embeddings=queries, n_results=k, include=[])
        return np.array(found["ids"]).astype(np.int64)


class Qdrant:
    """The local mode of its client; a server cannot be installed from PyPI."""

    tunable = False  # it compares with all
    effort = 0

    def __init__(self, vectors: np.ndarray, folder: Path) -> None:
        from qdrant_client import QdrantClient, models

        self.client = QdrantClient(path=str(folder))
        parameters = models.VectorParams(size=vectors.shape[1], distance=models.Distance.DOT)
        self.client.create_collection("c", parameters)

        def add(start: int, part: np.ndarray) -> None:
            ids = list(range(start, start + len(part)))
            self.client.upsert("c", models.Batch(ids=ids, vectors=part.tolist()))

        patiently(vectors, 500, add)

    def search(self, queries: np.ndarray, k: int) -> np.ndarray:
        found = [self.client.query_points("c", query.tolist(), limit=k) for query in queries]
        return np.array([[point.id for point in each.points] for each in found])


def patiently(vectors: np.ndarray, size: int, add: Callable[[int, np.ndarray], None]) -> None:
    """Add ``size`` at a time (TooSlow)."""
    began = time.process_time()
    for start in range(0, len(vectors), size):
        add(start, np.ascontiguousarray(vectors[start : start + size]))
        if time.process_time() - began > PATIENCE:
            done = min(start + size, len(vectors))
            if done < len(vectors):
                raise TooSlow(
                    f"stored {done:,} of {len(vectors):,} in {PATIENCE} s of processor time"
                )


SYSTEMS: dict[str, Callable[[np.ndarray, Path], System]] = {
    "kkcv gallery": Kkcv,
    "kkcv index: ids alone": KkcvIndex,
    "Faiss Flat": FaissFlat,
    "Faiss HNSW32": FaissHNSW,
    "hnswlib": Hnswlib,
    "usearch f32": Usearch,
    "usearch f16": UsearchHalf,
    "LanceDB": Lance,
    "Chroma": Chroma,
    "Qdrant local": Qdrant,
}
