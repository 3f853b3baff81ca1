"""Whether each preset embeds pictures and texts as its library's own documentation does.

    python -m benchmarks.presets PICTURES... [--networks dinov3-large,siglip2-large]

The weights are random, so the vectors mean nothing; that they are the same is what is shown. A row
is a runtime and a precision at a side of the input. ``cosine`` is the lowest of a pair of vectors,
ours and the library's in float32. With random weights all vectors are much alike, so ``apart`` is
the lowest cosine after the mean of all is taken off: only what differs between pictures counts.
tests/presets/test_proof.py holds both to their limits. The large networks need some minutes and
8 GB of memory each, and up to 10 GB of the disk.
"""

import argparse
import gc
import json
import os
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from PIL import Image
from torch import nn

from kkcv.adapters.preset import named
from kkcv.checkpoint import resolve
from kkcv.embedding.embedder import Embedder
from kkcv.embedding.runtimes.openvino import has_bfloat16, import_openvino
from kkcv.embedding.space import unit
from kkcv.embedding.text import TextTower
from kkcv.images.decode import decode
from kkcv.presets.preset import FILES, Preset, presets

from .command import existing, pictures_in, run
from .report import report

PHOTOS = 8
PHOTOS_LARGER = 4  # they take longer
RUNTIMES = ("pytorch", "onnxruntime", "openvino")
LARGER = {  # another side that the network takes
    "dinov3-small": 512,
    "dinov3-base": 384,
    "dinov3-large": 384,
    "dinov3-convnext-tiny": 384,
    "dinov2-small": 700,
    "siglip2-base": 384,
    "siglip2-large": 512,
    "pe-core-small": 512,
    "pe-core-base": 336,
    "pe-core-large": 448,
    "mobileclip2-s0": 384,
    "mobileclip2-s2": 384,
}
TEXTS = ("a red bus", "Two dogs, one's asleep &amp; 12 cats!", "一只猫", "so many words " * 40)
# SigLIP 2's own tokenizer is on the hub alone: a tokenizer of a few words takes its place.
WORDS = ("<pad>", "<eos>", "<unk>", "a", "red", "bus", "photo", "of", "two", "dogs")
OF_THE_WORDS = ("A photo of: a red BUS!", "two dogs", "a_red_bus " * 40)


class Truth(NamedTuple):
    """The library's answers for a preset with random weights, which lie in ``folder``.

    ``pictures`` are unit vectors (N, D), ``vectors`` and ``tokens`` those of ``texts``.
    """

    preset: Preset
    folder: Path
    pictures: np.ndarray
    texts: Sequence[str] = ()
    vectors: np.ndarray | None = None
    tokens: np.ndarray | None = None

    @property
    def file(self) -> Path:
        return self.folder / FILES[self.preset.library][0]


@torch.inference_mode()
def documented(preset: Preset, photos: list[Image.Image], folder: Path) -> Truth:
    """The library's vectors of photos and texts, used as its documentation says."""
    from safetensors.torch import save_file

    folder.mkdir(parents=True, exist_ok=True)
    model = shaken(theirs(preset))
    state = {key: value.contiguous() for key, value in model.state_dict().items()}
    save_file(state, folder / FILES[preset.library][0])
    prepare = evaluation(preset)
    images = torch.stack([prepare(photo) for photo in photos])
    if preset.library == "timm":
        return Truth(preset, folder, unit(model(images).numpy()))
    texts, tokenize = reading(preset, folder)
    tokens = tokenize(list(texts))
    return Truth(
        preset,
        folder,
        unit(model.encode_image(images).numpy()),
        texts,
        unit(model.encode_text(tokens).numpy()),
        tokens.numpy(),
    )


def theirs(preset: Preset) -> Any:
    """The library's own network, as its documentation makes it, except for the weights."""
    torch.manual_seed(2)
    if preset.library == "timm":
        import timm

        options: dict[str, Any] = {"global_pool": "token"} if preset.vector == "class token" else {}
        return timm.create_model(preset.model, pretrained=False, num_classes=0, **options)
    import open_clip

    return open_clip.create_model(preset.model, pretrained=None)


