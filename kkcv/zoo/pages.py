"""Parts of the zoo's pages: words in two languages, Markdown, figures beside ours."""

import re
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from .checks import Counted, check_printed
from .facts import MEASURED, Printed

PAGE, DIAGRAM = "page.toml", "diagram/words.toml"
PLACES = {
    " and ": "、",
    "appendix": "附录",
    "the authors' code": "作者代码",
    "not stated": "论文未给出",
    "abstract": "摘要",
    ", ": "，",
}


@cache
def texts(file: str = PAGE) -> Mapping[str, Any]:
    return tomllib.loads((Path(__file__).parent / file).read_text(encoding="utf-8"))


class Words:
    """The words in one language: ``words("preset", family="vgg")``."""

    def __init__(self, language: str, file: str = PAGE) -> None:
        self.language = language
        self.comma = "，" if language == "zh" else ", "
        self._words, self._own = texts(file)["words"], texts(file).get(language, {})
        longest_first = sorted(self._own, key=len, reverse=True)
        self._known = re.compile(r"\b(" + "|".join(map(re.escape, longest_first)) + r")\b")

    def __call__(self, name: str, /, **values: object) -> str:
        return str(self._words[name][self.language]).strip("\n").format(**values)

    def said(self, english: str) -> str:
        """An English text of the code in this language, or as it is where no translation is."""
        return str(self._own.get(english, english))

    def box(self, english: str) -> str:
        """A label of a diagram, each known word in it in this language."""
        if not self._own:
            return english
        return self._known.sub(lambda found: self.said(found[0]), english)

    def where(self, english: str) -> str:
        """A place in a paper: ``section 3.4`` is 第 3.4 节 in Chinese."""
        if self.language == "en":
            return english
        number = r"[\dIVX][\w.-]*"  # 3, 4.2.1, III-B
        text = re.sub(rf"sections? ({number}(?: and {number})*)", r"第 \1 节", english)
        text = re.sub(r"tables? (\w+)", r"表 \1", text)
        text = re.sub(r"figures? (\w+)", r"图 \1", text)
        text = re.sub(r"appendix (\w+)", r"附录 \1", text)
        for word, chinese in PLACES.items():
            text = text.replace(word, chinese)
        return text


def table(head: Iterable[str], rows: Iterable[Sequence[object]]) -> str:
    """A Markdown table, numbers to the right."""
    body = [tuple(map(str, row)) for row in rows]
    columns = [[cell for cell in cells if cell] for cells in zip(*body, strict=True)]
    numbers = [all(cell[0].isdigit() for cell in cells) and bool(cells) for cells in columns]
    rule = ["---:" if right else "---" for right in numbers]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in (tuple(head), rule, *body)) + "\n"


def cited(where: str) -> str:
    """The arXiv number as a link."""
    return re.sub(r"arXiv:([\d.]*)", r"[arXiv:\1](https://arxiv.org/abs/\1)", where, count=1)


def printed_row(figure: Printed, measured: Counted, words: Words) -> tuple[object, ...]:
    """A figure of the paper, a counted one beside ours."""
    check = check_printed(figure, measured)
    ours = check.ours
    if figure.what in MEASURED and not figure.text.replace(",", "").isdigit():
        ours = short(int(ours.replace(",", "")))  # as many digits as the paper prints
    what = words.said(figure.what)
    if figure.stage:
        what = words("of", what=what, stage=figure.stage)
    what = f"{what}{words.comma}{words.said(figure.where)}"
    return f"`{figure.network}`", what, figure.text, ours, words.said(check.note)


def short(count: int) -> str:
    """Three digits or so: 25.6 M."""
    # 999.5 is the first that would be rounded to 1000
    for least, size, suffix in ((999.5e6, 1e9, " G"), (999.5e3, 1e6, " M"), (999.5, 1e3, " K")):
        if count >= least:
            return f"{count / size:.3g}{suffix}"
    return str(count)
