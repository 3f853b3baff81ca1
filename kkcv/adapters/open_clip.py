"""CLIP networks of open_clip: ``open_clip:ViT-B-32``, with a tag of its weights in ``--weights``.

``open_clip:FOLDER`` is a folder with ``open_clip_config.json`` and the weights beside it.
"""

import json
import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import numpy as np
import open_clip
import torch
from open_clip.tokenizer import HFTokenizer
from torch import nn

from kkcv.disk import sha256_of, typed
from kkcv.environment import offline
from kkcv.errors import CheckpointError, RequestError, UnknownNetwork, WeightsError
from kkcv.extras import need
from kkcv.images.preprocess import Preprocess
from kkcv.presets.preset import Preset
from kkcv.zoo.network import Network
from kkcv.zoo.weights import WeightsFile

from .adapter import Adapter, Found, Texts
from .foreign import Calling, Tower, as_network, no_weights, not_weights, resized, seeded
from .preset_weights import tokenizer_folder

CONFIG = "open_clip_config.json"
FILES = ("open_clip_model.safetensors", "open_clip_pytorch_model.bin")
# of OpenAI's CLIP, which most of its networks were trained with
MEAN, STD = (0.48145466, 0.4578275, 0.40821073), (0.26862954, 0.26130258, 0.27577711)


class OpenCLIP(Adapter):
    """The picture's and the text's vector in the space that both share."""

    def find(self, name: str, weights: str) -> Found:
        folder = Path(typed(name))
        if folder.is_dir():
            return in_folder(folder)
        return by_name(name, weights)

    def build(self, name: str, weights: str, file: Path | None, preprocess: Preprocess) -> Network:
        model = created(name, weights)
        pictures = Calling(model, model.encode_image)
        return as_network(f"open_clip:{name}", pictures, nn.Identity(), nn.Identity(), preprocess)

    def texts(self, name: str, weights: str) -> Texts:
        return texts_of(created(name, weights), open_clip.get_tokenizer(address(name)))

    def tower(self, name: str, weights: str) -> Tower:
        return tower_of(created(name, weights), open_clip.get_tokenizer(address(name)))


def pictures_of_preset(preset: Preset, file: Path | None, preprocess: Preprocess) -> Network:
    """A preset as a network of pictures."""
    model = model_of_preset(preset, file)
    pictures = Calling(model.visual, model.visual.forward)
    return as_network(preset.word, pictures, nn.Identity(), nn.Identity(), preprocess)


def texts_of_preset(preset: Preset, file: Path | None) -> Texts:
    """The text tower, which embeds texts in the space of the preset's pictures."""
    return texts_of(model_of_preset(preset, file), tokenizer_of_preset(preset, file))


def tower_of_preset(preset: Preset, file: Path | None) -> Tower:
    """The preset's text tower, to be exported (RequestError)."""
    return tower_of(model_of_preset(preset, file), tokenizer_of_preset(preset, file))


def tokenizer_of_preset(preset: Preset, file: Path | None) -> Any:
    """The preset's tokenizer, with files that were downloaded as its weights are (WeightsError)."""
    config = open_clip.get_model_config(preset.model)["text_cfg"]
    if "hf_tokenizer_name" not in config:
        return open_clip.get_tokenizer(preset.model)
    folder = tokenizer_folder(preset, file)
    return HFTokenizer(str(folder), preset.context, **config.get("tokenizer_kwargs", {}))


def tower_of(model: Any, tokenize: Any) -> Tower:
    need("tokenizers")
    from .clip_tokenizer import as_json, cleaning_of

    model.visual = nn.Identity()
    return Tower(
        Calling(model, model.encode_text).eval(), tokenize, as_json(tokenize), cleaning_of(tokenize)
    )


def model_of_preset(preset: Preset, file: Path | None) -> Any:
    """A preset with its weights, or random ones, in eval mode and at its size (WeightsError)."""
    with quiet(), seeded():  # else a random network is warned of once more
        model = open_clip.create_model(preset.model, pretrained=None)
    if file is not None:
        try:
            open_clip.load_checkpoint(model, str(file))
        except Exception as error:  # pickle, zip and safetensors have one each, and shapes differ
            raise not_weights(file, preset.word, error) from None
    resized(model.visual.trunk, preset)
    return model.eval()


