"""How often chance alone makes a score: "1 in 20,000 by chance" beside the cosine.

model.py     how often pairs of the gallery's own pictures score that high: its calibration
likeness.py  the rate for one query, and in a word how surely a hit is like it
store.py     the calibration on the disk, measured again when the gallery has grown
"""
