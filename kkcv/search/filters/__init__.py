"""Filters on metadata, path and time.

expression.py  as people write them; as Python has them: kkcv/where.py
conditions.py  what both are read into, and whether a picture meets it
"""
