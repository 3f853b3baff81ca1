"""A writer that says what it is about to do and what is done, and what must be there then."""

import json
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

import numpy as np

from benchmarks.opened import index_of
from kkcv.errors import KkcvError
from kkcv.search.gallery import Gallery
from kkcv.search.importing import import_pictures
from kkcv.search.index.kinds import KINDS
from kkcv.search.library.forgetting import forget
from kkcv.search.maintenance.doctor import examine

from .toy import picture, sha256, toy_embedder, vector

HARMLESS = {"orphaned-file", "unfinished-file", "bad-index"}  # what a crash may leave


class Row(NamedTuple):
    """A catalog's facts about a picture: ``path`` as in the catalog, the number of the picture."""

    path: str
    number: int
    metadata: str


class Effect(NamedTuple):
    """A change: rows under new ids, rows under known ids, ids that go."""

    new: Sequence[Row] = ()
    put: Mapping[int, Row] = MappingProxyType({})
    gone: Sequence[int] = ()


class Problem(NamedTuple):
    """``kind`` is lost, undead or wrong."""

    kind: str
    what: str


Tell = Callable[[str, Effect], None]


@dataclass
class Told:
    """The changes that a writer has acknowledged, and the one that it was about to do."""

    created: bool = False
    rows: dict[int, Row] = field(default_factory=dict)
    removed: set[int] = field(default_factory=set)
    numbers: dict[str, int] = field(default_factory=dict)  # by sha256
    trying: Effect | None = None
    doubtful: list[Effect] = field(default_factory=list)  # InDoubt, until the next that is done
    acknowledged: int = 0

    @property
    def last(self) -> int:
        return max([*self.rows, *self.removed], default=0)

    def hear(self, word: str, effect: Effect) -> None:
        for row in (*effect.new, *effect.put.values()):
            self.numbers[sha256(row.number)] = row.number
        if word == "try":
            self.trying = effect
            return
        self.created = True
        self.trying = None
        self.doubtful.clear()
        self.acknowledged += 1
        self.rows.update(effect.put)
        for id in effect.gone:
            self.rows.pop(id, None)
        self.removed = (self.removed | set(effect.gone)) - effect.put.keys()

    def settle(self, found: dict[int, Row]) -> None:
        """The change that was being made turned out to be made, or not."""
        if found != self.rows:
            self.doubtful.clear()
        self.removed = (self.removed | self.rows.keys()) - found.keys()
        self.rows = found
        self.trying = None

    def doubt(self) -> None:
        """The change that was being made may still turn out to be made."""
        if self.trying is not None:
            self.doubtful.append(self.trying)


