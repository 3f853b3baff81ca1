"""The contract of the adapters: a network of another library is found, then built."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from kkcv.images.preprocess import Preprocess
from kkcv.zoo.weights import WeightsFile

if TYPE_CHECKING:
    from kkcv.zoo.network import Network

    from .foreign import Tower


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


class Adapter(ABC):
    """A library whose networks can be used; ``name`` is what stands behind the colon."""

    @abstractmethod
    def find(self, name: str, weights: str) -> Found:
        """``weights`` is ``imagenet`` for the library's own, ``none``, a tag or a file.

        Raises UnknownNetwork, WeightsError, MissingExtra.
        """

    @abstractmethod
    def build(
        self, name: str, weights: str, file: Path | None, preprocess: Preprocess
    ) -> "Network":
        """The network in eval mode; random weights where there is no file (WeightsError)."""

    def texts(self, name: str, weights: str) -> Texts:
        """The network's way to embed texts (RequestError where it reads none).

        Only adapters that READERS names are asked (__init__.py).
        """
        raise NotImplementedError

    def tower(self, name: str, weights: str) -> "Tower":
        """The text tower to export (RequestError where that cannot be done)."""
        raise NotImplementedError