def shaken(model: nn.Module) -> Any:
    """The model in eval mode, with random weights that let each part count.

    As they begin, DINOv3 scales each block by 0.00001, and MobileCLIP2's norms are all alike.
    """
    random = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for name, each in [*model.named_parameters(), *model.named_buffers()]:
            if not each.is_floating_point() or "rope" in name:
                continue
            if "gamma" in name:
                each.uniform_(0.1, 0.4, generator=random)
            elif name.endswith("running_var"):
                each.uniform_(0.5, 1.5, generator=random)
            elif name.endswith(("bias", "running_mean")):
                each.add_(0.01 * torch.randn(each.shape, generator=random))
            elif each.ndim == 1:
                each.add_(0.1 * torch.randn(each.shape, generator=random))
            else:
                each.mul_(2)
    return model.eval()


def evaluation(preset: Preset) -> Any:
    """The library's own preparation of a picture."""
    if preset.library == "timm":
        import timm

        with torch.device("meta"):
            model = timm.create_model(preset.model, pretrained=False)
        config = timm.data.resolve_model_data_config(model)
        return timm.data.create_transform(**config, is_training=False)
    import open_clip

    (tag,) = open_clip.list_pretrained_tags_by_model(preset.model)
    public = open_clip.get_pretrained_cfg(preset.model, tag)
    names = ("mean", "std", "interpolation", "resize_mode")
    chosen = {name: public[name] for name in names}
    return open_clip.image_transform(preset.pixels, is_train=False, **chosen)


def reading(preset: Preset, folder: Path) -> tuple[Sequence[str], Any]:
    """Texts to try, and the library's tokenizer."""
    import open_clip

    if not preset.name.startswith("siglip2"):
        return TEXTS, open_clip.get_tokenizer(preset.model)
    from open_clip.tokenizer import HFTokenizer

    for name, body in tokenizer_files().items():
        (folder / name).write_bytes(body)
    return OF_THE_WORDS, HFTokenizer(str(folder), preset.context, clean="canonicalize")


def tokenizer_files() -> dict[str, bytes]:
    """A tokenizer of a few words, as a repository of SigLIP 2 has one."""
    from tokenizers import Tokenizer
    from tokenizers.models import WordLevel
    from tokenizers.pre_tokenizers import Whitespace
    from tokenizers.processors import TemplateProcessing

    numbers = {word: number for number, word in enumerate(WORDS)}
    made = Tokenizer(WordLevel(numbers, unk_token="<unk>"))
    made.pre_tokenizer = Whitespace()
    made.post_processor = TemplateProcessing(single="$A <eos>", special_tokens=[("<eos>", 1)])
    config = {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "pad_token": "<pad>",
        "eos_token": "<eos>",
        "unk_token": "<unk>",
    }
    return {
        "tokenizer.json": made.to_str().encode(),
        "tokenizer_config.json": json.dumps(config).encode(),
    }


@torch.inference_mode()
def at_side(preset: Preset, file: Path, side: int, images: torch.Tensor) -> np.ndarray:
    """The library's vectors of larger pictures, with the weights of the usual side."""
    if preset.library == "timm":
        import timm

        token = {"global_pool": "token"} if preset.vector == "class token" else {}
        options: dict[str, Any] = {"img_size": side, **token} if "vit" in preset.model else {}
        options |= {"pretrained": True, "pretrained_cfg_overlay": {"file": str(file)}}
        model = timm.create_model(preset.model, num_classes=0, **options)
        return unit(model.eval()(images).numpy())
    import open_clip
    from safetensors.torch import load_file

    model = open_clip.create_model(preset.model, pretrained=None)
    model.load_state_dict(load_file(file))
    model.visual.set_input_size(side)
    return unit(model.eval().encode_image(images).numpy())


class Near(NamedTuple):
    """How near ours are to the library's: the lowest cosines of a pair."""

    cosine: float
    apart: float


