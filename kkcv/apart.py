"""What needs torch, done apart (child.py): services and searches do without it."""

import sys
from collections.abc import Sequence
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np

from kkcv.child import Child, answer_all
from kkcv.embedding.embedder import unit
from kkcv.embedding.explanation import Explanation
from kkcv.images.decode import decode
from kkcv.images.limits import DEFAULT_LIMITS, Limits


class ClassifyQuestion(NamedTuple):
    """What does a picture show?"""

    picture: bytes
    top: int
    lang: str
    limits: Limits


class ExplainQuestion(NamedTuple):
    """Why do two pictures score what they do?"""

    query: bytes
    hit: bytes
    limits: Limits
    projection: np.ndarray | None


class TextQuestion(NamedTuple):
    """Where do texts lie in the space of the pictures?"""

    texts: list[str]


Question = ClassifyQuestion | ExplainQuestion | TextQuestion


class Apart:
    """Asks a child process. Safe to use from several threads.

    ``model`` is a network's name and weights, as ``checkpoint.resolve`` takes them; the child holds
    one network, and gives way to another for another model.
    """

    def __init__(self) -> None:
        self._child = Child("kkcv.apart")

    def classify(
        self,
        model: tuple[str, str],
        picture: bytes,
        top: int,
        lang: str,
        limits: Limits = DEFAULT_LIMITS,
    ) -> list[dict[str, Any]]:
        """The fields of the most probable classes, best first.

        Raises PictureError, and KkcvError when the child failed: its standard error says why.
        """
        return self._child.ask(ClassifyQuestion(picture, top, lang, limits), *model)

    def explain(
        self,
        model: tuple[str, str],
        query: bytes,
        hit: bytes,
        limits: Limits = DEFAULT_LIMITS,
        projection: np.ndarray | None = None,
    ) -> Explanation:
        """Which positions of two pictures made them score what they do.

        With a ``projection``, float (D, d), the score is that of the projected embeddings.

        Raises PictureError, RequestError for a network without a feature map, and KkcvError when
        the child failed.
        """
        return self._child.ask(ExplainQuestion(query, hit, limits, projection), *model)

    def embed_texts(self, model: tuple[str, str], texts: Sequence[str]) -> np.ndarray:
        """Unit vectors of texts, in the space of the pictures: float32 (N, D).

        Raises RequestError for a network that reads no text, and KkcvError when the child failed.
        """
        return unit(self._child.ask(TextQuestion(list(texts)), *model))

    def close(self) -> None:
        self._child.close()


class Network:
    """The child's network, of which each part is made when it is first needed."""

    def __init__(self, model: str, weights: str) -> None:
        self.model = model
        self.weights = weights

    @cached_property
    def checkpoint(self) -> Any:
        from kkcv.checkpoint import resolve

        return resolve(self.model, self.weights)

    @cached_property
    def network(self) -> Any:
        return self.checkpoint.build()

    @cached_property
    def classifier(self) -> Any:
        from kkcv.classify import Classifier

        return Classifier(self.checkpoint, network=self.network)

    @cached_property
    def explainer(self) -> Any:
        from kkcv.embedding.explainer import Explainer

        return Explainer(self.checkpoint, self.network)

    @cached_property
    def texts(self) -> Any:
        from kkcv.adapters import texts

        return texts(self.checkpoint.name, self.checkpoint.weights_name)

    def answer(self, question: Any) -> Any:
        """What Apart has asked (KkcvError)."""
        if isinstance(question, TextQuestion):
            return self.texts(question.texts)
        if isinstance(question, ExplainQuestion):
            target = self.checkpoint.preprocess.target
            query, hit = (
                decode(picture, question.limits, target=target)
                for picture in (question.query, question.hit)
            )
            return self.explainer.explain(query, hit, question.projection)
        top = min(question.top, len(self.classifier.labels()))
        guesses = self.classifier.classify(question.picture, top, question.lang, question.limits)
        return [guess._asdict() for guess in guesses]


if __name__ == "__main__":
    from kkcv import apart  # pickles name this module so, and not __main__

    answer_all(apart.Network(*sys.argv[1:3]).answer)
