"""Networks of other libraries embed as those libraries do, and know their own preprocessing."""

import hashlib
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from kkcv.checkpoint import resolve
from kkcv.embedding.embedder import Embedder
from kkcv.embedding.explainer import explain
from kkcv.embedding.parts import parts_of
from kkcv.embedding.space import unit
from kkcv.errors import CheckpointError, MissingExtra, RequestError, UnknownNetwork, WeightsError
from kkcv.images.decode import decode
from kkcv.images.preprocess import Preprocess

TIMM = "timm:test_resnet"


def embedder(model: str, weights: str = "imagenet") -> Embedder:
    return Embedder.load(
        model, weights, backend="pillow", runtime="pytorch", precision="float32", device="cpu"
    )


@pytest.fixture(scope="module")
def picture(album: list[Path]) -> Image.Image:
    return Image.fromarray(decode(album[0]))


def close(ours: np.ndarray, theirs: torch.Tensor) -> None:
    """The same direction, up to the rounding of resized pixels."""
    assert float(ours[0] @ unit(theirs.detach().numpy())[0]) > 0.9999


def test_a_network_of_timm_embeds_as_timm_does(picture: Image.Image, tmp_path: Path) -> None:
    import timm

    torch.manual_seed(1)
    theirs = timm.create_model("test_resnet", num_classes=1000).eval()
    torch.save(theirs.state_dict(), tmp_path / "weights.pth")
    transform = timm.data.create_transform(**timm.data.resolve_model_data_config(theirs))

    ours = embedder(TIMM, str(tmp_path / "weights.pth"))

    assert ours.space.dim == theirs.num_features
    assert ours.space.weights == hashlib.sha256((tmp_path / "weights.pth").read_bytes()).hexdigest()
    with torch.no_grad():
        expected = theirs.forward_head(
            theirs.forward_features(transform(picture)[None]), pre_logits=True
        )
    close(ours.embed([np.array(picture)]), expected)


@pytest.mark.parametrize("name", ["test_resnet", "test_vit", "test_convnext", "test_byobnet"])
def test_the_heat_of_a_map_of_timm_adds_up(name: str) -> None:
    checkpoint = resolve(f"timm:{name}", "none")
    network = checkpoint.build()
    noise = np.random.default_rng(0).normal(size=(1, 3, *checkpoint.preprocess.size))
    images = torch.from_numpy(noise.astype(np.float32))

    if name == "test_vit":
        with pytest.raises(RequestError, match="this network has no feature map"):
            parts_of(network, images)
        return
    parts = parts_of(network, images)

    with torch.no_grad():
        expected = network.embedding(images)[0].numpy()
    np.testing.assert_allclose(parts.embedding, expected, atol=1e-5 * np.abs(expected).max())
    assert np.abs(parts.rest).max() < 1e-4 * np.abs(expected).max()


@pytest.mark.parametrize("name", ["shufflenet_v2_x0_5"])
def test_a_network_of_torchvision_embeds_as_torchvision_does(
    name: str, picture: Image.Image, tmp_path: Path
) -> None:
    from torchvision import models

    torch.manual_seed(1)
    theirs = models.get_model(name, weights=None).eval()
    torch.save(theirs.state_dict(), tmp_path / "weights.pth")
    transform = models.get_model_weights(name).DEFAULT.transforms()
    under: list[torch.Tensor] = []
    classifier = theirs.fc if hasattr(theirs, "fc") else theirs.classifier[1]
    classifier.register_forward_pre_hook(lambda layer, inputs: under.append(inputs[0]))
    with torch.no_grad():
        theirs(transform(picture)[None])

    ours = embedder(f"torchvision:{name}", str(tmp_path / "weights.pth"))

    close(ours.embed([np.array(picture)]), under[0])


def test_a_clip_of_transformers_embeds_pictures_as_transformers_does(
    clip_folder: Path, picture: Image.Image
) -> None:
    from transformers import CLIPImageProcessor, CLIPModel

    theirs = CLIPModel.from_pretrained(clip_folder).eval()
    processor = CLIPImageProcessor.from_pretrained(clip_folder)

    ours = embedder(f"transformers:{clip_folder}")

    weights = (clip_folder / "model.safetensors").read_bytes()
    assert ours.space.weights == hashlib.sha256(weights).hexdigest()
    assert ours.space.network == "transformers:CLIPModel"  # wherever it lies
    assert ours.space.text
    with torch.no_grad():
        tensors = processor(picture, return_tensors="pt")
        close(ours.embed([np.array(picture)]), theirs.get_image_features(**tensors).pooler_output)


def test_a_clip_of_open_clip_embeds_pictures_as_open_clip_does(
    open_clip_folder: Path, picture: Image.Image
) -> None:
    import open_clip

    theirs, transform = open_clip.create_model_from_pretrained(f"local-dir:{open_clip_folder}")

    ours = embedder(f"open_clip:{open_clip_folder}")

    assert ours.space.preprocess == Preprocess(
        (32, 32), None, "bilinear", (0.5, 0.5, 0.5), (0.25, 0.25, 0.25)
    )
    with torch.no_grad():
        close(ours.embed([np.array(picture)]), theirs.eval().encode_image(transform(picture)[None]))


def test_random_weights_are_the_same_every_time(picture: Image.Image) -> None:
    first, second = (embedder(TIMM, "none").embed([np.array(picture)]) for _ in range(2))

    np.testing.assert_array_equal(first, second)


def test_a_foreign_network_is_explained_like_any(album: list[Path]) -> None:
    explanation = explain(decode(album[0]), decode(album[1]), resolve(TIMM, "none"))

    total = explanation.query.heat.sum() + explanation.query.rest
    assert total == pytest.approx(explanation.score, abs=1e-5)


def test_a_name_that_is_none_is_told_its_nearest() -> None:
    with pytest.raises(UnknownNetwork, match=r"'resnet51' in timm; the nearest: .*resne"):
        resolve("timm:resnet51")
    with pytest.raises(UnknownNetwork, match="in torchvision; the nearest: resnet50"):
        resolve("torchvision:resnet5")
    with pytest.raises(UnknownNetwork, match="in open_clip; the nearest: ViT-B-32"):
        resolve("open_clip:ViT-B-33")
    with pytest.raises(CheckpointError, match="/nowhere is neither a folder nor a repository"):
        resolve("transformers:/nowhere")


def test_weights_that_are_not_here_are_one_line(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("KKCV_OFFLINE", "1")
    monkeypatch.setenv("KKCV_CACHE", str(tmp_path))

    with pytest.raises(WeightsError, match="of timm:test_resnet are not here, and KKCV_OFFLINE"):
        resolve(TIMM)
    with pytest.raises(WeightsError, match="no weights 'laion' for timm:test_resnet: imagenet, "):
        resolve(TIMM, "laion")


def test_weights_of_another_network_are_refused(tmp_path: Path) -> None:
    torch.save({"a": torch.zeros(1)}, tmp_path / "other.pth")

    with pytest.raises(WeightsError, match=r"other\.pth holds no weights of timm:test_resnet: "):
        resolve(TIMM, str(tmp_path / "other.pth")).build()


def test_a_library_that_is_missing_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "timm", None)

    with pytest.raises(MissingExtra, match=r"pip install 'kkcv\[timm\]'"):
        resolve(TIMM)
