"""Embeddings to neighbors: the gallery, its catalog, its index, and how good the answers are."""
