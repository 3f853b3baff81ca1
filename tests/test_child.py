"""A child process answers questions, and is started again when it has ended."""

import pickle
import threading
from pathlib import Path

import pytest

from kkcv.child import Child
from kkcv.errors import KkcvError, MissingExtra, PictureError, ServiceError

CHILD = """
import time
from kkcv.child import answer_all
from kkcv.errors import PictureError

def answer(question):
    print("this is for people")
    if question == "bad":
        raise PictureError("this is cut off", "truncated")
    if question == "slow":
        time.sleep(60)
    return 2 * question

answer_all(answer)
"""


@pytest.fixture
def child(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Child:
    (tmp_path / "doubling.py").write_text(CHILD)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    made = Child("doubling")
    yield made
    made.close()


def test_each_question_has_its_answer_whoever_asks(child: Child) -> None:
    answers: dict[int, int] = {}
    threads = [
        threading.Thread(target=lambda n=n: answers.update({n: child.ask(n)})) for n in range(8)
    ]

    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert answers == {n: 2 * n for n in range(8)}


def test_an_error_is_raised_here_as_it_was_there(child: Child) -> None:
    with pytest.raises(PictureError, match="this is cut off") as error:
        child.ask("bad")

    assert error.value.reason == "truncated"
    assert child.ask(21) == 42


def test_a_child_that_is_stopped_says_so_and_the_next_question_starts_another(child: Child) -> None:
    child.ask(1)  # it runs
    threading.Timer(0.2, child.stop).start()

    with pytest.raises(KkcvError, match="has ended"):
        child.ask("slow")

    assert child.ask(21) == 42


@pytest.mark.parametrize(
    "error",
    [KkcvError("a"), PictureError("b", "empty"), MissingExtra("c", "web"), ServiceError("d", 404)],
    ids=lambda error: type(error).__name__,
)
def test_errors_survive_the_way_between_processes(error: KkcvError) -> None:
    again = pickle.loads(pickle.dumps(error))

    assert (type(again), str(again), again.__dict__) == (type(error), str(error), error.__dict__)
