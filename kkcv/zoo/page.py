"""The zoo's page for the documentation: ``python -m kkcv.zoo.page > docs/zoo.md``.

Every figure on it is measured from the networks, or printed in a paper or beside public weights.
"""

from collections.abc import Iterable, Iterator, Sequence

from .costs import cost
from .draw import EXAMPLES, short
from .facts import MEASURED, printed_of
from .network import Family, Spec
from .registry import FAMILIES
from .verify import check_printed
from .weights import published

INTRODUCTION = """\
# The zoo

<!-- made by `python -m kkcv.zoo.page > docs/zoo.md`; do not edit -->

The classic convolutional networks, each in one file that reads like its paper, and each measured.

- **Parameters** and **multiply-adds** are counted in the built network; `kkcv zoo verify` sets them
  beside independent counts. A multiply-add is one multiplication with its addition, in convolutions
  and linear layers.
- The **embedding** is the vector under the classifier, with which kkcv searches.
- **Top-1** is what the publisher of the default public weights reports for ImageNet's validation
  pictures, in percent ([all weights](weights.md)). It was not measured here.

The GoogLeNet and DenseNet papers are cited by their arXiv numbers (1409.4842 and 1608.06993), which
earlier link collections got wrong.

To draw any of them: `kkcv zoo draw NAME -o NAME.svg`.
"""


def markdown() -> str:
    """The page: a table of the families, then a part for each of them."""
    families = [(module.FAMILY, module.NETWORKS) for module in FAMILIES]
    parts = [INTRODUCTION, overview(families)]
    parts += [part(family, networks) for family, networks in families]
    return "\n".join(parts)


def overview(families: Sequence[tuple[Family, Sequence[Spec]]]) -> str:
    rows = (
        (
            f"[{family.title}](#{anchor(family.title)})",
            family.paper.year,
            family.idea,
            len(networks),
        )
        for family, networks in families
    )
    return table(("family", "year", "idea", "networks"), rows)


def anchor(title: str) -> str:
    """What Markdown makes of a heading."""
    kept = "".join(c for c in title.lower() if c.isalnum() or c in " -_")
    return kept.replace(" ", "-")


def part(family: Family, networks: Sequence[Spec]) -> str:
    """A family: paper, idea, diagram, networks, and what the paper prints."""
    paper = family.paper
    lines = [
        f"## {family.title}",
        "",
        f"{paper.authors}: *{paper.title}*. {cited(paper.where)} ({paper.year})",
        "",
        family.idea,
        "",
        f"![{family.title}: {EXAMPLES[family.name]}](diagrams/{family.name}.svg)",
        "",
        table(
            (
                "network",
                "also called",
                "parameters",
                "multiply-adds",
                "embedding",
                "input",
                "top-1",
            ),
            (row(known) for known in networks),
        ),
    ]
    figures = [figure for known in networks for figure in printed_rows(known)]
    if figures:
        lines += [
            "<details><summary>What the paper prints, and ours</summary>",
            "",
            table(("network", "figure", "printed", "ours", "why they differ"), figures),
            "</details>",
            "",
        ]
    return "\n".join(lines)


def cited(where: str) -> str:
    """The arXiv number as a link."""
    before, found, after = where.partition("arXiv:")
    count = next((i for i, c in enumerate(after) if not (c.isdigit() or c == ".")), len(after))
    number, rest = after[:count], after[count:]
    return f"{before}[arXiv:{number}](https://arxiv.org/abs/{number}){rest}" if found else where


def row(known: Spec) -> tuple[object, ...]:
    measured = cost(known.name)
    weights = published(known.name)
    return (
        f"`{known.name}`",
        ", ".join(f"`{alias}`" for alias in known.aliases),
        f"{measured.parameters:,}",
        short(measured.macs),
        known.embedding_dim,
        "×".join(map(str, known.input_size)),
        f"{weights[0].top1:.1f}" if weights else "",
    )


def printed_rows(known: Spec) -> Iterator[tuple[object, ...]]:
    """The paper's figures of one network, the counted ones beside ours."""
    for figure in printed_of(known.name):
        check = check_printed(figure, cost(known.name))
        ours = check.ours
        if figure.what in MEASURED and not figure.text.replace(",", "").isdigit():
            ours = short(int(ours.replace(",", "")))  # as many digits as the paper prints
        yield f"`{known.name}`", check.what, figure.text, ours, check.note


def table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """A Markdown table, numbers to the right."""
    body = [tuple(map(str, row)) for row in rows]
    columns = [[cell for cell in cells if cell] for cells in zip(*body, strict=True)]
    numbers = [all(cell[0].isdigit() for cell in cells) and bool(cells) for cells in columns]
    rule = ["---:" if right else "---" for right in numbers]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in (head, rule, *body)) + "\n"


if __name__ == "__main__":
    print(markdown(), end="")
