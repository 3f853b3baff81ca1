"""What the environment says, and its one reader: where downloads are kept, what runs networks."""

import os
from collections.abc import Callable
from errno import ENOENT
from pathlib import Path


def cache_folder() -> Path:
    """``$KKCV_CACHE``, else ``kkcv`` in the user's cache folder."""
    if chosen := os.environ.get("KKCV_CACHE"):
        return Path(chosen).expanduser()
    base = os.environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path.home() / ".cache") / "kkcv"


def make_cache_folder(folder: Path) -> None:
    """A folder of the cache, and those above it; but never a home that is not there (OSError)."""
    home = Path.home()
    if home in folder.parents and not home.is_dir():
        raise FileNotFoundError(ENOENT, "there is no home folder; set KKCV_CACHE", str(home))
    folder.mkdir(parents=True, exist_ok=True)


def data_folder() -> Path:
    """``$KKCV_DATA``, else ``kkcv`` in the user's data folder: what is not to be lost."""
    if chosen := os.environ.get("KKCV_DATA"):
        return Path(chosen).expanduser()
    base = os.environ.get("XDG_DATA_HOME")
    return (Path(base) if base else Path.home() / ".local" / "share") / "kkcv"


def milvus_token() -> str:
    """``$KKCV_MILVUS_TOKEN``, such as ``user:password``; empty for a server that asks nobody."""
    return os.environ.get("KKCV_MILVUS_TOKEN", "")


def offline() -> bool:
    """True when ``$KKCV_OFFLINE`` is set to anything but 0: nothing is downloaded."""
    return os.environ.get("KKCV_OFFLINE", "0") not in ("", "0")


def model_hub() -> str:
    """The Hugging Face hub, or the mirror of it that ``$HF_ENDPOINT`` names."""
    return (os.environ.get("HF_ENDPOINT") or "https://huggingface.co").rstrip("/")


def runtime() -> str:
    """What runs networks: ``$KKCV_RUNTIME``, else ``auto``, the fastest here."""
    return os.environ.get("KKCV_RUNTIME") or "auto"


def precision() -> str:
    """What networks compute in: ``$KKCV_PRECISION``, else ``auto``."""
    return os.environ.get("KKCV_PRECISION") or "auto"


# Each variable, with what reads it.
VARIABLES: dict[str, Callable[[], object]] = {
    "KKCV_CACHE": cache_folder,
    "KKCV_DATA": data_folder,
    "KKCV_OFFLINE": offline,
    "HF_ENDPOINT": model_hub,
    "KKCV_RUNTIME": runtime,
    "KKCV_PRECISION": precision,
    "KKCV_MILVUS_TOKEN": milvus_token,
}
SECRET = ("KKCV_MILVUS_TOKEN",)


def told() -> list[tuple[str, str, str]]:
    """Each variable, what holds now, and who said so: the variable, or ``default``."""
    rows = []
    for name, read in VARIABLES.items():
        value, given = str(read()), bool(os.environ.get(name))
        hidden = name in SECRET and value
        rows.append((name, "(hidden)" if hidden else value, name if given else "default"))
    return rows
