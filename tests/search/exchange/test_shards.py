"""Workers may die at any instant and start again: what they leave is one and the same gallery."""

import itertools
import json
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from kkcv import disk
from kkcv.checkpoint import Checkpoint
from kkcv.embedding.embedder import Embedder
from kkcv.errors import DataError, EmbedderMismatch, PictureError, RequestError
from kkcv.search.exchange import manifest, shards
from kkcv.search.exchange.loading import import_parquet, load, parquet_files
from kkcv.search.exchange.plan import Plan, make_plan, read_plan
from kkcv.search.exchange.shards import embed_shards
from kkcv.search.gallery import Gallery
from kkcv.search.importing import import_pictures
from tests.search.conftest import PREPROCESS

Paint = Callable[..., Path]


@pytest.fixture
def photos(paint: Paint) -> Path:
    """Seven pictures in two folders, and a file of text."""
    for seed in range(7):
        paint(f"{'below/' if seed % 2 else ''}{seed}.png", seed)
    folder = paint("0.png", 0).parent
    (folder / "notes.jpg").write_text("this is text")
    return folder


@pytest.fixture
def plan(tmp_path: Path, photos: Path, embedder: Embedder) -> Plan:
    return make_plan(tmp_path / "plan", [photos], embedder, shard_pictures=2)


def contents(gallery: Path) -> list[tuple[object, ...]]:
    """All that a gallery knows, with the bits of the vectors."""
    with Gallery.open(gallery) as opened, opened.catalog.reading() as rows:
        vectors = {
            int(id): vector.tobytes()
            for ids, chunk in rows.vectors()
            for id, vector in zip(ids, chunk, strict=True)
        }
        return [(p.id, p.file, p.metadata, vectors[p.id]) for p in rows.pictures()]


# Plans


def test_the_same_pictures_give_the_same_plan_byte_for_byte(
    tmp_path: Path, photos: Path, plan: Plan, embedder: Embedder
) -> None:
    again = make_plan(tmp_path / "again", [photos], embedder, shard_pictures=2)

    assert sorted(os.listdir(again.folder)) == sorted(os.listdir(plan.folder))
    for name in os.listdir(plan.folder):
        assert (again.folder / name).read_bytes() == (plan.folder / name).read_bytes()


def test_a_plan_lists_every_file_once_in_the_order_of_an_import(plan: Plan, photos: Path) -> None:
    listed = [planned for shard in plan.shards for planned in plan.files(shard)]

    assert [os.path.relpath(p.path, photos) for p in listed] == [
        *("0.png", "2.png", "4.png", "6.png", "notes.jpg"),
        *("below/1.png", "below/3.png", "below/5.png"),
    ]
    assert all(p.bytes == os.path.getsize(p.path) for p in listed)
    assert [shard.pictures for shard in plan.shards] == [2, 2, 2, 2]
    assert plan.pictures == 8


@pytest.mark.parametrize(
    ("count", "sizes"), [(1, [8]), (3, [3, 3, 2]), (8, [1] * 8), (11, [1] * 8)]
)
def test_shards_by_number_differ_by_one_picture_at_most(
    tmp_path: Path, photos: Path, embedder: Embedder, count: int, sizes: list[int]
) -> None:
    plan = make_plan(tmp_path / "plan", [photos], embedder, shards=count)

    assert [shard.pictures for shard in plan.shards] == sizes


def test_to_plan_again_is_harmless_but_other_files_need_another_folder(
    plan: Plan, photos: Path, paint: Paint, embedder: Embedder
) -> None:
    assert make_plan(plan.folder, [photos], embedder, shard_pictures=2) == plan
    paint("new.png", 9)

    with pytest.raises(DataError, match="plan holds something else, or the plan of other files; "):
        make_plan(plan.folder, [photos], embedder, shard_pictures=2)

    assert read_plan(plan.folder) == plan
    assert not list(plan.folder.parent.glob("*.part"))


def test_a_plan_of_nothing_is_refused(tmp_path: Path, embedder: Embedder) -> None:
    (tmp_path / "empty").mkdir()

    with pytest.raises(DataError, match="there are no pictures in "):
        make_plan(tmp_path / "plan", [tmp_path / "empty"], embedder)
    with pytest.raises(PictureError, match="there is no file at this path"):
        make_plan(tmp_path / "plan", [tmp_path / "nowhere"], embedder)
    with pytest.raises(DataError, match="holds no plan; to make one: kkcv embed --plan "):
        read_plan(tmp_path / "plan")
    (tmp_path / "a_file").touch()
    with pytest.raises(DataError, match="a_file holds no plan; to make one: kkcv embed --plan "):
        read_plan(tmp_path / "a_file")


