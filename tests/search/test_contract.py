"""The promises of a gallery, on every engine: a folder, a Milvus server, and the one shown in
docs/howto/add-engine.md.

The server is that of milvus-lite; ``make test-milvus`` runs the same tests against the real one.
"""

import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from kkcv.embedding.embedder import Embedder
from kkcv.errors import (
    GalleryLocked,
    NotAGallery,
    RequestError,
    UnknownPicture,
)
from kkcv.search.duplicates import duplicates, forget_decisions
from kkcv.search.exchange.loading import import_parquet, load
from kkcv.search.exchange.parquet import export
from kkcv.search.gallery import Gallery
from kkcv.search.importing import import_pictures
from kkcv.search.quality.selfcheck import selfcheck
from kkcv.search.ranking.names import reranked

Paint = Callable[..., Path]
Make = Callable[[], str]


@pytest.fixture
def gallery(address: str, embedder: Embedder) -> Iterator[Gallery]:
    with Gallery.create(address, embedder) as made:
        yield made


def ids_of(gallery: Gallery, picture: Path, k: int = 1000, **words: object) -> list[int]:
    return [hit.id for hit in gallery.search(picture, k, **words)]


# Finding


def test_hits_are_those_of_brute_force(gallery: Gallery, paint: Paint, embedder: Embedder) -> None:
    paths = [paint(f"{seed}.png", seed) for seed in range(30)]
    import_pictures(gallery, paths)
    by_path = {picture.file.path: picture.id for picture in gallery.pictures()}
    query = paint("query.png", 99)

    hits = gallery.search(query, k=12)

    vectors = np.array([embedder.embed_picture(path) for path in paths])
    ids = [by_path[str(path)] for path in paths]
    scores = dict(zip(ids, vectors @ embedder.embed_picture(query), strict=True))
    assert [h.id for h in hits] == sorted(scores, key=scores.__getitem__, reverse=True)[:12]
    assert [h.score for h in hits] == pytest.approx([scores[h.id] for h in hits], abs=1e-3)
    assert [h.path for h in hits] == [gallery.get(h.id).file.path for h in hits]
    assert len(gallery.search(query, k=1000)) == 30
    together = gallery.search_vectors(vectors[:5], 3)
    assert [hits[0].id for hits in together] == [by_path[str(path)] for path in paths[:5]]


def test_an_empty_gallery_answers_nothing(gallery: Gallery, paint: Paint) -> None:
    assert gallery.search(paint("a.png"), k=5) == []
    assert (len(gallery), list(gallery.pictures()), gallery.page(5)) == (0, [], [])
    assert gallery.count("id >= 0") == 0


@pytest.mark.parametrize("ranking", ["plain", "best"])
def test_rankings_and_ids_work_alike(gallery: Gallery, paint: Paint, ranking: str) -> None:
    ids = [gallery.add(paint(f"{seed}.png", seed)).id for seed in range(6)]
    gallery.rank_by(ranking)

    hits = gallery.search_id(ids[2], k=10)

    assert sorted(hit.id for hit in hits) == sorted(set(ids) - {ids[2]})
    assert gallery.ranking == ranking


def test_folding_chance_and_selfcheck_work_alike(gallery: Gallery, paint: Paint) -> None:
    import_pictures(gallery, [paint(f"{seed}.png", seed) for seed in range(32)])
    import_pictures(gallery, [paint("copy.png", 3)])

    hits = gallery.search(paint("3.png", 3), k=5, fold=0.95)
    checked = selfcheck(gallery, 4)

    assert (len(hits), len(hits[0].folded)) == (5, 1)
    assert hits[0].chance is not None
    assert hits[0].chance < 0.01
    assert checked.pictures == 4


# Changing


