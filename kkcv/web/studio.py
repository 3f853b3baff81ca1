"""What the pages need torch for, in a child process: the page itself stays without.

With torch in its process OpenVINO, which searches, has ended in a segmentation fault. The child is
``python -m kkcv.web.studio``; a question is a pickle on its standard input, the answer one on its
standard output. It ends when nobody asks any more, or when it is told to stop.
"""

import os
import pickle
import subprocess
import sys
import threading
from collections import OrderedDict
from collections.abc import Callable
from typing import Any, BinaryIO, NamedTuple

from kkcv.errors import KkcvError, PictureError

MOST_NETWORKS = 3  # that the child holds


class Failed(NamedTuple):
    """An answer that is an error; ``reason`` is that of a PictureError."""

    message: str
    reason: str | None


class Studio:
    """Asks the child, which is started with the first question. Safe for several threads."""

    def __init__(self) -> None:
        self._asking = threading.Lock()
        self._child: subprocess.Popen[bytes] | None = None
        self._known: dict[tuple[Any, ...], Any] = {}

    def families(self, lang: str) -> list[dict[str, Any]]:
        """The families of the zoo."""
        return self._remembered("families", lang)

    def network(self, name: str, lang: str) -> dict[str, Any]:
        """What is known of one network."""
        return self._remembered("network", name, lang)

    def classify(self, model: str, picture: bytes, top: int, lang: str) -> list[tuple[str, float]]:
        """Labels and probabilities, the best first (PictureError, WeightsError)."""
        return self._ask("classify", model, picture, top, lang)

    def layers(self, model: str, picture: bytes) -> list[dict[str, Any]]:
        """The feature maps of every stage: name, shape, and a sheet as PNG."""
        return self._ask("layers", model, picture)

    def deciding(
        self, model: str, picture: bytes, top: int, lang: str
    ) -> list[tuple[str, float, bytes]]:
        """Labels, probabilities, and the picture with what spoke for each as JPEG."""
        return self._ask("deciding", model, picture, top, lang)

    def stop(self) -> None:
        """End the child in the middle of its work; the next question starts another."""
        child = self._child
        if child is not None:
            child.kill()

    def _remembered(self, *question: Any) -> Any:
        if question not in self._known:
            self._known[question] = self._ask(*question)
        return self._known[question]

    def _ask(self, *question: Any) -> Any:
        with self._asking:
            child = self._running()
            assert child.stdin is not None
            assert child.stdout is not None
            try:
                pickle.dump(question, child.stdin)
                child.stdin.flush()
                answer = pickle.load(child.stdout)
            except (OSError, EOFError, pickle.UnpicklingError):
                self._end()
                raise KkcvError("the process that runs networks has ended") from None
        if isinstance(answer, Failed):
            if answer.reason is not None:
                raise PictureError(answer.message, answer.reason)
            raise KkcvError(answer.message)
        return answer

    def _running(self) -> "subprocess.Popen[bytes]":
        if self._child is not None and self._child.poll() is not None:
            self._end()
        if self._child is None:
            self._child = subprocess.Popen(
                [sys.executable, "-m", "kkcv.web.studio"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                start_new_session=True,
            )
        return self._child

    def _end(self) -> None:
        if self._child is not None:
            for pipe in (self._child.stdin, self._child.stdout):
                if pipe is not None:
                    pipe.close()
            self._child.kill()
            self._child.wait()
            self._child = None


def answers_of_child() -> dict[str, Callable[..., Any]]:
    """What the child can be asked."""
    from kkcv.classify import Classifier
    from kkcv.images.thumbnails import shrink

    from . import inside, zoo_facts

    held: OrderedDict[str, Classifier] = OrderedDict()

    def network(model: str) -> Classifier:
        if model not in held:
            held[model] = Classifier.load(model)
            while len(held) > MOST_NETWORKS:
                held.popitem(last=False)
        held.move_to_end(model)
        return held[model]

    def classify(model: str, picture: bytes, top: int, lang: str) -> list[tuple[str, float]]:
        classifier = network(model)
        top = min(top, len(classifier.labels()))
        return [(g.label, g.probability) for g in classifier.classify(picture, top, lang)]

    def layers(model: str, picture: bytes) -> list[dict[str, Any]]:
        return [
            {"name": layer.name, "shape": layer.shape, "sheet": inside.as_png(layer.sheet)}
            for layer in inside.layers(network(model), picture)
        ]

    def deciding(model: str, picture: bytes, top: int, lang: str) -> list[tuple[str, float, bytes]]:
        return [
            (label, probability, shrink(shown, 512))
            for label, probability, shown in inside.deciding(network(model), picture, top, lang)
        ]

    return {
        "families": zoo_facts.families,
        "network": zoo_facts.network_facts,
        "classify": classify,
        "layers": layers,
        "deciding": deciding,
    }


def answer_all(questions: BinaryIO, answers: BinaryIO) -> None:
    """The child: answer until there are no more questions."""
    known = answers_of_child()
    while True:
        try:
            what, *arguments = pickle.load(questions)
        except EOFError:
            return
        try:
            said = known[what](*arguments)
        except PictureError as error:
            said = Failed(str(error), error.reason)
        except KkcvError as error:
            said = Failed(str(error), None)
        pickle.dump(said, answers)
        answers.flush()


if __name__ == "__main__":
    from kkcv.web import studio  # pickles name this module so, and not __main__

    pipe = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # whatever a library prints is no answer
    studio.answer_all(sys.stdin.buffer, pipe)
