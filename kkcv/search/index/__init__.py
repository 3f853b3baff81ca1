"""Vectors to neighbors: exact while a gallery is small, approximate and re-ranked when it is large.

LayeredIndex            what a gallery searches
├── Snapshot (maybe)    an immutable Faiss index on the disk, of most rows
└── ExactIndex          the rows since then, compared one by one
"""
