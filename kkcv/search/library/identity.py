"""The identity of folders: one folder may have many names, and one name many folders."""

import os
import re
from collections.abc import Iterator
from typing import NamedTuple

MOUNTS = "/proc/self/mountinfo"
ESCAPED = re.compile(r"\\([0-7]{3})")


class Identity(NamedTuple):
    """A folder, as the file system knows it.

    ``volume`` is the number of the file system, which outlives restarts where ``device`` does not;
    0 if unknown. ``inner`` is the path within the volume, which all mounts of it share; "" if
    unknown.
    """

    device: int
    inode: int
    volume: int = 0
    inner: str = ""

    def is_same(self, other: "Identity") -> bool:
        if self.volume and other.volume:
            return (self.volume, self.inode) == (other.volume, other.inode)
        return (self.device, self.inode) == (other.device, other.inode)


class Mount(NamedTuple):
    """A volume's folder ``inner`` is to be seen at ``point``; ``kind`` as in mount(8)."""

    inner: str
    point: str
    kind: str = ""


def identity_of(folder: str) -> Identity:
    """The identity of the folder that a path leads to (OSError)."""
    return seen(folder)._replace(inner=inner_path(os.path.realpath(folder)))


def seen(folder: str) -> Identity:
    """As identity_of, without the path within the volume: quicker."""
    status = os.stat(folder)
    volume = os.statvfs(folder).f_fsid if hasattr(os, "statvfs") else 0
    return Identity(status.st_dev, status.st_ino, volume)


def inner_path(real: str) -> str:
    mount = mount_of(real)
    return "" if mount is None else join(mount.inner, below(real, mount.point))


def mount_of(real: str) -> Mount | None:
    over = [mount for mount in mounts() if is_below(real, mount.point)]
    return max(over, key=lambda mount: len(mount.point), default=None)  # the innermost


def mounted(folder: str) -> str:
    """The kind of file system that a folder is on; "" if unknown."""
    mount = mount_of(os.path.realpath(folder))
    return "" if mount is None else mount.kind


def elsewhere(identity: Identity) -> Iterator[str]:
    """Where this folder may be in other mounts of its volume, as in a container."""
    for mount in mounts() if identity.inner else ():
        if is_below(identity.inner, mount.inner):
            yield join(mount.point, below(identity.inner, mount.inner))


def mounts() -> list[Mount]:
    """The mounts of this process, the newest last; none where the system does not list them."""
    try:
        with open(MOUNTS, encoding="utf-8", errors="surrogateescape") as lines:
            return [mount_in(line) for line in lines]
    except OSError:
        return []


def mount_in(line: str) -> Mount:
    fields, _, more = line.partition(" - ")
    inner, point = map(unescaped, fields.split(" ")[3:5])
    return Mount(inner, point, more.split(" ")[0])


def unescaped(text: str) -> str:
    """The kernel writes spaces and the like as octal numbers."""
    return ESCAPED.sub(lambda found: chr(int(found[1], 8)), text)


def is_below(path: str, folder: str) -> bool:
    """Whether a path is in a folder, at any depth, or the folder itself."""
    return path == folder or path.startswith(folder.rstrip("/") + "/")


def below(path: str, folder: str) -> str:
    """The path within a folder that it is in; "" for the folder itself."""
    return path[len(folder.rstrip("/")) + 1 :]


def join(folder: str, rest: str) -> str:
    return f"{folder.rstrip('/')}/{rest}" if rest else folder


def upwards(path: str) -> Iterator[str]:
    """A path and the folders above it."""
    while True:
        yield path
        above = os.path.dirname(path)
        if above == path:
            return
        path = above
