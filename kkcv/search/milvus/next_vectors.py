"""The vectors of another network: whole rows in another collection, to which the gallery's alias
is then moved in one step.

The settings ``next`` and ``previous`` are JSON: the settings of a network and its ``collection``.
"""

import json
from collections.abc import Sequence

import numpy as np

from kkcv.search import engine
from kkcv.search.engine import Vectors
from kkcv.search.entries import Shape
from kkcv.search.picture import Picture

from .catalog import GAPS, Catalog, generation
from .reader import PAGE, STRONG, Reader, Version
from .rows import Row, make_rows
from .writer import Writer

NEXT, PREVIOUS = "next", "previous"
NAME = "collection"  # in them
NUMBER = "networks"  # how many there have been after the first
Versions = dict[int, Version]


class NextVectors(engine.NextVectors):
    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog

    def begin(self, settings: dict[str, str]) -> None:
        with self._catalog.writing() as writer:
            under_way = self._under_way(writer)
            if under_way.get("space") == settings["space"]:
                self._catalog.server.call("load_collection", under_way[NAME])
                return
            if under_way:
                self._catalog.server.call("drop_collection", under_way[NAME])
            number = int(writer.setting(NUMBER, "0")) + 1
            rows = self._catalog.place.rows(number)
            self._catalog.server.call("drop_collection", rows)  # of one that was never finished
            make_rows(self._catalog.server, rows, int(settings["dim"]))
            writer.set(NUMBER, str(number))
            writer.set(NEXT, json.dumps({**settings, NAME: rows}))

    def begin_undo(self) -> dict[str, str] | None:
        with self._catalog.writing() as writer:
            previous = json.loads(writer.setting(PREVIOUS, "{}"))
            if not previous or previous[NAME] == self._catalog.rows:
                return None
            if under_way := self._under_way(writer):
                self._catalog.server.call("drop_collection", under_way[NAME])
            self._catalog.server.call("load_collection", previous[NAME])
            writer.set(NEXT, json.dumps(previous))
            writer.set(PREVIOUS, None)
        return {key: value for key, value in previous.items() if key not in (NAME, GAPS)}

    def todo(self) -> list[int]:
        with self._catalog.reading() as rows:
            under_way = json.loads(self._catalog.texts.get(NEXT, "Strong") or "{}")
            return missing(rows.versions(), self._reader(under_way).versions())

    def keep(self, embedded: Sequence[tuple[Picture, np.ndarray]]) -> None:
        with self._catalog.writing() as writer:
            under_way = self._under_way(writer)
            dtype, dim = np.dtype(under_way["vectors"]), int(under_way["dim"])
            there = writer.versioned([picture.id for picture, _ in embedded])
            rows = [
                Row(*there[picture.id], vector.astype(dtype).astype(np.float32))
                for picture, vector in embedded
                if picture.id in there and there[picture.id][0].file == picture.file
            ]
            writer.write(under_way[NAME], rows, dim)

    def vectors(self, ids: np.ndarray) -> Vectors:
        under_way = json.loads(self._catalog.texts.get(NEXT, "Strong") or "{}")
        new = self._reader(under_way)
        with self._catalog.reading() as rows:
            there, made = rows.versions(), new.versions()
        good = [id for id in ids.tolist() if id in there and fits(there[id], made.get(id))]
        return new.stored_vectors(ids=np.array(good, np.int64))

    def swap(self, without: set[int]) -> int | None:
        with self._catalog.writing() as writer:
            under_way = self._under_way(writer)
            there, made = writer.versions(), self._reader(under_way).versions()
            gaps = missing(there, made)
            if not set(gaps) <= without:
                return None
            self._bring_up_to_date(writer, under_way, there, made)
            self._switch(writer, under_way, bool(gaps))
        return len(there)

    # Within

    def _under_way(self, writer: Writer) -> dict[str, str]:
        """Empty if a swap was interrupted just before it was marked as done."""
        under_way = json.loads(writer.setting(NEXT, "{}"))
        return {} if under_way.get(NAME) == self._catalog.rows else under_way

    def _reader(self, under_way: dict[str, str]) -> Reader:
        catalog, shape = self._catalog, Shape.of(under_way)
        rows = under_way[NAME]
        return Reader(catalog.server, rows, catalog.texts, shape, gaps=False, level=STRONG)

    def _bring_up_to_date(
        self, writer: Writer, under_way: dict[str, str], there: Versions, made: Versions
    ) -> None:
        """Make the rows of the new collection equal those of the old one, except their vectors."""
        collection, new = under_way[NAME], self._reader(under_way)
        writer.erase(collection, [id for id in made if id not in there])
        late = [id for id in there if id not in made or made[id].version != there[id].version]
        for start in range(0, len(late), PAGE):
            ids = late[start : start + PAGE]
            vectors = dict(zip(ids, new.vectors_of(np.array(ids)), strict=True))
            rows = [
                Row(picture, version, vectors[id] if fits(there[id], made.get(id)) else None)
                for id, (picture, version) in writer.versioned(ids).items()
            ]
            writer.write(collection, rows, int(under_way["dim"]))

    def _switch(self, writer: Writer, under_way: dict[str, str], gaps: bool) -> None:
        """The one step: interrupted anywhere, the gallery has the old network or the new one."""
        catalog, rows = self._catalog, under_way[NAME]
        older = json.loads(writer.setting(PREVIOUS, "{}")).get(NAME)
        settings = {key: value for key, value in under_way.items() if key not in (NAME, GAPS)}
        if gaps:
            settings[GAPS] = "1"
        previous = json.dumps({**catalog.settings, NAME: catalog.rows})
        catalog.texts.keep({generation(rows): json.dumps(settings), PREVIOUS: previous})
        catalog.server.call("alter_alias", rows, catalog.place.name)
        catalog.texts.drop([NEXT])
        if older not in (None, rows, catalog.rows):
            catalog.server.call("drop_collection", older)
            catalog.texts.drop([generation(older)])


def fits(there: Version, made: Version | None) -> bool:
    """Whether a vector was made of the picture's current file."""
    return made is not None and made.embedded and made.sha256 == there.sha256


def missing(there: Versions, made: Versions) -> list[int]:
    """The ids of the pictures without a new vector."""
    return [id for id, version in there.items() if not fits(version, made.get(id))]
