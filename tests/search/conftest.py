"""Galleries that a person can check by eye: an embedding here is the colors of a 4x4 grid."""

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from kkcv.checkpoint import Checkpoint
from kkcv.embedding.embedder import Embedder
from kkcv.embedding.runtimes import RUNTIMES, Runtime
from kkcv.images.preprocess import Preprocess
from kkcv.search.gallery import Gallery
from kkcv.search.opened import generation

from .shown_engine import shown_engine


class GridOfColors(Runtime):
    """The mean color, less grey, of each of 4x4 fields: (N, 32, 32, 3) → (N, 48)."""

    dim = 48

    def run(self, crops: np.ndarray) -> np.ndarray:
        batch = PREPROCESS.normalize(crops)
        fields = batch.reshape(len(batch), 3, 4, 8, 4, 8).mean(axis=(3, 5))
        return fields.reshape(len(batch), self.dim)


PREPROCESS = Preprocess(
    size=(32, 32), resize=32, interpolation="bilinear", mean=(0.5,) * 3, std=(0.5,) * 3
)


@pytest.fixture(params=["sqlite", "milvus", "shown"])
def address(request: pytest.FixtureRequest, tmp_path: Path, unused: str) -> Iterator[str]:
    """An address on each engine where there is no gallery yet."""
    if request.param == "sqlite":
        yield str(tmp_path / "gallery")
    elif request.param == "milvus":
        yield f"{request.getfixturevalue('milvus')}/{unused}?files={tmp_path / 'files'}"
    else:
        with shown_engine() as scheme:
            yield f"{scheme}://{tmp_path / 'gallery.json'}"


@pytest.fixture
def embedder(monkeypatch: pytest.MonkeyPatch) -> Embedder:
    monkeypatch.setitem(RUNTIMES, "grid", lambda *_: GridOfColors())
    return Embedder(Checkpoint("grid", "grid", None, PREPROCESS), runtime="grid")


@pytest.fixture
def gallery(tmp_path: Path, embedder: Embedder) -> Gallery:
    with Gallery.create(tmp_path / "gallery", embedder) as made:
        yield made


@pytest.fixture
def paint(tmp_path: Path) -> Callable[..., Path]:
    """``paint("red.png", "red")``: a picture of random fields around a color, in ``photos/``."""

    def make(name: str, seed: int = 0) -> Path:
        path = tmp_path / "photos" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        fields = np.random.default_rng(seed).integers(0, 256, (4, 4, 3), np.uint8)
        Image.fromarray(fields).resize((64, 64), Image.Resampling.NEAREST).save(path)
        return path

    return make


class Quadrants(Runtime):
    """Another network: the mean color of each quadrant, (N, 32, 32, 3) → (N, 12)."""

    dim = 12

    def run(self, crops: np.ndarray) -> np.ndarray:
        batch = PREPROCESS.normalize(crops)
        fields = batch.reshape(len(batch), 3, 2, 16, 2, 16).mean(axis=(3, 5))
        return fields.reshape(len(batch), self.dim)


@pytest.fixture
def other(monkeypatch: pytest.MonkeyPatch) -> Embedder:
    monkeypatch.setitem(RUNTIMES, "quadrants", lambda *_: Quadrants())
    checkpoint = Checkpoint("quadrants", "quadrants", None, PREPROCESS)
    return Embedder(checkpoint, runtime="quadrants")


@pytest.fixture
def loadable(monkeypatch: pytest.MonkeyPatch, embedder: Embedder, other: Embedder) -> None:
    """Both networks can be loaded by name, as those of the zoo can."""
    made = {"grid": embedder, "quadrants": other}
    monkeypatch.setattr(generation, "Embedder", lambda model, *args, **options: made[model])
