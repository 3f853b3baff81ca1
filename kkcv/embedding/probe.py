"""The child process that tries a runtime: ``python -m kkcv.embedding.probe RUNTIME PRECISION...``

It reads the pickled checkpoint from standard input, and writes a line of JSON for each precision,
as soon as it is known: runtime, precision, pictures a second or null, and why.
"""

import json
import pickle
import sys
import time
import warnings

import numpy as np

from kkcv.checkpoint import Checkpoint
from kkcv.errors import KkcvError

from .choice import Measured
from .networks import exported
from .runtimes import RUNTIMES, run_crops

BATCH = 16
PASS_SECONDS = 0.3
PASSES = 4  # the best counts: others may be using the machine
CLOSE = {"float32": 0.9999, "bfloat16": 0.99}  # least cosine to PyTorch in float32


def probe(checkpoint: Checkpoint, name: str, precision: str) -> Measured:
    try:
        runtime = RUNTIMES[name](checkpoint, None, precision)
        if name != "pytorch":  # that is what the reference is made with
            format = "onnx" if name == "onnxruntime" else "openvino"
            reference = np.load(exported(checkpoint, format).reference)
            vectors = run_crops(runtime, checkpoint, reference["crops"])
            least = cosine(vectors, reference["vectors"]).min()
            if not least >= CLOSE[precision]:
                why = f"its embeddings are not PyTorch's: cosine {least:.4f}"
                return Measured(name, precision, None, why)
    except KkcvError as error:
        return Measured(name, precision, None, str(error))
    crops = np.zeros((BATCH, *checkpoint.preprocess.size, checkpoint.preprocess.channels), np.uint8)
    run_crops(runtime, checkpoint, crops)
    best = 0.0
    for _ in range(PASSES):
        pictures, start = 0, time.perf_counter()
        while (elapsed := time.perf_counter() - start) < PASS_SECONDS:
            run_crops(runtime, checkpoint, crops)
            pictures += BATCH
        best = max(best, pictures / elapsed)
    return Measured(name, precision, round(best, 1))


def cosine(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Of each row with the same row: (N, D), (N, D) → (N,)."""
    return (a * b).sum(1) / np.linalg.norm(a, axis=1) / np.linalg.norm(b, axis=1)


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    checkpoint = pickle.load(sys.stdin.buffer)
    for precision in sys.argv[2:]:
        print(json.dumps(probe(checkpoint, sys.argv[1], precision)), flush=True)
