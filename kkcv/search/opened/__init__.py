"""A gallery that is open; gallery.py adds the search.

opened.py      opening and closing, the folders that were indexed, undo
rows.py        its pictures: looked up, listed, added, described, removed
generation.py  catalog, index and embedder, until the network changes
keys.py        the keys of its metadata; undoing.py: the rows before the last change of many
"""
