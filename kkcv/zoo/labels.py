"""The 1000 classes of ImageNet (ILSVRC 2012), named in English and in Chinese.

``imagenet_classes.csv`` holds them in the order of the scores of every public ImageNet
network: row 281 names score 281. The WordNet id (wnid) says what a class is; the names follow
it, except where the pictures of a class clearly show something else (``cup`` is a punch in
WordNet, and a cup in ImageNet; ``sunglass`` is a lens there, and sunglasses here). Each name
occurs once: where the common lists say "crane" twice, these say "crane (bird)" and "crane
(machine)".
"""

import csv
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from kkcv.errors import RequestError

LANGUAGES = ("en", "zh")


@dataclass(frozen=True, slots=True)
class Label:
    """One ImageNet class."""

    index: int  # 0 to 999, the place of its score in a network's output
    wnid: str  # WordNet 3.0 id, as in the folder names of ImageNet: n01440764
    name: str  # English, lower case except proper nouns, plain ASCII
    name_zh: str  # Chinese, simplified characters

    def text(self, lang: str = "en") -> str:
        """The name in ``lang``, "en" or "zh". Raises RequestError for another language."""
        if lang not in LANGUAGES:
            raise RequestError(f"no labels in language {lang!r}; there are: {', '.join(LANGUAGES)}")
        return self.name if lang == "en" else self.name_zh


@cache
def imagenet_labels() -> tuple[Label, ...]:
    """The 1000 classes in the order of the scores: ``imagenet_labels()[i].index == i``."""
    table = Path(__file__).with_name("imagenet_classes.csv")
    rows = csv.DictReader(table.read_text(encoding="utf-8").splitlines())
    return tuple(Label(int(row["index"]), row["wnid"], row["name"], row["name_zh"]) for row in rows)
