"""What needs torch, done apart: in a child process, for services and searches do without it.

With torch in its process OpenVINO has ended in a segmentation fault, and torch takes a gigabyte.
The child is ``python -m kkcv.apart MODEL WEIGHTS``; a question is a pickle on its standard input,
the answer one on its standard output. It ends when nobody asks any more.
"""

import os
import pickle
import subprocess
import sys
import threading
from collections.abc import Sequence
from functools import cached_property
from typing import Any, BinaryIO, NamedTuple

import numpy as np

from kkcv.embedding.embedder import unit
from kkcv.embedding.explanation import Explanation
from kkcv.errors import KkcvError, PictureError, RequestError
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


class Failed(NamedTuple):
    """An answer that is an error; ``reason`` is that of a PictureError."""

    message: str
    reason: str | None


class Apart:
    """Asks the child, which is started with the first question. Safe to use from several threads.

    ``model`` is a network's name and weights, as ``checkpoint.resolve`` takes them; the child holds
    one network, and gives way to another for another model.
    """

    def __init__(self) -> None:
        self._asking = threading.Lock()
        self._child: subprocess.Popen[bytes] | None = None
        self._model: tuple[str, str] | None = None

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
        return self._ask(model, ClassifyQuestion(picture, top, lang, limits))

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
        return self._ask(model, ExplainQuestion(query, hit, limits, projection))

    def embed_texts(self, model: tuple[str, str], texts: Sequence[str]) -> np.ndarray:
        """Unit vectors of texts, in the space of the pictures: float32 (N, D).

        Raises RequestError for a network that reads no text, and KkcvError when the child failed.
        """
        return unit(self._ask(model, TextQuestion(list(texts))))

    def close(self) -> None:
        with self._asking:
            self._end()

    def _ask(self, model: tuple[str, str], question: Question) -> Any:
        with self._asking:
            child = self._running(model)
            assert child.stdin is not None
            assert child.stdout is not None
            try:
                pickle.dump(question, child.stdin)
                child.stdin.flush()
                answer = pickle.load(child.stdout)
            except (OSError, EOFError, pickle.UnpicklingError):
                self._end()
                raise KkcvError("the process that runs the network has ended") from None
        if isinstance(answer, Failed):
            if answer.reason is not None:
                raise PictureError(answer.message, answer.reason)
            raise RequestError(answer.message)
        return answer

    def _running(self, model: tuple[str, str]) -> "subprocess.Popen[bytes]":
        """The child for this network, started if need be."""
        if self._child is not None and (self._model != model or self._child.poll() is not None):
            self._end()
        if self._child is None:
            self._child = subprocess.Popen(
                [sys.executable, "-m", "kkcv.apart", *model],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                start_new_session=True,  # Ctrl-C is for the service, which lets it finish
            )
            self._model = model
        return self._child

    def _end(self) -> None:
        if self._child is not None:
            for pipe in (self._child.stdin, self._child.stdout):
                if pipe is not None:
                    pipe.close()
            self._child.kill()
            self._child.wait()
            self._child = None


class Network:
    """The child's network, of which each part is made when it is first needed."""

    def __init__(self, model: str, weights: str) -> None:
        from kkcv.checkpoint import resolve

        self.checkpoint = resolve(model, weights)

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


def answer_all(questions: BinaryIO, answers: BinaryIO, model: str, weights: str) -> None:
    """The child: answer until there are no more questions."""
    network: Network | None = None
    while True:
        try:
            question = pickle.load(questions)
        except EOFError:
            return
        try:
            network = network or Network(model, weights)
            said = network.answer(question)
        except PictureError as error:
            said = Failed(str(error), error.reason)
        except KkcvError as error:
            said = Failed(str(error), None)
        pickle.dump(said, answers)
        answers.flush()


if __name__ == "__main__":
    from kkcv import apart  # pickles name this module so, and not __main__

    pipe = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # whatever a library prints is no answer
    apart.answer_all(sys.stdin.buffer, pipe, *sys.argv[1:3])
