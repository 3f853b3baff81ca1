"""The child process, ``python -m kkcv.worker.child``: answers until there are no more questions."""

import os
import pickle
import sys
from collections.abc import Callable
from typing import Any

from kkcv.errors import KkcvError
from kkcv.extras import missing


def answer_all(answer: Callable[[Any], Any]) -> None:
    """Read questions from standard input and write their answers to standard output."""
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what a library prints must not be read as an answer
    while True:
        try:
            question = pickle.load(sys.stdin.buffer)
        except EOFError:
            return
        try:
            said = answer(question)
        except KkcvError as error:
            said = error
        except ModuleNotFoundError as error:
            said = missing(error)
            if said is None:
                raise
        pickle.dump(said, answers)
        answers.flush()


if __name__ == "__main__":
    from kkcv.worker.answers import ANSWERS

    answer_all(lambda question: ANSWERS[question[0]](*question[1:]))
