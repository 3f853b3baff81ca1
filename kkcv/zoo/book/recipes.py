"""How each paper trained its networks, and the presets of ``kkcv train --recipe``."""

import tomllib
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from kkcv.errors import RequestError
from kkcv.zoo.pages import Words, table


@cache
def document() -> Mapping[str, Any]:
    return tomllib.loads(Path(__file__).with_name("recipes.toml").read_text(encoding="utf-8"))


def names() -> list[str]:
    """The families that have a preset."""
    return [name for name, row in document().items() if "preset" in row]


def preset(name: str) -> dict[str, Any]:
    """Settings of a training run, by their names (RequestError with the known ones)."""
    if name not in names():
        raise RequestError(f"no recipe {name!r}; there are: {', '.join(names())}")
    return dict(document()[name]["preset"])


def recipe_table(name: str, words: Words) -> str:
    """The paper's training, row by row, and how far the preset follows it."""
    known = document()[name]
    place = ("en", "zh").index(words.language)  # of the language in a row
    rows = [
        (words(f"recipe_{row[0]}"), row[1 + place], words.where(row[3])) for row in known["rows"]
    ]
    text = table(map(words, ("setting", "as_printed", "source")), rows)
    if "preset" in known:
        space = (" ", "")[place]  # none behind a full stop in Chinese
        text += f"\n{words('preset', family=name)}{space}{known['departs'][place]}\n"
    return text
