"""Each preset embeds pictures and texts as its library's documentation does, on every runtime.

The weights are random, so the vectors mean nothing; that they are the same is what is shown. One
network of each library is tried with every change, the others with ``make test-slow``.
"""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from kkcv.checkpoint import resolve
from kkcv.embedding.embedder import Embedder
from kkcv.embedding.runtimes.openvino import has_bfloat16, import_openvino
from kkcv.embedding.space import unit
from kkcv.embedding.text import TextTower
from kkcv.images.decode import decode
from kkcv.presets.preset import Preset, presets

from .conftest import Network, tokenizer_files

RUNTIMES = ("pytorch", "onnxruntime", "openvino")
QUICK = {  # an export takes ten seconds or more
    "dinov3-small": ("pytorch", "openvino"),
    "mobileclip2-s0": ("pytorch",),
}


def quick_or_slow(name: str, *rest: str, quick: bool) -> Any:
    return pytest.param(name, *rest, marks=() if quick else pytest.mark.slow)


EVERYWHERE = [
    quick_or_slow(name, runtime, quick=runtime in QUICK.get(name, ()))
    for name in presets()
    for runtime in RUNTIMES
]
TEXTS = ("a red bus", "Two dogs, one's asleep &amp; 12 cats!", "一只猫", "so many words " * 40)


@pytest.fixture(scope="session")
def photos(album: list[Path]) -> list[Image.Image]:
    return [Image.fromarray(decode(path)) for path in album[::3]]


def documented(preset: Preset, model: Any, photos: list[Image.Image]) -> np.ndarray:
    """The vectors of pictures as the library's documentation computes them, of unit length."""
    with torch.inference_mode():
        if preset.library == "timm":
            import timm

            config = timm.data.resolve_model_data_config(model)
            transform = timm.data.create_transform(**config, is_training=False)
            return unit(model(torch.stack([transform(photo) for photo in photos])).numpy())
        import open_clip

        (tag,) = open_clip.list_pretrained_tags_by_model(preset.model)
        public = open_clip.get_pretrained_cfg(preset.model, tag)
        transform = open_clip.image_transform(
            preset.pixels,
            is_train=False,
            mean=public["mean"],
            std=public["std"],
            interpolation=public["interpolation"],
            resize_mode=public["resize_mode"],
        )
        images = torch.stack([transform(photo) for photo in photos])
        return unit(model.encode_image(images).numpy())


def least_cosine(ours: np.ndarray, theirs: np.ndarray) -> float:
    """The lowest cosine of a pair, of vectors whose common part is taken off.

    With random weights all vectors are much alike: only what differs between pictures tells.
    """
    middle = theirs.mean(0)
    return float((unit(ours - middle) * unit(theirs - middle)).sum(1).min())


@pytest.mark.parametrize(("name", "runtime"), EVERYWHERE)
def test_pictures_are_embedded_as_the_library_documents(
    name: str, runtime: str, network: Network, photos: list[Image.Image]
) -> None:
    preset, model, file = network(name)
    truth = documented(preset, model, photos)
    assert (truth @ truth.T).min() < 0.999  # the weights tell pictures apart

    embedder = Embedder.load(name, str(file), runtime=runtime, precision="float32", device="cpu")
    ours = embedder.embed([np.array(photo) for photo in photos])

    assert embedder.space.dim == preset.numbers == truth.shape[1]
    assert (ours * truth).sum(1).min() >= 0.9999
    assert least_cosine(ours, truth) >= 0.999


@pytest.mark.parametrize(
    "name", [quick_or_slow(name, quick=name == "dinov3-small") for name in presets()]
)
def test_bfloat16_stays_near(name: str, network: Network, photos: list[Image.Image]) -> None:
    if not has_bfloat16(import_openvino().Core()):
        pytest.skip("this processor has no bfloat16")
    _, _, file = network(name)
    pixels = [np.array(photo) for photo in photos]

    exact, rounded = (
        Embedder.load(name, str(file), runtime="openvino", precision=precision).embed(pixels)
        for precision in ("float32", "bfloat16")
    )

    assert (exact * rounded).sum(1).min() >= 0.99


