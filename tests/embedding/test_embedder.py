"""Pictures to unit vectors, with the real default backbone."""

import io
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from kkcv import zoo
from kkcv.checkpoint import Checkpoint, pretrained, resolve, save, usual_preprocess
from kkcv.embedding.embedder import TOGETHER, Embedder
from kkcv.embedding.gathering import Sharing
from kkcv.embedding.pipeline import AHEAD, ahead, embed_stream
from kkcv.embedding.space import EmbeddingSpace
from kkcv.errors import CheckpointError, PictureError, RequestError, UnknownNetwork, WeightsError
from kkcv.images.backends import BACKENDS
from kkcv.images.decode import decode


@pytest.fixture(scope="module")
def embedder() -> Embedder:
    return Embedder.load()


@pytest.fixture(scope="module")
def photo(pictures: Path) -> Path:
    return pictures / "imagenet_sample_300" / "n01440764_tench.JPEG"


def test_an_embedding_is_a_unit_vector_of_the_networks_dimension(
    embedder: Embedder, photo: Path
) -> None:
    vector = embedder.embed_picture(photo)

    assert vector.shape == (embedder.space.dim,) == (1280,)
    assert vector.dtype == np.float32
    assert np.linalg.norm(vector) == pytest.approx(1, abs=1e-5)


def test_it_is_what_the_network_says_under_its_classifier(embedder: Embedder, photo: Path) -> None:
    checkpoint = pretrained()
    tensor = torch.from_numpy(checkpoint.preprocess(decode(photo)))[None]

    with torch.inference_mode():
        truth = checkpoint.build().embedding(tensor)[0].numpy()

    cosine = embedder.embed_picture(photo) @ truth / np.linalg.norm(truth)
    assert cosine > 0.999  # decoding at the size that is needed moves it by less


def test_a_picture_embeds_the_same_alone_and_among_others(
    embedder: Embedder, pictures: Path
) -> None:
    paths = sorted((pictures / "near_dup_caltech").rglob("*.jpg"))[:5]
    together = embedder.embed([decode(path) for path in paths])

    alone = np.stack([embedder.embed([decode(path)])[0] for path in paths])

    np.testing.assert_allclose(together, alone, atol=1e-5)


def test_the_space_says_all_that_makes_a_vector_what_it_is(embedder: Embedder) -> None:
    space = embedder.space

    assert EmbeddingSpace.from_dict(space.to_dict()) == space
    other = Embedder.load("resnet18", "none", runtime="pytorch").space  # exports nothing
    assert other.fingerprint != space.fingerprint
    differences = " ".join(space.differences(other))
    for name in ("network", "weights", "dim", "mean", "std"):
        assert name in differences


@pytest.mark.parametrize("backend", BACKENDS)
def test_all_backends_make_one_space(embedder: Embedder, backend: str) -> None:
    assert Embedder.load(backend=backend).space == embedder.space


def test_a_network_without_weights_is_the_same_every_time(photo: Path) -> None:
    first, second = (
        Embedder.load("resnet18", "none", runtime="pytorch").embed_picture(photo) for _ in range(2)
    )

    np.testing.assert_array_equal(first, second)


