"""A child process that answers questions, for what a process had better not do itself.

With torch in its process OpenVINO has ended in a segmentation fault, and torch takes a gigabyte.
The child is ``python -m MODULE ARGUMENTS``; a question is a pickle on its standard input, the
answer one on its standard output. It ends when nobody asks any more.
"""

import os
import pickle
import subprocess
import sys
import threading
from collections.abc import Callable
from typing import Any

from kkcv.errors import KkcvError


class Child:
    """Asks the child, which is started with the first question. Safe for several threads."""

    def __init__(self, module: str) -> None:
        self._module = module
        self._asking = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._arguments: tuple[str, ...] = ()

    def ask(self, question: Any, *arguments: str) -> Any:
        """Its answer. A child with other arguments gives way to one with these.

        Raises the KkcvError that the answer is, or one when the child has ended: its standard error
        says why.
        """
        with self._asking:
            process = self._running(arguments)
            assert process.stdin is not None
            assert process.stdout is not None
            try:
                pickle.dump(question, process.stdin)
                process.stdin.flush()
                answer = pickle.load(process.stdout)
            except (OSError, EOFError, pickle.UnpicklingError):
                self._end()
                raise KkcvError("the process that runs the network has ended") from None
        if isinstance(answer, KkcvError):
            raise answer
        return answer

    def stop(self) -> None:
        """End it in the middle of its work; the next question starts another."""
        process = self._process
        if process is not None:
            process.kill()

    def close(self) -> None:
        """End it when it has answered."""
        with self._asking:
            self._end()

    def _running(self, arguments: tuple[str, ...]) -> "subprocess.Popen[bytes]":
        alive = self._process is not None and self._process.poll() is None
        if not alive or self._arguments != arguments:
            self._end()
        if self._process is None:
            self._process = subprocess.Popen(
                # -P: a folder here that is named kkcv, such as the clone, is not the package
                [sys.executable, "-P", "-m", self._module, *arguments],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                start_new_session=True,  # Ctrl-C is for whoever asks, and lets it finish
            )
            self._arguments = arguments
        return self._process

    def _end(self) -> None:
        if self._process is not None:
            for pipe in (self._process.stdin, self._process.stdout):
                if pipe is not None:
                    pipe.close()
            self._process.kill()
            self._process.wait()
            self._process = None


def answer_all(answer: Callable[[Any], Any]) -> None:
    """The main function of the child: answer until there are no more questions."""
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # whatever a library prints is no answer
    while True:
        try:
            question = pickle.load(sys.stdin.buffer)
        except EOFError:
            return
        try:
            said = answer(question)
        except KkcvError as error:
            said = error
        pickle.dump(said, answers)
        answers.flush()
