"""New files whose bytes the gallery has already: a picture that was moved, or a copy of one.

After a folder is renamed, all files of the same bytes are elsewhere, and each must keep its own
row: the same file (by its inode) decides, then the same name, then the order of ids. Files that
have swapped their names keep their rows, too.
"""

import os
from collections import defaultdict
from hashlib import sha256
from typing import Literal, NamedTuple

from kkcv.errors import PictureError
from kkcv.images.source import read_bytes
from kkcv.search.engine import Reader
from kkcv.search.picture import Picture, PictureFile, Stamp

from .absence import Judge, presence_of

WAITS: Literal["waits"] = "waits"
LARGEST_INODE = (1 << 63) - 1  # a catalog keeps 63 bits of one
FEW = 8  # pictures of the same bytes that may have swapped names


class Waiting(NamedTuple):
    """A new file that is asked for again after all others, which may have a better claim."""

    file: PictureFile
    stamp: Stamp


class Lost:
    """Pictures of the same bytes whose files have gone, or have left their names to others.

    The latter are known by their inodes alone: a copy that was kept of a file before it was written
    over is a picture of its own.
    """

    def __init__(self) -> None:
        self.by_inode: dict[int, Picture] = {}
        self.inodes: dict[int, int] = {}  # by id
        # by the root that they were in: those of a name, and all, by id
        self.by_name: dict[str, dict[str, dict[int, Picture]]] = defaultdict(dict)
        self.by_root: dict[str, dict[int, Picture]] = defaultdict(dict)


class MovedFiles:
    """The pictures that have lost their file, by their bytes: looked for once in an import.

    So the time for many files of the same bytes grows with their number, not with its square.
    """

    def __init__(self, judge: Judge) -> None:
        self._judge = judge
        self._lost: dict[bytes, Lost] = {}
        self.waiting: list[Waiting] = []

    def of(
        self, rows: Reader, file: PictureFile, stamp: Stamp, last: bool
    ) -> Picture | Literal["waits"] | None:
        """The picture that this file was, or None if it is a copy.

        Only the ``last`` time may it be a picture of another name; before, it waits.
        """
        lost = self._lost_with(rows, file.sha256)
        here, name = self._judge.root_of(file.path), os.path.basename(file.path)
        same = lost.by_inode.get(stamp.inode)
        # inodes of two disks may be the same by chance, as those of small file systems are
        if same and self._judge.on_one_disk(self._judge.root_of(same.file.path), here):
            return self._taken(lost, same)
        roots = [root for root, of_root in lost.by_root.items() if of_root]
        able = [root for root in roots if self._judge.may_move(rows, root, here)]
        for root in able:
            found = lost.by_root[root] if last else lost.by_name[root].get(name)
            if found:
                return self._taken(lost, next(iter(found.values())))
        if able:
            self.waiting.append(Waiting(file, stamp))
            return WAITS
        return None

    def exchanged(self, rows: Reader, here: Picture, file: PictureFile) -> Picture | None:
        """The picture whose bytes are now at the path of another, if files were renamed.

        Its own path has the bytes of another picture then, or no file any more.
        """
        for picture in rows.by_sha256(file.sha256, FEW):
            if picture.file.stored or picture.id == here.id:
                continue
            try:
                data = read_bytes(self._judge.located(picture))
            except PictureError:
                if self._has_left(rows, picture, file):
                    return picture
                continue
            now = sha256(data).digest()
            if now != file.sha256 and rows.by_sha256(now, 1):
                return picture
        return None

    def _has_left(self, rows: Reader, picture: Picture, to: PictureFile) -> bool:
        root, here = self._judge.root_of(picture.file.path), self._judge.root_of(to.path)
        return self._judge.is_gone(picture.file.path) and self._judge.may_move(rows, root, here)

    def _lost_with(self, rows: Reader, sha256: bytes) -> Lost:
        if sha256 in self._lost:
            return self._lost[sha256]
        lost = self._lost[sha256] = Lost()
        for picture in rows.by_sha256(sha256):
            path = picture.file.path
            if picture.file.stored:
                continue
            kept, gone = rows.stamp(picture.id), self._judge.is_gone(path)
            if gone:
                root, name = self._judge.root_of(path), os.path.basename(path)
                lost.by_root[root][picture.id] = picture
                lost.by_name[root].setdefault(name, {})[picture.id] = picture
            if kept and kept.inode and (gone or self._is_another(picture, kept.inode)):
                lost.by_inode[kept.inode] = picture
                lost.inodes[picture.id] = kept.inode
        return lost

    def _is_another(self, picture: Picture, inode: int) -> bool:
        """Whether the file at a picture's path is not the one that it was."""
        path = self._judge.located(picture)
        try:
            return presence_of(path) == "there" and os.stat(path).st_ino & LARGEST_INODE != inode
        except OSError:
            return False

    def _taken(self, lost: Lost, picture: Picture) -> Picture:
        """No other file can be this picture from now on."""
        root, name = self._judge.root_of(picture.file.path), os.path.basename(picture.file.path)
        lost.by_root[root].pop(picture.id, None)
        lost.by_name[root].get(name, {}).pop(picture.id, None)
        lost.by_inode.pop(lost.inodes.get(picture.id, 0), None)
        return picture
