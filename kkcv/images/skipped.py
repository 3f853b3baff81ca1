"""Files that are not the owner's pictures: in recycle bins, caches, galleries, runs; sheets."""

import os
import re
import sqlite3
from contextlib import closing
from pathlib import Path

RECYCLED, SYSTEM = "recycle bins", "system folders"
GALLERY, RUN = "galleries", "training runs"

# Names in small letters: Windows and macOS do not tell them from capitals.
BINS = frozenset(
    {
        *("$recycle.bin", "recycler", "recycled"),  # Windows
        *("#recycle", "@recycle"),  # Synology, QNAP
        *("network trash folder",),  # AFP and SMB shares of macOS
    }
)
SYSTEMS = frozenset(
    {
        *("system volume information", "msdownld.tmp", "$extend"),  # Windows
        *("__macosx", "temporary items", "lost+found"),  # macOS, Linux
        *("@eadir", "@tmp", "#snapshot", "@sharesnap"),  # Synology
        *("@recently-snapshot", "@transcode", "@__thumb", "@upload_cache"),  # QNAP
        *("~snapshot", "@snapshots"),  # NetApp, Btrfs
    }
)
# What Windows found of lost files, and previews of Lightroom.
NUMBERED = re.compile(r"found\.\d{3}|.+\.lrdata")

MARK = ("Software", "kkcv")  # of the PNGs that kkcv writes: their key and text
SHEET = b"\0\0\0\x0dtEXt" + "\0".join(MARK).encode()  # the same in a file, with its length
CATALOG = "catalog.sqlite"  # the file by which a folder is a gallery
SETTINGS, SPLIT = "recipe.json", "split.csv"  # the files by which a folder is a run
TABLES = "SELECT count(*) FROM sqlite_schema WHERE name IN ('settings', 'pictures')"


def system_folder(name: str) -> str | None:
    """Why a folder of this name holds nobody's own pictures, or None."""
    name = name.lower()
    if name in BINS:
        return RECYCLED
    return SYSTEM if name in SYSTEMS or NUMBERED.fullmatch(name) else None


def is_gallery(folder: str) -> bool:
    """Whether a folder is a gallery of kkcv; another program may have a file of that name."""
    file = os.path.join(folder, CATALOG)
    if not os.path.isfile(file):
        return False
    if os.path.exists(f"{file}-wal"):  # in use: its tables may still be in the log
        return True
    try:
        address = f"{Path(file).absolute().as_uri()}?immutable=1"  # nothing is written beside it
        with closing(sqlite3.connect(address, uri=True)) as catalog:
            return bool(catalog.execute(TABLES).fetchone()[0] == 2)
    except (sqlite3.Error, OSError):
        return False


def is_run(folder: str) -> bool:
    """Whether a folder is a training run, finished or not; its plots are nobody's pictures."""
    return all(os.path.isfile(os.path.join(folder, name)) for name in (SETTINGS, SPLIT))


def is_sheet(data: bytes) -> bool:
    """Whether this is a contact sheet that kkcv wrote (sheet.py), by a mark near its beginning."""
    return data.startswith(b"\x89PNG") and SHEET in data[:1024]


def in_a_gallery(folder: str) -> bool:
    """Whether a folder, or one above it, is a gallery, wherever links lead."""
    real = Path(os.path.realpath(folder))
    return any(is_gallery(str(each)) for each in (real, *real.parents))
