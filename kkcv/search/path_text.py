"""Paths as text, for what holds nothing but UTF-8: Milvus and Parquet.

Python has a byte of a name that is no UTF-8 as half of a surrogate pair (PEP 383). As text it is
two slashes and its hexadecimal digits, which no other path contains: ``/a/caf\\xe9.jpg`` is
``/a/caf//e9.jpg``.
"""

import re

LONE = re.compile("[\udc80-\udcff]")
ESCAPED = re.compile(r"(?<!\A)//([89a-f][0-9a-f])")  # a path may begin with two slashes


def as_text(path: str) -> str:
    return LONE.sub(lambda half: f"//{ord(half[0]) & 0xFF:02x}", path)


def as_path(text: str) -> str:
    """The opposite of ``as_text``."""
    return ESCAPED.sub(lambda found: chr(0xDC00 + int(found[1], 16)), text)


def as_bytes(path: str) -> bytes:
    """The bytes of a path as the file system has them."""
    return path.encode("utf-8", "surrogateescape")
