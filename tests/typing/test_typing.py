"""Types are shipped, and a checker sees in them what a user's program does and does wrong."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent


def mypy(name: str) -> list[str]:
    done = subprocess.run(
        [sys.executable, "-m", "mypy", "--strict", "--follow-imports=silent", HERE / name],
        cwd=HERE.parents[1],
        capture_output=True,
        text=True,
    )
    return [line for line in done.stdout.splitlines() if f"{name}:" in line]


def test_types_are_shipped() -> None:
    assert (HERE.parents[1] / "kkcv" / "py.typed").is_file()


@pytest.mark.slow
def test_a_program_is_checked_without_a_complaint() -> None:
    assert mypy("example.py") == []


@pytest.mark.slow
def test_mistakes_are_found() -> None:
    lines = (HERE / "mistakes.py").read_text("utf-8").splitlines()
    expected = {n: line.split("  # ")[1] for n, line in enumerate(lines, 1) if "  # " in line}

    found = "\n".join(mypy("mistakes.py"))

    for number, what in expected.items():
        assert re.search(rf"mistakes\.py:{number}: error: .*{re.escape(what)}", found), found
