"""A gallery, its application and the server together, from start to stop."""

import threading
from collections.abc import Callable
from os import PathLike

from kkcv.search.gallery import Gallery

from .app import create_app
from .server.server import Server
from .service import Service
from .settings import Settings


def run(
    folder: str | PathLike[str],
    settings: Settings,
    *,
    host: str,
    port: int,
    announce: Callable[[str], None],
) -> None:
    """Serve a gallery until SIGTERM or Ctrl-C, then finish the running requests.

    The server listens at once and answers 503 while the network is loaded; ``announce`` is called
    with one line when it is ready.

    Raises NotAGallery, KkcvError when it cannot listen, WeightsError.
    """
    with Gallery.open(folder) as gallery:
        service = Service(gallery, settings)
        app = create_app(service)
        server = Server(app, host, port, settings)
        server.stop_at_signals()
        failures: list[BaseException] = []

        def load() -> None:
            try:
                service.load()
                announce(f"serving {gallery.address} at {server.address} (described at /docs)")
            except BaseException as failure:  # raised again in the calling thread
                failures.append(failure)
                server.stop()

        loader = threading.Thread(target=load, name="load")
        loader.start()
        server.run()
        service.close()
        loader.join()
        if failures:
            raise failures[0]
