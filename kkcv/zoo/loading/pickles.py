"""Read a .pth file without running anything in it.

``torch.load`` with ``weights_only`` builds tensors, numbers, text and containers alone. Beside the
weights, training scripts save their options and statistics, as objects of the classes in
``HARMLESS``. An empty stand-in takes the place of each, so those classes need not be installed.
"""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

from kkcv.errors import WeightsError


class Ignored:
    """Stands for an object whose content does not matter."""

    def __init__(self, *_: object) -> None: ...

    def __setstate__(self, _: object) -> None: ...


class IgnoredDict(dict[str, object]):
    """Stands for a kind of dict: a plain one, which is all that PyTorch's reader fills."""

    def __new__(cls, *_: object) -> Any:
        return {}


class IgnoredList(list[object]):
    """Stands for a kind of list."""

    def __new__(cls, *_: object) -> Any:
        return []


# By what a pickle calls them. Nothing of these classes and functions is called.
HARMLESS = {
    Ignored: (
        "argparse.Namespace",  # torchvision's and timm's training scripts
        "types.SimpleNamespace",
        *(f"datetime.{name}" for name in ("date", "datetime", "timedelta", "timezone")),
        *(
            f"{module}.{name}"
            for module in ("pathlib", "pathlib._local")
            for name in ("Path", "PosixPath", "WindowsPath", "PurePosixPath", "PureWindowsPath")
        ),
        *(f"builtins.{name}" for name in ("bool", "dict", "float", "int", "list", "str", "tuple")),
        "builtins.slice",
        "builtins.range",
        *("numpy.dtype", "numpy.ndarray"),
        *(
            f"numpy.{package}.multiarray.{name}"
            for package in ("core", "_core")
            for name in ("scalar", "_reconstruct")
        ),
        "torch.torch_version.TorchVersion",
        # Lightning's hyperparameters
        *(f"omegaconf.{name}" for name in ("dictconfig.DictConfig", "listconfig.ListConfig")),
        *(f"omegaconf.base.{name}" for name in ("ContainerMetadata", "Metadata")),
        *(f"omegaconf.nodes.{kind}Node" for kind in ("Any", "Boolean", "Float", "Integer")),
        "omegaconf.nodes.StringNode",
        "typing.Any",
        # Hugging Face Trainer's
        *(f"transformers.training_args.{name}" for name in ("TrainingArguments", "OptimizerNames")),
        *(
            f"transformers.trainer_utils.{name}"
            for name in ("HubStrategy", "IntervalStrategy", "SaveStrategy", "SchedulerType")
        ),
        "fastcore.foundation.L",  # fastai's optimizer
        "mmengine.logging.history_buffer.HistoryBuffer",
    ),
    IgnoredDict: (
        "collections.defaultdict",
        *(
            f"{package}.utilities.parsing.AttributeDict"
            for package in ("pytorch_lightning", "lightning.pytorch")
        ),
        *(
            f"{package}.utilities.data.AttributeDict"
            for package in ("lightning_fabric", "lightning.fabric")
        ),
        "yacs.config.CfgNode",
        "easydict.EasyDict",
        "addict.addict.Dict",
        "mmcv.utils.config.ConfigDict",
        "mmengine.config.config.ConfigDict",
        "ml_collections.config_dict.config_dict.ConfigDict",
    ),
    IgnoredList: ("collections.deque",),
}


def read_pickle(path: Path) -> object:
    """The contents of a .pth file: tensors, numbers, text, containers of them, and stand-ins.

    Raises WeightsError, which names a class that is not in ``HARMLESS``.
    """
    try:
        with torch.serialization.safe_globals(stand_ins()):
            return torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # a damaged or hostile pickle makes the reader raise anything
        refused = re.search(r"GLOBAL ([\w.]+)", str(error))
    if refused:
        raise WeightsError(
            f"{path} is refused: it holds a {refused[1]}, which could run code when it is read; "
            "save the state_dict() alone"
        )
    raise WeightsError(
        f"{path} cannot be read as weights; .safetensors and .pth files of plain tensors can"
    )


def stand_ins() -> list[Callable[..., Any] | tuple[Callable[..., Any], str]]:
    """For each harmless name a class of that name, which is how PyTorch knows it."""
    found: list[Callable[..., Any] | tuple[Callable[..., Any], str]] = []
    for kind, names in HARMLESS.items():
        for name in names:
            module, _, last = name.rpartition(".")
            found.append(type(last, (kind,), {"__module__": module, "__qualname__": last}))
    return found
