"""The digest of a file, and whether it is the one that a publisher told."""

import hashlib
import json
from pathlib import Path

from kkcv.disk import sha256_of, write_file
from kkcv.environment import cache_folder, make_cache_folder


def matches(path: Path, expected: str, sha256: str = "") -> bool:
    """Whether a file has this digest: the first digits of its sha256, or a kind and digits.

    The kinds are ``sha1:``, and ``git:`` for the SHA-1 of Git's blob with the file in it.
    ``sha256`` is the file's, if it is known: it may be gigabytes.
    """
    kind, _, digits = expected.rpartition(":")
    return (digest(path, kind) if kind else sha256 or sha256_of(path)).startswith(digits)


def mismatch(expected: str) -> str:
    """The words for a file that does not have this digest."""
    kind, _, digits = expected.rpartition(":")
    return f"its {kind or 'sha256'} is not {digits[:16]}…"


def digest(path: Path, kind: str) -> str:
    if kind == "git":
        return git_digest(path)
    with path.open("rb") as file:
        return hashlib.file_digest(file, kind).hexdigest()


def git_digest(path: Path) -> str:
    """The name that Git gives a file."""
    whole = hashlib.sha1(f"blob {path.stat().st_size}\0".encode(), usedforsecurity=False)
    with path.open("rb") as file:
        while chunk := file.read(1 << 20):  # a weights file need not fit into memory
            whole.update(chunk)
    return whole.hexdigest()


def remembered(file: Path) -> str:
    """The sha256 of a file that may be gigabytes, computed again when its size or date changes.

    For a missing file: the last hash that was computed, or empty.
    """
    # a path may be too long for a file name, and hold slashes
    key = hashlib.sha256(str(file).encode("utf-8", "surrogateescape")).hexdigest()[:32]
    memory = cache_folder() / "hashes" / f"{key}.json"
    try:
        size, mtime_ns, known = json.loads(memory.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        size, mtime_ns, known = -1, -1, ""
    if not file.is_file():
        return str(known)
    stat = file.stat()
    if (stat.st_size, stat.st_mtime_ns) == (size, mtime_ns):
        return str(known)
    known = sha256_of(file)
    try:
        make_cache_folder(memory.parent)
        write_file(memory, json.dumps([stat.st_size, stat.st_mtime_ns, known]))
    except OSError:
        pass  # then it is computed again
    return known
