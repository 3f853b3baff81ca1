"""The snapshot on the disk: derived, checked, and never a wrong answer."""

import json
import mmap
import threading
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from kkcv.errors import RequestError
from kkcv.search.engine.entries import WholePictures
from kkcv.search.engine.tuning import GOAL, Goal, parse_memory
from kkcv.search.filters.expression import parse
from kkcv.search.folder import index as module
from kkcv.search.folder.catalog import Catalog
from kkcv.search.folder.index import FolderIndex, exact_limit
from kkcv.search.folder.reader import Reader
from kkcv.search.index import effort
from kkcv.search.index.kinds import KINDS
from kkcv.search.picture import PictureFile

DIM = 16
SPACE = "a space"


def unit_vectors(seed: int, count: int) -> np.ndarray:
    vectors = np.random.default_rng(seed).normal(size=(count, DIM)).astype(np.float32)
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


@pytest.fixture
def catalog(tmp_path: Path) -> Catalog:
    return Catalog.create(tmp_path, {"vectors": "float32", "dim": str(DIM)})


@pytest.fixture
def fill(catalog: Catalog) -> Callable[..., list[int]]:
    def add(seed: int, count: int) -> list[int]:
        with catalog.writing() as writer:
            return [
                writer.add(PictureFile(f"/{seed}/{n}", False, b"", 1, 1), vector, {})
                for n, vector in enumerate(unit_vectors(seed, count))
            ]

    return add


@pytest.fixture
def opened(catalog: Catalog, tmp_path: Path) -> Callable[..., FolderIndex]:
    return lambda space=SPACE: FolderIndex(catalog, tmp_path / "index", space, WholePictures(DIM))


def nearest(live: FolderIndex, query: np.ndarray, k: int = 1) -> list[int]:
    return live.refreshed().search(query[None], k).ids[0].tolist()


@pytest.mark.parametrize("kind", KINDS)
def test_a_snapshot_is_opened_and_catches_up(
    opened: Callable[..., FolderIndex], fill: Callable[..., list[int]], catalog: Catalog, kind: str
) -> None:
    old = fill(1, 400)
    opened().rebuild(kind=KINDS[kind])
    new = fill(2, 20)
    with catalog.writing() as writer:
        writer.remove(old[5])

    live = opened()

    index = live.refreshed()
    assert index.snapshot is not None
    assert len(index.snapshot.ids) == 400
    assert len(index) == 419
    assert nearest(live, unit_vectors(2, 20)[3]) == [new[3]]
    assert nearest(live, unit_vectors(1, 400)[7]) == [old[7]]
    assert old[5] not in nearest(live, unit_vectors(1, 400)[5], k=50)


