"""Orders better than the plain one, from vectors alone: no labels, no training.

    query ─index▶ candidates, the DEPTH nearest ─ranking▶ the same in another order

A ranking is a function of the query's vector (D,) and the candidates' (M, D), nearest first. It
returns a relevance for each candidate, float32 (M,); larger comes first. It needs nothing else,
so it works on every engine and is never outdated by additions or removals. Scores of hits remain
the cosine similarity to the query; only the order changes.
"""
