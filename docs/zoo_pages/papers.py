"""The page of all papers."""

import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

from kkcv.zoo.pages import Words, cited, table
from kkcv.zoo.recorded import Paper, families

Row = tuple[int, str, str, str, str, str]


@cache
def beside() -> dict[str, Any]:
    return tomllib.loads(Path(__file__).with_name("papers.toml").read_text(encoding="utf-8"))


def papers_page(words: Words) -> str:
    """Title, authors, venue, address and what is in kkcv, by year."""
    columns = ("year", "paper", "authors", "venue", "here")
    rows = [row[:1] + row[2:] for row in sorted(rows_of(words))]
    return f"{words('papers_introduction')}\n\n{table(map(words, columns), rows)}"


def rows_of(words: Words) -> Iterator[Row]:
    for family in families().values():
        paper, link = family.paper, f"[{family.title}]({family.name}.md)"
        where = cited(paper.published)
        if doi := beside()["doi"].get(family.name):
            where += f", [doi:{doi}](https://doi.org/{doi})"
        count = words("count", count=str(len(family.networks)))
        yield (
            paper.year,
            "",
            f"*{paper.title}*",
            paper.authors,
            where,
            f"{link}{words.comma}{count}",
        )
    for row in beside()["beside"]:
        paper = Paper(row["title"], row["authors"], row["year"], row["where"])
        link = f"[{families()[row['family']].title}]({row['family']}.md)"
        names = words.comma.join(f"`{name}`" for name in row["networks"])
        here = f"{link}{words.comma}{names}" if names else words("a_piece", family=link)
        yield paper.year, "1", f"*{paper.title}*", paper.authors, cited(paper.published), here
