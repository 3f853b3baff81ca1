"""Bytes for each row of an index, read from a file that is mapped into memory."""

import mmap
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

import numpy as np


class Records(NamedTuple):
    """``bounds``, int64 (N + 1,): the start of each of N records in ``data``, and the end."""

    bounds: np.ndarray
    data: bytes | mmap.mmap

    @classmethod
    def of(cls, records: Iterable[bytes]) -> "Records":
        kept = list(records)
        return cls(np.cumsum([0, *map(len, kept)], dtype=np.int64), b"".join(kept))

    def at(self, rows: np.ndarray) -> list[bytes]:
        """The records of some rows, int64 (R,)."""
        starts, ends = self.bounds[rows].tolist(), self.bounds[rows + 1].tolist()
        return [self.data[start:end] for start, end in zip(starts, ends, strict=True)]

    def write(self, file: Path) -> None:
        """Write the bounds, then the records."""
        in_file = (self.bounds - self.bounds[0] + self.bounds.nbytes).astype("<i8")
        with file.open("wb") as out:
            out.write(in_file.tobytes())
            out.write(self.data[self.bounds[0] : self.bounds[-1]])

    @classmethod
    def read(cls, file: Path, count: int) -> "Records":
        """The records of ``count`` rows in a file (OSError, ValueError)."""
        with file.open("rb") as written:
            bounds = np.fromfile(written, "<i8", count + 1)
            if len(bounds) <= count or bounds[-1] != file.stat().st_size:
                raise ValueError("there is not a record for each row")
            return cls(bounds, mmap.mmap(written.fileno(), 0, access=mmap.ACCESS_READ))
