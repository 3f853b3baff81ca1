"""A gallery as a file for other programs, in the format that the file's extension says.

.parquet    everything, also to import again (parquet.py)
.csv        a line for each picture: id, path, bytes, sha256, added, and each key of the metadata
.jsonl      the same, an object on each line, with the metadata as they are
.npz        ids, vectors, paths for NumPy: ``np.load("photos.npz")["vectors"]``
"""

import csv
import json
import os
from collections.abc import Callable, Iterator
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np

from kkcv.disk import absolute, atomic_write, writing
from kkcv.errors import GalleryError, RequestError
from kkcv.search.gallery import Gallery

from . import parquet


def export(gallery: Gallery, file: str | PathLike[str]) -> int:
    """Write all pictures, complete or not at all; their number.

    Raises RequestError for another extension, GalleryError if the file exists or cannot be
    written, MissingExtra.
    """
    target = absolute(file)
    extension = target.suffix.lower()
    if extension == ".parquet":
        return parquet.export(gallery, file)
    if extension not in WRITERS:
        named = f"got {extension!r} in {target.name}" if extension else f"such as {target.name}.csv"
        raise RequestError(
            f"the extension says the format: .parquet, {', '.join(WRITERS)}; {named}"
        )
    if os.path.lexists(target):
        raise GalleryError(f"{target} is there already; name a new file")
    with writing(target, GalleryError), atomic_write(target) as part:
        return WRITERS[extension](gallery, part)


def facts(gallery: Gallery) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    """The columns of each picture, and its metadata."""
    for picture in gallery:
        yield (
            {
                "id": picture.id,
                "path": str(gallery.path(picture)),
                "bytes": picture.file.bytes,
                "sha256": picture.file.sha256.hex(),
                "added": picture.added.isoformat(),
            },
            picture.metadata,
        )


def write_csv(gallery: Gallery, file: Path) -> int:
    columns = ("id", "path", "bytes", "sha256", "added")
    keys = dict.fromkeys(key for picture in gallery for key in picture.metadata)
    # a key that is called as a column gets another name
    names = {key: f"metadata.{key}" if key in columns else key for key in keys}
    count = 0
    with file.open("w", encoding="utf-8", errors="surrogateescape", newline="") as out:
        table = csv.DictWriter(out, [*columns, *names.values()], extrasaction="ignore")
        table.writeheader()
        for row, metadata in facts(gallery):
            cells = {names[key]: cell(value) for key, value in metadata.items() if key in names}
            table.writerow({**row, **cells})
            count += 1
    return count


def cell(value: Any) -> Any:
    """A value in one cell; lists, objects and truth values are JSON."""
    if isinstance(value, list | dict | bool):
        return json.dumps(value, ensure_ascii=False)
    return value


def write_jsonl(gallery: Gallery, file: Path) -> int:
    count = 0
    with file.open("w", encoding="utf-8", errors="surrogateescape") as out:
        for row, metadata in facts(gallery):
            out.write(json.dumps({**row, "metadata": metadata}, ensure_ascii=False) + "\n")
            count += 1
    return count


def write_npz(gallery: Gallery, file: Path) -> int:
    ids, vectors = gallery.vectors()
    paths = {picture.id: str(gallery.path(picture)) for picture in gallery}
    with file.open("wb") as out:
        # a picture that was removed between the two questions has no path
        np.savez(out, ids=ids, vectors=vectors, paths=np.array([paths.get(i, "") for i in ids]))
    return len(ids)


WRITERS: dict[str, Callable[[Gallery, Path], int]] = {
    ".csv": write_csv,
    ".jsonl": write_jsonl,
    ".npz": write_npz,
}
