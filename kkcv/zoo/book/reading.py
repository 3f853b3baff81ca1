"""A chapter for a terminal or a plain page: with its title, without pictures and HTML."""

import re

from kkcv.zoo.pages import Words, cited
from kkcv.zoo.recorded import by_any_name, families, recorded, unknown

from .chapter import chapter

SUMMARY = re.compile(r"<details[^>]*><summary>(.*?)</summary>\n")
PAGE = re.compile(r"\[([^\]]+)\]\((?!https?:)[^)]+\)")  # a link to another page


def for_reading(name: str, language: str) -> str:
    """The chapter of a family, or of a network's family, as Markdown (UnknownNetwork)."""
    family = families()[family_of(name)]
    words, paper = Words(language), family.paper
    return (
        f"# {family.title}\n\n{paper.authors}: *{paper.title}*. {cited(paper.published)}\n\n"
        f"{words.said(family.idea)}\n\n{lesson(family.name, language)}"
    )


def lesson(family: str, language: str) -> str:
    """The same without title, paper and idea."""
    text = SUMMARY.sub(lambda found: f"**{found[1]}**\n", chapter(family, language))
    return PAGE.sub(r"\1", text.replace("</details>\n", ""))


def family_of(name: str) -> str:
    """The family of that name or with a network of that name (UnknownNetwork)."""
    if name.lower() in families():
        return name.lower()
    if name.lower() not in by_any_name():
        raise unknown(name, [*families(), *by_any_name()])
    return recorded(name).family
