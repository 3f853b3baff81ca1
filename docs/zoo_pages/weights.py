"""The table of public weights for the documentation: ``python -m docs.zoo_pages.weights``."""

from kkcv.zoo.weights import Published, published, table


def markdown() -> str:
    """The table for the documentation."""
    lines = ["| network | weights | top-1 | input | license | from |", "|---|---|---|---|---|---|"]
    for row in table():
        default = row is published(row.network)[0]
        lines.append(
            f"| {row.network if default else ''} | `imagenet{'' if default else f':{row.tag}'}`"
            f"{f' = `:{row.tag}`' if default else ''} | {accuracy(row)} "
            f"| {row.size} of {row.resize} | {row.license} | {publisher(row)} |"
        )
    return "\n".join(lines)


def accuracy(row: Published) -> str:
    """Top-1 in percent, or what the classes are instead."""
    if row.top1 is not None:
        return f"{row.top1:.2f}"
    return f"{row.classes:,} classes" if row.classes else "no classifier"


def publisher(row: Published) -> str:
    """The project that offers the file."""
    if row.source.startswith("hub:"):
        return f"timm, hub `{row.source[4:]}`"
    if row.source.startswith("package:"):
        return f"package `{row.source[8:].partition('/')[0].replace('_', '-')}`"
    if "osmr" in row.source:
        return "pytorchcv, GitHub release"
    return "torchvision" if "pytorch.org" in row.source else "timm, GitHub release"


if __name__ == "__main__":
    print(markdown())
