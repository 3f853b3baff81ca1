"""The library of a gallery: the folders that it was made of, on disks that come and go.

identity.py    which folder a path leads to, by whatever name
roots.py       the folders that were indexed, as a gallery remembers them
places.py      where a root is now, and in which state
library.py     both, for an open gallery: where a file is, and what the catalog calls it
absence.py     what is away, and what was deleted
ignore.py      what the owner leaves out
naming.py      how an import calls the files that it finds
moved_files.py which file of the same bytes was moved
moving.py      a root that is elsewhere now; forgetting.py: one that is given up
changes.py     what happens to files below folders
"""
