"""The vectors of another network: whole rows in another collection, to which the gallery's alias
is then moved in one step. Another projection of the same vectors is made in the same way.

The settings ``next``, ``projecting`` and ``previous`` are JSON: the settings of a network, with the
fingerprint of its projection (layout.py), and its ``collection``.
"""

import json
from collections.abc import Sequence

import numpy as np

from kkcv.search import engine
from kkcv.search.engine import Vectors, by_id
from kkcv.search.engine.kept import SETTING as KEPT
from kkcv.search.engine.kept import Kept
from kkcv.search.engine.projection import SETTING
from kkcv.search.picture import Picture
from kkcv.timing import Progress, no_progress

from .catalog import GAPS, Catalog, generation
from .layout import Layout, drop, keep_text, layout_of, with_text, without_text
from .reader import PAGE, STRONG, Reader, Version
from .rows import Row, make_rows
from .writer import Writer

NEXT, PROJECTING, PREVIOUS = "next", "projecting", "previous"
NAME = "collection"  # in them
NUMBER = "networks"  # how many there have been after the first
Versions = dict[int, Version]


class NextVectors(engine.NextVectors):
    def __init__(self, catalog: Catalog, what: str = NEXT) -> None:
        """``what`` is the setting that describes what is under way."""
        self._catalog = catalog
        self._what = what

    def begin(self, settings: dict[str, str]) -> None:
        server, short = self._catalog.server, without_text(settings)
        with self._catalog.writing() as writer:
            under_way = self._under_way(writer)
            if all(under_way.get(key) == short[key] for key in ("space", SETTING)):
                server.call("load_collection", under_way[NAME])
                return
            if under_way:
                drop(server, under_way[NAME])
            number = int(writer.setting(NUMBER, "0")) + 1
            rows = self._catalog.place.rows(number)
            server.call("drop_collection", rows)  # of one that was never finished
            keep_text(server, rows, settings)
            make_rows(server, rows, layout_of(settings).dim)
            writer.set(NUMBER, str(number))
            writer.set(self._what, json.dumps({**short, NAME: rows}))

    def begin_undo(self) -> dict[str, str] | None:
        with self._catalog.writing() as writer:
            previous = json.loads(writer.setting(PREVIOUS, "{}"))
            if not previous or previous[NAME] == self._catalog.rows:
                return None
            if under_way := self._under_way(writer):
                drop(self._catalog.server, under_way[NAME])
            self._catalog.server.call("load_collection", previous[NAME])
            writer.set(NEXT, json.dumps(previous))
            writer.set(PREVIOUS, None)
        return {key: value for key, value in previous.items() if key not in (NAME, GAPS)}

    def todo(self) -> list[int]:
        with self._catalog.reading() as rows:
            return missing(rows.versions(), self._new().versions())

    def keep(self, embedded: Sequence[tuple[Picture, np.ndarray]]) -> None:
        with self._catalog.writing() as writer:
            under_way = self._under_way(writer)
            dtype, layout = np.dtype(under_way["vectors"]), self._layout(under_way)
            there = writer.versioned([picture.id for picture, _ in embedded])
            rows = [
                Row(*there[picture.id], vector.astype(dtype).astype(np.float32))
                for picture, vector in embedded
                if picture.id in there and there[picture.id][0].file == picture.file
            ]
            writer.write(under_way[NAME], rows, layout)

    def vectors(self, ids: np.ndarray) -> Vectors:
        new = self._new()
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

    def project(self, text: str, progress: Progress = no_progress) -> None:
        """Write every row again, into another collection."""
        other = NextVectors(self._catalog, PROJECTING)
        other.begin({**self._catalog.settings, SETTING: text})
        without: set[int] = set()
        while other.swap(without) is None:  # others add pictures meanwhile
            without |= other._keep_own_vectors(progress)

    # Within

    def _under_way(self, writer: Writer) -> dict[str, str]:
        """Empty if a swap was interrupted just before it was marked as done."""
        under_way = json.loads(writer.setting(self._what, "{}"))
        return {} if under_way.get(NAME) == self._catalog.rows else under_way

    def _keep_own_vectors(self, progress: Progress) -> set[int]:
        """Keep the vectors that the gallery has; the ids of pictures without one."""
        missing, without = self.todo(), set()
        for start in range(0, len(missing), PAGE):
            with self._catalog.reading() as rows:  # pictures first: a later one is not kept
                pictures = list(rows.pictures(missing[start : start + PAGE]))
                ids = np.array([picture.id for picture in pictures], np.int64)
                own = by_id(rows.stored_vectors(ids=ids))
            self.keep([(picture, own[picture.id]) for picture in pictures if picture.id in own])
            without |= {picture.id for picture in pictures} - own.keys()
            progress(min(start + PAGE, len(missing)), len(missing))
        return without

    def _new(self) -> Reader:
        """Reads what is under way."""
        under_way = json.loads(self._catalog.texts.get(self._what, "Strong") or "{}")
        return self._reader(under_way)

    def _layout(self, under_way: dict[str, str]) -> Layout:
        return layout_of(with_text(self._catalog.server, under_way[NAME], under_way))

    def _reader(self, under_way: dict[str, str]) -> Reader:
        catalog, layout = self._catalog, self._layout(under_way)
        rows = under_way[NAME]
        return Reader(catalog.server, rows, catalog.texts, layout, gaps=False, level=STRONG)

    def _bring_up_to_date(
        self, writer: Writer, under_way: dict[str, str], there: Versions, made: Versions
    ) -> None:
        """Make the rows of the new collection equal those of the old one, except their vectors."""
        collection, new = under_way[NAME], self._reader(under_way)
        layout = self._layout(under_way)
        writer.erase(collection, [id for id in made if id not in there])
        late = [id for id in there if id not in made or made[id].version != there[id].version]
        for start in range(0, len(late), PAGE):
            ids = late[start : start + PAGE]
            own = by_id(new.stored_vectors(ids=np.array(ids)))
            rows = [
                Row(picture, version, own.get(id) if fits(there[id], made.get(id)) else None)
                for id, (picture, version) in writer.versioned(ids).items()
            ]
            writer.write(collection, rows, layout)

    def _switch(self, writer: Writer, under_way: dict[str, str], gaps: bool) -> None:
        """The one step: interrupted anywhere, the gallery has the old network or the new one.

        What another network replaces is kept for ``begin_undo``; another projection is computed.
        """
        catalog, rows = self._catalog, under_way[NAME]
        previous = json.loads(writer.setting(PREVIOUS, "{}")).get(NAME)
        settings = {key: value for key, value in under_way.items() if key not in (NAME, GAPS)}
        if gaps:
            settings[GAPS] = "1"
        kept = {generation(rows): json.dumps(settings)}
        done = [self._what]
        if self._what == NEXT:
            kept[PREVIOUS] = json.dumps({**without_text(catalog.settings), NAME: catalog.rows})
            gone = previous if previous != catalog.rows else None
        else:
            gone = catalog.rows
            done += [PREVIOUS] if previous == gone else []  # of a change that was interrupted
            if record := Kept.from_text(writer.setting(KEPT)):
                kept[KEPT] = record.at(catalog.rows, rows).to_text()
        catalog.texts.keep(kept)  # before the alias moves, so that its settings are there
        catalog.server.call("alter_alias", rows, catalog.place.name)
        catalog.texts.drop(done)
        if gone not in (None, rows):
            drop(catalog.server, gone)
            catalog.texts.drop([generation(gone)])


def fits(there: Version, made: Version | None) -> bool:
    """Whether a vector was made of the picture's current file."""
    return made is not None and made.embedded and made.sha256 == there.sha256


def missing(there: Versions, made: Versions) -> list[int]:
    """The ids of the pictures without a new vector."""
    return [id for id, version in there.items() if not fits(version, made.get(id))]
