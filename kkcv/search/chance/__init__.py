"""How often chance alone makes a score: "1 in 20,000 by chance" beside the cosine.

tail.py      how often pairs of the gallery's own pictures score that high, also beyond the sample
bulk.py      the same from the low scores, which pictures that belong together do not reach
model.py     the two together: the calibration of a gallery
likeness.py  the rate for one query, and in a word how surely a hit is like it
store.py     the calibration on the disk, measured again when the gallery has grown
"""
