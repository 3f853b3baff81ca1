"""Taking the last change of many pictures back."""

from kkcv.search.folder.engine import in_a_folder
from kkcv.search.folder.undo import Undone
from kkcv.search.folder.undo import undo as take_back
from kkcv.search.library.forgetting import remembered
from kkcv.search.library.roots import as_root
from kkcv.search.rows import Rows


def undo(gallery: Rows) -> Undone:
    """Undo the last removal or description of several pictures.

    Their ids, vectors and metadata return. Raises RequestError if there is nothing to undo, the
    network was changed since, or the gallery is not in a folder.
    """
    done = take_back(in_a_folder(gallery.catalog, "kkcv undo"))
    if done.roots:
        remembered(gallery.library, [as_root(**root) for root in done.roots])
    return done
