"""Measures a network's price now, in this process: ``python -m kkcv.embedding.pricing WORD``."""

import json
import resource
import statistics
import sys
import time

import numpy as np

from kkcv.checkpoint import DEFAULT_NETWORK, resolve

from .child import as_child
from .embedder import Embedder
from .price import Price

PASSES = 9  # the median of an odd number is one of them


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
    with as_child():
        print(json.dumps(priced(sys.argv[1])._asdict()))
