"""A gallery in a folder of this machine: SQLite is the source of truth, Faiss is derived."""