LARGER = (
    "dinov3-small@512",
    "dinov3-convnext-tiny@384",
    "dinov2-small@700",
    "siglip2-base@384",
    "pe-core-small@512",
    "mobileclip2-s0@384",
)


@pytest.mark.slow  # larger pictures
@pytest.mark.parametrize("name", LARGER)
def test_larger_pictures_are_embedded_as_by_the_library_at_that_size(
    name: str, network: Network, photos: list[Image.Image]
) -> None:
    word, _, side = name.partition("@")
    preset, _, file = network(word)
    ours = Embedder.load(name, str(file), runtime="openvino", precision="float32")
    crops = np.stack([ours.crop(np.array(photo)) for photo in photos])
    images = torch.from_numpy(ours.checkpoint.preprocess.normalize(crops))

    with torch.inference_mode():
        truth = unit(at_size(preset, file, int(side))(images).numpy())

    assert crops.shape[1:3] == (int(side), int(side))
    assert (ours.embed_crops(list(crops)) * truth).sum(1).min() >= 0.9999


def at_size(preset: Preset, file: Path, side: int) -> Any:
    """The library's network made for larger pictures, with the weights of the usual size."""
    from safetensors.torch import load_file

    if preset.library == "timm":
        import timm

        vit = {"img_size": side, "global_pool": "token"} if "vit" in preset.model else {}
        local = {"pretrained": True, "pretrained_cfg_overlay": {"file": str(file)}}
        return timm.create_model(preset.model, num_classes=0, **local, **vit).eval()
    import open_clip

    model = open_clip.create_model(preset.model, pretrained=None)
    model.load_state_dict(load_file(file))
    model.visual.set_input_size(side)
    return model.eval().encode_image


READING = [  # not SigLIP 2, whose tokenizer is on the hub alone: test_hub.py
    pytest.param(name, marks=pytest.mark.slow)  # each exports its tower
    for name, preset in presets().items()
    if preset.reads_text and not name.startswith("siglip2")
]


@pytest.mark.parametrize("name", READING)
def test_texts_are_embedded_as_the_library_documents(name: str, network: Network) -> None:
    import open_clip

    preset, model, file = network(name)
    tokenize = open_clip.get_tokenizer(preset.model)
    with torch.inference_mode():
        truth = unit(model.encode_text(tokenize(list(TEXTS))).numpy())

    tower = TextTower(resolve(name, str(file)))

    np.testing.assert_array_equal(tower.tokens(TEXTS), tokenize(list(TEXTS)).numpy())
    assert (tower.embed(TEXTS) * truth).sum(1).min() >= 0.9999
    assert least_cosine(tower.embed(TEXTS), truth) >= 0.999


@pytest.mark.slow  # a table of 256,000 tokens
def test_texts_of_siglip_are_embedded_as_the_library_documents(
    network: Network, tmp_path: Path
) -> None:
    """With a tokenizer of a few words beside the weights, for SigLIP 2's own is on the hub."""
    from open_clip.tokenizer import HFTokenizer

    preset, model, file = network("siglip2-base")
    (tmp_path / "open_clip_model.safetensors").symlink_to(file)
    for name, body in tokenizer_files().items():
        (tmp_path / name).write_bytes(body)
    tokenize = HFTokenizer(str(tmp_path), preset.context, clean="canonicalize")
    texts = ["A photo of: a red BUS!", "two dogs", "a_red_bus " * 40]
    with torch.inference_mode():
        truth = unit(model.encode_text(tokenize(texts)).numpy())

    tower = TextTower(resolve("siglip2-base", str(tmp_path)))

    np.testing.assert_array_equal(tower.tokens(texts), tokenize(texts).numpy())
    assert (tower.embed(texts) * truth).sum(1).min() >= 0.9999
