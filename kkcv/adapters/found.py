"""A network of another library before it is built, and what embeds texts with one."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

from kkcv.images.preprocess import Preprocess
from kkcv.zoo.weights import WeightsFile


class Found(NamedTuple):
    """A network before it is built.

    ``network`` names it without regard to where it lies; ``weights`` is None for random ones.
    ``weights_name`` and ``name`` find it again. ``text`` says that it embeds text as well.
    """

    name: str
    network: str
    weights: WeightsFile | None
    weights_name: str
    preprocess: Preprocess
    text: bool = False


Texts = Callable[[Sequence[str]], np.ndarray]  # N texts → embeddings float32 (N, D), of any length
