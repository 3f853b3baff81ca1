"""The rows of a gallery on Milvus, shared by any number of machines."""

import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager

import numpy as np

from kkcv.disk import make_folder
from kkcv.errors import GalleryError, GalleryFormatError, NotAGallery
from kkcv.search import engine
from kkcv.search.engine import locked, no_gallery

from .address import Address
from .layout import Layout, layout_of, with_text
from .lease import taken
from .reader import ANY, STRONG, Reader
from .rows import make_rows
from .server import Server, superseded
from .settings import Settings, make_settings
from .writer import Writer

FORMAT = 1
GAPS = "gaps"  # in the settings of a network: some pictures have no vector


class Catalog(engine.Catalog):
    """``rows`` is the collection of the network that was in use when it was opened."""

    batch = 256  # larger than in a folder: each transaction waits for Milvus several times

    def __init__(self, address: Address, wait_seconds: float) -> None:
        """Raises NotAGallery, GalleryFormatError, GalleryError if the server does not answer."""
        self.place = address
        self.address = str(address)
        self.folder = address.folder
        self.wait_seconds = wait_seconds
        self.server = Server(address)
        self._turn = threading.Lock()
        rows = self.server.aliased(address.name)
        if rows is None:
            self.server.close()
            raise no_gallery(self.address)
        self.rows = rows
        self.texts = Settings(self.server, address.settings)
        found = self.texts.all()
        try:
            if int(found["format"]) > FORMAT:
                raise GalleryFormatError(
                    f"{address} has format {found['format']}, this kkcv reads up to {FORMAT}; "
                    "update kkcv"
                )
            self.settings = with_text(self.server, rows, json.loads(found[generation(rows)]))
            self._dtype = np.dtype(self.settings["vectors"])
            self.layout = layout_of(self.settings)
        except (KeyError, ValueError, TypeError):
            if self.server.aliased(address.name) != rows:  # its settings went with the old network
                raise superseded(self.address) from None
            raise GalleryFormatError(
                f"{address} is damaged: its settings are not those of a gallery"
            ) from None
        self.server.call("load_collection", rows)
        try:
            make_folder(self.folder)
        except OSError as error:
            raise GalleryError(
                f"{self.folder}, for what lies beside {address}, cannot be made "
                f"({error.strerror}); name another: ?files=FOLDER"
            ) from None

    @classmethod
    def create(cls, address: Address, settings: Mapping[str, str], wait: float) -> "Catalog":
        """Create a gallery, or open the existing one (NotAGallery, GalleryLocked)."""
        server = Server(address)
        try:
            if server.aliased(address.name) is None:
                must_be_free(server)
                make_settings(server, address.settings)
                begin(server, settings, wait)
        finally:
            server.close()
        return cls(address, wait)

    @contextmanager
    def reading(self, *, frozen: bool = False, level: str = STRONG) -> Iterator[Reader]:
        """Milvus cannot freeze: questions after the first may see later changes."""
        yield Reader(*self._about(level))

    def stale_reading(self) -> AbstractContextManager[Reader]:
        return self.reading(level=ANY)

    @contextmanager
    def writing(self) -> Iterator[Writer]:
        if not self._turn.acquire(timeout=self.wait_seconds):
            raise locked(self.address, self.wait_seconds)
        try:
            with taken(self.texts, self.address, self.wait_seconds) as (lease, now):
                writer = Writer(lease, now, self._dtype, *self._about(STRONG))
                if writer.superseded():
                    raise superseded(self.address)
                yield writer
                writer.commit()
        finally:
            self._turn.release()

    def close(self) -> None:
        self.server.close()

    def _about(self, level: str) -> tuple[Server, str, Settings, Layout, bool, str]:
        return self.server, self.rows, self.texts, self.layout, GAPS in self.settings, level


def generation(rows: str) -> str:
    """The setting that describes the network of a collection."""
    return f"generation:{rows}"


def must_be_free(server: Server) -> None:
    """Raises NotAGallery if another collection has the name."""
    name = server.address.name
    if server.aliased(name) is None and server.call("has_collection", name):
        raise NotAGallery(
            f"{server.address}: {name} is a collection of something else; name a new gallery"
        )


def begin(server: Server, settings: Mapping[str, str], wait_seconds: float) -> None:
    """Make an empty gallery; it exists once its alias does. Another process may be faster."""
    address = server.address
    texts, rows = Settings(server, address.settings), address.rows(0)
    with taken(texts, str(address), wait_seconds) as (lease, _):
        if server.aliased(address.name) is not None:
            return
        server.call("drop_collection", rows)  # of one that was never finished
        make_rows(server, rows, layout_of(settings).dim)
        lease.hold()
        texts.keep({"format": str(FORMAT), generation(rows): json.dumps(dict(settings))})
        server.call("create_alias", rows, address.name)