def test_neighborhoods_and_chance_need_nothing_but_vectors(
    gallery: Gallery, paint: Paint, embedder: Embedder
) -> None:
    paths = [paint(f"{seed}.png", seed) for seed in range(40)]
    import_pictures(gallery, paths)
    names = [path.name for path in paths]
    query = embedder.embed_picture(paint("query.png", 99))
    vectors = np.array([embedder.embed_picture(path) for path in paths])
    near = np.argsort(-(vectors @ query), kind="stable")

    for ranking in ("augmented", "smoothed"):
        hits = gallery.search_vector(query, 40, ranking=ranking)

        order = near[reranked(ranking, query, vectors[near])]
        first = [Path(hit.path).name for hit in hits][:10]
        assert len(set(first) & {names[row] for row in order[:10]}) >= 9  # stored in 16 bits
        assert None not in {hit.chance for hit in hits}
    assert ids_of(gallery, paths[7], max_chance=2e-4) == [gallery.find(str(paths[7])).id]
    assert ids_of(gallery, paint("stranger.png", 77), max_chance=2e-4) == []


def test_bytes_are_kept_once_and_given_back(gallery: Gallery, paint: Paint) -> None:
    data = paint("a.png", 1).read_bytes()

    first, new = gallery.find_or_add(data, {"title": "猫", "n": {"deep": [1, None, 'a"\n']}})
    again, twice = gallery.find_or_add(data, {"title": "other"})

    assert (first.id, new, twice, again) == (1, True, False, first)
    assert gallery.get(1).metadata == {"title": "猫", "n": {"deep": [1, None, 'a"\n']}}
    assert gallery.read(first) == data
    assert gallery.path(first).is_relative_to(gallery.folder)
    assert gallery.describe(1, {"new": True}).metadata == {"new": True}
    assert ids_of(gallery, paint("a.png", 1), where="new == 1") == [1]


def test_what_is_removed_is_in_no_answer_and_its_id_never_comes_back(
    gallery: Gallery, paint: Paint, embedder: Embedder
) -> None:
    with Gallery.open(gallery.address, embedder) as reader:
        for seed in range(5):
            picture = gallery.add(paint(f"{seed}.png", seed))
            file = gallery.path(picture)
            assert picture.id in ids_of(reader, paint(f"{seed}.png", seed))

            assert gallery.remove([picture.id, 777]) == [picture.id]

            for each in (reader, gallery):
                assert ids_of(each, paint(f"{seed}.png", seed)) == []
                assert (len(each), list(each.pictures())) == (0, [])
                with pytest.raises(UnknownPicture, match=f"no picture with id {picture.id} in"):
                    each.get(picture.id)
            assert not file.exists()
    assert gallery.add(paint("0.png", 0)).id == 6


def test_files_that_change_move_or_are_copied_keep_or_share_what_they_had(
    gallery: Gallery, paint: Paint
) -> None:
    paths = [paint(f"{seed}.png", seed) for seed in range(4)]
    folder = paths[0].parent
    (folder / "broken.png").write_bytes(b"no picture")
    first = import_pictures(gallery, [folder])
    ids = {path.name: gallery.find(str(path)).id for path in paths}
    gallery.describe(ids["1.png"], {"label": "kept"})

    paths[0].rename(folder / "moved.png")
    paths[1].write_bytes(paint("new.png", 50).read_bytes())
    (folder / "new.png").unlink()
    (folder / "copy.png").write_bytes(paths[2].read_bytes())
    second = import_pictures(gallery, [folder])
    third = import_pictures(gallery, [folder])

    assert (first.added, len(first.rejected)) == (4, 1)
    assert (second.moved, second.replaced, second.copied, second.unchanged) == (1, 1, 1, 2)
    assert (third.unchanged, third.files) == (5, 6)
    assert gallery.find(str(folder / "moved.png")).id == ids["0.png"]
    assert gallery.get(ids["1.png"]).metadata == {"label": "kept"}
    assert ids_of(gallery, paint("q.png", 50), 1) == [ids["1.png"]]
    assert gallery.search(paint("q.png", 1), 1)[0].score < 0.9
    assert (gallery.folder / "rejects.csv").exists()


