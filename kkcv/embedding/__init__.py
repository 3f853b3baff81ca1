"""Pictures to embeddings: unit vectors whose inner product is the cosine similarity."""