class Life:
    """Random operations on a gallery; each is told before it begins and when it is done."""

    def __init__(
        self, folder: Path, photos: Path, seed: int, tell: Tell, numbers: dict[str, int]
    ) -> None:
        self.folder = folder
        self.photos = photos
        self.tell = tell
        self.numbers = dict(numbers)
        self.chance = np.random.default_rng(seed)
        self.number = seed * 100_000
        self.kept: dict[int, Row] = {}  # what an undo brings back
        tell("try", Effect())
        self.gallery = Gallery.create(folder, toy_embedder())
        tell("ack", Effect())

    def step(self) -> None:
        """One operation (KkcvError)."""
        chances = {
            self.add: 0.36,
            self.bring_in: 0.16,
            self.replace: 0.1,
            self.remove: 0.12,
            self.forget: 0.03,
            self.move: 0.03,
            self.undo: 0.06,
            self.describe: 0.04,
            self.rebuild: 0.05,
            self.reopen: 0.05,
        }
        list(chances)[self.chance.choice(len(chances), p=list(chances.values()))]()

    def add(self) -> None:
        number = self.fresh()
        name = sha256(number)
        row = Row(f"pictures/{name[:2]}/{name}.ppm", number, json.dumps({"n": number}))
        self.tell("try", Effect(new=[row]))
        added = self.gallery.add(picture(number), {"n": number})
        self.tell("ack", Effect(put={added.id: row}))

    def bring_in(self) -> None:
        """A folder of the user's, which becomes a root in the same transaction."""
        root = self.photos / f"{self.number}"
        root.mkdir(exist_ok=True)
        files = {root / f"{n}.ppm": n for n in (self.fresh() for _ in range(4))}
        for path, number in files.items():
            path.write_bytes(picture(number))
        rows = [Row(str(path), number, "{}") for path, number in files.items()]
        self.tell("try", Effect(new=rows))
        import_pictures(self.gallery, [root], threads=1)
        put = {self.gallery.find(row.path).id: row for row in rows}
        self.tell("ack", Effect(put=put))

    def replace(self) -> None:
        """Other bytes in a file of the user's: the same id."""
        known = [p for p in self.gallery.pictures() if not p.file.stored]
        if not known:
            return
        chosen = known[self.chance.integers(len(known))]
        number = self.fresh()
        Path(chosen.file.path).write_bytes(picture(number))
        put = {chosen.id: Row(chosen.file.path, number, json.dumps(chosen.metadata))}
        self.tell("try", Effect(put=put))
        import_pictures(self.gallery, [chosen.file.path], threads=1)
        self.tell("ack", Effect(put=put))

    def remove(self) -> None:
        known = [picture.id for picture in self.gallery.pictures()]
        if not known:
            return
        many = min(len(known), int(self.chance.integers(1, 4)))
        gone = [int(id) for id in self.chance.choice(known, many, replace=False)]
        rows = rows_of(self.gallery, self.numbers)
        self.tell("try", Effect(gone=gone))
        self.gallery.remove(gone)
        if len(gone) > 1:
            self.kept = {id: rows[id] for id in gone}
        self.tell("ack", Effect(gone=gone))

    def forget(self) -> None:
        """A root with its pictures."""
        roots = list(self.gallery.library.roots)
        if not roots:
            return
        root = roots[self.chance.integers(len(roots))].path
        rows = rows_of(self.gallery, self.numbers)
        kept = {id: row for id, row in rows.items() if row.path.startswith(f"{root}/")}
        self.tell("try", Effect(gone=[*kept]))
        forget(self.gallery.library, root)
        self.kept = kept
        self.tell("ack", Effect(gone=[*kept]))

    def move(self) -> None:
        """A root that was copied to another disk, and is there now."""
        roots = list(self.gallery.library.roots)
        if not roots:
            return
        old = roots[self.chance.integers(len(roots))].path
        new = f"{old}-{self.fresh()}"
        shutil.copytree(old, new)
        rows = rows_of(self.gallery, self.numbers)
        put = {
            id: row._replace(path=row.path.replace(old, new, 1))
            for id, row in rows.items()
            if row.path.startswith(f"{old}/")
        }
        self.tell("try", Effect(put=put))
        self.gallery.move_root(old, new, insist=True)
        self.kept = {}  # what was removed before has the path that it had
        self.tell("ack", Effect(put=put))

    def undo(self) -> None:
        """Pictures that were removed together come back under their ids."""
        if not self.kept:
            return
        kept, self.kept = self.kept, {}
        self.tell("try", Effect(put=kept))
        self.gallery.undo()
        self.tell("ack", Effect(put=kept))

    def describe(self) -> None:
        known = list(self.gallery.pictures())
        if not known:
            return
        chosen = known[self.chance.integers(len(known))]
        number = self.numbers[chosen.file.sha256.hex()]
        metadata = {"n": number, "v": int(self.chance.integers(1000))}
        put = {chosen.id: Row(chosen.file.path, number, json.dumps(metadata))}
        self.tell("try", Effect(put=put))
        self.gallery.describe(chosen.id, metadata)
        self.tell("ack", Effect(put=put))

    def rebuild(self) -> None:
        kind = list(KINDS.values())[self.chance.integers(len(KINDS))]
        index_of(self.gallery).rebuild(recall=1.0, kind=kind)

    def reopen(self) -> None:
        """The last to close moves the log into the catalog."""
        self.gallery.close()
        self.gallery = Gallery.open(self.folder, toy_embedder())

    def fresh(self) -> int:
        self.number += 1
        self.numbers[sha256(self.number)] = self.number
        return self.number


def rows_of(gallery: Gallery, numbers: dict[str, int]) -> dict[int, Row]:
    return {
        p.id: Row(p.file.path, numbers.get(p.file.sha256.hex(), -1), json.dumps(p.metadata))
        for p in gallery.pictures()
    }


