"""The price of embedding a picture on this machine: milliseconds and memory, by network.

Measured in a process of its own (pricing.py), with random weights of the same shape: nothing is
downloaded, and the time is the same. The network is exported into a cache that is thrown
away. The findings are remembered, for this machine and version.
"""

import json
import tempfile
from pathlib import Path
from typing import NamedTuple

from kkcv import __version__
from kkcv.disk import write_file
from kkcv.environment import cache_folder, environment_with_cache, make_cache_folder
from kkcv.machine import machine

from .child import run_child


class Price(NamedTuple):
    """``milliseconds`` of one picture alone, the median; ``megabytes`` the process had at most."""

    milliseconds: float
    megabytes: int
    runtime: str
    precision: str


def prices() -> dict[str, Price]:
    """The prices that were measured here, by word."""
    try:
        rows = json.loads(record().read_text(encoding="utf-8"))
        return {word: Price(**row) for word, row in rows.items()}
    except (OSError, ValueError, TypeError, AttributeError):
        return {}


def measure(word: str) -> Price:
    """The price of a network, which is then remembered (KkcvError where it cannot be measured)."""
    with tempfile.TemporaryDirectory(prefix="kkcv-") as cache:
        env = environment_with_cache(cache)
        price = Price(**json.loads(run_child("kkcv.embedding.pricing", word, env=env)))
    remember(word, price)
    return price


def remember(word: str, price: Price) -> None:
    """Keep a price that was measured here."""
    make_cache_folder(record().parent)
    rows = {name: each._asdict() for name, each in {**prices(), word: price}.items()}
    write_file(record(), json.dumps(rows, indent=1))


def record() -> Path:
    name = f"{machine()}-{__version__}".replace("/", "_").replace(" ", "_")
    return cache_folder() / "prices" / f"{name}.json"
