"""Embeddings to neighbors: the gallery and what it can be asked, over one of two engines.

folder/ and milvus/ are the engines (engine/ is what they promise), index/ the Faiss indexes
of the first. ranking/, verification/ and chance/ are what an answer may be put through, learning/
what labels and clicks teach, quality/ how good the answers are, exchange/ Parquet in and out.
"""
