"""Classes of pictures, from a child process: it needs torch, and the service does without.

The child is ``python -m kkcv.serve.classifier MODEL WEIGHTS``. A request is a line of JSON and then
as many bytes as its ``size`` says, an answer is a line of JSON. It ends when nobody asks any more.
"""

import json
import os
import subprocess
import sys
import threading
from typing import Any, BinaryIO

from kkcv.errors import KkcvError, PictureError
from kkcv.images.limits import Limits


class ChildClassifier:
    """Asks the child, which is started with the first picture. Safe to use from several threads."""

    def __init__(self) -> None:
        self._asking = threading.Lock()
        self._child: subprocess.Popen[bytes] | None = None
        self._model: tuple[str, str] | None = None

    def classify(
        self, model: tuple[str, str], data: bytes, top: int, lang: str, limits: Limits
    ) -> list[dict[str, Any]]:
        """The fields of the most probable classes, best first; ``model`` is its name and weights.

        Raises PictureError, and KkcvError when the child failed: its standard error says why.
        """
        request = {
            "size": len(data),
            "top": top,
            "lang": lang,
            "max_bytes": limits.max_bytes,
            "max_pixels": limits.max_pixels,
        }
        with self._asking:
            child = self._running(model)
            assert child.stdin is not None
            assert child.stdout is not None
            try:
                child.stdin.write(json.dumps(request).encode() + b"\n" + data)
                child.stdin.flush()
                line = child.stdout.readline()
            except OSError:
                line = b""
            if not line:
                self._end()
                raise KkcvError("the process that classifies has ended")
        answer = json.loads(line)
        if "reason" in answer:
            raise PictureError(answer["message"], answer["reason"])
        return answer["guesses"]

    def close(self) -> None:
        with self._asking:
            self._end()

    def _running(self, model: tuple[str, str]) -> "subprocess.Popen[bytes]":
        """The child for this network, started if need be."""
        if self._child is not None and (self._model != model or self._child.poll() is not None):
            self._end()
        if self._child is None:
            self._child = subprocess.Popen(
                [sys.executable, "-m", "kkcv.serve.classifier", *model],
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


def answer_all(requests: BinaryIO, answers: BinaryIO, model: str, weights: str) -> None:
    """The child: answer until there are no more requests."""
    from kkcv.classify import Classifier

    classifier = Classifier.load(model, weights)
    while line := requests.readline():
        request = json.loads(line)
        data = requests.read(request["size"])
        limits = Limits(request["max_bytes"], request["max_pixels"])
        top = min(request["top"], len(classifier.labels()))
        try:
            guesses = classifier.classify(data, top, request["lang"], limits)
            answer: dict[str, Any] = {"guesses": [guess._asdict() for guess in guesses]}
        except PictureError as error:
            answer = {"reason": error.reason, "message": str(error)}
        answers.write(json.dumps(answer).encode() + b"\n")
        answers.flush()


if __name__ == "__main__":
    pipe = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # whatever a library prints is no answer
    answer_all(sys.stdin.buffer, pipe, *sys.argv[1:3])
