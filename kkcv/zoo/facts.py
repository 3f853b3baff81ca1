"""Facts about the networks from elsewhere, which ours are compared with.

``counts.csv`` has the exact counts of the public implementations and of constructions from the
papers' tables; ``printed.toml`` has what the papers print.
"""

import csv
import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path

MEASURED = ("parameters", "multiply-adds")  # the other printed figures are accuracies
SUFFIXES = {"": 1, "K": 10**3, "M": 10**6, "G": 10**9, "Ki": 1024}


@dataclass(frozen=True)
class Counts:
    """Exact counts of one network. ``maps`` are its feature maps in order, (C, H, W), each once."""

    network: str
    input_size: tuple[int, ...]
    parameters: int
    macs: int
    embedding_dim: int
    maps: tuple[tuple[int, ...], ...]


@dataclass(frozen=True)
class Printed:
    """One figure as a paper prints it; ``stage`` is empty when it is of the whole network."""

    network: str
    stage: str
    what: str
    text: str
    where: str
    note: str = ""

    def agrees(self, ours: int) -> bool:
        """Whether ours rounds or is cut to the printed digits, or is within 1% of them."""
        number, _, suffix = self.text.removeprefix("< ").partition(" ")
        digits = number.replace(",", "")
        value = float(digits) * SUFFIXES[suffix]
        if self.text.startswith("<"):
            return ours < value
        # papers round or cut off: they may be off by one in the last digit
        last_digit = 10.0 ** -len(digits.partition(".")[2]) * SUFFIXES[suffix]
        # without a suffix the paper prints every digit
        return abs(ours - value) <= (max(last_digit, 0.01 * value) if suffix else 0)


@cache
def counts() -> dict[str, Counts]:
    """The exact counts by network."""
    with Path(__file__).with_name("counts.csv").open(encoding="utf-8") as lines:
        return {
            row["network"]: Counts(
                row["network"],
                shape(row["input"]),
                int(row["parameters"]),
                int(row["macs"]),
                int(row["embedding"]),
                tuple(shape(text) for text in row["maps"].split()),
            )
            for row in csv.DictReader(lines)
        }


def shape(text: str) -> tuple[int, ...]:
    """``64x56x56`` → (64, 56, 56)."""
    return tuple(int(n) for n in text.split("x"))


@cache
def printed() -> tuple[Printed, ...]:
    """Every printed figure, in the order of the file."""
    with Path(__file__).with_name("printed.toml").open("rb") as file:
        tables = tomllib.load(file)["printed"]
    return tuple(
        Printed(*split(key), table["what"], text, table["where"], table.get("note", ""))
        for table in tables
        for key, text in table["figures"].items()
    )


def split(key: str) -> tuple[str, str]:
    network, _, stage = key.partition("/")
    return network, stage


def printed_of(network: str) -> tuple[Printed, ...]:
    """The figures that papers print for one network."""
    return tuple(figure for figure in printed() if figure.network == network)
