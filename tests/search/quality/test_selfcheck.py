"""How often a gallery finds the originals of disturbed copies, with a network of mean colors."""

from collections.abc import Callable
from pathlib import Path

import pytest

from kkcv.errors import GalleryError
from kkcv.search.gallery import Gallery
from kkcv.search.importing import import_pictures
from kkcv.search.quality.selfcheck import selfcheck

Paint = Callable[..., Path]


def test_each_disturbance_has_its_rate(gallery: Gallery, paint: Paint) -> None:
    """Fields of color survive compression and not a half turn."""
    for n in range(30):
        gallery.add(paint(f"{n}.png", n))
    told: list[tuple[int, int]] = []

    found = selfcheck(gallery, 12, progress=lambda *step: told.append(step))

    rates = {(row.disturbance, row.strength): row for row in found.rows}
    assert found.pictures == 12
    assert rates["as it is", ""].first == 1
    assert rates["compressed", "JPEG quality 50"].first == 1
    assert rates["turned", "180°"].first < 0.5
    assert all(row.first <= row.top5 for row in found.rows)
    assert told[-1] == (12, 12)


def test_a_picture_that_lies_there_twice_counts_as_found(gallery: Gallery, paint: Paint) -> None:
    paths = [paint(f"{n}.png", n % 5) for n in range(10)]
    import_pictures(gallery, paths)

    found = selfcheck(gallery, 10)

    assert found.rows[0].first == 1


def test_files_that_have_gone_are_left_out_and_counted(gallery: Gallery, paint: Paint) -> None:
    paths = [paint(f"{n}.png", n) for n in range(4)]
    import_pictures(gallery, paths)
    paths[0].unlink()
    paths[1].write_bytes(b"changed")

    found = selfcheck(gallery)

    assert (found.pictures, found.left_out) == (2, 2)


def test_nothing_to_check_is_an_error(gallery: Gallery) -> None:
    with pytest.raises(GalleryError, match="has no picture that can be read"):
        selfcheck(gallery)


def test_the_catalog_stays_as_it_was(gallery: Gallery, paint: Paint) -> None:
    for n in range(3):
        gallery.add(paint(f"{n}.png", n))
    with gallery.catalog.reading() as rows:
        before = rows.sequence()

    selfcheck(gallery)

    with gallery.catalog.reading() as rows:
        assert rows.sequence() == before
