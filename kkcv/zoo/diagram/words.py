"""The words of a diagram in one language, from ``words.toml``."""

import re
import tomllib
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any


@cache
def texts() -> Mapping[str, Any]:
    return tomllib.loads(Path(__file__).with_name("words.toml").read_text(encoding="utf-8"))


class Words:
    """Sentences by name, ``words("times", count=3)``; what stands in a box by ``words.box``."""

    def __init__(self, language: str) -> None:
        self.language = language
        self.inside = texts().get(language, {})
        longest_first = sorted(self.inside, key=len, reverse=True)
        self.known = re.compile(r"\b(" + "|".join(map(re.escape, longest_first)) + r")\b")

    def __call__(self, name: str, /, **values: object) -> str:
        return str(texts()["words"][name][self.language]).format(**values)

    def box(self, english: str) -> str:
        """A label in this language, where there is a word for it."""
        if not self.inside:
            return english
        return self.known.sub(lambda found: str(self.inside[found[0]]), english)
