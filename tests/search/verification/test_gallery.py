"""Searches that verify: the same object first, and where it is."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from operator import attrgetter
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from benchmarks.scenes import backgrounds, originals, scene
from kkcv.embedding.embedder import Embedder
from kkcv.embedding.gathering import Sharing
from kkcv.errors import RequestError
from kkcv.hit import Hit
from kkcv.images.limits import Limits, at_most_together
from kkcv.query import Like, Region
from kkcv.search.gallery import Gallery
from kkcv.search.verification.making import make_missing, want
from kkcv.search.verification.store import has_features
from kkcv.search.verification.verify import tied

by_id = attrgetter("id")


@pytest.fixture
def filled(
    pictures: Path, tmp_path: Path, embedder: Embedder
) -> tuple[Gallery, list[Path], dict[str, np.ndarray]]:
    """Photographs in which pictures hang, and those pictures; colors say nothing of what hangs."""
    random = np.random.default_rng(0)
    shown, places = [], {}
    with Gallery.create(tmp_path / "gallery", embedder) as gallery:
        pairs = zip(originals(pictures, 4), backgrounds(pictures, 4), strict=True)
        for n, (picture, background) in enumerate(pairs):
            photo, place = scene(picture, background, random)
            path = tmp_path / f"{n}.png"
            Image.fromarray(photo).save(path)
            gallery.add(path, {"n": n})
            shown.append(tmp_path / f"shown{n}.png")
            Image.fromarray(picture).save(shown[-1])
            places[shown[-1].name] = place
        yield gallery, shown, places


Filled = tuple[Gallery, list[Path], dict[str, np.ndarray]]


def test_the_photograph_with_the_object_comes_first_and_says_where_it_is(filled: Filled) -> None:
    gallery, shown, places = filled
    first = 0
    for n, path in enumerate(shown):
        plain, hits = gallery.search(path, 4), gallery.search(path, 4, verify=True)

        unplaced = [
            replace(hit, place=None, query_place=None, points=0, likeness=None) for hit in hits
        ]
        assert sorted(unplaced, key=by_id) == sorted(plain, key=by_id)  # the scores too
        if hits[0].metadata == {"n": n}:
            first += 1
            np.testing.assert_allclose(hits[0].place, places[path.name], atol=0.03)
        assert all(hit.place is None for hit in hits[1:])

    assert first >= 3


def test_by_id_by_region_and_again_from_the_disk_the_answer_is_the_same(filled: Filled) -> None:
    gallery, shown, _ = filled
    added = gallery.add(shown[0])
    hits = gallery.search_id(added.id, 3, verify=True)
    assert hits[0].place is not None

    assert gallery.search_id(added.id, 3, verify=True) == hits
    for file in (gallery.folder / "local").rglob("*.points"):
        file.write_bytes(b"damaged")
    assert gallery.search_id(added.id, 3, verify=True) == hits

    whole = [Like(added.id, region=Region(0, 0, 1, 1))]
    assert gallery.search_like(whole, 3, verify=True)[0].place == hits[0].place


def test_a_hit_whose_file_has_gone_is_a_hit_that_is_not_verified(filled: Filled) -> None:
    gallery, shown, _ = filled
    for picture in list(gallery.pictures()):
        gallery.path(picture).unlink()

    hits = gallery.search(shown[0], 4, verify=True)

    assert hits == gallery.search(shown[0], 4)


def test_a_removed_picture_leaves_no_features(filled: Filled) -> None:
    gallery, shown, _ = filled
    gallery.search(shown[0], 4, verify=True)
    assert len(list((gallery.folder / "local").rglob("*.points"))) == 4

    gallery.remove([picture.id for picture in gallery.pictures()])

    assert not list((gallery.folder / "local").rglob("*.points"))


def test_features_stay_while_a_picture_has_the_bytes(filled: Filled) -> None:
    gallery, shown, _ = filled
    ids = [picture.id for picture in gallery.pictures()]
    gallery.search(shown[0], 4, verify=True)

    def made() -> int:
        return len(list((gallery.folder / "local").rglob("*.points")))

    for words in ("described once", "described again"):  # the second replaces what can be undone
        gallery.describe_many({id: {"words": words} for id in ids})
    assert made() == 4

    copy = shown[0].with_name("copy.png")
    copy.write_bytes(gallery.read(gallery.get(ids[0])))
    gallery.index(copy)
    gallery.remove(ids[0])
    assert made() == 4

    gallery.remove(gallery.find(str(copy)).id)
    assert made() == 3


def test_ties_are_what_scores_do_not_decide(filled: Filled) -> None:
    def hits(*scores: float) -> list[Hit]:
        return [Hit(n, score, "", {}) for n, score in enumerate(scores)]

    assert tied([]) == 0
    assert tied(hits(0.9)) == 0
    assert tied(hits(0.9, 0.8)) == 0
    assert tied(hits(0.9, 0.89, 0.88, 0.5)) == 3
    gallery, shown, _ = filled
    alike = gallery.search(shown[1], 4, verify="ties")
    assert sorted(hit.id for hit in alike) == [1, 2, 3, 4]


def test_a_vector_cannot_be_verified_nor_searched_for_copies(filled: Filled) -> None:
    gallery, _, _ = filled

    for option, what in (("verify", "verify hits"), ("copies", "find copies")):
        with pytest.raises(RequestError) as error:
            gallery.search_vector(np.zeros(48, np.float32), **{option: True})

        words = f"to {what} takes the picture itself; here are only vectors"
        assert (str(error.value), error.value.field) == (words, option)


def test_pictures_are_decoded_in_their_turn(filled: Filled) -> None:
    """The embedding's and the verification's: a service decodes only so many at once."""
    gallery, shown, _ = filled
    turns: list[None] = []

    @contextmanager
    def turn() -> Iterator[None]:
        turns.append(None)
        yield

    gallery.share(Sharing(turn=turn))
    gallery.search(shown[0], 4, verify=True)

    assert len(turns) == 1 + 1 + 4  # the query for both, each hit


def test_local_features_are_made_ahead_where_a_gallery_wants_them(filled: Filled) -> None:
    gallery, shown, _ = filled

    assert make_missing(gallery) == 4
    assert make_missing(gallery) == 0
    files = list((gallery.folder / "local").rglob("*.points"))
    assert max(file.stat().st_size for file in files) <= 40_000

    want(gallery.catalog)
    added = gallery.add(shown[0])

    assert len(list((gallery.folder / "local").rglob("*.points"))) == 5

    other = gallery.replace(added.id, shown[1])

    assert has_features(gallery.folder, other.file.sha256)
    assert not has_features(gallery.folder, added.file.sha256)


def test_a_picture_beyond_the_usual_limits_is_added_with_its_features(filled: Filled) -> None:
    gallery, shown, _ = filled
    want(gallery.catalog)
    wide = shown[0].with_name("wide.png")
    with Image.open(shown[0]) as picture:
        picture.resize((70_000, 40)).save(wide)

    added = gallery.add(wide, limits=Limits(max_side=100_000))

    assert has_features(gallery.folder, added.file.sha256)


def test_a_picture_is_added_where_its_request_may_decode_no_more(filled: Filled) -> None:
    gallery, shown, _ = filled
    want(gallery.catalog)
    with Image.open(shown[0]) as picture:
        width, height = picture.size

    with at_most_together(width * height):  # enough for its embedding
        added = gallery.add(shown[0])

    assert added.id in gallery
    assert not has_features(gallery.folder, added.file.sha256)
