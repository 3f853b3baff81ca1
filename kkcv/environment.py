"""The one reader of environment variables."""

import os
import sys
from collections.abc import Callable
from errno import ENOENT
from functools import partial
from pathlib import Path
from typing import NamedTuple


def cache_folder() -> Path:
    """``$KKCV_CACHE``, else ``kkcv`` in the user's cache folder: what can be made again."""
    if chosen := os.environ.get("KKCV_CACHE"):
        return Path(chosen).expanduser()
    base = os.environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path.home() / ".cache") / "kkcv"


def environment_with_cache(folder: str) -> dict[str, str]:
    """The environment for a process with a cache of its own."""
    return {**os.environ, "KKCV_CACHE": folder}


def environment_in_utf8() -> dict[str, str]:
    """The environment for a process that takes names of files for UTF-8, whatever the locale."""
    return {**os.environ, "PYTHONUTF8": "1"}


def make_cache_folder(folder: Path) -> None:
    """Make a folder of the cache and its parents, but not a missing home (OSError)."""
    home = Path.home()
    if home in folder.parents and not home.is_dir():
        raise FileNotFoundError(ENOENT, "there is no home folder; set KKCV_CACHE", str(home))
    folder.mkdir(parents=True, exist_ok=True)


def data_folder() -> Path:
    """``$KKCV_DATA``, else ``kkcv`` in the user's data folder: what must not be lost."""
    if chosen := os.environ.get("KKCV_DATA"):
        return Path(chosen).expanduser()
    base = os.environ.get("XDG_DATA_HOME")
    return (Path(base) if base else Path.home() / ".local" / "share") / "kkcv"


def language() -> str:
    """The language of messages, ``zh`` or ``en``: ``$KKCV_LANG``, else that of the locale."""
    names = ("KKCV_LANG", "LC_ALL", "LC_MESSAGES", "LANG")  # in the order of setlocale(3)
    chosen = next(filter(None, map(os.environ.get, names)), "en")
    return "zh" if chosen.lower().startswith("zh") else "en"


def milvus_token() -> str:
    """``$KKCV_MILVUS_TOKEN``, such as ``user:password``; empty for a server without users."""
    return os.environ.get("KKCV_MILVUS_TOKEN", "")


def offline() -> str:
    """The variable that forbids downloads, ``KKCV_OFFLINE`` or ``HF_HUB_OFFLINE``; empty if none.

    A variable forbids them unless it is 0, no, off, false or empty.
    """
    # KKCV_OFFLINE first: the message names it
    return next(filter(forbids, ("KKCV_OFFLINE", "HF_HUB_OFFLINE")), "")


def forbids(name: str) -> bool:
    """Whether this variable forbids downloads."""
    return os.environ.get(name, "").lower() not in ("", "0", "no", "off", "false")


def model_hub() -> str:
    """The address of the Hugging Face hub, or of its mirror ``$HF_ENDPOINT``."""
    return (os.environ.get("HF_ENDPOINT") or "https://huggingface.co").rstrip("/")


def hub_token() -> str:
    """``$HF_TOKEN``, for a hub that wants a login; else empty."""
    return os.environ.get("HF_TOKEN", "").strip()


def runtime() -> str:
    """The runtime of networks: ``$KKCV_RUNTIME``, else ``auto``, the fastest here."""
    return os.environ.get("KKCV_RUNTIME") or "auto"


def precision() -> str:
    """The precision of networks: ``$KKCV_PRECISION``, else ``auto``."""
    return os.environ.get("KKCV_PRECISION") or "auto"


# The variables that every command reads, and their readers.
VARIABLES: dict[str, Callable[[], object]] = {
    "KKCV_CACHE": cache_folder,
    "KKCV_DATA": data_folder,
    "KKCV_OFFLINE": partial(forbids, "KKCV_OFFLINE"),
    "HF_HUB_OFFLINE": partial(forbids, "HF_HUB_OFFLINE"),
    "HF_ENDPOINT": model_hub,
    "HF_TOKEN": hub_token,
    "KKCV_RUNTIME": runtime,
    "KKCV_PRECISION": precision,
    "KKCV_LANG": language,
    "KKCV_MILVUS_TOKEN": milvus_token,
}
SECRET = ("KKCV_MILVUS_TOKEN", "HF_TOKEN")


def resolved() -> list[tuple[str, str, str]]:
    """Name, value and source of each variable; the source is its name, or ``default``."""
    rows = []
    for name, read in VARIABLES.items():
        value, given = str(read()), bool(os.environ.get(name))
        hidden = name in SECRET and value
        rows.append((name, "(hidden)" if hidden else value, name if given else "default"))
    return rows


def set_default(name: str, value: str) -> None:
    """Set a variable that other libraries read, unless the user has set it."""
    os.environ.setdefault(name, value)


class WebSettings(NamedTuple):
    """The settings that ``kkcv web`` hands to the Streamlit process."""

    gallery: str  # a folder, or the address of a service
    compare: str  # a second gallery, or nothing
    api_key: str  # for a service
    runs: str  # folder of training runs
    folders: bool | None  # visitors may name folders here; None: those at this machine


def web_settings() -> WebSettings:
    """The settings of this Streamlit process; ``gallery`` is empty where none was named."""
    read = os.environ.get
    return WebSettings(
        read("KKCV_GALLERY", ""),
        read("KKCV_COMPARE", ""),
        read("KKCV_API_KEY", ""),
        read("KKCV_RUNS") or "runs",
        {"1": True, "0": False}.get(read("KKCV_PATHS", "0")),
    )


def hand_over(settings: WebSettings) -> None:
    """Set the variables from which web_settings reads, for the processes started after this."""
    os.environ.update(
        KKCV_GALLERY=settings.gallery,
        KKCV_COMPARE=settings.compare,
        KKCV_API_KEY=settings.api_key,
        KKCV_RUNS=settings.runs,
        KKCV_PATHS="" if settings.folders is None else str(int(settings.folders)),
    )


def scheduled_worker() -> str | None:
    """``RANK/WORLD_SIZE`` as a scheduler or torchrun sets them; None where neither is set."""
    rank, size = os.environ.get("RANK"), os.environ.get("WORLD_SIZE")
    return None if rank is None and size is None else f"{rank or ''}/{size or ''}"


class Launched(NamedTuple):
    """This process among those that torchrun has started; ``local`` ones are on this machine."""

    rank: int
    world: int
    local_rank: int
    local_world: int


def launched() -> Launched | None:
    """The process's place, or None where torchrun has not started it."""
    if "WORLD_SIZE" not in os.environ:
        return None
    rank, world = int(os.environ.get("RANK", "0")), int(os.environ["WORLD_SIZE"])
    read = os.environ.get
    return Launched(rank, world, int(read("LOCAL_RANK", "0")), int(read("LOCAL_WORLD_SIZE", "1")))


def handed_over() -> bool:
    """Whether systemd has handed a listening socket to this process (sd_listen_fds(3))."""
    return os.environ.get("LISTEN_PID") == str(os.getpid()) and "LISTEN_FDS" in os.environ


def has_screen() -> bool:
    """Whether a browser can be opened here."""
    if sys.platform.startswith("linux"):
        return bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))
    return True
