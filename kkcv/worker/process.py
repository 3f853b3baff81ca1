"""The parent's side of a child process: questions and answers are pickles on its pipes.

With torch in its process OpenVINO has ended in a segmentation fault, and torch takes a gigabyte.
The child is ``python -m MODULE``. It ends with the process that started it.
"""

import pickle
import subprocess
import sys
import threading
from collections.abc import Callable
from typing import Any

from kkcv.errors import KkcvError


def never() -> bool:
    return False


class ChildProcess:
    """A child that is started by the first question. Safe to use from several threads.

    It answers one question at a time; the others wait.
    """

    def __init__(self, module: str) -> None:
        self._module = module
        self._asking = threading.Lock()
        self._stopping = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._unwanted = never  # of the question in flight

    def ask(self, question: Any, unwanted: Callable[[], bool] = never) -> Any:
        """The answer. ``unwanted`` says whether nobody waits for it any more.

        Raises the KkcvError that the child answers, or one when the child has ended: its standard
        error says why.
        """
        with self._asking:
            if unwanted():
                raise KkcvError("the question was withdrawn")
            with self._stopping:
                process = self._running()
                self._unwanted = unwanted
            assert process.stdin is not None
            assert process.stdout is not None
            try:
                pickle.dump(question, process.stdin)
                process.stdin.flush()
                answer = pickle.load(process.stdout)
            except (OSError, EOFError, pickle.UnpicklingError):
                self._end()
                raise KkcvError("the process that runs the network has ended") from None
            finally:
                with self._stopping:
                    self._unwanted = never
        if isinstance(answer, KkcvError):
            raise answer
        return answer

    def stop(self) -> None:
        """End the child in the middle of a question that is no longer wanted.

        The next question starts another child.
        """
        with self._stopping:
            # asked again under the lock: the next question may be in flight
            if self._process is not None and self._unwanted():
                self._process.kill()
                self._process.wait()

    def close(self) -> None:
        """End the child when it has answered."""
        with self._asking:
            self._end()

    def _running(self) -> "subprocess.Popen[bytes]":
        if self._process is not None and self._process.poll() is not None:
            self._end()  # it was killed, for memory as a rule: another one is started
        if self._process is None:
            self._process = subprocess.Popen(
                # -P: a folder here that is named kkcv, such as the clone, is not the package
                [sys.executable, "-P", "-m", self._module],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                start_new_session=True,  # Ctrl-C reaches the parent alone, which lets it finish
            )
        return self._process

    def _end(self) -> None:
        if self._process is not None:
            for pipe in (self._process.stdin, self._process.stdout):
                if pipe is not None:
                    pipe.close()
            self._process.kill()
            self._process.wait()
            self._process = None
