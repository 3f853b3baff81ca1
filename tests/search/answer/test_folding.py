"""Near-duplicates as one hit, against folding everything by hand."""

import io
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from kkcv.errors import RequestError
from kkcv.search.gallery import Gallery

Paint = Callable[..., Path]
SHOTS = 30


def shot(path: Path, number: int) -> bytes:
    """Nearly the picture, each time a little different."""
    with Image.open(path) as picture:
        pixels = np.array(picture.convert("RGB")).astype(int)
    pixels[number % 64, 0] = number * 8
    out = io.BytesIO()
    Image.fromarray(pixels.clip(0, 255).astype(np.uint8)).save(out, "PNG")
    return out.getvalue()


@pytest.fixture
def bursts(gallery: Gallery, paint: Paint) -> dict[int, int]:
    """Which motif each id shows: of the first thirty shots, of four others one each."""
    motifs = {}
    for number in range(SHOTS):
        motifs[gallery.add(shot(paint("0.png", 0), number)).id] = 0
    for seed in range(1, 5):
        motifs[gallery.add(paint(f"{seed}.png", seed)).id] = seed
    return motifs


def test_many_shots_of_one_moment_are_one_hit_and_the_others_come_up(
    gallery: Gallery, paint: Paint, bursts: dict[int, int]
) -> None:
    plain = gallery.search(paint("0.png", 0), k=3)

    hits = gallery.search(paint("0.png", 0), k=3, fold=0.95)

    assert [bursts[hit.id] for hit in plain] == [0, 0, 0]
    assert len({bursts[hit.id] for hit in hits}) == 3
    first = hits[0]
    assert (first.id, first.score) == (plain[0].id, plain[0].score)
    assert sorted((first.id, *first.folded)) == [id for id, motif in bursts.items() if not motif]
    assert [hit.score for hit in hits] == sorted((hit.score for hit in hits), reverse=True)


def test_without_near_duplicates_folding_changes_nothing(
    gallery: Gallery, paint: Paint, bursts: dict[int, int]
) -> None:
    gallery.remove([id for id, motif in bursts.items() if motif == 0])

    assert gallery.search(paint("1.png", 1), k=9, fold=0.95) == gallery.search(paint("1.png", 1), 9)


def test_similar_to_an_id_and_filters_fold_too(gallery: Gallery, bursts: dict[int, int]) -> None:
    own = next(iter(bursts))

    hits = gallery.search_id(own, k=2, fold=0.95, where=f"id < {SHOTS}")

    assert len(hits) == 1
    assert own not in (hits[0].id, *hits[0].folded)
    assert len(hits[0].folded) == SHOTS - 3  # without the query, the hit and the last shot


@pytest.mark.parametrize("fold", [0, -1, 1.5, float("nan")])
def test_a_fold_that_is_no_score_is_refused(gallery: Gallery, paint: Paint, fold: float) -> None:
    with pytest.raises(RequestError, match=r"up to 1, such as 0\.95, got"):
        gallery.search(paint("0.png", 0), fold=fold)
