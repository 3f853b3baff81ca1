"""The picture that a query was taken from, or that was put into it, whatever was done to it."""

from collections.abc import Callable, Iterator
from contextlib import nullcontext
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont, ImageOps

from kkcv.deadline import within
from kkcv.embedding.embedder import Embedder
from kkcv.errors import RequestError, TimedOut
from kkcv.hit import Hit
from kkcv.images.decode import decode
from kkcv.images.disturb import compressed, on_a_page, pasted_into
from kkcv.images.limits import DEFAULT_LIMITS
from kkcv.query import Like
from kkcv.search import copies
from kkcv.search.confirming import Confirming, by_what_they_show
from kkcv.search.gallery import Gallery
from kkcv.search.importing import import_pictures
from kkcv.search.parts import WHOLE
from kkcv.search.proposing import tries
from kkcv.search.verification.agreement import is_flat
from kkcv.search.verification.features import features, features_of
from kkcv.search.verification.geometry import Match, match
from kkcv.search.verification.verify import Verifier

Change = Callable[[Image.Image], Image.Image]


@pytest.fixture(scope="module")
def photographs(pictures: Path) -> list[Path]:
    return sorted((pictures / "imagenet_sample_300").glob("*.JPEG"))[:24]


@pytest.fixture(scope="module", params=["efficientnet_lite0+parts", "efficientnet_lite0"])
def filled(
    request: pytest.FixtureRequest,
    tmp_path_factory: pytest.TempPathFactory,
    photographs: list[Path],
) -> Iterator[Gallery]:
    folder = tmp_path_factory.mktemp("copies") / "gallery"
    with Gallery.create(folder, Embedder.load(request.param)) as opened:
        import_pictures(opened, photographs)
        yield opened


def opened(path: Path) -> Image.Image:
    return Image.fromarray(decode(path))


def quarter(picture: Image.Image) -> Image.Image:
    return picture.crop((picture.width // 2, 0, picture.width, picture.height // 2))


def turned(picture: Image.Image) -> Image.Image:
    return picture.transpose(Image.Transpose.ROTATE_270)  # clockwise by 90


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda picture: picture, "whole"),
        (quarter, "crop"),
        (turned, "turned by 90"),
        (ImageOps.mirror, "mirrored"),
        (lambda picture: turned(ImageOps.mirror(picture)), "mirrored, turned by 90"),
        (on_a_page, "in the query"),
        (compressed(5), "whole"),
    ],
    ids=["whole", "crop", "turned", "mirrored", "both", "page", "compressed"],
)
def test_the_original_comes_first_and_the_hit_says_what_was_done(
    filled: Gallery, photographs: list[Path], change: Change, words: str
) -> None:
    right = 0
    for path in photographs[:6]:
        first = filled.search(change(opened(path)), 3, copies=True)[0]

        right += first.path == str(path) and first.match == words and first.points >= 8

    assert right >= 5


@pytest.mark.parametrize("change", [lambda picture: picture, quarter, turned])
def test_a_copy_and_its_mirror_image_are_both_found(
    photographs: list[Path], tmp_path: Path, change: Change
) -> None:
    ImageOps.mirror(opened(photographs[0])).save(tmp_path / "mirrored.png")
    with Gallery.create(tmp_path / "gallery", Embedder.load("efficientnet_lite0+parts")) as gallery:
        import_pictures(gallery, [*photographs[:8], tmp_path / "mirrored.png"])

        hits = gallery.search(change(opened(photographs[0])), 3, copies=True)

    assert [Path(hit.path).name for hit in hits[:2]] == [photographs[0].name, "mirrored.png"]
    assert "mirrored" in hits[1].match
    assert hits.divider == 2


