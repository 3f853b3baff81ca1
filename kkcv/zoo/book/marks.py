"""The marks in the chapters, as they stand in the Markdown."""

import re
from collections.abc import Iterator
from functools import cache
from importlib import resources

MARK = re.compile(r"\{\{\s*(.+?)\s*\}\}")
FIGURE = re.compile(r"(parameters|macs) (\S+)(?: (\S+))?")


@cache
def prose(family: str, language: str) -> str:
    """A chapter as it was written, with its marks."""
    file = resources.files("kkcv.zoo.book").joinpath(language, f"{family}.md")
    return file.read_text(encoding="utf-8")


def figures_in(text: str) -> Iterator[str]:
    """The counts that a chapter quotes, as keys of ``measured.figure``."""
    for mark in MARK.findall(text):
        if found := FIGURE.fullmatch(mark.rpartition("= ")[2]):
            yield found[0]


def modules_in(text: str, kind: str) -> Iterator[str]:
    """The modules that a chapter shows by ``forward`` or by ``layers``, as keys of measured.py."""
    for mark in MARK.findall(text):
        found, _, rest = mark.partition(" ")
        if found == kind:
            yield rest
