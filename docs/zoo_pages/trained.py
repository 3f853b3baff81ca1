"""The page of what was trained here: ``benchmarks/trained_here.py`` writes the results."""

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from kkcv.zoo.pages import Words, table
from kkcv.zoo.recorded import families


@dataclass(frozen=True)
class Trained:
    """One network: ``curve`` has (seconds, steps, share of the test digits that is right)."""

    network: str
    side: int  # of the pictures, in pixels
    parameters: int
    curve: tuple[tuple[float, int, float], ...]


@cache
def results() -> dict[str, Trained]:
    """The results by family, in the order of the zoo."""
    rows = json.loads(Path(__file__).with_name("trained.json").read_text(encoding="utf-8"))
    return {name: read(**row) for name, row in rows.items()}


def read(network: str, side: int, parameters: int, curve: list[list[float]]) -> Trained:
    points = tuple((seconds, int(steps), right) for seconds, steps, right in curve)
    return Trained(network, side, parameters, points)


def trained_page(words: Words) -> str:
    """The table, best first, and the curves."""
    ordered = sorted(results().items(), key=lambda item: -item[1].curve[-1][2])
    rows = [
        (
            f"[{families()[name].title}]({name}.md)",
            f"`{row.network}`",
            f"{row.parameters:,}",
            row.side,
            row.curve[-1][1],
            f"{100 * row.curve[1][2]:.1f}",
            f"{100 * row.curve[-1][2]:.1f}",
        )
        for name, row in ordered
    ]
    columns = ("family", "network", "parameters", "size", "steps", "early", "late")
    return "\n".join(
        (
            words("trained_introduction"),
            "",
            table(map(words, columns), rows),
            f"![{words('trained_picture')}](../images/zoo-trained.svg)",
            "",
            words("trained_reading"),
            "",
        )
    )


def compared_page(words: Words) -> str:
    """The pictures of all families beside each other."""
    parts = ("tree", "accuracy", "parameters")
    alts = ("tree_picture", "macs_picture", "parameters_picture")
    shown = (
        f"## {words(alt)}\n\n![{words(alt)}](../images/zoo-{part}.svg)\n"
        for part, alt in zip(parts, alts, strict=True)
    )
    return f"{words('compared_introduction')}\n\n" + "\n".join(shown)
