"""The words of the zoo's pages, in each language, from ``page.toml``."""

import tomllib
from collections.abc import Mapping
from functools import cache
from importlib import resources
from typing import Any

LANGUAGES = ("en", "zh")


@cache
def texts() -> Mapping[str, Any]:
    with resources.files("kkcv.zoo").joinpath("page.toml").open("rb") as file:
        return tomllib.load(file)


class Words:
    """The words in one language: ``words("stages", network="vgg16")``."""

    def __init__(self, language: str) -> None:
        self.language = language

    def __call__(self, name: str, /, **values: str) -> str:
        return str(texts()["words"][name][self.language]).strip("\n").format(**values)

    def said(self, english: str) -> str:
        """What the code says in English; the same where nobody has translated it."""
        return str(texts().get(self.language, {}).get(english, english))
