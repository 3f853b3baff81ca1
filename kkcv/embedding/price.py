"""The price of embedding a picture on this machine: milliseconds and memory, by network.

Measured in a process of its own, ``python -m kkcv.embedding.price WORD``, with random weights of
the same shape, for no download is needed and the time is the same. The network is exported into a
cache that is thrown away. The findings are remembered, for this machine and version.
"""

import json
import resource
import statistics
import subprocess
import sys
import tempfile
import time
import warnings
from pathlib import Path
from typing import NamedTuple

import numpy as np

from kkcv import __version__
from kkcv.checkpoint import DEFAULT_NETWORK, resolve
from kkcv.disk import write_file
from kkcv.environment import cache_folder, environment_with_cache, make_cache_folder
from kkcv.errors import RequestError

from .embedder import Embedder
from .record import machine

PASSES = 9


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
    """The price of a network, which is then remembered (RequestError)."""
    with tempfile.TemporaryDirectory(prefix="kkcv-") as cache:
        command = [sys.executable, "-P", "-m", "kkcv.embedding.price", word]
        env = environment_with_cache(cache)
        done = subprocess.run(command, capture_output=True, text=True, env=env)
    if done.returncode:
        said = done.stderr.strip().splitlines() or ["it said nothing"]
        raise RequestError(f"{word} cannot be measured: {said[-1]}")
    price = Price(**json.loads(done.stdout))
    make_cache_folder(record().parent)
    rows = {name: each._asdict() for name, each in {**prices(), word: price}.items()}
    write_file(record(), json.dumps(rows, indent=1))
    return price


def record() -> Path:
    name = f"{machine()}-{__version__}".replace("/", "_").replace(" ", "_")
    return cache_folder() / "prices" / f"{name}.json"


def priced(word: str) -> Price:
    """Measured now, in this process."""
    embedder = Embedder(resolve(word, "imagenet" if word == DEFAULT_NETWORK else "none"))
    milliseconds = round(milliseconds_alone(embedder), 1)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    kilobytes = peak / 1024 if sys.platform == "darwin" else peak
    return Price(milliseconds, round(kilobytes / 1024), *embedder.choice)


def milliseconds_alone(embedder: Embedder) -> float:
    """Milliseconds of the network for one picture alone, prepared already: the median."""
    preprocess = embedder.checkpoint.preprocess
    crop = np.zeros((*preprocess.size, preprocess.channels), np.uint8)
    embedder.embed_crops([crop])
    seconds = []
    for _ in range(PASSES):
        start = time.perf_counter()
        embedder.embed_crops([crop])
        seconds.append(time.perf_counter() - start)
    return 1000 * statistics.median(seconds)


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    print(json.dumps(priced(sys.argv[1])._asdict()))
