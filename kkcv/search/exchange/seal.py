"""A checksum inside a Parquet file, of all its other bytes: whatever changes is noticed.

    PAR1 │ pages │ seal: 16 bytes of name, sha256 │ footer │ length of the footer │ PAR1

Parquet finds pages by their offsets and the footer by its length, so other programs pass over it.
Pages have checksums in Parquet itself; the footer has none, and one flipped bit of it can make a
file of a million rows one of none. A program that writes the table anew leaves the seal out.
"""

import hashlib
from pathlib import Path
from typing import BinaryIO

NAME = b"kkcv seal sha256"
SIZE = len(NAME) + 32
TAIL = 8  # the length of the footer, and PAR1
CHUNK = 1 << 20


def seal(file: Path) -> None:
    """Put a seal into a Parquet file that has just been written."""
    with file.open("rb+") as data:
        start = footer_start(data)
        digest = digest_of(data, start, start)
        data.seek(start)
        footer = data.read()
        data.seek(start)
        data.write(NAME + digest + footer)


def is_broken(file: Path) -> bool:
    """Whether there is a seal that is not of these bytes (OSError, ValueError: no Parquet)."""
    with file.open("rb") as data:
        start = footer_start(data)
        data.seek(max(0, start - SIZE))
        found = data.read(SIZE)
        if not found.startswith(NAME):
            return False
        return found != NAME + digest_of(data, start - SIZE, start)


def footer_start(data: BinaryIO) -> int:
    end = data.seek(0, 2)
    data.seek(max(0, end - TAIL))
    length = int.from_bytes(data.read(TAIL)[:4], "little")
    if length > end - TAIL:
        raise ValueError(f"a footer of {length} bytes in a file of {end}")
    return end - TAIL - length


def digest_of(data: BinaryIO, stop: int, start: int) -> bytes:
    """The sha256 of the bytes before ``stop`` and from ``start`` on."""
    found = hashlib.sha256()
    data.seek(0)
    left = stop
    while left and (chunk := data.read(min(CHUNK, left))):
        found.update(chunk)
        left -= len(chunk)
    data.seek(start)
    while chunk := data.read(CHUNK):
        found.update(chunk)
    return found.digest()
