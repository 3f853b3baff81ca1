"""A chapter as a Jupyter notebook: prose as text, answers as cells that run, then the proof."""

import json
import re
from typing import Any

from kkcv.zoo.pages import Words
from kkcv.zoo.recorded import families

from .chapter import PYTHON
from .reading import family_of, for_reading

PROOF = """\
from kkcv.zoo.verify import verify

for check in verify("{name}"):
    print(check.network, "|", check.what, "|", check.expected, "|", check.ours, "|", check.outcome)
    assert check.passed
"""
STAGES = """\
from kkcv.zoo.costs import cost

for stage in cost("{name}").stages:
    print(f"{{stage.name:20}} {{stage.shape!s:18}} {{stage.parameters:>12,}} {{stage.macs:>15,}}")
"""
DRAWING = """\
from IPython.display import SVG

from kkcv.zoo.draw import draw

SVG(draw("{name}", lang="{lang}"))
"""


def notebook(name: str, language: str) -> str:
    """The notebook (nbformat 4) on a family, or on a network's family (UnknownNetwork)."""
    family, words = family_of(name), Words(language)
    network = name if name not in families() else families()[family].example
    cells = []
    for part in re.split(rf"({PYTHON.pattern})", for_reading(name, language), flags=PYTHON.flags):
        if PYTHON.fullmatch(part):
            cells.append(code(part.removeprefix("```python\n").removesuffix("```\n")))
        elif part.strip():
            cells.append(prose(part))
    for title, source in (("measure", STAGES), ("prove", PROOF), ("draw_it", DRAWING)):
        cells.append(prose(f"## {words(title)}"))
        cells.append(code(source.format(name=network, lang=language)))
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    for i, cell in enumerate(cells):
        cell["id"] = f"cell-{i}"
    # nbformat 4.5 has ids of cells
    whole = {"cells": cells, "metadata": {"kernelspec": kernel}, "nbformat": 4, "nbformat_minor": 5}
    return json.dumps(whole, ensure_ascii=False, indent=1) + "\n"


def prose(text: str) -> dict[str, Any]:
    return {"cell_type": "markdown", "metadata": {}, "source": lines(text)}


def code(text: str) -> dict[str, Any]:
    cell = {"cell_type": "code", "metadata": {}, "source": lines(text)}
    return {**cell, "execution_count": None, "outputs": []}


def lines(text: str) -> list[str]:
    return text.strip("\n").splitlines(keepends=True)