def test_a_list_that_was_changed_is_refused(plan: Plan, tmp_path: Path, embedder: Embedder) -> None:
    (plan.folder / "000001.jsonl").write_text('{"path": "/etc/passwd", "bytes": 1}\n')

    with pytest.raises(DataError, match=r"000001\.jsonl is not as it was planned; make the plan"):
        embed_shards(plan, tmp_path / "out", embedder)


# Workers


def test_workers_together_make_what_one_makes_alone(
    plan: Plan, tmp_path: Path, embedder: Embedder
) -> None:
    alone = embed_shards(plan, tmp_path / "alone", embedder)
    together = [embed_shards(plan, tmp_path / "together", embedder, i, 3) for i in (2, 0, 1)]

    assert (alone.shards, alone.embedded, alone.rejected) == (4, 7, 1)
    assert sum(report.shards for report in together) == 4
    for name in os.listdir(tmp_path / "alone"):
        mine, theirs = (tmp_path / where / name for where in ("alone", "together"))
        assert mine.read_bytes() == theirs.read_bytes()


def test_what_is_no_picture_is_listed_and_stops_nothing(
    plan: Plan, tmp_path: Path, photos: Path, embedder: Embedder
) -> None:
    embed_shards(plan, tmp_path / "out", embedder)

    assert json.loads((tmp_path / "out/000002.json").read_text())["rejects"] == [
        {
            "path": str(photos / "notes.jpg"),
            "reason": "not-an-image",
            "message": f"{photos / 'notes.jpg'}: these 12 bytes are of no image format that is "
            "known",
        }
    ]


def test_a_file_that_changed_since_the_plan_is_listed(
    plan: Plan, tmp_path: Path, photos: Path, embedder: Embedder
) -> None:
    (photos / "0.png").write_bytes((photos / "0.png").read_bytes() + b"more")
    (photos / "below/5.png").unlink()

    report = embed_shards(plan, tmp_path / "out", embedder)

    assert (report.embedded, report.rejected) == (5, 3)
    rejects = json.loads((tmp_path / "out/000000.json").read_text())["rejects"]
    assert rejects[0]["message"].endswith(" when the plan was made")


def test_a_worker_that_sees_none_of_the_files_refuses(
    plan: Plan, tmp_path: Path, photos: Path, embedder: Embedder
) -> None:
    photos.rename(tmp_path / "unmounted")

    with pytest.raises(DataError, match="of shard 0 is there; is their disk mounted"):
        embed_shards(plan, tmp_path / "out", embedder)

    assert os.listdir(tmp_path / "out") == []


def test_what_is_done_is_not_done_again(plan: Plan, tmp_path: Path, embedder: Embedder) -> None:
    first = embed_shards(plan, tmp_path / "out", embedder)
    embedder.runtime.run = pytest.fail  # type: ignore[method-assign]

    again = embed_shards(plan, tmp_path / "out", embedder)

    assert (again.skipped, again.embedded, again.rejected) == (4, 7, 1)
    assert again.pictures == first.pictures == 8


@pytest.mark.parametrize(
    "damage",
    [
        lambda out: (out / "000001.parquet").unlink(),
        lambda out: (out / "000001.json").unlink(),
        lambda out: (out / "000001.json").write_text("{"),
        lambda out: flip_a_bit(out / "000001.parquet"),
        lambda out: shutil.copy(out / "000000.parquet", out / "000001.parquet"),
        lambda out: [shutil.copy(p, p.with_stem("000001")) for p in sorted(out.glob("000000.*"))],
    ],
    ids=["no vectors", "no list", "half a list", "a bit", "another's vectors", "another shard"],
)
def test_a_shard_that_is_damaged_is_made_again(
    plan: Plan, tmp_path: Path, embedder: Embedder, damage: Callable[[Path], object]
) -> None:
    out = tmp_path / "out"
    embed_shards(plan, out, embedder)
    whole = {name: (out / name).read_bytes() for name in os.listdir(out)}
    damage(out)

    report = embed_shards(plan, out, embedder)

    assert report.skipped == 3
    assert {name: (out / name).read_bytes() for name in os.listdir(out)} == whole