def damage(file: Path) -> None:
    data = bytearray(file.read_bytes())
    data[len(data) // 2] ^= 0xFF
    file.write_bytes(data)


def make_foreign(file: Path) -> None:
    facts = json.loads(file.read_text())
    file.write_text(json.dumps({**facts, "space": "another space"}))


def make_newer(file: Path) -> None:
    facts = json.loads(file.read_text())
    file.write_text(json.dumps({**facts, "sequence": 10**9}))


HARM = {
    "damaged": lambda folder: damage(next(folder.glob("*.faiss"))),
    "with damaged ids": lambda folder: damage(next(folder.glob("*.ids"))),
    "without its Faiss file": lambda folder: next(folder.glob("*.faiss")).unlink(),
    "cut short": lambda folder: next(folder.glob("*.faiss")).write_bytes(b"IxHN"),
    "of another network": lambda folder: make_foreign(next(folder.glob("*.json"))),
    "of another gallery": lambda folder: make_newer(next(folder.glob("*.json"))),
    "with damaged records": lambda folder: damage(next(folder.glob("*.records"))),
    "without its records": lambda folder: next(folder.glob("*.records")).unlink(),
    "with senseless facts": lambda folder: next(folder.glob("*.json")).write_text("{}"),
}


@pytest.mark.parametrize("harm", HARM.values(), ids=HARM.keys())
def test_a_bad_snapshot_is_not_used_and_answers_stay_right(
    opened: Callable[..., FolderIndex],
    fill: Callable[..., list[int]],
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    harm: Callable[[Path], object],
) -> None:
    ids = fill(1, 300)
    opened().rebuild()
    harm(tmp_path / "index")

    live = opened()

    assert nearest(live, unit_vectors(1, 300)[7]) == [ids[7]]
    assert live.refreshed().snapshot is None
    assert "is not used and will be built again" in caplog.text
    assert live.rebuild() is not None
    assert opened().refreshed().snapshot is not None


def test_hits_show_what_the_catalog_says_whatever_the_snapshot_kept(
    opened: Callable[..., FolderIndex], fill: Callable[..., list[int]], catalog: Catalog
) -> None:
    ids = fill(1, 300)
    with catalog.writing() as writer:
        writer.update(ids[0], metadata={"name": "före\u2028 snapshot"})
        writer.execute("UPDATE pictures SET crc32 = 0 WHERE id = ?", (ids[1],))  # it has no vector
    opened().rebuild()
    live = opened()
    ids += fill(2, 5)
    with catalog.writing() as writer:
        writer.remove(ids[2])
        writer.update(ids[3], metadata={"label": "cat"})
        writer.update(ids[4], file=PictureFile("/moved/4", False, b"", 1, 1))
        writer.update(ids[5], file=PictureFile("/1/5", False, b"", 1, 2))  # touched
        writer.update(
            ids[6], file=PictureFile("/other/6", False, b"", 1, 1), vector=unit_vectors(3, 1)[0]
        )
    wanted = np.array([*ids, 999, ids[7]])

    live.refreshed()
    with catalog.reading() as rows:
        shown, true = live.shown(rows, wanted), rows.shown(wanted)

    assert shown == true
    assert ids[2] not in shown
    assert shown[ids[3]] == ("/1/3", {"label": "cat"})
    assert shown[ids[4]][0] == "/moved/4"
    assert shown[ids[6]][0] == "/other/6"


def test_hits_of_untouched_pictures_are_shown_without_the_catalog(
    opened: Callable[..., FolderIndex],
    fill: Callable[..., list[int]],
    catalog: Catalog,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    ids = fill(1, 300)
    opened().rebuild()
    live = opened()
    live.refreshed()
    asked: list[int] = []
    monkeypatch.setattr(Reader, "shown", lambda self, ids: asked.extend(ids.tolist()) or {})

    with catalog.reading() as rows:
        live.shown(rows, np.array(ids))
        assert not asked
    with catalog.writing() as writer:
        writer.update(ids[3], metadata={})
        writer.update(ids[5], file=PictureFile("/1/5", False, b"", 1, 2))
    live.refreshed()
    with catalog.reading() as rows:
        live.shown(rows, np.array(ids))
    assert asked == [ids[3]]


def test_who_has_built_a_snapshot_searches_the_one_on_the_disk(
    opened: Callable[..., FolderIndex], fill: Callable[..., list[int]]
) -> None:
    fill(1, 300)
    live = opened()

    live.rebuild()

    used = live.refreshed().snapshot
    assert used is not None
    assert isinstance(used.records.data, mmap.mmap)


def test_only_the_newest_snapshot_is_kept(
    opened: Callable[..., FolderIndex], fill: Callable[..., list[int]], tmp_path: Path
) -> None:
    live = opened()
    for seed in range(3):
        fill(seed, 100)
        live.rebuild()

    names = {file.stem for file in (tmp_path / "index").iterdir()}

    assert names == {f"{300:017d}", "lock"}


def test_the_plans_reach_the_recall_that_was_asked_for(
    opened: Callable[..., FolderIndex],
    fill: Callable[..., list[int]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(effort, "WORTH_MS", -1e9)  # though comparing 3,000 is as quick
    fill(1, 3000)

    snapshot = opened().rebuild(recall=0.95, kind=KINDS["ivf"])

    assert snapshot is not None
    assert [plan.k for plan in snapshot.plans] == [10, 100, 1000]
    for plan in snapshot.plans:
        efforts = [point.effort for point in plan.curve]
        assert efforts == sorted(efforts)
        assert plan.recall >= plan.at_least >= 0.95
        assert plan.steps[-1].effort in (effort.ALL, efforts[-1])
        assert plan.recall >= plan.worst_tenth


def test_a_small_gallery_compares_all_whatever_its_index(
    opened: Callable[..., FolderIndex], fill: Callable[..., list[int]]
) -> None:
    fill(1, 300)

    live = opened()
    live.tune(Goal(kind="hnsw"))

    described = live.describe()
    assert described["kind"] == "hnsw"
    assert {plan["recall_at_least"] for plan in described["plans"]} == {1.0}
    assert [plan["efforts"] for plan in described["plans"]] == [["all"]] * 3


def test_searches_go_on_while_a_snapshot_is_built_and_swapped_in(
    opened: Callable[..., FolderIndex], fill: Callable[..., list[int]]
) -> None:
    ids, vectors = fill(1, 800), unit_vectors(1, 800)
    live, done, wrong = opened(), threading.Event(), []

    def search() -> None:
        generator = np.random.default_rng(5)
        while not done.is_set():
            row = int(generator.integers(800))
            if nearest(live, vectors[row]) != [ids[row]]:
                wrong.append(row)

    searching = threading.Thread(target=search)
    searching.start()
    for seed in range(2, 8):
        fill(seed, 30)
        live.rebuild()
    done.set()
    searching.join()

    assert not wrong
    assert len(live.refreshed()) == 800 + 6 * 30


def test_a_filter_finds_the_one_picture_that_it_leaves(
    opened: Callable[..., FolderIndex], fill: Callable[..., list[int]]
) -> None:
    ids = fill(1, 2000)
    live = opened()
    live.rebuild(kind=KINDS["ivf"])

    found = live.refreshed().search(unit_vectors(9, 1), 10, np.array([ids[1234]]))

    assert found.ids[0].tolist() == [ids[1234]]


def test_filters_are_exact_that_keep_one_or_some_of_a_hundred_thousand(
    opened: Callable[..., FolderIndex], fill: Callable[..., list[int]], catalog: Catalog
) -> None:
    ids = np.array(fill(1, 100_000))
    live = opened()
    live.rebuild(kind=KINDS["ivf"])
    query = unit_vectors(2, 1)
    scores = unit_vectors(1, 100_000) @ query[0]
    order = np.argsort(scores)

    for left in (order[:1], order[:25_000]):  # the farthest; more than are compared singly
        with catalog.writing() as writer:
            for id in ids[left].tolist():
                writer.update(id, metadata={"kept": len(left)})
        with catalog.reading() as rows:
            found = live.search(rows, query, 10, parse(f"kept == {len(left)}"))
        assert set(found.ids[0]) <= set(ids[left])
        assert found.scores[0] == pytest.approx(scores[left][::-1][:10], abs=1e-3)  # of float16


def test_a_small_gallery_wants_no_snapshot(
    opened: Callable[..., FolderIndex], fill: Callable[..., list[int]]
) -> None:
    fill(1, 500)

    assert not opened().wants_rebuild
    assert exact_limit(DIM) > 500


def test_a_memory_limit_decides_the_kind_also_later(
    opened: Callable[..., FolderIndex], fill: Callable[..., list[int]]
) -> None:
    fill(1, 1000)
    live = opened()

    kinds = {
        memory: live.tune(Goal(recall=0.9, memory=memory)).kind.name  # type: ignore[union-attr]
        for memory in (1000 * 400, 1000 * 30, 1000 * 20)
    }
    fill(2, 10)
    later = opened().rebuild()

    assert list(kinds.values()) == ["hnsw", "ivf", "rabitq"]
    assert later is not None
    assert later.kind.name == "rabitq"


def test_a_memory_limit_that_nothing_fits_is_refused_and_the_old_goal_stays(
    opened: Callable[..., FolderIndex], fill: Callable[..., list[int]], catalog: Catalog
) -> None:
    fill(1, 1000)

    with pytest.raises(RequestError, match="of kind rabitq takes 18,000 bytes of memory, the lim"):
        opened().tune(Goal(memory=1000))

    with catalog.reading() as rows:
        assert Goal.from_text(rows.setting(GOAL)) == Goal()


def test_a_gallery_that_outgrew_its_limit_gets_the_smallest_kind_and_a_warning(
    opened: Callable[..., FolderIndex],
    fill: Callable[..., list[int]],
    caplog: pytest.LogCaptureFixture,
) -> None:
    fill(1, 100)
    opened().tune(Goal(memory=100 * 20))
    fill(2, 1000)

    built = opened().rebuild()

    assert built is not None
    assert built.kind.name == "rabitq"
    assert "the limit is 2,000; the smallest kind is built" in caplog.text


@pytest.mark.parametrize(("text", "size"), [("800MB", 8 * 10**8), ("1.5gb", 15 * 10**8)])
def test_a_memory_limit_is_a_number_and_a_unit(text: str, size: int) -> None:
    assert parse_memory(text) == size


@pytest.mark.parametrize("text", ["", "5", "GB", "-1GB", "0MB", "nanMB", "infGB", "1TB"])
def test_a_memory_limit_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(RequestError, match="a memory limit is a number and KB, MB or GB, as 800MB"):
        parse_memory(text)


def test_whether_an_index_is_wanted_is_told_without_reading_a_vector(
    opened: Callable[..., FolderIndex],
    fill: Callable[..., list[int]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "exact_limit", lambda dim: 1000)
    monkeypatch.setattr(Reader, "_is_whole", pytest.fail)

    fill(1, 900)
    assert not opened().wants_rebuild
    fill(2, 200)
    assert opened().wants_rebuild


def test_rows_that_came_since_the_snapshot_make_another_one_wanted(
    opened: Callable[..., FolderIndex],
    fill: Callable[..., list[int]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "exact_limit", lambda dim: 1000)
    fill(1, 1100)
    opened().rebuild()

    assert not opened().wants_rebuild
    fill(2, 1001)
    assert opened().wants_rebuild