def test_another_picture_under_the_same_id(gallery: Gallery, paint: Paint) -> None:
    picture = gallery.add(paint("a.png", 1), {"label": "kept"})

    replaced = gallery.replace(picture.id, paint("b.png", 2))

    assert (replaced.id, replaced.metadata) == (picture.id, {"label": "kept"})
    assert gallery.search(paint("b.png", 2), 1)[0].score == pytest.approx(1, abs=1e-3)
    assert gallery.search(paint("a.png", 1), 1)[0].score < 0.9


def test_an_error_inside_a_transaction_changes_nothing(gallery: Gallery, paint: Paint) -> None:
    picture = gallery.add(paint("a.png", 1))

    def fail() -> None:
        with gallery.catalog.writing() as writer:
            writer.remove(picture.id)
            writer.add(picture.file, np.ones(48, np.float32), {})
            raise KeyError

    with pytest.raises(KeyError):
        fail()

    assert [p.id for p in gallery.pictures()] == [picture.id]


def test_pictures_added_by_many_threads_are_all_there(gallery: Gallery, paint: Paint) -> None:
    paths = [paint(f"{seed}.png", seed) for seed in range(8)]
    added: dict[Path, int] = {}

    def work(mine: list[Path]) -> None:
        for path in mine:
            added[path] = gallery.add(path).id
            gallery.search(path, k=3)

    threads = [threading.Thread(target=work, args=(paths[i::4],)) for i in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert {path: ids_of(gallery, path, 1)[0] for path in paths} == added


def test_a_writer_waits_for_its_turn_and_then_says_so(
    gallery: Gallery, paint: Paint, embedder: Embedder
) -> None:
    with (
        Gallery.open(gallery.address, embedder, wait_seconds=0.2) as hasty,
        gallery.catalog.writing(),
        pytest.raises(GalleryLocked, match=r"another process has been writing to .* 0.2 s"),
    ):
        hasty.remove([1])

    assert gallery.add(paint("a.png", 1)).id == 1


# Looking


def test_pages_come_in_the_order_of_ids_both_ways(gallery: Gallery, paint: Paint) -> None:
    import_pictures(gallery, [paint(f"{seed}.png", seed) for seed in range(9)])
    gallery.remove([3, 4, 9])

    def page(*arguments: int, newest: bool = False) -> list[int]:
        return [picture.id for picture in gallery.page(*arguments, newest=newest)]

    assert [picture.id for picture in gallery.pictures()] == [1, 2, 5, 6, 7, 8]
    assert (page(3), page(3, 5), page(3, 8)) == ([1, 2, 5], [6, 7, 8], [])
    assert (page(3, newest=True), page(9, 6, newest=True)) == ([8, 7, 6], [5, 2, 1])
    assert [p.id for p in gallery.page(2, 2, where="id != 5")] == [6, 7]
    assert [p.id for p in gallery.page(2, 8, where="id != 6", newest=True)] == [7, 5]


def test_figures_are_those_of_all_pictures(gallery: Gallery, paint: Paint) -> None:
    import_pictures(gallery, [paint(f"{seed}.png", seed) for seed in range(3)])
    gallery.add(paint("stored.png", 3).read_bytes())

    stats = gallery.stats()

    assert (stats["pictures"], stats["stored"]) == (4, 1)
    assert stats["picture_bytes"] == sum(p.file.bytes for p in gallery.pictures())


def test_a_picture_takes_the_place_of_another(gallery: Gallery, paint: Paint) -> None:
    old, new = (paint(f"{seed}.png", seed).read_bytes() for seed in range(2))
    id = gallery.add(old, {"title": "old"}).id

    replaced = gallery.replace(id, new)

    assert (replaced.id, replaced.metadata) == (id, {"title": "old"})
    assert gallery.read(replaced) == new
    assert gallery.search(new, k=1)[0].score == pytest.approx(1, abs=1e-3)
    assert gallery.search(old, k=1)[0].score < 0.999
    assert len(gallery) == 1


def test_duplicates_are_found(gallery: Gallery, paint: Paint) -> None:
    import_pictures(gallery, [paint(f"{seed}.png", seed) for seed in range(5)])
    copy = paint("copy.png", 3)
    import_pictures(gallery, [copy])

    groups = duplicates(gallery, 0.95)

    assert [(len(group.pictures), group.exact) for group in groups] == [(2, True)]


# In and out


@pytest.mark.parametrize("kind", ["float16", "float32"])
def test_an_export_comes_in_with_the_same_vectors(
    address: str, embedder: Embedder, paint: Paint, tmp_path: Path, kind: str
) -> None:
    with Gallery.create(tmp_path / "source", embedder, vectors=kind) as source:
        import_pictures(source, [paint(f"{n}.png", n) for n in range(5)])
        source.describe(2, {"猫": [1, None]})
        export(source, tmp_path / "e.parquet")

        assert import_parquet(address, tmp_path / "e.parquet") == (5, 0)
        assert import_parquet(address, tmp_path / "e.parquet") == (0, 5)

        with Gallery.open(address, embedder) as there:
            assert there.catalog.settings["vectors"] == kind
            assert export(there, tmp_path / "back.parquet") == 5
            for here, came in zip(source.pictures(), there.pictures(), strict=True):
                assert here == came
            with source.catalog.reading() as a, there.catalog.reading() as b:
                for (ids, mine), (others, theirs) in zip(a.vectors(), b.vectors(), strict=True):
                    assert (ids == others).all()
                    assert (mine == theirs).all()


def test_vectors_of_workers_are_loaded_once(
    address: str, embedder: Embedder, paint: Paint, tmp_path: Path
) -> None:
    with Gallery.create(tmp_path / "source", embedder) as source:
        import_pictures(source, [paint(f"{n}.png", n) for n in range(5)])
        export(source, tmp_path / "e.parquet")

    first, second = load(address, [tmp_path / "e.parquet"]), load(address, [tmp_path / "e.parquet"])

    assert (first.added, second.added, second.unchanged) == (5, 0, 5)
    with Gallery.open(address, embedder) as there:
        assert ids_of(there, paint("3.png", 3), 1) == [there.find(str(paint("3.png", 3))).id]


# Likeness


def test_an_answer_says_where_likeness_ends(gallery: Gallery, paint: Paint) -> None:
    import_pictures(gallery, [paint(f"{n}.png", n) for n in range(40)])

    hits = gallery.search(paint("7.png", 7), 40)

    assert hits[0].likeness in ("almost certain", "likely")
    assert 1 <= hits.divider < 30
    assert gallery.search_id(hits[0].id, 10).divider is not None


def test_duplicates_that_are_kept_do_not_come_back(
    address: str, embedder: Embedder, paint: Paint
) -> None:
    with Gallery.create(address, embedder) as gallery:
        first = gallery.add(paint("1.png", 1))
        Image.open(paint("1.png", 1)).convert("RGB").save(paint("1.png", 1).with_name("1.jpg"))
        again = gallery.add(paint("1.png", 1).with_name("1.jpg"))
        assert [[p.id for p in group.pictures] for group in duplicates(gallery)] == [
            [first.id, again.id]
        ]
        gallery.keep_both([first.id, again.id])

    with Gallery.open(address, embedder) as gallery:
        assert duplicates(gallery) == []
        assert forget_decisions(gallery) == 1
        assert len(duplicates(gallery)) == 1


# Refusals


def test_where_there_is_no_gallery_it_is_said(address: str) -> None:
    with pytest.raises(NotAGallery, match="is not a gallery; to make one: kkcv index"):
        Gallery.open(address)


def test_a_senseless_question_is_refused(gallery: Gallery, paint: Paint) -> None:
    with pytest.raises(RequestError, match="k must be a whole number from 1 to 1000, got 0"):
        gallery.search(paint("a.png"), 0)
    with pytest.raises(RequestError, match="cannot be read"):
        gallery.count("label ==")
