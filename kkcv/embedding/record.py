"""The findings about runtimes on this machine, one file per network in the cache folder."""

import hashlib
import json
import re
from pathlib import Path
from typing import Any, NamedTuple

from kkcv import __version__, adapters
from kkcv.checkpoint import Checkpoint
from kkcv.disk import write_file
from kkcv.environment import cache_folder, make_cache_folder
from kkcv.extras import versions
from kkcv.machine import machine

from .runtimes import RUNTIMES


class Measured(NamedTuple):
    """A runtime and precision: the rate in pictures per second, or why it cannot be used.

    With neither, it was checked and its answers are right.
    """

    runtime: str
    precision: str
    rate: float | None
    failure: str = ""


def record_file(checkpoint: Checkpoint) -> Path:
    """One a machine, network and version; weights do not change the speed."""
    spec = checkpoint.preprocess
    facts: tuple[Any, ...] = (machine(), __version__, libraries())
    facts += (checkpoint.network, spec.size, spec.channels)
    if library := adapters.library_of(checkpoint.name):  # the name alone does not tell the layers
        facts += (library, checkpoint.weights_id)
    key = hashlib.sha256(json.dumps(facts).encode()).hexdigest()[:16]
    name = re.sub(r"[^\w.-]", "_", checkpoint.network)
    return cache_folder() / "runtimes" / f"{name}-{key}.json"


def libraries() -> dict[str, str]:
    """The versions of the libraries that run networks."""
    return {name: versions().get(name, "-") for name in ("openvino", "onnxruntime", "torch")}


def read(file: Path) -> list[Measured]:
    """The record; empty when there is none that can be read."""
    try:
        document = json.loads(file.read_text(encoding="utf-8"))
        found = [Measured(**row) for row in document["measured"]]
        return found if all(m.runtime in RUNTIMES for m in found) else []
    except (OSError, ValueError, KeyError, TypeError):
        return []


def write(file: Path, checkpoint: Checkpoint, measured: list[Measured]) -> None:
    """Save the findings; a cache that cannot be written is ignored."""
    document: dict[str, Any] = {
        "machine": machine(),
        "network": checkpoint.network,
        "kkcv": __version__,
        "versions": libraries(),
        "measured": [m._asdict() for m in measured],
    }
    try:
        make_cache_folder(file.parent)
        write_file(file, json.dumps(document, indent=1))
    except OSError:
        pass
