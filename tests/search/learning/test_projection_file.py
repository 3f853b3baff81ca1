"""A projection that one gallery has learned is kept as a file, and used by another."""

from pathlib import Path

import numpy as np
import pytest

from kkcv.checkpoint import Checkpoint
from kkcv.embedding.embedder import Embedder
from kkcv.errors import DataError, EmbedderMismatch, RequestError
from kkcv.search.engine.projection import Projection
from kkcv.search.gallery import Gallery
from kkcv.search.importing import import_pictures
from kkcv.search.learning.adapt import adopt, undo
from kkcv.search.learning.projection_file import read, save, use
from tests.search.conftest import PREPROCESS

from .test_adapt import paint_labelled

MATRIX = np.random.default_rng(0).normal(size=(48, 8)).astype(np.float16)


@pytest.fixture
def labelled(gallery: Gallery, tmp_path: Path) -> Gallery:
    import_pictures(gallery, paint_labelled(tmp_path / "photos", 24))
    return gallery


def test_another_gallery_finds_through_the_same_projection(
    labelled: Gallery, embedder: Embedder, tmp_path: Path
) -> None:
    adopt(labelled, Projection(MATRIX))
    save(labelled, tmp_path / "learned.npz")

    with Gallery.create(tmp_path / "other", embedder) as other:
        import_pictures(other, [tmp_path / "photos"])
        plain = other.space
        use(other, tmp_path / "learned.npz")

        assert other.space == labelled.space
        paths = [labelled.get(id).file.path for id in range(1, 25)]
        for path in paths[:5]:
            ours, theirs = (
                {hit.path: round(hit.score, 3) for hit in each.search(path, k=24)}
                for each in (other, labelled)
            )
            assert ours == theirs
        undo(other)
        assert other.space == plain


def test_a_projection_of_another_network_is_refused(
    labelled: Gallery, embedder: Embedder, tmp_path: Path
) -> None:
    adopt(labelled, Projection(MATRIX))
    save(labelled, tmp_path / "learned.npz")
    another = Embedder(Checkpoint("grid", "another", None, PREPROCESS), runtime="grid")

    with (
        Gallery.create(tmp_path / "other", another) as other,
        pytest.raises(EmbedderMismatch, match=r"was learned for grid, and .* was made by another"),
    ):
        use(other, tmp_path / "learned.npz")


def test_nothing_learned_is_nothing_to_save(labelled: Gallery, tmp_path: Path) -> None:
    with pytest.raises(RequestError, match="has no projection to save: kkcv adapt learns one"):
        save(labelled, tmp_path / "learned.npz")


@pytest.mark.parametrize(
    "kind", ["missing", "text", "npy", "npz of something", "cut", "wrong shape"]
)
def test_what_is_no_projection_is_said(labelled: Gallery, tmp_path: Path, kind: str) -> None:
    file = tmp_path / "file.npz"
    if kind == "text":
        file.write_text("hello")
    elif kind == "npy":
        with file.open("wb") as out:
            np.save(out, np.ones(3))
    elif kind == "cut":
        np.savez(tmp_path / "whole.npz", a=np.ones(3))
        file.write_bytes((tmp_path / "whole.npz").read_bytes()[:-30])
    elif kind == "npz of something":
        np.savez(file, a=np.ones(3))
    elif kind == "wrong shape":
        adopt(labelled, Projection(MATRIX))
        save(labelled, tmp_path / "right.npz")
        space = np.load(tmp_path / "right.npz")["space"]
        np.savez(file, matrix=MATRIX[:5], space=space)

    said = "cannot be read: No such file" if kind == "missing" else "holds no projection"
    with pytest.raises(DataError, match=said):
        read(file)
