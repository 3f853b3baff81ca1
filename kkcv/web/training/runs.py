"""Training runs as processes of their own: start, watch, stop, resume."""

import csv
import json
import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Any

import streamlit as st

from kkcv.disk import typed, write_file
from kkcv.environment import web_settings
from kkcv.errors import RequestError
from kkcv.training.run_folder import RunFolder

NAME = re.compile(r"[\w][\w .-]{0,60}")
LAST = 4000  # bytes of the log that are shown
STEP = re.compile(r": (\d+) of (\d+)$", re.MULTILINE)  # the progress lines of kkcv train


class State(Enum):
    RUNNING = "running"
    FINISHED = "finished"
    STOPPED = "stopped"  # and can go on
    FAILED = "failed"


@dataclass(frozen=True)
class Run:
    """A run folder; ``NAME.json`` beside it has its command, ``NAME.log`` its output."""

    path: Path

    @property
    def folder(self) -> RunFolder:
        return RunFolder(self.path)

    @property
    def record(self) -> Path:
        return self.path.with_name(f"{self.path.name}.json")

    @property
    def log(self) -> Path:
        return self.path.with_name(f"{self.path.name}.log")

    def begun_with(self) -> dict[str, Any]:
        """The command and the process; empty for a run that was started elsewhere."""
        try:
            said: dict[str, Any] = json.loads(self.record.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return {}
        return said

    def epochs(self) -> list[dict[str, str]]:
        """The rows of metrics.csv so far."""
        try:
            with self.folder.table.open(encoding="utf-8", newline="") as file:
                return list(csv.DictReader(file))
        except OSError:
            return []

    def said(self) -> str:
        """The end of its log."""
        try:
            with self.log.open("rb") as file:
                file.seek(max(0, self.log.stat().st_size - LAST))
                return file.read().decode(errors="replace").strip()
        except OSError:
            return ""

    def steps(self) -> tuple[int, int] | None:
        """Steps done and in total, as the log says; None before it does."""
        told = STEP.findall(self.said())
        return (int(told[-1][0]), int(told[-1][1])) if told else None


class Runs:
    """The runs of a folder, and the processes that were started here."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._processes: dict[Path, subprocess.Popen[bytes]] = {}
        self._beginning = threading.Lock()

    def all(self) -> list[Run]:
        """All runs, the newest first."""
        found = {p.with_suffix("") for p in self.folder.glob("*.json")}
        found |= {p for p in self.folder.glob("*") if RunFolder(p).is_finished}
        return [Run(p) for p in sorted(found, key=changed, reverse=True)]

    def state(self, run: Run) -> State:
        process = self._processes.get(run.path)
        if process is not None and process.poll() is None:
            return State.RUNNING
        if run.folder.is_finished:
            return State.FINISHED
        if process is None and alive(run.begun_with().get("process"), run.path):
            return State.RUNNING
        resumable = run.folder.unfinished.is_dir() and run.folder.split.is_file()
        return State.STOPPED if resumable else State.FAILED

    def begin(self, name: str, data: str, options: Sequence[str]) -> Run:
        """Start a new run (RequestError for an invalid or taken name)."""
        name = name.strip()
        if not NAME.fullmatch(name):
            raise RequestError(
                f"a run's name has letters, digits, spaces, dots, hyphens, and not {name!r}"
            )
        run = Run(self.folder / name)
        if run.path.exists() or run.record.exists():
            raise RequestError(f"there is a run {name!r} already; choose another name")
        self.folder.mkdir(parents=True, exist_ok=True)
        self._start(run, data, options)
        return run

    def go_on(self, run: Run) -> None:
        """Resume a run that was stopped."""
        begun = run.begun_with()
        self._start(run, begun.get("data", ""), ["--resume"])

    def stop(self, run: Run) -> None:
        """Ask a run to stop; it keeps its progress."""
        process = self._processes.get(run.path)
        if process is not None and process.poll() is None:
            process.send_signal(signal.SIGINT)

    def forget(self, run: Run) -> None:
        """Take a failed run off the list."""
        run.record.unlink(missing_ok=True)
        run.log.unlink(missing_ok=True)

    def begun_here(self, run: Run) -> bool:
        """Whether its process was started here, and can be stopped."""
        return run.path in self._processes

    def _start(self, run: Run, data: str, options: Sequence[str]) -> None:
        with self._beginning:
            if self.state(run) is State.RUNNING:
                return
            # -P: a kkcv/ in the current folder is not taken for this package
            command = [sys.executable, "-P", "-m", "kkcv", "train", typed(data)]
            with run.log.open("wb") as log:
                process = subprocess.Popen(
                    [*command, "--out", str(run.path), *options],
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=subprocess.STDOUT,
                    start_new_session=True,  # Ctrl-C in the terminal of the page does not stop it
                )
            self._processes[run.path] = process
            record = {"data": data, "options": list(options), "process": process.pid}
            write_file(run.record, json.dumps(record))


def changed(path: Path) -> float:
    """When a run last changed, in seconds since 1970."""
    for place in (path, path.with_name(f"{path.name}.json")):
        if place.exists():
            return place.stat().st_mtime
    return 0.0


def alive(process: object, run: Path) -> bool:
    """Whether the process exists and is that of the run: numbers are used again."""
    if not isinstance(process, int):
        return False
    try:
        os.kill(process, 0)  # signal 0 only asks whether it is there
        command = Path(f"/proc/{process}/cmdline")
        return not command.exists() or str(run).encode() in command.read_bytes()
    except OSError:
        return False


@st.cache_resource(show_spinner=False)
def runs() -> Runs:
    """The runs of ``kkcv web --runs``."""
    return Runs(Path(web_settings().runs).absolute())
