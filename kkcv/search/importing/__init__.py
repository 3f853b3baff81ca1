"""Files into a gallery.

importing.py  folders of pictures, in transactions
looking.py    a look at one file: is it new, changed, readable?
watching.py   an import whenever something changes in the folders
"""

from .importing import ImportReport, Progress, Reject, files_to_import, import_pictures

__all__ = ["ImportReport", "Progress", "Reject", "files_to_import", "import_pictures"]
