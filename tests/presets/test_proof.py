"""Each preset embeds pictures and texts as its library's documentation does, on every runtime.

The weights are random, so the vectors mean nothing; that they are the same is what is shown
(benchmarks/presets.py). One network of each library is tried with every change, the others with
``make test-slow``.
"""

import gc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from benchmarks.presets import (
    LARGER,
    RUNTIMES,
    Truth,
    bfloat16_here,
    documented,
    of_larger_pictures,
    of_pictures,
    of_texts,
)
from kkcv.images.decode import decode
from kkcv.presets.preset import presets

QUICK = {  # an export takes ten seconds or more
    "dinov3-small": ("pytorch", "openvino"),
    "mobileclip2-s0": ("pytorch",),
}


def quick_or_slow(name: str, *rest: str, quick: bool) -> Any:
    return pytest.param(name, *rest, marks=() if quick else pytest.mark.slow)


@pytest.fixture(scope="session")
def photos(album: list[Path]) -> list[Image.Image]:
    return [Image.fromarray(decode(path)) for path in album[::3]]


@pytest.fixture(scope="session")
def documents(
    photos: list[Image.Image], tmp_path_factory: pytest.TempPathFactory
) -> Callable[[str], Truth]:
    """``documents("dinov3-small")``: what its library makes of the photos, computed once."""
    made: dict[str, Truth] = {}

    def make(name: str) -> Truth:
        if name not in made:
            made[name] = documented(presets()[name], photos, tmp_path_factory.mktemp(name))
            gc.collect()
        return made[name]

    return make


@pytest.mark.parametrize(
    ("name", "runtime"),
    [
        quick_or_slow(name, runtime, quick=runtime in QUICK.get(name, ()))
        for name in presets()
        for runtime in RUNTIMES
    ],
)
def test_pictures_are_embedded_as_the_library_documents(
    name: str, runtime: str, documents: Callable[[str], Truth], photos: list[Image.Image]
) -> None:
    truth = documents(name)
    assert truth.pictures.shape[1] == truth.preset.numbers
    assert (truth.pictures @ truth.pictures.T).min() < 0.999  # the weights tell pictures apart

    found = of_pictures(truth, photos, runtime, "float32")

    assert found.cosine >= 0.9999
    assert found.apart >= 0.999


@pytest.mark.parametrize(
    "name", [quick_or_slow(name, quick=name == "dinov3-small") for name in presets()]
)
def test_bfloat16_stays_near(
    name: str, documents: Callable[[str], Truth], photos: list[Image.Image]
) -> None:
    if not bfloat16_here():
        pytest.skip("this processor has no bfloat16")

    assert of_pictures(documents(name), photos, "openvino", "bfloat16").cosine >= 0.99


@pytest.mark.slow  # larger pictures
@pytest.mark.parametrize("name", LARGER)
def test_larger_pictures_are_embedded_as_by_the_library_at_that_side(
    name: str, documents: Callable[[str], Truth], photos: list[Image.Image]
) -> None:
    assert of_larger_pictures(documents(name), photos, LARGER[name]).cosine >= 0.9999


@pytest.mark.slow  # each exports its tower
@pytest.mark.parametrize("name", [name for name, each in presets().items() if each.reads_text])
def test_texts_are_embedded_as_the_library_documents(
    name: str, documents: Callable[[str], Truth]
) -> None:
    found = of_texts(documents(name))

    assert found.cosine >= 0.9999
    assert found.apart >= 0.999
