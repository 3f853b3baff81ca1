"""A gallery learns from its labels when that helps, and forgets in one step."""

import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from kkcv.checkpoint import Checkpoint
from kkcv.embedding.embedder import Embedder
from kkcv.embedding.space import unit
from kkcv.errors import DataError, MissingExtra, RequestError
from kkcv.search.engine.projection import Projection
from kkcv.search.exchange.loading import import_parquet
from kkcv.search.exchange.parquet import export
from kkcv.search.gallery import Gallery
from kkcv.search.importing import import_pictures
from kkcv.search.learning.adapt import adapt, adopt, is_better, undo
from kkcv.search.maintenance import reindex
from tests.search.conftest import PREPROCESS

Paint = Callable[..., Path]
LABELS = ("red", "green", "blue", "grey")


def paint_labelled(folder: Path, count: int, seed: int = 0) -> list[Path]:
    """Pictures whose label is in the color of the corners, while all else is louder and random."""
    random = np.random.default_rng(seed)
    paths = []
    for n in range(count):
        label = n % len(LABELS)
        fields = random.integers(64, 192, (4, 4, 3))
        fields[::3, ::3] = 128
        if label < 3:
            fields[::3, ::3, label] = 200
        path = folder / LABELS[label] / f"{seed}-{n}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        large = Image.fromarray(fields.astype(np.uint8)).resize((64, 64), Image.Resampling.NEAREST)
        large.save(path)
        paths.append(path)
    return paths


@pytest.fixture
def labelled(gallery: Gallery, tmp_path: Path) -> Gallery:
    import_pictures(gallery, paint_labelled(tmp_path / "photos", 160))
    return gallery


def right(gallery: Gallery, paths: list[Path]) -> float:
    """How often the first hit of a picture that the gallery does not have is of its label."""
    hits = [gallery.search(path, k=1)[0] for path in paths]
    return np.mean(
        [Path(hit.path).parent.name == p.parent.name for hit, p in zip(hits, paths, strict=True)]
    )


@pytest.mark.slow  # another process that learns
def test_what_helps_is_learned_used_everywhere_and_undone(
    labelled: Gallery, embedder: Embedder, tmp_path: Path
) -> None:
    new = paint_labelled(tmp_path / "new", 40, seed=1)
    plain, space = right(labelled, new), labelled.space
    with labelled.catalog.reading() as rows:
        stored = np.concatenate([vectors for _, vectors in rows.vectors()])

    report = adapt(labelled)

    assert report.adopted
    assert (report.pictures, report.labels) == (160, 4)
    assert report.after.mean_average_precision > report.before.mean_average_precision + 0.05
    assert right(labelled, new) > plain
    assert labelled.space != space
    assert labelled.space.fingerprint != space.fingerprint
    added = labelled.add(new[0])
    with Gallery.open(labelled.folder, embedder) as opened:  # as another process has it
        assert opened.space == labelled.space
        assert opened.search(new[0], k=1)[0].id == added.id
        assert opened.search_id(1, k=3) == labelled.search_id(1, k=3)
        matrix = Projection.from_text(opened.catalog.settings["projection"])
    with labelled.catalog.reading() as rows:
        seen = rows.vectors_of(np.arange(1, 161))
    np.testing.assert_allclose(seen, unit(stored @ matrix.matrix.astype(np.float32)), atol=1e-5)

    undo(labelled)

    assert labelled.space == space
    assert right(labelled, new[1:]) == pytest.approx(plain, abs=0.05)
    with labelled.catalog.reading() as rows:
        again = rows.vectors_of(np.arange(1, 161))
        assert rows.vector(added.id) == pytest.approx(
            embedder.embed_picture(new[0]).astype(np.float16)
        )
    np.testing.assert_array_equal(again, stored)  # not a bit was lost
    with pytest.raises(RequestError, match="has no projection to undo"):
        undo(labelled)


@pytest.mark.slow  # another process that learns
def test_labels_that_say_nothing_are_not_learned(gallery: Gallery, paint: Paint) -> None:
    for n in range(80):
        gallery.add(paint(f"{n}.png", n), {"kind": "ab"[n % 2]})
    space = gallery.space

    report = adapt(gallery, "kind")

    assert not report.adopted
    assert gallery.space == space


def test_too_little_to_learn_from_is_said(gallery: Gallery, paint: Paint) -> None:
    for n in range(10):
        gallery.add(paint(f"{n}.png", n), {"kind": "ab"[n % 2]})

    with pytest.raises(DataError) as error:
        adapt(gallery, "kind")

    assert str(error.value) == (
        f"{gallery.address} has 10 pictures that share their label with another, of 2 labels; "
        "40 of 2 are needed (label: metadata key 'kind')"
    )


def test_what_chance_explains_is_no_reason() -> None:
    random = np.random.default_rng(0)
    was = random.random((2, 400))

    assert not is_better(was, was)
    assert not is_better(was, was + random.normal(0, 0.3, was.shape) * [[1], [0]])
    assert is_better(was, was + np.array([[0.02], [0.0]]))
    assert not is_better(was, was + np.array([[0.02], [-0.01]]))  # the first hit counts too


def test_a_projection_comes_back_from_its_text() -> None:
    matrix = np.random.default_rng(0).normal(size=(5, 3)).astype(np.float16)
    projection = Projection(matrix)

    again = Projection.from_text(projection.to_text())

    np.testing.assert_array_equal(again.matrix, matrix)
    assert again.fingerprint == projection.fingerprint
    assert projection(np.ones(5, np.float32)).shape == (3,)


def test_the_extra_is_named(gallery: Gallery, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "path", [])
    monkeypatch.setattr(sys, "path_importer_cache", {})

    with pytest.raises(MissingExtra, match=r"pip install 'kkcv\[adapt\]'"):
        adapt(gallery)


def test_another_network_forgets_the_projection_and_undo_brings_it_back(
    labelled: Gallery, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A projection is of the vectors of one network."""
    matrix = Projection(np.random.default_rng(0).normal(size=(48, 8)).astype(np.float16))
    adopt(labelled, matrix)
    adapted = labelled.space
    assert all(hit.score <= 1 for hit in labelled.search_id(1, k=160))
    assert labelled.search(labelled.path(labelled.get(7)), k=1)[0].id == 7
    other = Embedder(Checkpoint("grid", "other", None, PREPROCESS), runtime="grid")

    reindex.reindex(labelled, other)
    assert labelled.space == other.space
    first = Embedder(Checkpoint("grid", "grid", None, PREPROCESS), runtime="grid")
    monkeypatch.setattr(reindex, "embedder_for", lambda *_: first)
    reindex.undo(labelled)

    assert labelled.space == adapted
    assert labelled.space.dim == 8


def test_an_export_has_the_vectors_of_the_network(labelled: Gallery, tmp_path: Path) -> None:
    with labelled.catalog.reading() as rows:
        stored = rows.vectors_of(np.arange(1, 161))
    adopt(labelled, Projection(np.eye(48, 8, dtype=np.float16)))

    export(labelled, tmp_path / "out.parquet")
    import_parquet(tmp_path / "again", tmp_path / "out.parquet")

    with Gallery.open(tmp_path / "again") as again, again.catalog.reading() as rows:
        np.testing.assert_array_equal(rows.vectors_of(np.arange(1, 161)), stored)
