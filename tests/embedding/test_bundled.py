"""The bundled network is the zoo's, and what is recorded of its file is true."""

from pathlib import Path

import numpy as np
import pytest

from kkcv.checkpoint import pretrained
from kkcv.classify import Classifier
from kkcv.disk import sha256_of
from kkcv.embedding import bundled
from kkcv.embedding.bundled import is_bundled
from kkcv.embedding.eager import Eager
from kkcv.embedding.embedder import Embedder
from kkcv.embedding.explainer import explain
from kkcv.embedding.whole import Bundled
from kkcv.images.decode import decode
from kkcv.images.folder import find_pictures
from kkcv.zoo.weights import published

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def eager() -> Eager:
    return Eager(pretrained(), "cpu")


@pytest.fixture(scope="module")
def photos(pictures: Path) -> list[np.ndarray]:
    return [decode(p) for p in list(find_pictures(pictures / "imagenet_sample_300"))[::20]]


def test_its_map_embedding_and_scores_are_those_of_the_zoo(
    eager: Eager, photos: list[np.ndarray]
) -> None:
    import torch

    images = np.stack([pretrained().preprocess(photo) for photo in photos])
    with torch.inference_mode():
        features = eager.network.features(torch.from_numpy(images))
        embedding = eager.network.neck(features)
        scores = eager.network.head(embedding)

    found = Bundled().run(images)

    np.testing.assert_allclose(found.map, features, atol=2e-4)
    np.testing.assert_allclose(found.embedding, embedding, atol=5e-5)
    np.testing.assert_allclose(found.scores, scores, atol=1e-3)
    assert (found.scores.argmax(1) == scores.argmax(1).numpy()).all()


def test_it_says_the_same_classes_as_the_zoo_s_network(
    eager: Eager, photos: list[np.ndarray]
) -> None:
    checkpoint = pretrained()
    images = np.stack([checkpoint.preprocess(photo) for photo in photos])

    ours = Classifier(checkpoint).probabilities(images)

    np.testing.assert_allclose(
        ours, Classifier(checkpoint, network=eager).probabilities(images), atol=1e-4
    )


def test_it_explains_as_the_zoo_s_network_does(eager: Eager, photos: list[np.ndarray]) -> None:
    checkpoint = pretrained()

    ours = explain(photos[0], photos[1], checkpoint)
    theirs = explain(photos[0], photos[1], checkpoint, eager)

    assert ours.score == pytest.approx(theirs.score, abs=1e-5)
    np.testing.assert_allclose(ours.query.heat, theirs.query.heat, atol=1e-5)
    np.testing.assert_allclose(ours.hit.heat, theirs.hit.heat, atol=1e-5)


def test_its_space_is_that_of_the_zoo_s_network(photos: list[np.ndarray]) -> None:
    """So galleries of both may be searched with either."""
    ours = Embedder.load(runtime="onnxruntime", precision="float32")
    theirs = Embedder.load(runtime="pytorch", precision="float32", device="cpu")

    cosine = (ours.embed(photos) * theirs.embed(photos)).sum(1)

    assert ours.space == theirs.space
    assert cosine.min() > 0.99999


def test_only_the_default_network_with_its_default_weights_is_bundled() -> None:
    assert is_bundled(pretrained())
    assert is_bundled(pretrained("efficientnet_lite0", "imagenet:tf"))
    assert not is_bundled(pretrained("efficientnet_lite0", "none"))
    assert not is_bundled(pretrained("resnet18", "none"))


def test_its_hashes_are_recorded() -> None:
    notice = (ROOT / "NOTICE").read_text(encoding="utf-8")

    assert sha256_of(bundled.FILE) == bundled.SHA256
    assert bundled.SHA256 in notice
    assert published(bundled.NETWORK)[0].digest == bundled.WEIGHTS


def test_it_has_no_traces_of_the_machine_that_made_it() -> None:
    content = bundled.FILE.read_bytes()

    assert b"site-packages" not in content
    assert str(Path.home()).encode() not in content
