"""A projection as a file: learned by one gallery, used by others of the same network.

The file is NumPy's ``.npz``: ``matrix``, float16 (D, d), and ``space``, the JSON of the embedding
space of the network that it was learned for.
"""

import io
import json
import zipfile
import zlib
from os import PathLike
from pathlib import Path

import numpy as np

from kkcv.disk import write_file, writing
from kkcv.embedding.space import EmbeddingSpace
from kkcv.errors import DataError, EmbedderMismatch, KkcvError, RequestError
from kkcv.search.engine.projection import Projection
from kkcv.search.gallery import Gallery
from kkcv.timing import Progress, no_progress

from .adapt import adopt

OF_OTHER_FILES = (ValueError, LookupError, EOFError, KkcvError, zipfile.BadZipFile, zlib.error)


def save(gallery: Gallery, file: str | PathLike[str]) -> Projection:
    """Write the gallery's projection into a file (RequestError if it has none)."""
    generation = gallery.generation
    if generation.projection is None:
        raise RequestError(f"{gallery.address} has no projection to save: kkcv adapt learns one")
    out = io.BytesIO()
    space = json.dumps(generation.stored_space.to_dict())
    np.savez(out, matrix=generation.projection.matrix, space=np.array(space))
    with writing(file, RequestError):
        write_file(Path(file), out.getvalue())
    return generation.projection


def use(
    gallery: Gallery, file: str | PathLike[str], progress: Progress = no_progress
) -> Projection:
    """Compare the gallery's vectors through the projection of a file from now on.

    Raises DataError for another file, EmbedderMismatch for one of another network, RequestError,
    GalleryLocked.
    """
    projection, space = read(file)
    mine = gallery.generation.stored_space
    if space.network != mine.network:
        raise EmbedderMismatch(
            f"the projection in {file} was learned for {space.network}, and {gallery.address} was "
            f"made by {mine.network}"
        )
    if space != mine:
        raise EmbedderMismatch(
            f"the projection in {file} was learned for other vectors than those in "
            f"{gallery.address}: {'; '.join(space.differences(mine))}"
        )
    adopt(gallery, projection, progress)
    return projection


def read(file: str | PathLike[str]) -> tuple[Projection, EmbeddingSpace]:
    """A projection and the space of the network that it belongs to (DataError)."""
    try:
        # no pickles: those of a file from outside could run anything
        stored = np.load(io.BytesIO(Path(file).read_bytes()), allow_pickle=False)
        matrix = stored["matrix"]
        space = EmbeddingSpace.from_dict(json.loads(str(stored["space"])))
    except OSError as error:
        raise DataError(f"{file} cannot be read: {error.strerror or error}") from None
    except OF_OTHER_FILES:
        raise DataError(f"{file} holds no projection: kkcv adapt --save writes one") from None
    right = matrix.ndim == 2 and matrix.shape[0] == space.dim and matrix.shape[1] > 0
    if matrix.dtype != np.float16 or not right or not np.isfinite(matrix).all():
        raise DataError(f"{file} holds no projection of vectors of {space.dim} numbers")
    return Projection(matrix), space
