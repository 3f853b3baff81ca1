"""The parent's side: asks networks without importing torch."""

import os
import threading
import weakref
from collections.abc import Callable, Sequence
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np

from kkcv.embedding.explanation import Explanation
from kkcv.images.limits import DEFAULT_LIMITS, Limits

from . import ClassHeat, Model, StageMaps
from .process import ChildProcess, never

if TYPE_CHECKING:
    from kkcv.classify import Guess


class Worker:
    """Asks the child that all workers of this process share. Safe to use from several threads.

    The child starts with the first question and ends when the last worker is closed; a question
    after that starts another. It holds a few networks. Each method raises what the child answers
    (PictureError, WeightsError, ...), and KkcvError when the child failed.
    """

    def classify(
        self,
        model: Model,
        picture: bytes,
        top: int,
        lang: str,
        limits: Limits = DEFAULT_LIMITS,
        unwanted: Callable[[], bool] = never,
    ) -> "list[Guess]":
        """The most probable classes, best first."""
        return self._ask("classify", model, picture, top, lang, limits, unwanted=unwanted)

    def explain(
        self,
        model: Model,
        query: bytes,
        hit: bytes,
        limits: Limits = DEFAULT_LIMITS,
        projection: np.ndarray | None = None,
    ) -> Explanation:
        """How much each position of two pictures adds to their score.

        With a ``projection``, float (D, d), the score is that of the projected embeddings.

        Raises RequestError for a network without a feature map.
        """
        return self._ask("explain", model, query, hit, limits, projection)

    def embed_texts(self, model: Model, texts: Sequence[str]) -> np.ndarray:
        """Unit vectors of texts, in the space of the pictures: float32 (N, D).

        Raises RequestError for a network that reads no text.
        """
        return self._ask("embed_texts", model, list(texts))

    def feature_maps(
        self, model: Model, picture: bytes, unwanted: Callable[[], bool] = never
    ) -> list[StageMaps]:
        """The feature maps of every stage whose output is a map, in the order of the paper."""
        return self._ask("feature_maps", model, picture, unwanted=unwanted)

    def gradcam(
        self,
        model: Model,
        picture: bytes,
        top: int,
        lang: str,
        unwanted: Callable[[], bool] = never,
    ) -> list[ClassHeat]:
        """The most probable classes, best first, with what raised their scores."""
        return self._ask("gradcam", model, picture, top, lang, unwanted=unwanted)

    def diagrams(self, name: str, lang: str) -> dict[str, str]:
        """The diagram of a network of the zoo, as SVG: ``wide`` and ``phone``.

        Raises MissingExtra without torch.
        """
        return self._ask("diagrams", name, lang)

    def stop(self) -> None:
        """End the child in the middle of a question that is no longer wanted."""
        child_of(os.getpid()).stop()

    def close(self) -> None:
        with _closing:
            _open.discard(self)
            if not _open:
                child_of(os.getpid()).close()

    def _ask(self, *question: Any, unwanted: Callable[[], bool] = never) -> Any:
        with _closing:
            _open.add(self)
        return child_of(os.getpid()).ask(question, unwanted)


# weak: a worker that nobody closed does not keep the child alive
_open: weakref.WeakSet[Worker] = weakref.WeakSet()  # that have asked a question
_closing = threading.Lock()


@cache
def child_of(process: int) -> ChildProcess:
    """The child of a process; a fork does not use its parent's."""
    return ChildProcess("kkcv.worker.child")
