"""Where the time of an answer goes."""

from pathlib import Path

from kkcv.embedding.embedder import Embedder
from kkcv.query import Like, Region
from kkcv.search.gallery import Gallery
from kkcv.timing import STEPS, timed


def test_a_search_goes_through_every_step(
    made_gallery: Path, embedder: Embedder, album: list[Path]
) -> None:
    part = Like(album[0], region=Region(0, 0, 0.5, 1))
    with Gallery.open(made_gallery, embedder) as gallery:
        with timed() as whole:
            gallery.search(album[0])
        with timed() as of_a_part:
            gallery.search_like([part])
        with timed() as by_id:
            gallery.search_id(1)

    assert set(whole) == set(of_a_part) == set(STEPS)
    assert set(by_id) == {"search"}
    assert all(seconds > 0 for seconds in whole.values())
