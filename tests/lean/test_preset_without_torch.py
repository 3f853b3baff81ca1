"""A preset that was exported once is used where neither PyTorch nor its library is installed."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from .conftest import Said, linked


@pytest.mark.parametrize(
    ("word", "extra"), [("dinov3-small", "timm"), ("siglip2-base", "open-clip")]
)
def test_one_line_says_what_to_install_for_a_preset(
    word: str, extra: str, lean: Callable[..., Said], album: list[Path], tmp_path: Path
) -> None:
    said = lean("index", tmp_path / "g", *album[:2], "--model", word)

    assert said.code == 2
    license_, refusal = said.err.splitlines()
    assert license_.startswith(f"kkcv: {word}, ")
    assert refusal.endswith(f"is not installed; to add it: pip install 'kkcv[{extra}]'")


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


def test_one_that_cannot_be_measured_does_not_stop_the_others(lean: Callable[..., Said]) -> None:
    said = lean("models", "dinov3-small", "efficientnet_lite0", "--measure", "--json")

    assert said.code == 0  # the other one was measured
    assert said.err.splitlines()[-1] == (
        "dinov3-small cannot be measured: timm is not installed; to add it: pip install "
        "'kkcv[timm]'"
    )
    unknown, known = json.loads(said.out)["models"]
    assert unknown["milliseconds"] is None
    assert known["milliseconds"] > 0
