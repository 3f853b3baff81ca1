"""Where likeness ends: words for hits, and the divider of an answer."""

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from kkcv.hit import NO_LIKENESS, Hit, divider_of
from kkcv.hits import Hits
from kkcv.search.answer.answer import mutual_in
from kkcv.search.chance.likeness import Chances, words
from kkcv.search.chance.model import Bulk, calibrated, many
from kkcv.search.gallery import Gallery
from kkcv.search.importing import import_pictures

Paint = Callable[..., Path]


@pytest.fixture
def filled(gallery: Gallery, paint: Paint) -> Gallery:
    for n in range(60):
        gallery.add(paint(f"{n}.png", n))
    return gallery


@pytest.fixture(scope="module")
def things(tmp_path_factory: pytest.TempPathFactory, pictures: Path) -> Iterator[Gallery]:
    """Thirty photographs of each of ten kinds of things."""
    chosen = [each for kind in sorted(kinds(pictures / "imagenette")) for each in kind[:30]]
    with Gallery.create(tmp_path_factory.mktemp("things") / "gallery") as made:
        import_pictures(made, chosen)
        yield made


def kinds(folder: Path) -> list[list[Path]]:
    return [sorted(kind.iterdir()) for kind in folder.iterdir() if kind.is_dir()]


def test_what_is_there_stands_above_the_divider(things: Gallery, pictures: Path) -> None:
    right = shown = 0
    for kind in kinds(pictures / "imagenette"):
        for picture in kind[40:44]:
            hits = things.search(picture, 20)
            shown += hits.divider
            right += sum(Path(hit.path).parent == picture.parent for hit in hits[: hits.divider])

    assert shown > 500  # of 800
    assert right / shown > 0.85


def test_of_strangers_nothing_is_here(things: Gallery, pictures: Path) -> None:
    strangers = [monkeys[0] for monkeys in kinds(pictures / "monkeys")]
    strangers += [fruit[0] for fruit in sorted(kinds(pictures / "produce"))[:20]]

    dividers = [things.search(picture).divider for picture in strangers]

    assert dividers.count(0) >= 27  # of 30


def test_the_nearest_is_surest(filled: Gallery, paint: Paint) -> None:
    hits = filled.search(paint("7.png", 7), k=10)

    assert hits.divider >= 1
    assert hits[0].likeness == "almost certain"
    assert hits[-1].likeness == NO_LIKENESS
    assert hits[:3].divider == min(hits.divider, 3)


def test_the_same_picture_is_almost_certain_in_a_gallery_of_any_size(
    tmp_path: Path, pictures: Path
) -> None:
    """In so small a gallery chance alone says of most of them that they are likely."""
    chosen = sorted((pictures / "near_dup_caltech").rglob("*.jpg"))
    with Gallery.create(tmp_path / "gallery") as gallery:
        import_pictures(gallery, chosen)
        answers = [gallery.search(picture, 20) for picture in chosen[:12]]

    assert {hits[0].likeness for hits in answers} == {"almost certain"}
    assert {hits[-1].likeness for hits in answers} != {"almost certain"}


def test_a_small_gallery_does_not_know(gallery: Gallery, paint: Paint) -> None:
    for n in range(29):
        gallery.add(paint(f"{n}.png", n))

    hits = gallery.search(paint("0.png", 0))

    assert hits.divider is None
    assert {hit.likeness for hit in hits} == {None}


def test_what_so_few_pictures_can_tell_ends_in_or_less(filled: Gallery, paint: Paint) -> None:
    first, *others = filled.search(paint("7.png", 7), k=5)

    assert first.or_less
    assert not any(hit.or_less for hit in others)


@pytest.mark.parametrize(
    ("likeness", "divider"),
    [("aan", 2), ("nnn", 0), ("anaa", 4), ("", 0), ("an?", None)],
)
def test_the_divider_follows_the_last_hit_that_is_alike(likeness: str, divider: int | None) -> None:
    known = {"a": "likely", "n": NO_LIKENESS, "?": None}

    assert divider_of(Hit(1, 0.5, "", {}, likeness=known[a]) for a in likeness) == divider


@pytest.mark.parametrize("divider", [0, 2, 5])
def test_a_part_of_an_answer_has_its_divider_without_the_fields_that_tell(divider: int) -> None:
    cuts = [slice(3), slice(1, 4), slice(9), slice(3, None), slice(None, None, 2), slice(0)]

    for copies in (True, False):
        told = [
            Hit(rank, 0.5, "", {}, likeness="likely", match="crop")
            if rank < divider
            else Hit(rank, 0.5, "", {}, likeness=NO_LIKENESS)
            for rank in range(5)
        ]
        fields_left_out = [Hit(hit.id, hit.score, "", {}) for hit in told]
        whole = Hits(told, copies=copies)
        bare = Hits(fields_left_out, divider=divider, copies=copies)
        for cut in cuts:
            assert bare[cut].divider == whole[cut].divider
            assert bare[cut][:2].divider == whole[cut][:2].divider


