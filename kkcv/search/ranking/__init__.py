"""Orders better than the plain one, from vectors alone: no labels, no training.

    query ─index▶ candidates, the DEPTH nearest ─ranking▶ the same in another order

A ranking is a function of the query's vector (D,) and the candidates' (M, D), nearest first. It
answers a relevance for each, float32 (M,), larger first. It sees nothing but those vectors, so it
works on any engine that can search and give back what it stores, and it is as fresh as the
search: there is nothing that an addition or a removal could leave behind. Scores of hits stay what
they are, the cosine similarity to the query; only the order changes.
"""
