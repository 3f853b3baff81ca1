"""Tables and links in Markdown."""

from collections.abc import Iterable, Sequence


def table(head: Iterable[str], rows: Iterable[Sequence[object]]) -> str:
    """A Markdown table, numbers to the right."""
    body = [tuple(map(str, row)) for row in rows]
    columns = [[cell for cell in cells if cell] for cells in zip(*body, strict=True)]
    numbers = [all(cell[0].isdigit() for cell in cells) and bool(cells) for cells in columns]
    rule = ["---:" if right else "---" for right in numbers]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in (tuple(head), rule, *body)) + "\n"


def cited(where: str) -> str:
    """The arXiv number as a link."""
    before, found, after = where.partition("arXiv:")
    count = next((i for i, c in enumerate(after) if not (c.isdigit() or c == ".")), len(after))
    number, rest = after[:count], after[count:]
    return f"{before}[arXiv:{number}](https://arxiv.org/abs/{number}){rest}" if found else where
