"""Metadata for many pictures at once.

describing.py  by a filter, by a table, by the names of folders
table_rows.py  the pictures that the rows of a table name
"""
