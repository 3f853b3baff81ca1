"""Writes below a folder: which of them are durable, and what a power loss may leave.

SQLite is watched from a VFS, Python's own files by audit events and by what they hold when they are
synced or renamed. What is not synced when the power goes is kept, lost, or torn at sectors; names
that were made, moved or deleted since their folder was synced are lost from some point on.
"""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import apsw
import numpy as np

SECTOR = 512
NEW_LOG = apsw.SQLITE_OPEN_WAL | apsw.SQLITE_OPEN_MAIN_JOURNAL  # its folder is synced with it
Event = tuple[Any, ...]


class Recorder:
    """The events below a folder, in order: (kind, path below it, more…)."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.events: list[Event] = []
        self.on = False
        self._held: dict[str, bytes] = {}  # what Python's files were last seen to hold

    def record(self, kind: str, path: Any, *more: Any) -> None:
        if self.on and (name := self.name(path)) is not None:
            self.events.append((kind, name, *more))

    def name(self, path: Any) -> str | None:
        """Below the root, or None; shared memory is not on the disk."""
        text = os.fsdecode(path)
        prefix = f"{self.root}{os.sep}"
        if text == str(self.root):
            return ""
        if not text.startswith(prefix) or text.endswith("-shm"):
            return None
        return text.removeprefix(prefix)

    def hear(self, event: str, arguments: tuple[Any, ...]) -> None:
        """An audit event of Python: it comes before the thing is done."""
        if not self.on:
            return
        if event == "open":
            path, mode, flags = arguments
            creates = flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT)
            writes = creates or any(c in (mode or "") for c in "wxa+")
            if writes and isinstance(path, str | bytes | os.PathLike) and not os.path.exists(path):
                self.record("create", path)
        elif event == "os.rename":
            source, target = arguments[:2]
            if os.path.isfile(source):
                self.content(source)
            self.record("rename", source, self.name(target))
        elif event in ("os.remove", "os.rmdir"):
            self.record("delete", resolved(*arguments))
        elif event == "os.mkdir" and not os.path.exists(arguments[0]):
            self.record("folder", arguments[0])

    def content(self, path: Any) -> None:
        """Record what Python has written into a file, if it is new."""
        name = self.name(path)
        if not self.on or name is None:
            return
        data = Path(os.fsdecode(path)).read_bytes()
        if self._held.get(name) != data:
            self._held[name] = data
            self.events.append(("content", name, data))

    def synced(self, handle: int) -> None:
        path = os.readlink(f"/proc/self/fd/{handle}")
        if os.path.isdir(path):
            self.record("sync-folder", path)
        else:
            self.content(path)
            self.record("sync", path)


def resolved(path: Any, folder: int = -1) -> str:
    """The path of an audit event that names a file within an open folder."""
    text = os.fsdecode(path)
    return text if folder < 0 else f"{os.readlink(f'/proc/self/fd/{folder}')}/{text}"


class RecordedFile(apsw.VFSFile):
    def __init__(self, recorder: Recorder, name: Any, flags: list[int]) -> None:
        self.path = name.filename() if isinstance(name, apsw.URIFilename) else name
        self.recorder = recorder
        creates = flags[0] & apsw.SQLITE_OPEN_CREATE
        if creates and not os.path.exists(self.path):
            recorder.record("create", self.path)
        self.syncs_folder = bool(creates and flags[0] & NEW_LOG)
        super().__init__("unix", name, flags)

    def xWrite(self, data: bytes, offset: int) -> None:  # noqa: N802
        super().xWrite(data, offset)
        self.recorder.record("write", self.path, offset, bytes(data))

    def xTruncate(self, size: int) -> None:  # noqa: N802
        super().xTruncate(size)
        self.recorder.record("truncate", self.path, size)

    def xSync(self, flags: int) -> None:  # noqa: N802
        super().xSync(flags)
        self.recorder.record("sync", self.path)
        if self.syncs_folder:  # as SQLite's own VFS does
            self.recorder.record("sync-folder", os.path.dirname(self.path))
            self.syncs_folder = False


class RecordedDisk(apsw.VFS):
    def __init__(self, recorder: Recorder) -> None:
        self.recorder = recorder
        super().__init__("recorded", "unix", makedefault=True)

    def xOpen(self, name: Any, flags: list[int]) -> apsw.VFSFile:  # noqa: N802
        if name is None:
            return apsw.VFSFile("unix", name, flags)
        return RecordedFile(self.recorder, name, flags)

    def xDelete(self, name: str, sync_folder: bool) -> None:  # noqa: N802
        super().xDelete(name, sync_folder)
        self.recorder.record("delete", name)
        if sync_folder:
            self.recorder.record("sync-folder", os.path.dirname(name))


heard: list[Recorder] = []  # by the one audit hook that there can be


def hook(event: str, arguments: tuple[Any, ...]) -> None:
    for recorder in heard:
        recorder.hear(event, arguments)


@contextmanager
def recording(root: Path) -> Iterator[Recorder]:
    """All that this process writes below a folder. One at a time; close all catalogs before."""
    if not getattr(hook, "added", False):
        sys.addaudithook(hook)
        hook.added = True  # type: ignore[attr-defined]
    recorder, fsync = Recorder(root), os.fsync
    disk = RecordedDisk(recorder)

    def watched(handle: int) -> None:
        fsync(handle)
        recorder.synced(handle)

    os.fsync = watched  # type: ignore[assignment]
    heard.append(recorder)
    recorder.on = True
    try:
        yield recorder
    finally:
        recorder.on = False
        heard.remove(recorder)
        os.fsync = fsync
        disk.unregister()
        apsw.set_default_vfs("unix")


@dataclass
class File:
    """``pending`` are the writes since the last sync: offset and bytes, or a new size, or all."""

    durable: bytes = b""
    pending: list[Event] = field(default_factory=list)

    def sync(self) -> None:
        for event in self.pending:
            self.durable = written(self.durable, event)
        self.pending = []

    def after_power_loss(self, chance: np.random.Generator) -> bytes:
        data = self.durable
        for event in self.pending:
            fate = chance.choice(["kept", "lost", "torn"])
            if fate == "kept" or (fate == "torn" and event[0] == "truncate"):
                data = written(data, event)
            elif fate == "torn":
                data = torn(data, event, chance)
        return data


def written(data: bytes, event: Event) -> bytes:
    kind, *more = event
    if kind == "content":
        return more[0]
    if kind == "truncate":
        return data[: more[0]].ljust(more[0], b"\0")
    offset, new = more
    return data[:offset].ljust(offset, b"\0") + new + data[offset + len(new) :]


def torn(data: bytes, event: Event, chance: np.random.Generator) -> bytes:
    """Each sector of a write is there or not."""
    offset, new = (0, event[1]) if event[0] == "content" else event[1:]
    end = offset + len(new)
    for start in range(offset - offset % SECTOR, end, SECTOR):
        if chance.random() < 0.5:
            low, high = max(start, offset), min(start + SECTOR, end)
            data = written(data, ("write", low, new[low - offset : high - offset]))
    return data


class Disk:
    """Files and names as a process sees them, and what of them is durable.

    A name leads to a File, or to None for a folder. ``moves`` are the changes of names in a folder
    since it was synced.
    """

    def __init__(self) -> None:
        self.now: dict[str, File | None] = {}
        self.durable: dict[str, File | None] = {}
        self.moves: dict[str, list[Event]] = {}

    def apply(self, event: Event) -> None:
        kind, path, *more = event
        if kind in ("create", "folder"):
            self.now[path] = File() if kind == "create" else None
            self.move(path, "add", path, self.now[path])
        elif kind == "delete" and path in self.now:
            del self.now[path]
            self.move(path, "delete", path)
        elif kind == "rename":
            self.move(more[0], "rename", path, more[0], self.now[path])
            renamed(self.now, path, more[0])
            for folder in [f for f in self.moves if f == path or f.startswith(f"{path}/")]:
                self.moves[more[0] + folder[len(path) :]] = self.moves.pop(folder)
        elif kind == "sync-folder":
            for change in self.moves.pop(path, []):
                moved(self.durable, change)
        elif kind == "sync":
            self.file(path).sync()
        elif kind in ("write", "truncate", "content"):
            self.file(path).pending.append((kind, *more))

    def file(self, path: str) -> File:
        found = self.now.get(path)
        if found is None:
            raise KeyError(f"{path} was written, but its beginning was not seen")
        return found

    def move(self, path: str, *change: Any) -> None:
        self.moves.setdefault(os.path.dirname(path), []).append(change)

    def after_power_loss(self, chance: np.random.Generator) -> dict[str, bytes | None]:
        """A state that may be found: the bytes of each file, None for a folder."""
        names = dict(self.durable)
        for changes in self.moves.values():
            for change in changes[: chance.integers(len(changes) + 1)]:
                moved(names, change)
        reachable = {
            path: entry for path, entry in names.items() if all(up in names for up in above(path))
        }
        return {
            path: None if entry is None else entry.after_power_loss(chance)
            for path, entry in reachable.items()
        }


def moved(names: dict[str, File | None], change: Event) -> None:
    kind, path, *more = change
    if kind == "add":
        names[path] = more[0]
    elif kind == "delete":
        names.pop(path, None)
    else:
        names.pop(path, None)
        renamed(names, path, more[0])
        names[more[0]] = more[1]


def renamed(names: dict[str, File | None], source: str, target: str) -> None:
    """A file, or a folder with all below it."""
    for path in [p for p in names if p == source or p.startswith(f"{source}/")]:
        names[target + path[len(source) :]] = names.pop(path)


def above(path: str) -> list[str]:
    parts = path.split("/")[:-1]
    return ["/".join(parts[: n + 1]) for n in range(len(parts))]


def laid_out(root: Path, found: dict[str, bytes | None]) -> None:
    """The state as real files."""
    for path, data in sorted(found.items()):
        if data is None:
            (root / path).mkdir(parents=True, exist_ok=True)
        else:
            (root / path).write_bytes(data)
