"""The texts of the page, chosen by language from one file."""

import tomllib
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from kkcv.errors import KkcvError

FILE = Path(__file__).with_name("strings.toml")
LANGUAGES = {"en": "English", "zh": "中文"}
DEFAULT = "en"


@cache
def texts() -> Mapping[str, Mapping[str, str]]:
    """Every text by its name, as ``search.title``, and its language."""
    with FILE.open("rb") as file:
        document = tomllib.load(file)
    return {
        f"{section}.{name}": languages
        for section, names in document.items()
        for name, languages in names.items()
    }


class Strings:
    """The texts in one language: ``strings("search.found", count=3, total=12)``."""

    def __init__(self, language: str) -> None:
        self.language = language

    def __call__(self, name: str, /, **values: Any) -> str:
        return texts()[name][self.language].format(**values)

    def has(self, name: str) -> bool:
        """Whether there is a text of that name."""
        return name in texts()

    def error(self, error: KkcvError) -> str:
        """The kind of an error in this language, with its message in English."""
        return self(f"error.{error.code}", detail=error)


def best_language(locale: str | None) -> str:
    """The language for a browser's locale, such as ``zh-Hant-TW`` or ``en-GB``."""
    primary = (locale or "").replace("_", "-").partition("-")[0].lower()
    return primary if primary in LANGUAGES else DEFAULT
