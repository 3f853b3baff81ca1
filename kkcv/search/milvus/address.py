"""``milvus://host:19530/name``: where a gallery is, in one line."""

import re
import secrets
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from urllib.parse import parse_qsl, quote, urlsplit

from kkcv.disk import absolute
from kkcv.environment import data_folder
from kkcv.errors import RequestError

PORT = 19530  # Milvus's own
NAME = re.compile(r"[A-Za-z](_?[A-Za-z0-9])*_?")  # as Milvus has it, without the __ that is ours
LONGEST = 100  # characters; Milvus takes 255, and names of collections go on behind it


@dataclass(frozen=True)
class Address:
    """``files`` is the folder of pictures added as bytes; None: a folder of this user.

    Machines that add or show such pictures must share the folder.
    """

    host: str
    port: int
    name: str
    files: Path | None = None

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        files = f"?files={quote(str(self.files))}" if self.files else ""
        return f"milvus://{host}:{self.port}/{self.name}{files}"

    @property
    def server(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"http://{host}:{self.port}"

    @property
    def folder(self) -> Path:
        place = f"{self.host.replace(':', '-')}_{self.port}"
        return self.files or data_folder() / "milvus" / place / self.name

    @property
    def settings(self) -> str:
        """The collection of settings."""
        return f"{self.name}__settings"

    @property
    def kept(self) -> str:
        """A new collection for rows that are kept for an undo."""
        # the old one is dropped only when a transaction is done: both are there for a moment
        return f"{self.name}__undo_{secrets.token_hex(4)}"

    def rows(self, number: int) -> str:
        """The collection of the rows with the vectors of the nth network."""
        return f"{self.name}__{number}"


def parse(text: str | PathLike[str]) -> Address:
    """Raises RequestError."""
    try:
        parts = urlsplit(str(text))
        options = dict(parse_qsl(parts.query, strict_parsing=True)) if parts.query else {}
        files = options.pop("files", None)
        name = parts.path.removeprefix("/")
        if options or parts.fragment or parts.username or not parts.hostname:
            raise ValueError
        if not NAME.fullmatch(name) or len(name) > LONGEST:
            raise ValueError
        return Address(parts.hostname, parts.port or PORT, name, absolute(files) if files else None)
    except ValueError:
        raise RequestError(
            f"{text} is not the address of a gallery on Milvus; one is like "
            f"milvus://localhost:{PORT}/photos, its name of letters, digits and single underscores"
        ) from None
