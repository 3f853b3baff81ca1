"""Networks in int8: calibrated with the user's own pictures, and kept with the vectors they make.

Which numbers an 8-bit network can tell apart is decided by the pictures that it is calibrated with
(post-training quantization, NNCF). Other pictures make another network, whose vectors differ too
much to be compared with these. So a gallery of such vectors keeps its network, by its ``id``:

    gallery/int8/<id>/
    ├── model.xml, model.bin
    ├── reference.npz          as that of the network in float32
    └── meta.json              with the sha256 of each file
"""

import hashlib
import pickle
import shutil
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

import numpy as np

from kkcv.checkpoint import Checkpoint
from kkcv.disk import atomic_folder
from kkcv.environment import cache_folder
from kkcv.errors import PictureError, RequestError, WeightsError
from kkcv.extras import need
from kkcv.images.decode import decode

from .networks import Exported, cached, exported, fingerprint, opened
from .telling import tell

FOLDER = "int8"
PICTURES = 300  # as NNCF does by default; more change little
FEWEST = 16  # fewer do not show the range of the activations
CLOSE = 0.9  # least mean cosine to float32, below which searches would suffer much


class Quantized(NamedTuple):
    """An int8 network. Two with the same ``id`` make the same vectors."""

    id: str
    network: Exported

    @property
    def folder(self) -> Path:
        return self.network.file.parent


def calibrated(checkpoint: Checkpoint, paths: Iterable[str | Path], backend: str) -> Quantized:
    """The network calibrated with some of these pictures; made now if it is not in the cache.

    Raises MissingExtra, RequestError for too few pictures or a network that int8 harms.
    """
    need("nncf")
    crops = calibration_crops(checkpoint, list(paths), backend)
    key = hashlib.sha256(crops.tobytes()).hexdigest()[:16]
    folder = cache_folder() / "networks" / f"{fingerprint(checkpoint)}-int8-{key}"
    source = exported(checkpoint, "openvino")
    tell(f"calibrating {checkpoint.network} in int8 with {len(crops)} pictures, once")

    def question() -> bytes:
        return pickle.dumps((source.file, checkpoint.preprocess, crops))

    network = cached(checkpoint, folder, "openvino", "kkcv.embedding.quantize", question)
    cosine = float(np.load(network.reference)["cosine"])
    if cosine < CLOSE:
        raise RequestError(
            f"int8 changes what {checkpoint.network} sees too much (mean cosine to float32 "
            f"{cosine:.2f}); use --precision bfloat16 or float32"
        )
    return Quantized(identity(network), network)


def calibration_crops(checkpoint: Checkpoint, paths: list[str | Path], backend: str) -> np.ndarray:
    """Crops of up to PICTURES of them, evenly chosen: uint8 (N, H, W, C) (RequestError)."""
    crops = []
    for path in paths[:: max(1, len(paths) // PICTURES)][:PICTURES]:
        try:
            pixels = decode(path, target=checkpoint.preprocess.target)
        except PictureError:
            continue
        crops.append(checkpoint.preprocess.crop(pixels, backend))
    if len(crops) < FEWEST:
        raise RequestError(
            f"int8 is calibrated with {FEWEST} pictures or more, and {len(crops)} could be read"
        )
    return np.stack(crops)


def identity(network: Exported) -> str:
    """16 hex digits of what decides the vectors."""
    whole = hashlib.sha256()
    for file in (network.file, network.file.with_suffix(".bin")):
        whole.update(file.read_bytes())
    return whole.hexdigest()[:16]


def kept(folder: Path, id: str) -> Quantized:
    """The network that a gallery keeps (WeightsError when it is gone or damaged)."""
    network = opened(folder / FOLDER / id, "openvino")
    if network is None:
        raise WeightsError(
            f"{folder / FOLDER / id} is missing or damaged: it is the int8 network that made the "
            "vectors; restore a backup, or embed the pictures again: "
            "kkcv reindex --precision float32"
        )
    return Quantized(id, network)


def keep(quantized: Quantized, folder: Path) -> None:
    """Put the network into a gallery's folder, where it is not there yet."""
    target = folder / FOLDER / quantized.id
    if opened(target, "openvino") is None:
        shutil.rmtree(target, ignore_errors=True)
        with atomic_folder(target) as part:
            shutil.copytree(quantized.folder, part, dirs_exist_ok=True)
