"""Which weights of a file are meant where it holds their average beside the raw ones.

``PATH:ema`` means the average, ``PATH:raw`` the raw ones. A path alone leaves it to the file: the
average if there is one that fits, which is said. A gallery remembers what was taken.
"""

import zipfile
from os import PathLike
from pathlib import Path
from typing import NamedTuple

from kkcv.disk import typed
from kkcv.errors import WeightsError

ENDINGS = {":ema": True, ":raw": False}
SIGNS = (b"ema", b"averaged")  # in any case: every name of an average has one (contents.py)


class Named(NamedTuple):
    """A weights file as it was named. ``ema``: the average (True) or the raw weights (False)."""

    path: Path
    ema: bool | None


def named(weights: str | PathLike[str]) -> Named:
    """The path and the ending behind it, which may also be part of the name of a file."""
    path = Path(typed(weights))
    ending = path.name[-4:]
    if ending not in ENDINGS or path.exists():
        return Named(path, None)
    return Named(path.with_name(path.name[:-4]), ENDINGS[ending])


def with_ending(path: str | PathLike[str], ema: bool | None) -> str:
    """The name that ``named`` reads."""
    return str(path) + next((ending for ending, each in ENDINGS.items() if each is ema), "")


def no_average(path: Path) -> WeightsError:
    return WeightsError(f"{path} holds no average of weights; leave ema=True (--ema) out")


def is_safetensors(path: Path) -> bool:
    """Whether a file begins as the format does: 8 bytes of length, then JSON. Names can lie."""
    with path.open("rb") as file:
        return file.read(9)[8:] == b"{"


def may_hold_average(path: Path) -> bool:
    """False where the names in the file show that it holds none; read without PyTorch."""
    try:
        if zipfile.is_zipfile(path):  # as PyTorch writes it since 2020
            with zipfile.ZipFile(path) as archive:
                names = [name for name in archive.namelist() if name.endswith("data.pkl")]
                text = b"".join(map(archive.read, names))
        elif is_safetensors(path):
            with path.open("rb") as file:
                text = file.read(int.from_bytes(file.read(8), "little"))
        else:
            return True
    except (OSError, MemoryError, zipfile.BadZipFile):
        return True  # reading the weights will say what is wrong
    return any(sign in text.lower() for sign in SIGNS)