def test_a_mirrored_copy_is_found_without_the_other_views_of_the_query(
    filled: Gallery, photographs: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(copies, "GROUPS", ())
    for path in photographs[:4]:
        first = filled.search(ImageOps.mirror(opened(path)), 3, copies=True)[0]

        assert (first.path, first.match) == (str(path), "mirrored")


def test_the_picture_itself_comes_before_its_turned_copies(
    photographs: list[Path], tmp_path: Path
) -> None:
    """Also where a turned copy happens to share more points."""
    for path in photographs[:6]:
        turned(opened(path)).save(tmp_path / f"turned {path.stem}.png")
    with Gallery.create(tmp_path / "gallery", Embedder.load("efficientnet_lite0")) as gallery:
        import_pictures(gallery, [*photographs[:6], *tmp_path.glob("*.png")])

        first = [gallery.search(path, 1, copies=True)[0].path for path in photographs[:6]]

    assert first == [str(path) for path in photographs[:6]]


def test_places_are_told_in_the_hit_and_in_the_query(
    filled: Gallery, photographs: list[Path]
) -> None:
    first = filled.search(quarter(opened(photographs[0])), 1, copies=True)[0]

    np.testing.assert_allclose(first.place, [[0.5, 0], [1, 0], [1, 0.5], [0.5, 0.5]], atol=0.03)
    np.testing.assert_allclose(first.query_place, [[-1, 0], [1, 0], [1, 2], [-1, 2]], atol=0.06)


def test_a_picture_that_is_not_there_is_confirmed_by_nothing(
    filled: Gallery, pictures: Path
) -> None:
    others = sorted((pictures / "cats_dogs" / "val" / "cats").iterdir())[:8]

    answers = [filled.search(path, 5, copies=True) for path in others]

    assert all(hits and hits[0].points == 0 and hits[0].match == "" for hits in answers)
    assert [hits.divider for hits in answers] == [0] * len(answers)
    assert repr(answers[0]).endswith(
        "no copy of it was confirmed here; the nearest are not confirmed"
    )


def test_chance_makes_the_best_of_many_scores_so_many_times_as_often() -> None:
    """Five parts beside the whole, and ten views of the query beside the query as it is."""
    views, through = np.array([0, 0, 3, 3]), np.array([WHOLE, 2, WHOLE, 2])

    assert tries(views, through).tolist() == [1, 6, 11, 66]


def test_the_divider_follows_the_last_copy(filled: Gallery, photographs: list[Path]) -> None:
    other = opened(photographs[1])
    both = pasted_into(other)(opened(photographs[0]))

    one = filled.search(quarter(other), 5, copies=True)
    two = filled.search(both, 5, copies=True)

    assert (one.divider, one[1:].divider, two.divider) == (1, 0, 2)
    assert repr(one).endswith("from rank 2 on not confirmed")


def test_a_filter_and_a_removal_hold_for_copies(filled: Gallery, photographs: list[Path]) -> None:
    here = filled.find(str(photographs[1]))

    others = filled.search(photographs[1], 5, copies=True, where=f"id != {here.id}")
    itself = filled.search_id(here.id, 5, copies=True)

    assert here.id not in [hit.id for hit in (*others, *itself)]


def test_copies_are_of_one_picture(filled: Gallery, photographs: list[Path]) -> None:
    with pytest.raises(RequestError) as error:
        filled.search_like([Like(photographs[0]), Like(photographs[1])], copies=True)

    assert str(error.value) == "copies are found of one picture, not of several or of a text"
    assert error.value.field == "copies"


def test_a_search_for_copies_ends_at_its_deadline(filled: Gallery, photographs: list[Path]) -> None:
    with within(0), pytest.raises(TimedOut):
        filled.search(photographs[0], copies=True)


def test_what_was_pasted_into_a_picture_comes_before_more_pictures_of_the_same_scene() -> None:
    left = np.array([[x, y] for x in range(8) for y in range(16)])
    right = np.array([[x, y] for x in range(10, 16) for y in range(3)])
    sure = [(left, "the picture"), (left[::2], "its scene"), (right, "what was pasted")]

    order = by_what_they_show([(cells, Hit(0, 0.9, name, {})) for cells, name in sure])

    assert [hit.path for hit in order] == ["the picture", "what was pasted", "its scene"]


def test_a_copy_is_flat_and_another_photograph_of_the_scene_is_seen_in_perspective() -> None:
    turned_and_off_by_a_little = [[0.2, 0.1], [0.9, 0.3], [0.7, 1.0], [0.005, 0.795]]
    from_the_left = [[0.0, 0.0], [1.0, 0.05], [1.0, 0.95], [0.0, 1.0]]

    assert is_flat(seen_at(turned_and_off_by_a_little))
    assert not is_flat(seen_at(from_the_left))


def seen_at(place: list[list[float]]) -> Match:
    points = np.zeros((100, 2), np.float32)
    return Match(points, points, np.array(place, np.float32), np.array(place, np.float32), 0.0)


def test_another_photograph_of_the_same_scene_comes_first_and_is_no_copy(
    tmp_path: Path, pictures: Path
) -> None:
    """Two photographs of the same pile of tomatoes."""
    photographs = sorted((pictures / "produce" / "Tomato-Vine-Tomato").iterdir())
    other, here = photographs[2:4]
    with Gallery.create(tmp_path / "gallery") as gallery:
        import_pictures(gallery, [here, *photographs[4:9]])
        first = gallery.search(other, 1, copies=True)[0]
        itself = gallery.search(here, 1, copies=True)[0]

    assert (first.path, first.points, first.match) == (str(here), 0, "")
    assert first.place is not None
    assert (itself.path, itself.match) == (str(here), "whole")


@pytest.mark.parametrize(
    ("change", "is_all"),
    [(lambda picture: picture, True), (turned, True), ("pasted", False), (on_a_page, False)],
    ids=["whole", "turned", "pasted", "page"],
)
def test_what_one_hit_explains_is_not_asked_for_in_other_ways(
    filled: Gallery, photographs: list[Path], change: Change | str, is_all: bool
) -> None:
    explained = []
    for path, other in zip(photographs[:6], photographs[6:12], strict=True):
        made = pasted_into(opened(path))(opened(other)) if change == "pasted" else None
        query = np.array(made or change(opened(path)))
        confirming = Confirming(
            features(query), query, Verifier(filled, nullcontext, DEFAULT_LIMITS)
        )

        confirming.look([hit.id for hit in filled.search(path, 10)])

        explained.append(confirming.explained)
    assert sum(explained) >= 4 if is_all else not any(explained)


def test_a_watermark_that_two_photographs_share_makes_them_no_copies(
    tmp_path: Path, pictures: Path, photographs: list[Path]
) -> None:
    """Their points agree in it, and nothing around it does."""
    first, second = (
        marked(opened(path).resize((400, 400)), tmp_path / f"{n}.png")
        for n, path in enumerate(photographs[:2])
    )
    with Gallery.create(tmp_path / "gallery") as gallery:
        import_pictures(gallery, [first, *photographs[2:8]])
        hit = gallery.search(second, 1, copies=True)[0]
        again = gallery.search(first, 1, copies=True)[0]

    assert match(features_of(first), features_of(second)) is not None
    assert (hit.path, hit.points) == (str(first), 0)
    assert again.match == "whole"


def marked(picture: Image.Image, path: Path) -> Path:
    font = ImageFont.load_default(40)
    ImageDraw.Draw(picture).text(
        (20, 20), "PHOTO ARCHIVE 2026", "white", font, stroke_width=3, stroke_fill="black"
    )
    picture.save(path)
    return path
