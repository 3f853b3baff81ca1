"""From query vectors to hits.

answer.py   the nearest pictures, their order, and the hits that are left out
folding.py  near-duplicates as one hit
sorting.py  hits by date
"""
