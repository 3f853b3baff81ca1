"""Is it the same object? Two pictures are compared point by point.

features.py   a few hundred local features of a picture (SIFT)
geometry.py   the features that two pictures share under one change of view, and where the object is
agreement.py  whether one was made of the other
store.py      the features of a gallery's pictures on the disk, once they were needed
verify.py     the first hits of a search, ordered by how much they share with the query
"""
