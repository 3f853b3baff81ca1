"""The words of the zoo's pages, in each language, from ``page.toml``."""

import re
import tomllib
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any


@cache
def texts() -> Mapping[str, Any]:
    return tomllib.loads(Path(__file__).with_name("page.toml").read_text(encoding="utf-8"))


class Words:
    """The words in one language: ``words("preset", family="vgg")``."""

    def __init__(self, language: str) -> None:
        self.language = language

    def __call__(self, name: str, /, **values: str) -> str:
        return str(texts()["words"][name][self.language]).strip("\n").format(**values)

    def said(self, english: str) -> str:
        """An English text of the code in this language, or as it is where no translation is."""
        return str(texts().get(self.language, {}).get(english, english))

    def where(self, english: str) -> str:
        """A place in a paper: ``section 3.4`` is 第 3.4 节 in Chinese."""
        if self.language == "en":
            return english
        number = r"[\dIVX][\w.-]*"  # 3, 4.2.1, III-B
        text = re.sub(rf"sections? ({number}(?: and {number})*)", r"第 \1 节", english)
        text = re.sub(r"tables? (\w+)", r"表 \1", text)
        text = re.sub(r"figures? (\w+)", r"图 \1", text)
        text = re.sub(r"appendix (\w+)", r"附录 \1", text)
        for word, chinese in self.PLAIN.items():
            text = text.replace(word, chinese)
        return text

    PLAIN: Mapping[str, str] = {
        " and ": "、",
        "appendix": "附录",
        "the authors' code": "作者代码",
        "not stated": "论文未给出",
        "abstract": "摘要",
        ", ": "，",
    }