def test_words_follow_how_many_hits_chance_would_make() -> None:
    """Of 1,000 pictures, chance makes one at a rate of 0.001."""
    rates = np.array([[1e-7, 4e-5, 4e-4, 0.02, 0.5]])
    in_1000 = ["almost certain", "likely", "weak", "none", "none"]
    in_10 = ["almost certain", "almost certain", "likely", "likely", "none"]

    assert words(rates, 1000).tolist() == [in_1000]
    assert words(rates, 10).tolist() == [in_10]
    assert words(rates[:, ::-1], 1000).tolist() == [in_1000[::-1]]
    two = np.vstack([rates, np.append(rates[:, :3], [[np.inf, np.inf]], axis=1)])
    assert words(two, 1000).tolist() == [in_1000, [*in_1000[:3], "none", "none"]]  # of fewer hits


def test_the_nearest_is_weak_if_the_two_are_each_others_nearest_and_chance_leaves_it_open() -> None:
    """Of 1,000 pictures: chance makes 0.5, 2, 2 and 4 as near as the first."""
    rates = np.array([[5e-4, 0.1], [0.1, 2e-3], [2e-3, 0.1], [4e-3, 0.1]])
    asked: list[tuple[int, int]] = []

    def mutual(queries: np.ndarray, columns: np.ndarray) -> np.ndarray:
        asked.extend(zip(queries.tolist(), columns.tolist(), strict=True))
        return queries == 1

    told = words(rates, 1000, mutual).tolist()

    assert asked == [(1, 1), (2, 0)]
    assert told == [["weak", "none"], ["none", "weak"], ["none", "none"], ["none", "none"]]


def test_mutual_neighbors_are_those_of_all_pictures_compared(things: Gallery) -> None:
    generation = things.generation
    with things.catalog.reading() as rows:
        ids, vectors = (np.concatenate(each) for each in zip(*rows.vectors(), strict=True))
        alike = vectors @ vectors.T
        np.fill_diagonal(alike, -2)
        nearest = alike.argmax(axis=1)

        found = mutual_in(generation, rows, ids[nearest][:, None], vectors)(
            np.arange(len(ids)), np.zeros(len(ids), int)
        )

    mutual = nearest[nearest] == np.arange(len(ids))
    assert found[mutual].all()
    assert (found == mutual).mean() > 0.95  # a few are within the rounding
    assert 20 < mutual.sum() < 280


def test_what_a_query_is_made_of_is_no_neighbor_of_its_hits(things: Gallery) -> None:
    generation = things.generation
    with things.catalog.reading() as rows:
        ids, vectors = (np.concatenate(each) for each in zip(*rows.vectors(), strict=True))
        alike = vectors @ vectors[0]
        alike[0] = -2
        third, second = np.argsort(alike)[-2:]
        hit, query = ids[:1, None], vectors[None, third]

        def is_mutual(*without: int) -> bool:
            found = mutual_in(generation, rows, hit, query, without)
            return bool(found(np.array([0]), np.array([0]))[0])

        assert not is_mutual()
        assert is_mutual(int(ids[second]), int(ids[third]))


@pytest.mark.parametrize("by_text", [False, True])
def test_a_higher_score_has_no_higher_chance_and_no_weaker_word(by_text: bool) -> None:
    """Of one query: chance, word and divider are of one statistic."""
    vectors = np.random.default_rng(0).normal(size=(200, 64)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    calibration = calibrated("space", 200, vectors)
    assert calibration is not None
    scores = -np.sort(-np.linspace(-1, 1, 50, dtype=np.float32))[None].repeat(5, axis=0)

    rates = Chances.of(calibration, vectors[:5] @ vectors.T, by_text).rates(scores)

    assert (np.diff(rates, axis=1) >= 0).all()
    order = ["almost certain", "likely", "weak", NO_LIKENESS]
    ranks = np.vectorize(order.index)(words(rates, 200))
    assert (np.diff(ranks, axis=1) >= 0).all()
    assert {0, 3} <= set(ranks.ravel())


def test_beyond_the_divider_every_hit_is_none_in_any_order(things: Gallery, pictures: Path) -> None:
    for kind in kinds(pictures / "imagenette"):
        for ranking in ("plain", "best"):
            hits = things.search(kind[40], 50, ranking=ranking)

            assert {hit.likeness for hit in hits[hits.divider :]} <= {NO_LIKENESS}
            assert hits.divider == 0 or hits[hits.divider - 1].likeness != NO_LIKENESS


def test_a_cut_off_by_chance_is_one_of_the_chances_that_are_told(
    things: Gallery, pictures: Path
) -> None:
    for kind in kinds(pictures / "imagenette"):
        everything = things.search(kind[40], 50)

        some = things.search(kind[40], 50, max_chance=0.001)

        assert some == [hit for hit in everything if hit.chance <= 0.001]


def test_many_fits_at_once_are_those_of_each() -> None:
    scores = np.random.default_rng(0).gamma(12, 0.018, (4, 300)).astype(np.float32)

    for row, mean, deviation, cube_root in zip(scores, *many(scores), strict=True):
        alone = Bulk.of(row)
        assert cube_root == alone.cube_roots
        assert mean == pytest.approx(alone.mean, abs=0.005)
        assert deviation == pytest.approx(alone.deviation, rel=0.05)
