"""The marks in the chapters, as they stand in the Markdown."""

import re
from functools import cache
from importlib import resources

MARK = re.compile(r"\{\{\s*(.+?)\s*\}\}")
FIGURE = re.compile(r"(parameters|macs) (\S+)(?: (\S+))?")


@cache
def prose(family: str, language: str) -> str:
    """A chapter as it was written, with its marks."""
    file = resources.files("kkcv.zoo.book").joinpath(language, f"{family}.md")
    return file.read_text(encoding="utf-8")