def texts_of(model: Any, tokenize: Any) -> Texts:
    @torch.inference_mode()
    def embed(texts: Sequence[str]) -> np.ndarray:
        return model.encode_text(tokenize(list(texts))).float().numpy()

    return embed


@contextmanager
def quiet() -> Iterator[None]:
    """Without what open_clip logs."""
    before = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        yield
    finally:
        logging.disable(before)


def in_folder(folder: Path) -> Found:
    """A model that lies on the disk, as open_clip writes it (CheckpointError)."""
    file = next((folder / name for name in FILES if (folder / name).is_file()), None)
    try:
        config = json.loads((folder / CONFIG).read_text(encoding="utf-8"))
        model, preprocess = config["model_cfg"], config.get("preprocess_cfg", {})
        spec = preprocess_of(model, preprocess)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise CheckpointError(f"{folder} holds no open_clip model: {error!r}") from None
    if file is None:
        raise CheckpointError(f"{folder} holds no {' or '.join(FILES)}")
    found = WeightsFile(file.absolute(), sha256_of(file))
    return Found(f"open_clip:{folder.absolute()}", "open_clip", found, "imagenet", spec, True)


def by_name(name: str, weights: str) -> Found:
    """A model by the name of its architecture, with public weights, a file's, or none."""
    config = open_clip.get_model_config(name)
    if config is None:
        near = get_close_matches(name, open_clip.list_models(), n=4, cutoff=0.4)
        raise UnknownNetwork(f"no network {name!r} in open_clip; the nearest: {', '.join(near)}")
    network = f"open_clip:{name}"
    if weights == "none":
        return Found(network, network, None, "none", preprocess_of(config, {}), True)
    tags = open_clip.list_pretrained_tags_by_model(name)
    if weights == "imagenet" and tags:  # the library's own
        weights = tags[0]
    if weights in tags:
        published = open_clip.get_pretrained_cfg(name, weights)
        file = downloaded(network, published)
        spec = preprocess_of(config, published)
    else:
        file = Path(typed(weights))
        if not file.is_file():
            raise WeightsError(
                f"no weights {weights!r} for {network}: none, a file, or {', '.join(tags)}"
            )
        weights, spec = str(file.absolute()), preprocess_of(config, {})
    return Found(network, network, WeightsFile(file, sha256_of(file)), weights, spec, True)


def downloaded(network: str, published: dict[str, Any]) -> Path:
    """The file of public weights in the library's own cache (WeightsError)."""
    if forbidden := offline():
        raise WeightsError(
            f"the weights of {network} are downloaded, and {forbidden} is set; give a file"
        )
    try:
        return Path(open_clip.download_pretrained(published))
    except Exception as error:  # of the hub, of urllib, of the disk
        raise no_weights(network, error) from None


def created(name: str, weights: str) -> Any:
    """The model with its weights, in eval mode."""
    pretrained = None if weights == "none" or Path(name).is_dir() else weights
    try:
        with seeded():
            model = open_clip.create_model(address(name), pretrained=pretrained)
    except (RuntimeError, OSError, ValueError) as error:
        raise no_weights(f"open_clip:{name}", error) from None
    return model.eval()


def address(name: str) -> str:
    """A folder as open_clip names one."""
    return f"local-dir:{name}" if Path(name).is_dir() else name


def preprocess_of(model: dict[str, Any], spec: dict[str, Any]) -> Preprocess:
    """How the network wants its pictures; what a configuration leaves out is CLIP's own."""
    size = spec.get("size") or model["vision_cfg"].get("image_size", 224)
    height, width = (size, size) if isinstance(size, int) else size
    mode = spec.get("resize_mode", "shortest")
    if mode not in ("shortest", "squash"):
        raise RequestError(f"this network wants its pictures {mode}, which kkcv cannot do")
    return Preprocess(
        size=(height, width),
        resize=max(height, width) if mode == "shortest" else None,  # None: squashed to the size
        interpolation=spec.get("interpolation", "bicubic"),
        mean=tuple(spec.get("mean", MEAN)),
        std=tuple(spec.get("std", STD)),
    )
