"""The library of a gallery: the folders that it was made of, on disks that come and go.

identity.py   which folder a path leads to, by whatever name
roots.py      the roots, as a gallery remembers them
places.py     where a root is now, and in which state
"""
