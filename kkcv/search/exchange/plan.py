"""A plan to embed many pictures on many machines: the files in shards, and the network.

plan/
├── plan.json       the network, and for each shard its pictures and the sha256 of its list
└── 000000.jsonl …  the list of a shard: a line for each picture with its absolute path and size

The same files at the same paths give the same plan, byte for byte.
"""

import hashlib
import json
import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass
from itertools import chain, islice, repeat
from os import PathLike
from pathlib import Path
from shlex import quote
from typing import NamedTuple

from kkcv.disk import absolute, atomic_folder, sha256_of, writing
from kkcv.embedding.choice import Choice
from kkcv.embedding.embedder import Embedder
from kkcv.embedding.space import EmbeddingSpace
from kkcv.errors import DataError, RequestError
from kkcv.images.folder import find_pictures
from kkcv.search.opened.generation import settings_for
from kkcv.search.opened.opened import VECTOR_TYPES

FORMAT = 1
FILE = "plan.json"
SHARD_PICTURES = 10_000  # few enough that little is lost when a worker dies
Paths = Iterable[str | PathLike[str]]


class Planned(NamedTuple):
    """A picture of a plan. ``bytes`` is its size; None if unknown (a broken link)."""

    path: str
    bytes: int | None


@dataclass(frozen=True)
class Shard:
    """A part of a plan. ``sha256`` is that of the list of its files."""

    number: int
    pictures: int
    bytes: int
    sha256: str

    @property
    def name(self) -> str:
        return f"{self.number:06d}"


@dataclass(frozen=True)
class Plan:
    """Shards of pictures, and the embedder as a catalog's ``settings`` describe it.

    ``choice``, the runtime and precision, belongs to the plan: runtimes differ in the last bits of
    a vector, and precisions in more.
    """

    folder: Path
    settings: dict[str, str]
    choice: Choice
    shards: tuple[Shard, ...]

    @property
    def space(self) -> EmbeddingSpace:
        return EmbeddingSpace.from_dict(json.loads(self.settings["space"]))

    @property
    def pictures(self) -> int:
        return sum(shard.pictures for shard in self.shards)

    def files(self, shard: Shard) -> Iterator[Planned]:
        """The pictures of a shard in their order (DataError if the list was changed)."""
        file = list_file(self.folder, shard.number)
        try:
            found = sha256_of(file)
        except OSError as error:
            raise DataError(f"{file} cannot be read: {error.strerror}") from None
        if found != shard.sha256:
            raise DataError(f"{file} is not as it was planned; make the plan again")
        with file.open(encoding="ascii") as lines:
            for line in lines:
                yield Planned(**json.loads(line))


def make_plan(
    folder: str | PathLike[str],
    paths: Paths,
    embedder: Embedder,
    *,
    vectors: str = "float16",
    shards: int | None = None,
    shard_pictures: int = SHARD_PICTURES,
    progress: Callable[[int], None] = lambda pictures: None,
) -> Plan:
    """Write a plan, complete or not at all; the same plan again changes nothing.

    Memory does not grow with the number of pictures.

    Args:
        folder: where the plan goes.
        paths: of files and folders.
        embedder: what will embed them.
        vectors: how they are stored, float16 or float32.
        shards: their number, of nearly equal size; None for shards of ``shard_pictures``.
        shard_pictures: pictures in each shard; the last has the rest.
        progress: is called with the number of pictures after each shard.

    Raises:
        PictureError: a path does not exist.
        DataError: there are no pictures, or the folder has another plan.
        RequestError: impossible numbers.
    """
    if min(shard_pictures, shards or 1) < 1 or vectors not in VECTOR_TYPES:
        raise RequestError("a plan has at least 1 shard of at least 1 picture, in float16 or 32")
    paths, folder = list(paths), absolute(folder)
    if not folder.name:
        raise RequestError(f"a plan is a new folder, and cannot be {folder}")
    sizes: Iterator[int] = repeat(shard_pictures)
    if shards is not None:
        # files are looked for twice, as a list of them would take memory
        sizes = alike(sum(1 for _ in find_pictures(paths)), shards)
    with suppress(SamePlan), writing(folder, DataError), atomic_folder(folder) as part:
        written = write_lists(part, map(os.path.abspath, find_pictures(paths)), sizes, progress)
        if not written:
            raise DataError(f"there are no pictures in {', '.join(map(str, paths))}")
        document = {
            "format": FORMAT,
            "embedder": settings_for(embedder, vectors),
            "runtime": embedder.choice._asdict(),
            "shards": [asdict(shard) for shard in written],
        }
        (part / FILE).write_text(json.dumps(document, indent=1) + "\n", encoding="ascii")
        must_be_free(folder, part)  # whatever it raises, what was written is dropped
    return read_plan(folder)


def alike(pictures: int, shards: int) -> Iterator[int]:
    """Sizes that differ by one picture at most; then more, for files that appear meanwhile."""
    least, more = divmod(pictures, shards)
    sizes = [least + 1] * more + [least] * (shards - more)
    return chain((size for size in sizes if size), repeat(max(1, least)))


def write_lists(
    folder: Path, paths: Iterator[str], sizes: Iterator[int], progress: Callable[[int], None]
) -> list[Shard]:
    shards: list[Shard] = []
    for number, size in enumerate(sizes):
        file = list_file(folder, number)
        shard = write_list(file, number, islice(paths, size))
        if not shard.pictures:
            file.unlink()
            break
        shards.append(shard)
        progress(sum(shard.pictures for shard in shards))
    return shards


def write_list(file: Path, number: int, paths: Iterable[str]) -> Shard:
    digest, pictures, total = hashlib.sha256(), 0, 0
    with file.open("wb") as out:
        for path in paths:
            size = size_of(path)
            # ASCII: a name need not be UTF-8
            line = json.dumps({"path": path, "bytes": size}).encode("ascii") + b"\n"
            out.write(line)
            digest.update(line)
            pictures += 1
            total += size or 0
    return Shard(number, pictures, total, digest.hexdigest())


def size_of(path: str) -> int | None:
    try:
        return os.stat(path).st_size
    except OSError:
        return None


class SamePlan(Exception):
    """The folder has this very plan already."""


def must_be_free(folder: Path, part: Path) -> None:
    """Raises SamePlan if the folder has the plan in ``part``, DataError if it has anything else."""
    if not os.path.lexists(folder) or (folder.is_dir() and not any(folder.iterdir())):
        return
    if (folder / FILE).is_file() and (folder / FILE).read_bytes() == (part / FILE).read_bytes():
        raise SamePlan
    raise DataError(f"{folder} holds something else, or the plan of other files; name a new folder")


def read_plan(folder: str | PathLike[str]) -> Plan:
    """A plan that ``make_plan`` wrote (DataError)."""
    folder = absolute(folder)
    try:
        document = json.loads((folder / FILE).read_bytes())
        if document["format"] > FORMAT:
            raise DataError(f"{folder} was written by a newer kkcv; update kkcv to read it")
        shards = tuple(Shard(**shard) for shard in document["shards"])
        return Plan(folder, document["embedder"], Choice(**document["runtime"]), shards)
    except (FileNotFoundError, NotADirectoryError):
        raise DataError(
            f"{folder} holds no plan; to make one: "
            f"kkcv embed --plan {quote(str(folder))} FOLDER_OF_PICTURES"
        ) from None
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise DataError(f"{folder / FILE} is not a plan of kkcv: {error}") from None


def list_file(folder: Path, number: int) -> Path:
    return folder / f"{number:06d}.jsonl"
