"""Galleries, their application and the server together, from start to stop."""

import logging
import resource
import signal
import threading
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from os import PathLike
from typing import Any

from kkcv.errors import KkcvError
from kkcv.search.gallery import Gallery

from .app import create_app
from .server.server import CONNECTIONS, Server
from .service import Service
from .settings import FIXED, Settings

log = logging.getLogger("kkcv.serve")


def run(
    galleries: Sequence[str | PathLike[str]],
    settings: Settings,
    *,
    host: str,
    port: int,
    announce: Callable[[str], None],
    reload: Callable[[], Settings],
) -> None:
    """Serve galleries until SIGTERM or Ctrl-C, then finish the running requests.

    The server listens at once and answers 503 while the network is loaded; ``announce`` is called
    with one line when it is ready. At SIGHUP the settings of ``reload`` replace the present ones.

    Raises NotAGallery, KkcvError when it cannot listen, WeightsError.
    """
    # each thread keeps the files of each catalog open
    allow_files(CONNECTIONS + 256 + 4 * settings.concurrent * len(galleries))
    with ExitStack() as opened:
        service = Service.of_all(
            [opened.enter_context(Gallery(each)) for each in galleries], settings
        )
        app = create_app(service)
        server = Server(app, host, port, settings)
        server.stop_at_signals()
        reload_at_signal(service, server, reload)
        what = ", ".join(each.gallery.address for each in service.named.values())
        address = f"{server.address}{settings.base_path}"  # of a socket that is open
        failures: list[BaseException] = []

        def load() -> None:
            try:
                service.load()
                if not server.stopping:
                    announce(f"serving {what} at {address} (described at /docs)")
            except BaseException as failure:  # raised again in the calling thread
                if not server.stopping:  # else it fails because it was stopped
                    failures.append(failure)
                server.stop()

        loader = threading.Thread(target=load, name="load")
        loader.start()
        server.run()
        service.close()
        loader.join()  # it notices server.stopping at the latest when the network is loaded
        if failures:
            raise failures[0]


def allow_files(count: int) -> None:
    """Let this process open so many files, as far as more than the usual 1024 are permitted."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = count if hard == resource.RLIM_INFINITY else min(count, hard)
    if soft != resource.RLIM_INFINITY and soft < most:
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))


def reload_at_signal(service: Service, server: Server, reload: Callable[[], Settings]) -> None:
    """At SIGHUP take the keys and settings again; invalid ones change nothing."""

    def handle(number: int, frame: Any) -> None:
        try:
            settings = reload()
            service.reload(settings)
            server.reload(settings)
        except KkcvError as error:
            log.error("nothing was reloaded: %s", error)
            return
        log.info("keys and settings were reloaded, except %s", ", ".join(FIXED))

    signal.signal(signal.SIGHUP, handle)
