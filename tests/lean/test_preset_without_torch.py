"""A preset that was exported once is used where neither PyTorch nor its library is installed."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from .conftest import linked


@pytest.mark.slow  # exports both towers
def test_pictures_and_words_are_searched_on_a_machine_with_the_cache_alone(
    album: list[Path], environment: dict[str, str], tmp_path: Path
) -> None:
    plain = linked(tmp_path / "env", "text")
    surroundings = {
        **environment,
        "KKCV_CACHE": str(tmp_path / "cache"),
        "KKCV_RUNTIME": "onnxruntime",
    }

    def say(python: Path | str, *arguments: object) -> str:
        command = [str(python), "-m", "kkcv", *map(str, arguments)]
        return subprocess.run(
            command, capture_output=True, text=True, env={**os.environ, **surroundings}, check=True
        ).stdout

    gallery = tmp_path / "g"
    say(
        sys.executable,
        "index",
        gallery,
        *album[:4],
        "--model",
        "mobileclip2-s0",
        "--weights",
        "none",
    )
    words = ("search", gallery, "--text", "a red bus", "--json")
    picture = ("search", gallery, album[0], "--json")
    expected = [say(sys.executable, *asked) for asked in (words, picture)]

    found = [say(plain, *asked) for asked in (words, picture)]

    assert found == expected
    lacks = (
        "from importlib.util import find_spec as f; print(f('torch'), f('timm'), f('open_clip'))"
    )
    assert subprocess.check_output([plain, "-c", lacks], text=True).split() == ["None"] * 3
