"""Networks in the formats of runtimes without torch: exported once, then kept in the cache folder.

    networks/<fingerprint>-<format>/
    ├── model.xml, model.bin   (or model.onnx)
    ├── reference.npz          pictures, and what PyTorch makes of them in float32
    └── meta.json              what it is, and the sha256 of each file

The export runs in a child process (``export.py``): it needs torch, and this process does without.
The bundled network is there as ONNX already, from which ``convert.py`` makes what OpenVINO reads
faster.
"""

import hashlib
import json
import pickle
import shutil
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import NamedTuple

import numpy as np

from kkcv import __version__, adapters
from kkcv.checkpoint import Checkpoint
from kkcv.disk import atomic_folder, sha256_of
from kkcv.environment import cache_folder, make_cache_folder
from kkcv.errors import RequestError
from kkcv.extras import need
from kkcv.zoo.loading.digest import remembered

from . import bundled
from .bundled import is_bundled
from .child import Interrupted, run_child
from .telling import tell

FILES = {
    "openvino": "model.xml",
    "onnx": "model.onnx",
    "text": "model.onnx",
}  # by format, what the runtime opens
NEEDED = {  # to export
    "openvino": ("torch", "openvino"),
    "onnx": ("torch", "onnx", "onnxscript"),
    "text": ("torch", "onnx", "onnxscript"),
}
LARGE = 100_000_000  # bytes
EXPORT_SECONDS = 1800  # after that it hangs; a gigabyte takes minutes on a busy machine


class Exported(NamedTuple):
    """A network in the cache. ``file`` is what the runtime opens."""

    file: Path
    dim: int
    reference: Path

    @property
    def bytes(self) -> int:
        """The size of the network with its weights."""
        return sum(path.stat().st_size for path in self.file.parent.glob(f"{self.file.stem}.*"))


def exported(checkpoint: Checkpoint, format: str) -> Exported:
    """The network in this format, exported now if it is not there or damaged.

    ``text`` is its text tower alone. Raises RequestError, MissingExtra.
    """
    tower = format == "text"
    if is_bundled(checkpoint) and not tower:
        return converted(checkpoint, format)
    folder = cache_folder() / "networks" / f"{fingerprint(checkpoint)}-{format}"

    def question() -> bytes:
        for module in (*adapters.modules_of(checkpoint.name), *NEEDED[format]):
            need(module)
        if tower:
            tell(f"preparing the text tower of {checkpoint.network}, once")
        else:
            tell(f"preparing {checkpoint.network} for {format}, once")
        return pickle.dumps(checkpoint)

    module = "kkcv.embedding.export_text" if tower else "kkcv.embedding.export"
    return cached(checkpoint, folder, format, module, question)


def converted(checkpoint: Checkpoint, format: str) -> Exported:
    """The bundled network in this format (RequestError)."""
    if format == "onnx":
        return Exported(bundled.FILE, bundled.DIM, bundled.REFERENCE)
    folder = cache_folder() / "networks" / f"{bundled.NETWORK}-{bundled.SHA256[:16]}-{format}"
    return cached(checkpoint, folder, format, "kkcv.embedding.convert", lambda: b"")


def cached(
    checkpoint: Checkpoint, folder: Path, format: str, module: str, question: Callable[[], bytes]
) -> Exported:
    """The network in the folder; the child ``module`` writes it if missing (RequestError)."""
    if (found := opened(folder, format)) is not None:
        return found

    from filelock import FileLock

    try:
        make_cache_folder(folder.parent)
        with FileLock(folder.with_suffix(".lock")):  # one process exports, the others wait
            if (found := opened(folder, format)) is None:  # else another process has made it
                make(checkpoint, folder, format, module, question())
                found = opened(folder, format)
    except OSError as error:
        raise Interrupted(f"cannot export {checkpoint.network} to {folder}: {error}") from None
    if found is None:
        raise RequestError(f"{folder} is damaged right after it was written")
    return found


def opened(folder: Path, format: str) -> Exported | None:
    """The network in a folder of the cache; None if it is missing or damaged."""
    try:
        meta = json.loads((folder / "meta.json").read_text(encoding="utf-8"))
        if any(digest_of(folder / name) != digest for name, digest in meta["sha256"].items()):
            return None
        return Exported(folder / FILES[format], int(meta["dim"]), folder / "reference.npz")
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None


def digest_of(file: Path) -> str:
    """The sha256 of a file, remembered where computing it takes as long as a search."""
    return remembered(file) if file.stat().st_size > LARGE else sha256_of(file)


def make(checkpoint: Checkpoint, folder: Path, format: str, module: str, question: bytes) -> None:
    """Let a child write the files; a damaged network makes room."""
    shutil.rmtree(folder, ignore_errors=True)
    with atomic_folder(folder) as part:
        run_child(module, format, str(part), stdin=question, seconds=EXPORT_SECONDS)
        meta = {
            "network": checkpoint.network,
            "weights": checkpoint.weights_id,
            "kkcv": __version__,
            "dim": int(np.load(part / "reference.npz")["vectors"].shape[1]),
            "sha256": {path.name: sha256_of(path) for path in sorted(part.iterdir())},
        }
        (part / "meta.json").write_text(json.dumps(meta, indent=1), encoding="utf-8")


def fingerprint(checkpoint: Checkpoint) -> str:
    """16 hex digits that differ when the exported network would."""
    spec = checkpoint.preprocess
    facts = (
        checkpoint.network,
        checkpoint.weights_id,
        checkpoint.trained_in,
        len(checkpoint.classes or ()),
        spec.to_dict(),
        __version__,
        code_of_the_zoo(),
        adapters.library_of(checkpoint.name),
    )
    return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()[:16]


@cache
def code_of_the_zoo() -> str:
    """The hash of the code that builds networks: a mended network is exported again."""
    whole = hashlib.sha256()
    for file in sorted(Path(__file__).parents[1].glob("zoo/*.py")):
        whole.update(file.read_bytes())
    return whole.hexdigest()