def near(ours: np.ndarray, theirs: np.ndarray) -> Near:
    middle = theirs.mean(0)
    apart = (unit(ours - middle) * unit(theirs - middle)).sum(1).min()
    return Near(float((ours * theirs).sum(1).min()), float(apart))


def of_pictures(truth: Truth, photos: list[Image.Image], runtime: str, precision: str) -> Near:
    """At the network's own side."""
    embedder = Embedder.load(
        truth.preset.name, str(truth.file), runtime=runtime, precision=precision, device="cpu"
    )
    return near(embedder.embed([np.array(photo) for photo in photos]), truth.pictures)


def of_larger_pictures(truth: Truth, photos: list[Image.Image], side: int) -> Near:
    """At a larger side, in OpenVINO."""
    photos = photos[:PHOTOS_LARGER]
    word = f"{truth.preset.name}@{side}"
    embedder = Embedder.load(word, str(truth.file), runtime="openvino", precision="float32")
    crops = np.stack([embedder.crop(np.array(photo)) for photo in photos])
    assert crops.shape[1:3] == (side, side)
    images = torch.from_numpy(embedder.checkpoint.preprocess.normalize(crops))
    ours = embedder.embed_crops(list(crops))
    del embedder
    return near(ours, at_side(truth.preset, truth.file, side, images))


def of_texts(truth: Truth) -> Near:
    """In the exported tower; its tokens must be the library's (AssertionError)."""
    assert truth.vectors is not None
    tower = TextTower(resolve(truth.preset.name, str(truth.folder)))
    np.testing.assert_array_equal(tower.tokens(truth.texts), truth.tokens)
    return near(tower.embed(truth.texts), truth.vectors)


def bfloat16_here() -> bool:
    return has_bfloat16(import_openvino().Core())


def rows_of(name: str, photos: list[Image.Image], folder: Path) -> Iterator[dict[str, Any]]:
    """A row for each comparison of one preset."""
    truth = documented(named(name), photos, folder)
    gc.collect()  # of the library's network: the large ones take gigabytes

    def row(what: str, side: object, runtime: str, precision: str, found: Near) -> dict[str, Any]:
        gc.collect()
        words = {"network": name, "what": what, "side": side}
        figures = {name: f"{value:.6f}" for name, value in found._asdict().items()}
        return {**words, "runtime": runtime, "precision": precision, **figures}

    side = truth.preset.pixels
    for runtime in RUNTIMES:
        found = of_pictures(truth, photos, runtime, "float32")
        yield row("pictures", side, runtime, "float32", found)
    if bfloat16_here():
        found = of_pictures(truth, photos, "openvino", "bfloat16")
        yield row("pictures", side, "openvino", "bfloat16", found)
    if truth.vectors is not None:
        yield row("texts", "", "onnxruntime", "float32", of_texts(truth))
    found = of_larger_pictures(truth, photos, LARGER[name])
    yield row("pictures", LARGER[name], "openvino", "float32", found)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("pictures", nargs="+", type=existing)
    parser.add_argument("--networks", default=",".join(presets()))
    options = parser.parse_args()
    every = pictures_in(options.pictures)
    chosen = every[:: max(1, len(every) // PHOTOS)][:PHOTOS]
    photos = [Image.fromarray(decode(path)) for path in chosen]
    rows: list[dict[str, Any]] = []
    for name in options.networks.split(","):
        began = time.monotonic()
        with tempfile.TemporaryDirectory(prefix="kkcv-") as folder:
            os.environ["KKCV_CACHE"] = str(Path(folder, "cache"))
            for row in rows_of(name, photos, Path(folder, "weights")):
                seconds = time.monotonic() - began
                print(f"{seconds:.0f} s:", *row.values(), file=sys.stderr, flush=True)
                rows.append(row)
    title = f"presets beside their libraries, on {len(photos)} pictures"
    report("presets", title, rows, ("timm", "open_clip_torch"))


if __name__ == "__main__":
    run(main)
