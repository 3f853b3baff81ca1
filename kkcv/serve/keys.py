"""API keys: the file of their hashes, and the keys that a running service accepts.

A key is 32 random bytes, so that one SHA-256 is all the protection its hash needs.
"""

import hashlib
import hmac
import json
import logging
import os
import secrets
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from filelock import FileLock, Timeout

from kkcv.disk import atomic_write, read_file, sign_of, writing
from kkcv.errors import RequestError

METRICS, READ, WRITE = SCOPES = ("metrics", "read", "write")
INCLUDED = {METRICS: (METRICS,), READ: (METRICS, READ), WRITE: SCOPES}
MAY = {METRICS: "read /metrics", READ: "search and read", WRITE: "do everything"}
PREFIX = "kkcv_"  # so that scanners recognize a leaked key
MAX_RATE = 1_000_000  # requests a minute, as --rate has it: beyond any server
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Key:
    """A key by its hash. ``rate`` is requests a minute; None: that of the service, 0: unlimited."""

    name: str
    sha256: str
    scope: str = READ
    rate: int | None = None
    made: str = ""

    def __post_init__(self) -> None:
        # the name stands in the log beside every request
        if not self.name or len(self.name) > 64 or not self.name.isprintable():
            raise RequestError(f"a key's name is 1 to 64 printable characters, got {self.name!r}")
        if self.scope not in SCOPES:
            raise RequestError(f"a key's scope is metrics, read or write, got {self.scope!r}")
        if self.rate is not None and not 0 <= self.rate <= MAX_RATE:
            raise RequestError(f"a key's rate is from 0 to {MAX_RATE}, got {self.rate}")
        if len(self.sha256) != 64 or set(self.sha256) - set("0123456789abcdef"):
            raise RequestError(f"the hash of key {self.name!r} is no SHA-256")


def hashed(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def read_keys(file: Path) -> list[Key]:
    """The keys of a file (RequestError)."""
    try:
        document = json.loads(read_file(file))
        return [Key(**each) for each in document["keys"]]
    except FileNotFoundError as error:
        raise RequestError(
            f"the keys in {file} cannot be read ({error.strerror}); "
            f"to make one: kkcv keys add {file} NAME"
        ) from None
    except OSError as error:
        raise RequestError(f"the keys in {file} cannot be read: {error.strerror}") from None
    except (ValueError, KeyError, TypeError):
        raise RequestError(f"{file} is not a file of keys; make one with: kkcv keys add") from None


def add_key(file: Path, name: str, scope: str, rate: int | None) -> str:
    """Make a key, store its hash in the file, and return the key itself (RequestError)."""
    token = PREFIX + secrets.token_urlsafe(32)
    made = datetime.now(UTC).isoformat(timespec="seconds")
    key = Key(name, hashed(token), scope, rate, made)
    with locked(file):
        keys = read_keys(file) if os.path.lexists(file) else []
        if any(other.name == name for other in keys):
            raise RequestError(f"{file} has a key {name!r}: remove it first")
        write_keys(file, [*keys, key])
    return token


def remove_key(file: Path, name: str) -> None:
    """Remove a key; a running service refuses its next request (RequestError)."""
    read_keys(file)  # raises before a lock file is made for a missing file
    with locked(file):
        keys = read_keys(file)
        left = [key for key in keys if key.name != name]
        if len(left) == len(keys):
            there_are = ", ".join(key.name for key in keys) or "none"
            raise RequestError(f"no key {name!r} in {file}; there are: {there_are}")
        write_keys(file, left)


@contextmanager
def locked(file: Path) -> Iterator[None]:
    """Lock the file against changes by other processes (RequestError)."""
    if os.path.lexists(file):
        read_keys(file)  # raises before a lock file is made beside another kind of file
    # seconds; another change of the file takes milliseconds
    lock = FileLock(f"{file}.lock", timeout=10)
    try:
        lock.acquire()
    except Timeout:
        raise RequestError(f"{file} is being changed by another process; try again") from None
    except OSError as error:
        raise RequestError(f"{file} cannot be written: {error.strerror}") from None
    try:
        yield
    finally:
        lock.release()


def write_keys(file: Path, keys: Sequence[Key]) -> None:
    """Write the file, which only its owner can read."""
    document = {"keys": [asdict(key) for key in keys]}
    # only hashes, but the names are private too
    with writing(file, RequestError), atomic_write(file, mode=0o600) as part:
        part.write_text(json.dumps(document, indent=1))


class KeyRing:
    """The keys that a service accepts: those of a file, reread when it changes, and one more.

    Safe to use from several threads.
    """

    def __init__(self, file: Path | None, api_key: str | None = None) -> None:
        self._file = file
        self._always = [Key("api-key", hashed(api_key), WRITE)] if api_key else []
        self._reading = threading.Lock()
        # before the keys: a change meanwhile is seen at the next look
        self._stamp = () if file is None else sign_of(file)
        self._keys: list[Key] = [] if file is None else read_keys(file)

    def find(self, token: str) -> Key | None:
        """The key with this text. Every hash is compared, each in constant time."""
        digest = hashed(token)
        found = None
        for key in self._current():
            if hmac.compare_digest(key.sha256, digest):
                found = key
        return found

    def _current(self) -> list[Key]:
        if self._file is not None and sign_of(self._file) != self._stamp:
            with self._reading:
                self._stamp = sign_of(self._file)  # before the keys, as above
                try:
                    self._keys = read_keys(self._file)
                except RequestError as error:  # its keys may have been revoked
                    log.error("%s: no key of it is taken", error)
                    self._keys = []
        return self._always + self._keys
