"""Renew the zoo's part of the documentation: ``python -m docs.zoo_pages`` (make docs-zoo).

First what the chapters quote is measured; then pages, pictures and diagrams are written.
"""

from itertools import chain
from pathlib import Path

from kkcv.disk import write_file

from . import measure
from .diagrams import diagrams
from .pages import pages
from .pictures import pictures

FOLDER = Path(__file__).parents[1]

if __name__ == "__main__":
    write_file(measure.ZOO / "book" / "measured.json", measure.text())
    for path, text in chain(diagrams(), pictures().items(), pages().items()):
        file = FOLDER / path
        file.parent.mkdir(parents=True, exist_ok=True)
        write_file(file, text)
