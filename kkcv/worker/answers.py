"""The answers of the child, by the name of the question. Imports of torch wait until needed."""

from collections.abc import Callable
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np

from kkcv.embedding.explanation import Explanation
from kkcv.embedding.space import unit
from kkcv.extras import need
from kkcv.images.decode import decode
from kkcv.images.limits import Limits
from kkcv.images.thumbnails import shrink

from . import ClassHeat, Model, StageMaps

if TYPE_CHECKING:
    from kkcv.checkpoint import Checkpoint
    from kkcv.classify import Classifier, Guess
    from kkcv.embedding.eager import Eager
    from kkcv.embedding.whole import WholeNetwork

MOST_NETWORKS = 3  # held in memory
GRADCAM_PIXELS = 512  # longer side of the picture with its heat map


class Network:
    """A network whose parts are loaded when they are first needed."""

    def __init__(self, model: Model) -> None:
        self.model = model

    @cached_property
    def checkpoint(self) -> "Checkpoint":
        from kkcv.checkpoint import resolve

        return resolve(*self.model)

    @cached_property
    def whole(self) -> "WholeNetwork":
        from kkcv.embedding.whole import whole_network

        return whole_network(self.checkpoint)

    @cached_property
    def eager(self) -> "Eager":
        """The network in PyTorch, for what takes its layers and gradients (MissingExtra)."""
        need("torch")
        from kkcv.embedding.eager import Eager

        return self.whole if isinstance(self.whole, Eager) else Eager(self.checkpoint)

    @cached_property
    def classifier(self) -> "Classifier":
        from kkcv.classify import Classifier

        return Classifier(self.checkpoint, network=self.whole)

    @cached_property
    def texts(self) -> Callable[[list[str]], np.ndarray]:
        from kkcv.adapters import texts

        return texts(self.checkpoint.name, self.checkpoint.weights_name)


# those that were used last
network = lru_cache(MOST_NETWORKS)(Network)


def classify(model: Model, picture: bytes, top: int, lang: str, limits: Limits) -> "list[Guess]":
    classifier = network(model).classifier
    return classifier.classify(picture, min(top, len(classifier.labels())), lang, limits)


def explain(
    model: Model, query: bytes, hit: bytes, limits: Limits, projection: np.ndarray | None
) -> Explanation:
    from kkcv.embedding.explainer import explain as explained

    asked = network(model)
    target = asked.checkpoint.preprocess.target
    first, second = (decode(picture, limits, target=target) for picture in (query, hit))
    return explained(first, second, asked.checkpoint, asked.whole, projection)


def embed_texts(model: Model, texts: list[str]) -> np.ndarray:
    return unit(network(model).texts(texts))


def feature_maps(model: Model, picture: bytes) -> list[StageMaps]:
    asked = network(model)
    eager = asked.eager
    from .feature_maps import feature_maps as maps_of

    return list(maps_of(eager, asked.classifier.images(picture)))


def gradcam(model: Model, picture: bytes, top: int, lang: str) -> list[ClassHeat]:
    asked = network(model)
    eager = asked.eager
    from .gradcam import gradcam as heats_of

    heats = heats_of(eager, asked.classifier, picture, top, lang, GRADCAM_PIXELS)
    return [
        ClassHeat(heat.label, heat.probability, shrink(heat.picture, GRADCAM_PIXELS))
        for heat in heats
    ]


def diagrams(name: str, lang: str) -> dict[str, str]:
    need("torch")
    from kkcv.zoo.draw import PHONE, WIDTH, draw

    return {
        screen: draw(name, lang=lang, theme="auto", width=width)
        for screen, width in (("wide", WIDTH), ("phone", PHONE))
    }


ANSWERS: dict[str, Callable[..., Any]] = {
    "classify": classify,
    "explain": explain,
    "embed_texts": embed_texts,
    "feature_maps": feature_maps,
    "gradcam": gradcam,
    "diagrams": diagrams,
}
