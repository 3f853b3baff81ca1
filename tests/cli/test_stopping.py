"""Ctrl-C and SIGTERM: one line, the exit code of a shell, and nothing half-written."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from kkcv.cli.stopping import stoppable

# kkcv zoo notebook, and a signal at the moment that a module is looked for, or a file written
PROGRAM = """
import os, sys
moment, number = sys.argv[1], int(sys.argv[2])
sys.argv[1:] = ["zoo", "notebook", "lenet5", "-o", "lesson.ipynb"]

class AtImport:
    def find_spec(self, name, path=None, target=None):
        if name == moment:
            os.kill(os.getpid(), number)

sys.meta_path.insert(0, AtImport())
if moment == "writing":
    import kkcv.disk
    kkcv.disk.sync_file = lambda part: os.kill(os.getpid(), number)

from kkcv.__main__ import run
run()
"""

# Work that is interrupted, and what its libraries note on the interruption
INTERRUPTED = """
import signal, sys
import click
from kkcv.cli.stopping import stoppable

@click.command()
@stoppable()
def work():
    try:
        signal.raise_signal(signal.SIGINT)
    except KeyboardInterrupt as stop:
        for note in sys.argv[1:]:
            stop.add_note(note)
        raise

work([])
"""


@pytest.mark.usefixtures("interruptible")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("moment", ["click", "kkcv.zoo.book.notebook", "writing"])
def test_a_signal_ends_a_command_in_one_line(
    moment: str, number: signal.Signals, tmp_path: Path
) -> None:
    command = [sys.executable, "-c", PROGRAM, moment, str(int(number))]
    ended = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=60)

    assert (ended.stdout, ended.stderr) == ("", "stopped\n")
    assert ended.returncode == {signal.SIGINT: 130, signal.SIGTERM: 143}[number]
    assert list(tmp_path.iterdir()) == []


def test_a_command_in_the_background_of_a_script_goes_on(
    interruptible: None, tmp_path: Path
) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # as a shell starts it: Ctrl-C is for the script
    command = [sys.executable, "-c", PROGRAM, "writing", str(int(signal.SIGINT))]
    ended = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=60)

    assert (ended.stdout, ended.stderr, ended.returncode) == ("lesson.ipynb\n", "", 0)


@pytest.mark.usefixtures("interruptible")
@pytest.mark.parametrize(
    ("notes", "said"),
    [
        (["of a library"], "stopped"),
        (["of a library", "stopped; run it again to go on"], "stopped; run it again to go on"),
    ],
)
def test_only_our_notes_are_said(notes: list[str], said: str) -> None:
    command = [sys.executable, "-c", INTERRUPTED, *notes]  # a signal is for a process of its own
    ended = subprocess.run(command, capture_output=True, text=True, timeout=60)

    assert (ended.stdout, ended.stderr) == ("", f"{said}\n")
    assert ended.returncode == 130


def test_a_handler_that_was_not_set_in_python_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    before = signal.getsignal(signal.SIGTERM)
    monkeypatch.setattr(signal, "getsignal", lambda number: None)

    with stoppable():
        pass

    monkeypatch.undo()
    assert signal.getsignal(signal.SIGTERM) == before
