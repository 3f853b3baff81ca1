"""A gallery made with one preprocessing library may be searched with another."""

from io import BytesIO

import numpy as np
import pytest
from PIL import Image

from kkcv.embedding.embedder import Embedder
from kkcv.images.backends import BACKENDS
from kkcv.images.decode import decode
from kkcv.images.folder import find_pictures


@pytest.fixture(scope="module")
def embedder():
    return Embedder.load("efficientnet_lite0", backend="pillow")


@pytest.fixture(scope="module")
def photos(pictures):
    """Forty photographs of forty classes and sizes."""
    return [
        decode(path) for path in list(find_pictures(pictures / "imagenet_sample_300"))[::7][:40]
    ]


@pytest.fixture(scope="module")
def reference(embedder, photos):
    return embedder.embed(photos)


@pytest.mark.parametrize("backend", [name for name in BACKENDS if name != "pillow"])
def test_backends_make_the_same_embeddings(backend, embedder, photos, reference):
    other = Embedder(embedder.checkpoint, backend=backend)

    vectors = other.embed(photos)

    cosine = (vectors * reference).sum(1)
    assert cosine.mean() > 0.9999
    assert cosine.min() > 0.999
    moved = np.abs(vectors @ vectors.T - reference @ reference.T)  # of all scores of all queries
    assert moved.max() < 0.005


def test_scaled_decoding_keeps_the_embedding(embedder, photos):
    """Nine photographs side by side have the detail of one that a camera took."""
    cosine = []
    for first in range(4):
        tiles = [Image.fromarray(p).resize((640, 480)) for p in photos[first::4][:9]]
        mosaic = Image.new("RGB", (1920, 1440))
        for place, tile in enumerate(tiles):
            mosaic.paste(tile, (place % 3 * 640, place // 3 * 480))
        file = BytesIO()
        mosaic.save(file, "JPEG", quality=92)
        whole = decode(file.getvalue())
        scaled = decode(file.getvalue(), target=256)
        assert scaled.shape == (720, 960, 3)

        vectors = embedder.embed([whole, scaled])
        cosine.append(vectors[0] @ vectors[1])

    assert min(cosine) > 0.998
