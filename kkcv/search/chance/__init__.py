"""How often chance alone makes a score: "1 in 20,000 by chance" beside the cosine.

pairs.py    scores of pairs of the gallery's own pictures
tail.py     how often they score that high, beyond the sample too
bulk.py     the same from the low scores, where pictures that belong together do not reach
model.py    the two together: the calibration of a gallery
kept.py     the calibration beside the gallery, made again when it has grown
"""
