"""Optional parts of kkcv: which extra brings which package, and what its absence is called."""

import re
import sys
from functools import cache
from importlib.util import find_spec
from pathlib import Path

from .errors import MissingExtra

# By top-level module: its name for people, and the extra that installs it.
EXTRAS = {
    "torch": ("PyTorch", "zoo"),
    "torchvision": ("torchvision", "zoo"),
    "safetensors": ("safetensors", "zoo"),
    "onnx": ("ONNX", "zoo"),
    "onnxscript": ("onnxscript", "zoo"),
    "openvino": ("OpenVINO", "openvino"),
    "nncf": ("NNCF, which makes int8 networks,", "int8"),
    "lightning": ("Lightning", "train"),
    "matplotlib": ("matplotlib", "train"),
    "tensorboard": ("TensorBoard", "train"),
    "kagglehub": ("kagglehub, which fetches data from Kaggle,", "train"),
    "timm": ("timm", "timm"),
    "open_clip": ("OpenCLIP", "open-clip"),
    "transformers": ("transformers", "transformers"),
    "tokenizers": ("tokenizers, which cuts texts into tokens,", "text"),
    "ftfy": ("ftfy, which cleans texts,", "text"),
    "pytorch_metric_learning": ("pytorch-metric-learning", "adapt"),
    "pyarrow": ("pyarrow, which reads and writes Parquet,", "parquet"),
    "pandas": ("pandas", "pandas"),
    "pymilvus": ("pymilvus, which speaks to Milvus,", "milvus"),
    "pi_heif": ("pi-heif", "heic"),
    "pillow_jxl": ("pillow-jxl-plugin", "jxl"),
    "rawpy": ("rawpy", "raw"),
    "tifffile": ("tifffile", "tiff"),
    "streamlit": ("Streamlit", "web"),
    "skimage": ("scikit-image", "demo"),
}


def is_installed(module: str) -> bool:
    """Whether a module can be imported, without importing it."""
    return find_spec(module) is not None


@cache
def versions() -> dict[str, str]:
    """The version of each installed package, by its normalized name (``faiss-cpu``).

    Read off the names of the ``.dist-info`` folders: importlib.metadata parses a whole METADATA
    for each, which takes a tenth of a search.
    """
    found: dict[str, str] = {}
    for place in sys.path:
        for folder in Path(place or ".").glob("*-*.*-info"):
            # a name has no hyphen there: they are written as underscores
            name, version = folder.stem.split("-")[:2]
            found.setdefault(re.sub("[-_.]+", "-", name).lower(), version)
    return found


def need(module: str) -> None:
    """Refuse to go on without an optional module (MissingExtra)."""
    if not is_installed(module):
        raise MissingExtra(*EXTRAS[module])


def missing(error: ModuleNotFoundError) -> MissingExtra | None:
    """The error that says which extra brings what could not be imported; None for other modules."""
    found = EXTRAS.get((error.name or "").partition(".")[0])
    return MissingExtra(*found) if found else None