@pytest.mark.parametrize(
    ("model", "weights", "error", "message"),
    [
        ("resnet51", "imagenet", UnknownNetwork, "no network 'resnet51' in the zoo; the nearest"),
        ("resnet18", "nowhere.pth", WeightsError, "no weights file nowhere.pth"),
        ("lenet5_modern", "imagenet", WeightsError, "no public ImageNet weights of lenet5_modern"),
        ("runs/none", "imagenet", CheckpointError, "runs/none holds no checkpoint"),
    ],
)
def test_a_model_that_cannot_be_had_is_said_why(
    model: str, weights: str, error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        Embedder.load(model, weights)


def test_an_unknown_backend_names_those_there_are() -> None:
    with pytest.raises(RequestError, match="no backend 'gimp'; there are: pillow, opencv, torch"):
        Embedder.load(backend="gimp")


def test_a_saved_checkpoint_embeds_as_the_network_did(tmp_path: Path, photo: Path) -> None:
    network = zoo.create("resnet18", num_classes=2)
    preprocess = usual_preprocess("resnet18")

    save(network, tmp_path / "best", preprocess=preprocess, classes=("cat", "dog"))

    loaded = resolve(str(tmp_path))
    assert (loaded.network, loaded.classes) == ("resnet18", ("cat", "dog"))
    assert loaded.preprocess == preprocess
    tensor = torch.from_numpy(preprocess(decode(photo)))[None]
    with torch.inference_mode():
        torch.testing.assert_close(loaded.build()(tensor), network(tensor))


def test_a_damaged_checkpoint_is_refused(tmp_path: Path) -> None:
    network = zoo.create("resnet18", num_classes=2)
    save(network, tmp_path / "best", preprocess=usual_preprocess("resnet18"), classes=("a", "b"))
    weights = tmp_path / "best.safetensors"
    weights.write_bytes(weights.read_bytes()[:-4] + b"rot!")

    with pytest.raises(CheckpointError, match="is damaged or another's"):
        resolve(str(tmp_path))


def test_of_many_pictures_some_are_in_memory_at_a_time(embedder: Embedder) -> None:
    taken, run = 0, [0]
    most = 0

    def pictures() -> Iterator[np.ndarray]:
        nonlocal taken
        for _ in range(TOGETHER + 3):
            taken += 1
            yield np.zeros((40, 40, 3), np.uint8)

    def watch(pictures: int, seconds: float) -> None:
        nonlocal most
        most = max(most, taken - sum(run))
        run.append(pictures)

    embedder.share(Sharing(watch=watch))
    try:
        vectors = embedder.embed(pictures())
    finally:
        embedder.share(Sharing())

    assert vectors.shape == (TOGETHER + 3, embedder.space.dim)
    assert most == TOGETHER


def test_the_stream_gives_back_each_item_in_order_with_vector_or_reason(
    embedder: Embedder, pictures: Path, tmp_path: Path
) -> None:
    good = sorted((pictures / "near_dup_caltech").rglob("*.jpg"))[:7]
    bad = tmp_path / "bad.jpg"
    bad.write_bytes(b"no picture")
    items = [*good[:3], bad, *good[3:]]

    stream = list(embed_stream(embedder, ahead(embedder.prepare, items)))

    assert [item for item, _ in stream] == items
    reasons = [v.reason for _, v in stream if isinstance(v, PictureError)]
    assert reasons == ["not-an-image"]
    alone = embedder.embed_picture(good[4])
    np.testing.assert_allclose(stream[5][1], alone, atol=1e-5)


def test_no_more_is_under_way_than_the_window() -> None:
    begun: list[int] = []
    stream = ahead(begun.append, range(10_000))

    next(stream)

    assert len(begun) <= AHEAD
    stream.close()
    assert len(begun) <= AHEAD


def test_a_flat_picture_embeds_to_something_finite(embedder: Embedder) -> None:
    out = io.BytesIO()
    Image.new("RGB", (50, 50), "black").save(out, "PNG")

    assert np.isfinite(embedder.embed_picture(out.getvalue())).all()


def test_resnet50_takes_a_peers_weights_from_a_local_file(tmp_path: Path, photo: Path) -> None:
    from torchvision.models import resnet50

    torch.manual_seed(0)
    peer = resnet50().eval()
    torch.save(peer.state_dict(), tmp_path / "resnet50.pth")

    # PyTorch: what runs it does not matter here, and an export would take the most time
    embedder = Embedder.load("resnet50", str(tmp_path / "resnet50.pth"), runtime="pytorch")

    preprocess = embedder.checkpoint.preprocess
    tensor = torch.from_numpy(preprocess(decode(photo, target=preprocess.target)))[None]
    peer.fc = torch.nn.Identity()
    with torch.inference_mode():
        truth = peer(tensor)[0].numpy()
    cosine = embedder.embed_picture(photo) @ truth / np.linalg.norm(truth)
    assert cosine == pytest.approx(1, abs=1e-4)


def test_the_fingerprint_of_a_checkpoint_is_its_files_hash() -> None:
    checkpoint = pretrained()

    assert isinstance(checkpoint, Checkpoint)
    assert checkpoint.weights_id.startswith("579344248a93e230")


def test_a_checkpoint_is_found_again_by_its_names(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    torch.save(zoo.create("resnet18").state_dict(), tmp_path / "mine.pth")
    monkeypatch.chdir(tmp_path)
    made = [pretrained(), pretrained("resnet18", "mine.pth"), pretrained("resnet18", "none")]
    monkeypatch.chdir("/")

    found = [resolve(checkpoint.name, checkpoint.weights_name) for checkpoint in made]

    assert [f.weights_id for f in found] == [m.weights_id for m in made]
    assert [f.preprocess for f in found] == [m.preprocess for m in made]
