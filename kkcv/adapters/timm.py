"""Networks of timm: ``timm:resnet50d``, or with a tag of its weights ``timm:resnet50d.a1_in1k``."""

from difflib import get_close_matches
from math import floor
from pathlib import Path
from sys import modules
from typing import Any

import timm
from timm.data import resolve_data_config
from torch import Tensor, nn

from kkcv.errors import RequestError, UnknownNetwork
from kkcv.images.preprocess import INTERPOLATIONS, Preprocess
from kkcv.presets.preset import Preset
from kkcv.zoo.network import Network

from .adapter import Adapter, Found
from .foreign import Calling, as_network, kept, load_into, resized


class Timm(Adapter):
    """The maps of ``forward_features`` under the pooling of ``forward_head``."""

    def find(self, name: str, weights: str) -> Found:
        if not timm.is_model(name):
            near = get_close_matches(name.split(".")[0], timm.list_models(), n=4, cutoff=0.5)
            hint = f"the nearest: {', '.join(near)}" if near else "see timm.list_models()"
            raise UnknownNetwork(f"no network {name!r} in timm; {hint}")
        network = f"timm:{name}"
        config: Any = timm.get_pretrained_cfg(name)
        file = kept(network, weights, lambda: timm.create_model(name, pretrained=True).state_dict())
        chosen = weights if file is None or weights == "imagenet" else str(file.path)
        return Found(network, network, file, chosen, preprocess_of(name, config.to_dict()))

    def build(self, name: str, weights: str, file: Path | None, preprocess: Preprocess) -> Network:
        network = f"timm:{name}"
        model: Any = timm.create_model(name, pretrained=False)
        if file is not None:
            load_into(model, file, network)
        model.eval()
        head = model.get_classifier()
        return as_network(
            network, Maps(model), pooling(model), head, preprocess, classes=model.num_classes
        )


def network_of_preset(preset: Preset, file: Path | None, preprocess: Preprocess) -> Network:
    """A preset: its vector is the class token where the line of the table says so.

    timm itself takes the mean of all tokens of DINOv3 unless it is told otherwise.
    """
    options: Any = {"global_pool": "token"} if preset.vector == "class token" else {}
    model: Any = timm.create_model(preset.model, pretrained=False, num_classes=0, **options)
    if file is not None:
        load_into(model, file, preset.word, converted)
    resized(model, preset)
    model.eval()
    return as_network(preset.word, Maps(model), pooling(model), nn.Identity(), preprocess)


def converted(state: dict[str, Tensor], model: nn.Module) -> dict[str, Tensor]:
    """Weights with timm's names, also of a file that has the names of its publisher."""
    convert = getattr(modules[type(model).__module__], "checkpoint_filter_fn", None)
    found: dict[str, Tensor] = state if convert is None else convert(state, model)
    return found


class Maps(nn.Module):
    """The last feature map with its channels first; tokens as they are."""

    def __init__(self, model: Any) -> None:
        super().__init__()
        self.model = model
        self.turn = getattr(model, "output_fmt", "NCHW") == "NHWC"

    def forward(self, images: Tensor) -> Tensor:
        x = self.model.forward_features(images)
        return x.permute(0, 3, 1, 2) if self.turn else x


def pooling(model: Any) -> nn.Module:
    """From the map to the vector under the classifier."""
    turn = getattr(model, "output_fmt", "NCHW") == "NHWC"

    def embedding(x: Tensor) -> Tensor:
        return model.forward_head(x.permute(0, 2, 3, 1) if turn else x, pre_logits=True)

    return Calling(model, embedding)


def preprocess_of(name: str, config: dict[str, Any]) -> Preprocess:
    """How timm's own evaluation prepares pictures for a network."""
    spec = resolve_data_config({}, pretrained_cfg=config)
    channels, height, width = spec["input_size"]
    mode = spec.get("crop_mode", "center")
    if mode not in ("center", "squash") or spec["interpolation"] not in INTERPOLATIONS:
        raise RequestError(f"timm:{name} wants its pictures {mode}, which kkcv cannot do")
    return Preprocess(
        size=(height, width),
        # rounded down, as timm does
        resize=None if mode == "squash" else floor(min(height, width) / spec["crop_pct"]),
        interpolation=spec["interpolation"],
        mean=tuple(spec["mean"]),
        std=tuple(spec["std"]),
        channels=channels,
    )
