"""Networks of torchvision: ``torchvision:swin_t``."""

from difflib import get_close_matches
from pathlib import Path
from typing import Any

from torch import nn
from torchvision import models

from kkcv.errors import RequestError, UnknownNetwork
from kkcv.images.preprocess import Preprocess
from kkcv.zoo.network import Network

from .adapter import Adapter, Found
from .foreign import as_network, kept, load_into


class Torchvision(Adapter):
    """The whole network without its last linear layer, the classifier.

    Its networks do not tell where their maps end, so no position can be named (kkcv explain).
    """

    def find(self, name: str, weights: str) -> Found:
        known = models.list_models(module=models)
        if name not in known:
            near = get_close_matches(name, known, n=4, cutoff=0.5)
            hint = f"the nearest: {', '.join(near)}" if near else f"there are: {', '.join(known)}"
            raise UnknownNetwork(f"no network {name!r} in torchvision; {hint}")
        network = f"torchvision:{name}"
        best = models.get_model_weights(name).DEFAULT
        file = kept(network, weights, lambda: best.get_state_dict(progress=False, check_hash=True))
        chosen = weights if file is None or weights == "imagenet" else str(file.path)
        return Found(network, network, file, chosen, preprocess_of(best.transforms()))

    def build(self, name: str, weights: str, file: Path | None, preprocess: Preprocess) -> Network:
        network = f"torchvision:{name}"
        # these two warn that they are going to initialize otherwise
        options = {"init_weights": False} if name in ("googlenet", "inception_v3") else {}
        model = models.get_model(name, weights=None, **options)
        if file is not None:
            load_into(model, file, network)
        if hasattr(model, "transform_input"):
            model.transform_input = True  # as with torchvision's own weights
        body, head = without_classifier(model, network)
        return as_network(network, body, nn.Identity(), head, preprocess, classes=head.out_features)


def without_classifier(model: nn.Module, network: str) -> tuple[nn.Module, nn.Linear]:
    """The model ending under its last linear layer, and that layer."""
    linear = {path: layer for path, layer in model.named_modules() if isinstance(layer, nn.Linear)}
    if not linear:
        raise RequestError(f"{network} has no linear classifier, and so no vector under it")
    path, head = linear.popitem()  # the last one
    parent, _, child = path.rpartition(".")
    setattr(model.get_submodule(parent), child, nn.Identity())
    return model, head


def preprocess_of(transforms: Any) -> Preprocess:
    """torchvision's ImageClassification preset as ours."""
    side = transforms.crop_size[0]
    return Preprocess(
        size=(side, side),
        resize=max(side, transforms.resize_size[0]),
        interpolation=transforms.interpolation.value,
        mean=tuple(transforms.mean),
        std=tuple(transforms.std),
    )
