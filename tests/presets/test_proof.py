"""Each preset embeds pictures and texts as its library's documentation does, on every runtime.

The weights are random, so the vectors mean nothing; that they are the same is what is shown
(benchmarks/presets.py). A part of two networks is tried with every change, all of all with
``make test-slow``.
"""

import shutil
from pathlib import Path

import pytest
from PIL import Image

from benchmarks.presets import Truth, bfloat16_here, documented, of_pictures, rows_of
from kkcv.images.decode import decode
from kkcv.presets.preset import presets

LEAST = {"float32": 0.9999, "bfloat16": 0.99}  # cosine of ours and the library's
APART = 0.999  # the same, of what differs between pictures, in float32


@pytest.fixture(scope="session")
def photos(album: list[Path]) -> list[Image.Image]:
    return [Image.fromarray(decode(path)) for path in album[::3]]


@pytest.fixture(scope="session", params=["dinov3-small", "mobileclip2-s0"])
def truth(
    request: pytest.FixtureRequest,
    photos: list[Image.Image],
    tmp_path_factory: pytest.TempPathFactory,
) -> Truth:
    return documented(presets()[request.param], photos, tmp_path_factory.mktemp("weights"))


def test_pictures_are_embedded_as_the_library_documents(
    truth: Truth, photos: list[Image.Image]
) -> None:
    assert truth.pictures.shape[1] == truth.preset.numbers
    assert (truth.pictures @ truth.pictures.T).min() < 0.999  # the weights tell pictures apart

    found = of_pictures(truth, photos, "pytorch", "float32")

    assert found.cosine >= LEAST["float32"]
    assert found.apart >= APART


@pytest.mark.slow  # an export takes its time
@pytest.mark.parametrize("truth", ["dinov3-small"], indirect=True)
@pytest.mark.parametrize("precision", LEAST)
def test_they_are_so_without_pytorch_too(
    truth: Truth, photos: list[Image.Image], precision: str
) -> None:
    if precision == "bfloat16" and not bfloat16_here():
        pytest.skip("this processor has no bfloat16")

    found = of_pictures(truth, photos, "openvino", precision)

    assert found.cosine >= LEAST[precision]


@pytest.mark.slow  # every runtime, larger pictures, and texts: minutes and gigabytes a network
@pytest.mark.parametrize("name", presets())
def test_each_preset_is_proven_in_all(
    name: str, photos: list[Image.Image], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KKCV_CACHE", str(tmp_path / "cache"))

    for row in rows_of(name, photos, tmp_path / "weights"):
        assert float(row["cosine"]) >= LEAST[row["precision"]], row
        assert row["precision"] != "float32" or float(row["apart"]) >= APART, row

    shutil.rmtree(tmp_path)  # of the large networks ten gigabytes
