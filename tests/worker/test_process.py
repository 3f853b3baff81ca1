"""A child process answers questions, and is started again when it has ended."""

import pickle
import threading
from pathlib import Path

import pytest

from kkcv.errors import KkcvError, MissingExtra, PictureError, ServiceError
from kkcv.worker.process import ChildProcess

CHILD = """
import time
from kkcv.worker.child import answer_all
from kkcv.errors import PictureError

def answer(question):
    print("this is for people")
    if question == "bad":
        raise PictureError("this is cut off", "truncated")
    if question == "slow":
        time.sleep(60)
    if question == "half a second":
        time.sleep(0.5)
    return 2 * question

answer_all(answer)
"""


@pytest.fixture
def child(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ChildProcess:
    (tmp_path / "doubling.py").write_text(CHILD)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    made = ChildProcess("doubling")
    yield made
    made.close()


def test_each_thread_gets_the_answer_to_its_own_question(child: ChildProcess) -> None:
    answers: dict[int, int] = {}
    threads = [
        threading.Thread(target=lambda n=n: answers.update({n: child.ask(n)})) for n in range(8)
    ]

    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert answers == {n: 2 * n for n in range(8)}


def test_an_error_is_raised_here_as_it_was_there(child: ChildProcess) -> None:
    with pytest.raises(PictureError, match="this is cut off") as error:
        child.ask("bad")

    assert error.value.reason == "truncated"
    assert child.ask(21) == 42


def test_a_question_that_is_unwanted_ends_the_child_and_the_next_starts_another(
    child: ChildProcess,
) -> None:
    child.ask(1)  # it runs
    unwanted = threading.Event()

    def stop() -> None:
        unwanted.set()
        child.stop()

    threading.Timer(0.2, stop).start()
    with pytest.raises(KkcvError, match="has ended"):
        child.ask("slow", unwanted.is_set)

    assert child.ask(21) == 42


def test_stopping_ends_nobody_elses_question(child: ChildProcess) -> None:
    child.ask(1)
    process = child._process
    answers: list[object] = []
    wanted = threading.Thread(target=lambda: answers.append(child.ask("half a second")))
    wanted.start()

    waiting = threading.Timer(0.1, child.stop)  # for a question behind that one
    waiting.start()
    with pytest.raises(KkcvError, match="withdrawn"):
        child.ask(21, lambda: True)
    wanted.join()

    assert answers == ["half a secondhalf a second"]
    assert child._process is process


@pytest.mark.parametrize(
    "error",
    [KkcvError("a"), PictureError("b", "empty"), MissingExtra("c", "web"), ServiceError("d", 404)],
    ids=lambda error: type(error).__name__,
)
def test_errors_survive_the_way_between_processes(error: KkcvError) -> None:
    again = pickle.loads(pickle.dumps(error))

    assert (type(again), str(again), again.__dict__) == (type(error), str(error), error.__dict__)
