"""Filters on metadata, path and time.

expression.py  as people write them; mapping.py as Python has them
conditions.py  what both are read into, and whether a picture meets it
"""
