"""The child process that tries a runtime: ``python -m kkcv.embedding.probe check|measure RUNTIME
PRECISION...``

It reads the pickled checkpoint from standard input, and writes a line of JSON for each precision,
as soon as it is known: runtime, precision, pictures a second or null, and why. ``check`` compares
the answers with the stored ones, and ends with the first precision that passes; ``measure`` takes
the time as well, of each.
"""

import json
import pickle
import sys
import time

import numpy as np

from kkcv.checkpoint import Checkpoint
from kkcv.errors import MissingExtra, RequestError

from .child import as_child
from .networks import exported
from .record import Measured
from .runtimes import FORMATS, RUNTIMES, Runtime

BATCH = 16
PASS_SECONDS = 0.3
PASSES = 4  # the best counts: others may be using the machine
FAILURES = (RequestError, MissingExtra)  # of the runtime; weights that are missing are not
CLOSE = {"float32": 0.9999, "bfloat16": 0.99}  # least cosine to PyTorch in float32


def check(checkpoint: Checkpoint, name: str, precision: str) -> Measured:
    """Whether the runtime's answers are those of PyTorch."""
    try:
        runtime_like_pytorch(checkpoint, name, precision)
    except FAILURES as error:
        return Measured(name, precision, None, str(error))
    return Measured(name, precision, None)


def measure(checkpoint: Checkpoint, name: str, precision: str) -> Measured:
    """The same, and how many pictures a second it embeds."""
    try:
        runtime = runtime_like_pytorch(checkpoint, name, precision)
    except FAILURES as error:
        return Measured(name, precision, None, str(error))
    return Measured(name, precision, round(rate(runtime, checkpoint), 1))


def runtime_like_pytorch(checkpoint: Checkpoint, name: str, precision: str) -> Runtime:
    """The runtime, which has answered as PyTorch does (KkcvError)."""
    runtime = RUNTIMES[name](checkpoint, None, precision)
    if name != "pytorch":  # that is what the reference is made with
        reference = np.load(exported(checkpoint, FORMATS[name]).reference)
        vectors = runtime.run(reference["crops"])
        least = cosine(vectors, reference["vectors"]).min()
        if not least >= CLOSE[precision]:
            raise RequestError(f"its embeddings are not PyTorch's: cosine {least:.4f}")
    return runtime


def rate(runtime: Runtime, checkpoint: Checkpoint) -> float:
    """Pictures a second, of the best pass."""
    crops = np.zeros((BATCH, *checkpoint.preprocess.size, checkpoint.preprocess.channels), np.uint8)
    runtime.run(crops)  # not timed: the first run takes longer
    best = 0.0
    for _ in range(PASSES):
        pictures, start = 0, time.perf_counter()
        while (elapsed := time.perf_counter() - start) < PASS_SECONDS:
            runtime.run(crops)
            pictures += BATCH
        best = max(best, pictures / elapsed)
    return best


def cosine(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """The cosine of each row of one with the same row of the other: (N, D), (N, D) → (N,)."""
    return (a * b).sum(1) / np.linalg.norm(a, axis=1) / np.linalg.norm(b, axis=1)


if __name__ == "__main__":
    with as_child():
        checkpoint = pickle.load(sys.stdin.buffer)
        what, name, *precisions = sys.argv[1:]
        for precision in precisions:
            found = (check if what == "check" else measure)(checkpoint, name, precision)
            print(json.dumps(found), flush=True)
            if what == "check" and not found.failure:
                break
