"""The child process that makes an int8 network: ``python -m kkcv.embedding.quantize FOLDER``.

It reads a pickle from standard input: the network's file in float32, its preprocessing and the
crops to calibrate with. It writes the network, and how close it is to the one in float32.
"""

import pickle
import sys
from pathlib import Path
from typing import Any

import numpy as np

from kkcv.images.preprocess import Preprocess

from .child import as_child
from .probe import cosine
from .runtimes.openvino import import_openvino

COMPARED = 64  # crops


def quantize(file: Path, preprocess: Preprocess, crops: np.ndarray, folder: Path) -> None:
    openvino = import_openvino()
    import nncf

    core = openvino.Core()
    model = core.read_model(file)

    def prepared(crop: np.ndarray) -> np.ndarray:
        return preprocess.normalize(crop[np.newaxis])

    small = nncf.quantize(
        model,
        nncf.Dataset(list(crops), prepared),
        subset_size=len(crops),
        preset=nncf.QuantizationPreset.MIXED,  # activations below zero use their range better
    )
    openvino.save_model(small, folder / "model.xml", compress_to_fp16=False)
    some = crops[:: max(1, len(crops) // COMPARED)]
    exact, coarse = (vectors(core, each, preprocess.normalize(some)) for each in (model, small))
    close = float(cosine(exact, coarse).mean())
    np.savez(folder / "reference.npz", crops=some[:4], vectors=exact[:4], cosine=close)


def vectors(core: Any, model: Any, images: np.ndarray) -> np.ndarray:
    compiled = core.compile_model(model, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    return np.concatenate([compiled(image[np.newaxis])[0] for image in images])


if __name__ == "__main__":
    with as_child():
        file, preprocess, crops = pickle.load(sys.stdin.buffer)
        quantize(file, preprocess, crops, Path(sys.argv[-1]))