def flip_a_bit(file: Path) -> None:
    data = bytearray(file.read_bytes())
    data[len(data) // 2] ^= 1
    file.write_bytes(data)


class Death(BaseException):
    """A worker dies here: nothing of it catches this."""


@pytest.mark.parametrize("instant", range(16))
def test_a_worker_that_dies_between_any_two_steps_is_started_again(
    plan: Plan,
    tmp_path: Path,
    embedder: Embedder,
    monkeypatch: pytest.MonkeyPatch,
    instant: int,
) -> None:
    embed_shards(plan, tmp_path / "alone", embedder)
    steps = itertools.count()

    @contextmanager
    def mortal(target: Path) -> Iterator[Path]:
        """Dies before or after the file has its name, and leaves what it has written."""
        with disk.atomic_write(target) as part:
            yield part
            if next(steps) == instant:
                shutil.copy(part, part.with_name(f"{target.name}.1.part"))
                raise Death
        if next(steps) == instant:
            raise Death

    with monkeypatch.context() as patch:
        patch.setattr(shards, "atomic_write", mortal)
        patch.setattr(manifest, "atomic_write", mortal)
        with pytest.raises(Death):
            embed_shards(plan, tmp_path / "out", embedder)
    embed_shards(plan, tmp_path / "out", embedder)

    for name in os.listdir(tmp_path / "alone"):
        assert (tmp_path / "out" / name).read_bytes() == (tmp_path / "alone" / name).read_bytes()
    assert len(parquet_files([tmp_path / "out"], plan)) == 4


def test_a_worker_with_another_network_refuses(
    plan: Plan, tmp_path: Path, embedder: Embedder
) -> None:
    other = Embedder(Checkpoint("other", "other", None, PREPROCESS), runtime="grid")

    with pytest.raises(EmbedderMismatch, match="network grid here, other there"):
        embed_shards(plan, tmp_path / "out", other)


def test_a_worker_that_computes_otherwise_refuses(
    plan: Plan, tmp_path: Path, embedder: Embedder
) -> None:
    other = Embedder(embedder.checkpoint, runtime="grid", precision="bfloat16")

    with pytest.raises(EmbedderMismatch, match="is for grid in float32, this worker runs grid in"):
        embed_shards(plan, tmp_path / "out", other)


@pytest.mark.parametrize(("worker", "workers"), [(2, 2), (-1, 2), (0, 0)])
def test_a_worker_that_cannot_be_is_refused(
    plan: Plan, tmp_path: Path, embedder: Embedder, worker: int, workers: int
) -> None:
    with pytest.raises(RequestError, match="workers are counted from 0"):
        embed_shards(plan, tmp_path / "out", embedder, worker, workers)


# Loading


def test_a_gallery_from_shards_is_the_one_that_an_import_makes(
    plan: Plan, tmp_path: Path, photos: Path, embedder: Embedder
) -> None:
    with Gallery.create(tmp_path / "imported", embedder) as imported:
        import_pictures(imported, [photos])
    embed_shards(plan, tmp_path / "out", embedder)

    report = load(tmp_path / "loaded", parquet_files([tmp_path / "out"], plan))

    assert (report.files, report.added, report.rejected) == (4, 7, 1)
    assert contents(tmp_path / "loaded") == contents(tmp_path / "imported")


def test_loading_again_changes_nothing(plan: Plan, tmp_path: Path, embedder: Embedder) -> None:
    embed_shards(plan, tmp_path / "out", embedder)
    files = parquet_files([tmp_path / "out"])
    load(tmp_path / "gallery", files)
    before = contents(tmp_path / "gallery")

    report = load(tmp_path / "gallery", files)

    assert (report.added, report.unchanged) == (0, 7)
    assert contents(tmp_path / "gallery") == before


def test_a_load_that_was_cut_off_goes_on(plan: Plan, tmp_path: Path, embedder: Embedder) -> None:
    embed_shards(plan, tmp_path / "out", embedder)
    files = parquet_files([tmp_path / "out"])
    load(tmp_path / "whole", files)

    load(tmp_path / "gallery", files[:2])
    report = load(tmp_path / "gallery", files)

    assert (report.added, report.unchanged) == (3, 4)
    assert contents(tmp_path / "gallery") == contents(tmp_path / "whole")


def test_a_picture_that_changed_keeps_its_id_and_gets_its_new_vector(
    plan: Plan, tmp_path: Path, photos: Path, paint: Paint, embedder: Embedder
) -> None:
    embed_shards(plan, tmp_path / "old", embedder)
    load(tmp_path / "gallery", parquet_files([tmp_path / "old"]))
    paint("0.png", 99)
    later = make_plan(tmp_path / "later", [photos], embedder, shard_pictures=2)
    embed_shards(later, tmp_path / "new", embedder)

    report = load(tmp_path / "gallery", parquet_files([tmp_path / "new"]))
    back = load(tmp_path / "gallery", parquet_files([tmp_path / "old"]))

    assert (report.added, report.replaced, report.unchanged) == (0, 1, 6)
    assert (back.replaced, back.unchanged) == (0, 7)  # what is older does not come back
    with Gallery.open(tmp_path / "gallery", embedder) as gallery:
        hit = gallery.search(photos / "0.png", k=1)[0]
        assert (hit.id, hit.path) == (1, str(photos / "0.png"))
        assert hit.score == pytest.approx(1, abs=1e-3)


def test_shards_that_are_missing_are_named(plan: Plan, tmp_path: Path, embedder: Embedder) -> None:
    embed_shards(plan, tmp_path / "out", embedder)
    (tmp_path / "out/000001.parquet").unlink()
    flip_a_bit(tmp_path / "out/000003.parquet")

    with pytest.raises(
        DataError, match=r"2 of the 4 shards of .*plan are missing or damaged: 1, 3; to make them: "
    ):
        parquet_files([tmp_path / "out"], plan)


def test_a_file_that_is_no_shard_of_the_plan_is_refused(
    plan: Plan, tmp_path: Path, embedder: Embedder
) -> None:
    embed_shards(plan, tmp_path / "out", embedder)
    shutil.copy(tmp_path / "out/000001.parquet", tmp_path / "out/000009.parquet")

    with pytest.raises(DataError, match=r"000009\.parquet is not a shard of "):
        parquet_files([tmp_path / "out"], plan)


def test_shards_may_lie_in_several_folders(plan: Plan, tmp_path: Path, embedder: Embedder) -> None:
    for worker in range(2):
        embed_shards(plan, tmp_path / f"machine{worker}", embedder, worker, 2)

    files = parquet_files([tmp_path / "machine1", tmp_path / "machine0"], plan)

    assert [file.name[:6] for file in files] == ["000000", "000001", "000002", "000003"]


def test_a_damaged_shard_is_not_loaded(plan: Plan, tmp_path: Path, embedder: Embedder) -> None:
    embed_shards(plan, tmp_path / "out", embedder)
    flip_a_bit(tmp_path / "out/000000.parquet")

    with pytest.raises(DataError, match=r"000000\.parquet is damaged: its sha256 is not the one"):
        load(tmp_path / "gallery", parquet_files([tmp_path / "out"]))


def test_vectors_of_another_network_are_not_loaded(
    plan: Plan, tmp_path: Path, photos: Path, embedder: Embedder
) -> None:
    embed_shards(plan, tmp_path / "out", embedder)
    other = Embedder(Checkpoint("other", "other", None, PREPROCESS), runtime="grid")
    Gallery.create(tmp_path / "gallery", other).close()

    with pytest.raises(EmbedderMismatch, match="vectors of another kind"):
        load(tmp_path / "gallery", parquet_files([tmp_path / "out"]))


def test_an_import_takes_a_shard_as_it_takes_an_export(
    plan: Plan, tmp_path: Path, embedder: Embedder
) -> None:
    embed_shards(plan, tmp_path / "out", embedder)

    assert import_parquet(tmp_path / "gallery", tmp_path / "out/000000.parquet") == (2, 0)


def test_a_name_that_is_not_utf_8_is_kept(tmp_path: Path, photos: Path, embedder: Embedder) -> None:
    odd = os.fsencode(photos / "x") + b"\xff.png"
    shutil.copy(photos / "0.png", odd)
    plan = make_plan(tmp_path / "plan", [photos], embedder)

    embed_shards(plan, tmp_path / "out", embedder)
    load(tmp_path / "gallery", parquet_files([tmp_path / "out"]))

    with Gallery.open(tmp_path / "gallery", embedder) as gallery:
        assert odd in [os.fsencode(gallery.path(picture)) for picture in gallery]


def test_a_longer_plan_finds_its_first_shards_done(
    plan: Plan, tmp_path: Path, photos: Path, paint: Paint, embedder: Embedder
) -> None:
    embed_shards(plan, tmp_path / "out", embedder)
    paint("below/z.png", 20)
    longer = make_plan(tmp_path / "longer", [photos], embedder, shard_pictures=2)

    report = embed_shards(longer, tmp_path / "out", embedder)

    assert (report.shards, report.skipped) == (5, 4)
