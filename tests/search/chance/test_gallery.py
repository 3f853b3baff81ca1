"""The meaning of a score in a gallery, and answers that say that there is nothing."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from kkcv.cli.search import by_chance
from kkcv.embedding.embedder import Embedder
from kkcv.embedding.space import unit
from kkcv.errors import RequestError
from kkcv.search.chance import store
from kkcv.search.chance.model import Calibration, calibrated
from kkcv.search.gallery import Gallery
from kkcv.search.picture import PictureFile

Paint = Callable[..., Path]


@pytest.fixture
def filled(gallery: Gallery, paint: Paint) -> Gallery:
    for n in range(60):
        gallery.add(paint(f"{n}.png", n))
    return gallery


def test_every_hit_tells_how_often_chance_makes_its_score(filled: Gallery, paint: Paint) -> None:
    hits = filled.search(paint("7.png", 7), k=60)

    chances = [hit.chance for hit in hits]
    assert None not in chances
    assert chances == sorted(chances)
    assert chances[0] < 1e-4
    pairs = np.array([h.score for p in filled.pictures() for h in filled.search_id(p.id, 1000)])
    for hit in hits[1:]:
        counted = (pairs >= hit.score).mean()
        assert hit.chance <= 1.3 * counted + 0.03


def test_a_cut_off_by_chance_leaves_the_match_alone(filled: Gallery, paint: Paint) -> None:
    assert len(filled.search(paint("7.png", 7), max_chance=1e-4)) == 1
    assert filled.search(paint("stranger.png", 99), max_chance=1e-4) == []


def test_a_query_is_compared_with_pictures_that_are_there(
    gallery: Gallery, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of a large gallery random ids are drawn, most of which may be of removed pictures."""
    monkeypatch.setattr(store, "SAMPLE", 50)
    vectors = unit(np.random.default_rng(0).normal(size=(600, 48))).astype(np.float32)
    with gallery.catalog.writing() as writer:
        for n, vector in enumerate(vectors):
            writer.add(PictureFile(f"/{n}.png", False, n.to_bytes(32), 1, 1), vector, {})
    gallery.remove(range(1, 541))

    with gallery.catalog.reading() as rows:
        calibration = gallery.generation.calibration.get(rows)
        few = gallery.generation.calibration.few(rows, calibration)

    assert few.shape[1] > 30
    assert np.allclose(np.linalg.norm(few, axis=0), 1, atol=1e-3)


def test_fewer_than_thirty_pictures_say_nothing_of_chance(gallery: Gallery, paint: Paint) -> None:
    for n in range(29):
        gallery.add(paint(f"{n}.png", n))

    assert {hit.chance for hit in gallery.search(paint("0.png", 0))} == {None}
    with pytest.raises(RequestError) as error:
        gallery.search(paint("0.png", 0), max_chance=1e-3)
    assert str(error.value) == (
        "a cut-off by chance needs a gallery of 30 pictures; use a score: min_score"
    )


def test_what_so_few_pairs_cannot_tell_is_not_told(filled: Gallery, paint: Paint) -> None:
    with pytest.raises(RequestError) as error:
        filled.search(paint("0.png", 0), max_chance=1e-9)

    assert str(error.value) == "this gallery can tell chances down to 5.7e-05, not 1e-09"
    assert len(filled.search(paint("0.png", 0), max_chance=5.7e-05)) == 1  # what is said is so


def test_the_calibration_is_kept_and_measured_again_when_the_gallery_has_grown(
    filled: Gallery, paint: Paint, embedder: Embedder
) -> None:
    def kept() -> int:
        return json.loads((filled.folder / "chance.json").read_text())["pictures"]

    filled.search(paint("0.png", 0))
    assert kept() == 60

    for n in range(60, 72):
        filled.add(paint(f"{n}.png", n))
    with Gallery.open(filled.folder, embedder) as again:
        again.search(paint("0.png", 0))
        assert kept() == 60  # a fifth more is the same gallery
        again.add(paint("73.png", 73))
    with Gallery.open(filled.folder, embedder) as grown:
        grown.search(paint("0.png", 0))

    assert kept() == 73


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"tail": 1}', "null"])
def test_a_damaged_calibration_is_made_again(filled: Gallery, paint: Paint, text: str) -> None:
    before = filled.search(paint("0.png", 0))
    (filled.folder / "chance.json").write_text(text)

    with Gallery.open(filled.folder, filled.embedder) as again:
        assert again.search(paint("0.png", 0)) == before


def test_labels_say_which_pairs_are_unrelated(embedder: Embedder) -> None:
    """Where labels are known, only pairs of two labels are counted."""
    random = np.random.default_rng(0)
    centers = np.repeat(random.normal(size=(10, 40)), 12, axis=0)
    vectors = centers + random.normal(size=centers.shape)
    vectors = (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)
    labels = [str(n // 12) for n in range(120)]

    known = calibrated("space", 120, vectors, labels)
    guessed = calibrated("space", 120, vectors)

    assert known is not None
    assert guessed is not None
    assert known.pairs == 120 * 108 // 2
    unrelated = (vectors @ vectors.T)[np.repeat(np.eye(10) == 0, 12, 0).repeat(12, 1)]
    for rate in (0.1, 0.01, 0.002):
        assert known.cut(rate) == pytest.approx(np.quantile(unrelated, 1 - rate), abs=0.01)
        assert guessed.cut(rate) == pytest.approx(known.cut(rate), abs=0.12)


def test_a_calibration_comes_back_from_json() -> None:
    random = np.random.default_rng(0)
    vectors = random.normal(size=(50, 8)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    made = calibrated("space", 50, vectors)
    assert made is not None

    again = Calibration.from_dict(json.loads(json.dumps(made.to_dict())))

    assert again == made
    assert again.chance(again.cut(0.01)) <= 0.01 < again.chance(again.cut(0.01) - 1e-6)


@pytest.mark.parametrize(
    ("chance", "words"),
    [
        (None, ""),
        (1.0, "1 in 1"),
        (0.13, "1 in 8"),
        (1 / 20_345, "1 in 20,000"),
        (1e-7, "1 in 10,000,000"),
    ],
)
def test_a_chance_in_words(chance: float | None, words: str) -> None:
    assert by_chance(chance) == words


def test_nothing_like_it_here_is_an_answer(pictures: Path, tmp_path: Path) -> None:
    """Photographs of ten kinds of things: another one is found, a handwritten digit is not."""
    with Gallery.create(tmp_path / "gallery") as gallery:
        kinds = sorted((pictures / "imagenette").iterdir())
        kinds = [kind for kind in kinds if kind.is_dir()]
        for kind in kinds:
            for path in sorted(kind.iterdir())[:8]:
                gallery.add(path)
        others = [path for kind in kinds for path in sorted(kind.iterdir())[20:23]]
        strangers = sorted((pictures / "digits" / "mnist_png").rglob("*.png"))[::10]

        found = [bool(gallery.search(path, max_chance=1e-3)) for path in others]
        mistaken = [bool(gallery.search(path, max_chance=1e-3)) for path in strangers]

    assert sum(found) >= 0.7 * len(others)
    assert sum(mistaken) <= 0.05 * len(strangers)
