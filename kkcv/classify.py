"""Image classification: class names in English or Chinese."""

from os import PathLike
from typing import Any, NamedTuple, overload

import numpy as np

from kkcv import checkpoint as checkpoints
from kkcv.checkpoint import Checkpoint
from kkcv.disk import typed
from kkcv.embedding.whole import WholeNetwork, mean_of_views, whole_network
from kkcv.errors import RequestError
from kkcv.images.decode import decode
from kkcv.images.limits import DEFAULT_LIMITS, Limits
from kkcv.images.source import Source, is_one
from kkcv.zoo.labels import imagenet_labels

USUAL_TOP = 5  # as the papers count errors: top-5


class Guess(NamedTuple):
    """A class and how probable the network finds it, from 0 to 1."""

    class_index: int
    label: str
    probability: float


class Classifier:
    """A network with its head: pictures to classes."""

    def __init__(
        self,
        model: str | PathLike[str] | Checkpoint = checkpoints.DEFAULT_NETWORK,
        weights: str = "imagenet",
        device: str | None = None,
        network: WholeNetwork | None = None,
    ) -> None:
        """Load a classifier by name: a network of the zoo, or the folder of a training run.

        ``network`` is the model's, where it is loaded already.

        Raises UnknownNetwork, WeightsError, CheckpointError, MissingExtra, RequestError for a
        network that names no classes.
        """
        if not isinstance(model, Checkpoint):
            model = checkpoints.resolve(typed(model), weights)
        self.checkpoint = checkpoint = model
        self.network = network or whole_network(checkpoint, device)
        if self.network.classes == 0:
            raise RequestError(f"{checkpoint.network} has no classes; it only compares pictures")

    @classmethod
    def load(
        cls,
        model: str = checkpoints.DEFAULT_NETWORK,
        weights: str = "imagenet",
        device: str | None = None,
    ) -> "Classifier":
        """The same as ``Classifier(model, weights)``."""
        return cls(model, weights, device)

    def classify(
        self,
        picture: Source,
        top: int | None = None,
        lang: str = "en",
        limits: Limits = DEFAULT_LIMITS,
    ) -> list[Guess]:
        """The most probable classes of a picture (path, bytes, file, Pillow image), best first.

        ``top`` is how many: five, or all where there are fewer, unless said otherwise.

        Raises PictureError, RequestError for a senseless ``top`` or an unknown language.
        """
        labels = self.labels(lang)
        top = min(USUAL_TOP, len(labels)) if top is None else top
        if not 1 <= top <= len(labels):
            raise RequestError(f"top must be a whole number from 1 to {len(labels)}, got {top}")
        probabilities = self.of_picture(picture, limits)
        # stable: of equal ones the first class, everywhere the same
        best = np.argsort(-probabilities, kind="stable")[:top]
        return [Guess(int(i), labels[i], float(probabilities[i])) for i in best]

    @overload
    def predict(
        self, pictures: list[Any], top: int | None = None, lang: str = "en"
    ) -> list[list[Guess]]: ...

    @overload
    def predict(
        self, pictures: Source, top: int | None = None, lang: str = "en"
    ) -> list[Guess]: ...

    def predict(
        self, pictures: Any, top: int | None = None, lang: str = "en"
    ) -> list[Guess] | list[list[Guess]]:
        """``classify`` for one picture or, with a list of answers, for a list of them."""
        if is_one(pictures):
            return self.classify(pictures, top, lang)
        return [self.classify(picture, top, lang) for picture in pictures]

    def of_picture(self, picture: Source, limits: Limits = DEFAULT_LIMITS) -> np.ndarray:
        """The probability of each class, (classes,), by all views of a picture (PictureError)."""
        scores = self.network.scores(self.views(picture, limits))
        return self.calibrated(mean_of_views(scores[np.newaxis]))[0]

    def views(self, picture: Source, limits: Limits = DEFAULT_LIMITS) -> np.ndarray:
        """A picture as the network takes it, in each view: float32 (V, C, H, W) (PictureError)."""
        pixels = decode(picture, limits, target=self.checkpoint.preprocess.target)
        return np.stack([view(pixels) for view in self.checkpoint.views])

    def images(self, picture: Source, limits: Limits = DEFAULT_LIMITS) -> np.ndarray:
        """The view that is embedded: float32 (1, C, H, W) (PictureError)."""
        pixels = decode(picture, limits, target=self.checkpoint.preprocess.target)
        return self.checkpoint.views[0](pixels)[np.newaxis]

    def probabilities(self, batch: np.ndarray) -> np.ndarray:
        """Softmax of the scores over the temperature: float32 (N, C, H, W) → (N, classes)."""
        return self.calibrated(self.network.scores(batch))

    def calibrated(self, scores: np.ndarray) -> np.ndarray:
        """Softmax over the temperature: (N, classes) → (N, classes)."""
        scores = scores / np.float32(self.checkpoint.temperature)
        powers = np.exp(scores - scores.max(1, keepdims=True))
        return powers / powers.sum(1, keepdims=True)

    def labels(self, lang: str = "en") -> list[str]:
        """The names of the classes, by index: those of the training run, or of ImageNet."""
        if self.checkpoint.classes is not None:
            return list(self.checkpoint.classes)
        classes = self.network.classes
        if classes == len(imagenet_labels()):
            return [label.text(lang) for label in imagenet_labels()]
        return [str(index) for index in range(classes)]
