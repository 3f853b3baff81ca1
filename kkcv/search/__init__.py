"""Embeddings to neighbors: the gallery and what it can be asked, over one of two engines.

folder/ and milvus/ are the engines (engine/ is what they promise), index/ the Faiss indexes
of the first. opened/ is a gallery that is open, answer/ its way from vectors to hits, which
ranking/, verification/ and chance/ may reorder and judge. importing/, describing/ and duplicates/
work on its pictures; learning/ is what labels and clicks teach, quality/ how good the answers are,
exchange/ Parquet in and out.
"""
