"""Shells complete commands and options."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from .conftest import Said


def test_bash_completes_commands_and_options() -> None:
    script = """
        eval "$(kkcv completion bash)"
        for words in "kkcv zoo sh" "kkcv search g p --min"; do
            COMP_WORDS=($words)
            COMP_CWORD=$(( ${#COMP_WORDS[@]} - 1 ))
            COMPREPLY=()
            _kkcv_completion kkcv
            echo "${COMPREPLY[@]}"
        done
    """
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"

    done = subprocess.run(
        ["bash", "-c", script],
        env={**os.environ, "PATH": path},
        capture_output=True,
        text=True,
        check=True,
    )

    assert done.stdout.split() == ["show", "--min-score"]


@pytest.mark.parametrize("shell", ["zsh", "fish"])
def test_other_shells_get_lines_of_their_own(shell: str, kkcv: Callable[..., Said]) -> None:
    said = kkcv("completion", shell)

    assert said.code == 0
    assert f"_KKCV_COMPLETE={shell}_complete" in said.out
