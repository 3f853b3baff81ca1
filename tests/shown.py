"""The code that a page shows, run block after block in one folder, as a reader would.

    bash, python       run; ``kkcv serve`` and ``kkcv web`` stay up until the page ends
    title="PATH"       written to that file, below the folder; as ``diff`` put into it
    title="not run…"   not run, and the reader sees why

Everything else (text, json, …) is no command.

Addresses get free ports in place of those that are shown.
"""

import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import TracebackType
from typing import NamedTuple

from kkcv.environment import cache_folder

FENCE = re.compile(
    r"^(?P<indent> *)```(?P<language>\w*)(?P<rest>[^\n`]*)\n(?P<text>.*?)^(?P=indent)```",
    re.MULTILINE | re.DOTALL,
)
SERVER = re.compile(r"(?:\w+=\S+ )*kkcv (?P<kind>serve|web) ")
NOT_RUN = ("not run", "测试中不运行")
PORTS = {"serve": "8000", "web": "8501", "milvus": "19530"}  # as the pages show them

CURL = 'curl() { command curl --fail-with-body "$@"; }'  # an answer of 400 or more is a failure


class Block(NamedTuple):
    language: str
    title: str
    text: str

    @property
    def is_run(self) -> bool:
        return not self.title.startswith(NOT_RUN)


def blocks(text: str) -> list[Block]:
    """The fenced blocks of a page, without the indentation of what they stand in."""
    found = []
    for match in FENCE.finditer(text):
        title = re.search(r'title="([^"]*)"', match["rest"])
        indent = len(match["indent"])
        lines = [line[indent:] for line in match["text"].splitlines()]
        found.append(Block(match["language"], title[1] if title else "", "\n".join(lines) + "\n"))
    return found


def in_one_session(shown: list[Block]) -> list[Block]:
    """The Python blocks of a page as one, as cells of a notebook that go on from each other."""
    python = [block for block in shown if block.language == "python" and block.is_run]
    others = [block for block in shown if block.language != "python"]
    return [*others, Block("python", "", "\n".join(block.text for block in python))]


def commands(text: str) -> list[str]:
    """The ``kkcv …`` lines of the shell blocks, without comments."""
    lines = [line for b in blocks(text) if b.language == "bash" for line in b.text.splitlines()]
    return [line.partition(" #")[0].rstrip() for line in lines if line.startswith("kkcv ")]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Reader:
    """Somebody who does what a page shows, in the folder ``work``, with ``home`` as their home."""

    def __init__(self, work: Path, home: Path, *, milvus: str = "") -> None:
        """``milvus`` is the port of a server, where a page needs one."""
        self.work = work
        self.ports = {kind: str(free_port()) for kind in ("serve", "web")} | {"milvus": milvus}
        self.servers: dict[str, subprocess.Popen[bytes]] = {}
        self.exports: list[str] = []
        self.env: Mapping[str, str] = {
            **os.environ,
            "HOME": str(home),
            "KKCV_CACHE": str(cache_folder()),  # what a network runs best on is known by now
            "KKCV_OFFLINE": "1",
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
            "PYTHONPATH": str(work),  # where a page adds to kkcv, its copy is the one that runs
        }

    def __enter__(self) -> "Reader":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for kind_of_server in list(self.servers):
            self.stop(kind_of_server)

    def stop(self, kind: str) -> None:
        if server := self.servers.pop(kind, None):
            os.killpg(server.pid, signal.SIGTERM)
            server.wait(60)

    def do(self, block: Block) -> None:
        """One block, or an AssertionError with what it printed."""
        text = self.with_ports(block.text)
        if not block.is_run:
            return
        if block.title and block.language == "diff":
            file = self.file(block.title)
            file.write_text(patched(file.read_text("utf-8"), text), encoding="utf-8")
        elif block.title:
            file = self.file(block.title)
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text, encoding="utf-8")
        elif block.language == "bash":
            for part in parts(text):
                self.shell(part)
        elif block.language == "python":
            self.run([sys.executable, "-c", text], text)

    def file(self, shown: str) -> Path:
        """Where a file that is shown lies: below ``work``, as tests leave the machine as it was."""
        file = (self.work / shown.lstrip("/")).resolve()
        assert file.is_relative_to(self.work.resolve()), f"{shown} lies outside the page's folder"
        return file

    def shell(self, part: str) -> None:
        if server := SERVER.match(part):
            self.serve(part.partition(" #")[0].strip().removesuffix("&"), server["kind"])
            return
        script = "\n".join(["set -euo pipefail", CURL, *self.exports, part])
        self.run(["bash", "-c", script], part)
        self.exports += [line for line in part.splitlines() if line.startswith("export ")]

    def serve(self, line: str, kind: str) -> None:
        """Start a server in place of the one before, and wait until it answers."""
        self.stop(kind)
        port = self.ports[kind]
        line += "" if "--port" in line else f" --port {port}"
        line += " --no-browser" if kind == "web" else ""
        script = "\n".join([*self.exports, f"exec env {line}"])
        process = subprocess.Popen(
            ["bash", "-c", script], cwd=self.work, env=self.env, start_new_session=True
        )
        self.servers[kind] = process
        address = f"http://127.0.0.1:{port}/{'healthz' if kind == 'serve' else ''}"
        deadline = time.monotonic() + 120
        while True:
            try:
                with urllib.request.urlopen(address, timeout=5) as answer:
                    assert answer.status == 200
                return
            except OSError:
                assert process.poll() is None, f"{line} ended"
                assert time.monotonic() < deadline, f"{line} does not answer"
                time.sleep(0.2)

    def run(self, command: list[str], shown: str) -> None:
        done = subprocess.run(
            command, cwd=self.work, env=self.env, capture_output=True, text=True,
            timeout=900,
        )  # fmt: skip
        assert done.returncode == 0, f"{shown}\n{done.stdout[-2000:]}\n{done.stderr[-4000:]}"

    def with_ports(self, text: str) -> str:
        for kind, shown in PORTS.items():
            text = re.sub(rf"\b{shown}\b", self.ports[kind], text)
        return text


def parts(text: str) -> Iterator[str]:
    """A shell block in parts: each server alone, and what stands between them."""
    between: list[str] = []
    for line in text.splitlines():
        if SERVER.match(line):
            yield from ["\n".join(between)] if between else []
            yield line
            between = []
        else:
            between.append(line)
    if "".join(between).strip():
        yield "\n".join(between)


def patched(text: str, diff: str) -> str:
    """A file's text with the changes of a diff, whose places are found by what stands there."""
    for hunk in re.split(r"^@@.*\n", diff, flags=re.MULTILINE):
        lines = [line if line.strip() else " \n" for line in hunk.splitlines(keepends=True)]
        before = "".join(line[1:] for line in lines if line[0] in " -")
        after = "".join(line[1:] for line in lines if line[0] in " +")
        assert not lines or text.count(before) == 1, f"not once in the file:\n{before}"
        text = text.replace(before, after) if lines else text
    return text
