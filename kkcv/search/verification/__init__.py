"""Is it the same object? What two pictures show is compared point by point.

features.py   a few hundred local features of a picture (SIFT)
geometry.py   those that two pictures share under one change of view, and where the object is
kept.py       the features of a gallery's pictures, on the disk once they were needed
verify.py     the first hits in the order of what was found
"""
