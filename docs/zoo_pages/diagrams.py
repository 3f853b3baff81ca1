"""The diagrams of the documentation: one network of each family, in every form."""

from collections.abc import Collection, Iterator

from kkcv.zoo.draw import PHONE, WIDTH, draw
from kkcv.zoo.labels import LANGUAGES
from kkcv.zoo.registry import FAMILIES

FOLDERS = {"en": "", "zh": "zh/"}  # of a language, inside the documentation
WIDTHS = {"": WIDTH, ".phone": PHONE}  # what a file's name ends in


def diagrams(families: Collection[str] = ()) -> Iterator[tuple[str, str]]:
    """The diagrams by path, of these families or all."""
    for family in (module.FAMILY for module in FAMILIES):
        if families and family.name not in families:
            continue
        for lang in LANGUAGES:
            for end, width in WIDTHS.items():
                path = f"{FOLDERS[lang]}diagrams/{family.name}{end}.svg"
                yield path, draw(family.example, lang=lang, theme="auto", width=width)