def verdict(folder: Path, told: Told, *, thorough: bool = True) -> list[Problem]:
    """The faults of a gallery after a crash; ``told`` learns which changes were made after all."""
    try:
        if not told.created:  # it may not be there, but must not be in the way
            Gallery.create(folder, toy_embedder()).close()
        gallery = Gallery.open(folder, toy_embedder())
    except KkcvError as error:
        return [Problem("lost", f"the whole gallery: {error}")]
    with gallery:
        try:
            found = rows_of(gallery, told.numbers)
            if problems := compared(found, told):
                return problems
            problems = [*files(gallery, found), *answers(gallery, found)]
            if thorough:
                problems += examined(gallery)
                problems += goes_on(gallery, told, found)
            told.settle(found)
        except Exception as error:  # whatever it is, the user has nothing
            return [Problem("lost", f"it cannot be read: {error!r}")]
    return problems


def compared(found: dict[int, Row], told: Told) -> list[Problem]:
    """The rows are those that were acknowledged, with or without what was being done."""
    effects = [told.trying or Effect(), *told.doubtful]
    if found == told.rows or any(found == after(told, effect, found) for effect in effects):
        return []
    problems = []
    for id in sorted(found.keys() | told.rows.keys()):
        if id in told.removed and id in found:
            problems.append(Problem("undead", f"id {id} was removed"))
        elif found.get(id) != told.rows.get(id):
            problems.append(Problem("lost", f"id {id}: {told.rows.get(id)}, now {found.get(id)}"))
    return problems


def after(told: Told, effect: Effect, found: dict[int, Row]) -> dict[int, Row]:
    """The rows if what was being done is done; its new ones have whatever new ids they have."""
    rows = {id: row for id, row in {**told.rows, **effect.put}.items() if id not in effect.gone}
    fresh = {id: row for id, row in found.items() if id > told.last}
    return rows | fresh if sorted(fresh.values()) == sorted(effect.new) else rows


def files(gallery: Gallery, found: dict[int, Row]) -> list[Problem]:
    """Each stored file is there with its bytes, each vector is the picture's."""
    problems = []
    with gallery.catalog.reading() as rows:
        for id, row in found.items():
            if not Path(row.path).is_absolute():
                path = gallery.folder / row.path
                if not path.is_file() or path.read_bytes() != picture(row.number):
                    problems.append(Problem("lost", f"the file of id {id}"))
            stored = rows.vector(id)
            if stored is None or not np.array_equal(stored, vector(row.number)):
                problems.append(Problem("lost", f"the vector of id {id}"))
    return problems


def answers(gallery: Gallery, found: dict[int, Row], queries: int = 3, k: int = 4) -> list[Problem]:
    """Searches find what brute force finds among the rows."""
    if not found:
        hits = gallery.search_vector(vector(0), k)
        return [Problem("undead", f"an empty gallery answers {hits}")] if hits else []
    ids = sorted(found)
    stored = np.stack([vector(found[id].number) for id in ids])
    problems = []
    for place in np.linspace(0, len(ids) - 1, queries).astype(int):
        scores = stored @ stored[place]
        hits = gallery.search_vector(stored[place], k)
        best = sorted(scores.tolist(), reverse=True)[:k]
        if any(hit.id not in found for hit in hits):
            problems.append(Problem("undead", f"a search answers {hits}"))
        elif not np.allclose([hit.score for hit in hits], best, atol=2e-3):
            problems.append(Problem("wrong", f"a search answers {hits}, the best are {best}"))
    return problems


def examined(gallery: Gallery) -> list[Problem]:
    """The doctor finds what a crash may leave, mends it, and then nothing."""
    first = examine(gallery, repair=True)
    again = examine(gallery) if first else []
    # a file of the user's may have changed before it was imported
    bad = [f for f in first if f.kind not in HARMLESS | {"changed-file"}]
    bad += [f for f in again if f.kind != "changed-file"]
    return [Problem("wrong", f"{f.kind}: {f.what}") for f in bad]


def goes_on(gallery: Gallery, told: Told, found: dict[int, Row]) -> list[Problem]:
    """A picture can be added, and its id is new."""
    number = 10**15 + max([told.last, *found])
    added = gallery.add(picture(number), {})
    found[added.id] = Row(added.file.path, number, "{}")
    told.numbers[sha256(number)] = number
    if added.id <= told.last:
        return [Problem("wrong", f"id {added.id} was used before")]
    return []


def as_json(word: str, effect: Effect) -> bytes:
    return json.dumps([word, effect.new, [*effect.put.items()], effect.gone]).encode()


def from_json(data: bytes) -> tuple[str, Effect]:
    word, new, put, gone = json.loads(data)
    rows = {int(id): Row(*row) for id, row in put}
    return word, Effect([Row(*row) for row in new], rows, gone)
