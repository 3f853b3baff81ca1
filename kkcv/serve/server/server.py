"""The production server: waitress, which slow clients do not block, drained when it is stopped.

One process with many threads holds one copy of the network and of the vectors; both release the
interpreter lock while they work.
"""

import logging
import signal
import socket
import time
from typing import Any

from flask import Flask
from waitress import create_server, wasyncore

from kkcv.errors import KkcvError
from kkcv.serve.settings import Settings

from .channel import Channel, RequestTimeout

CONNECTIONS = 1000
IDLE_SECONDS = 5  # before a connection without a request is closed
LOOK_SECONDS = 1.0  # between two looks for requests that take too long to arrive
SPARE_THREADS = 4  # to say that it is alive, or busy, when all others are at work
GRACE_SECONDS = 30  # for requests in flight, when the server is told to stop
RECEIVE = 256 * 1024  # bytes at a time: waitress's 8 KB are 15 turns for a picture in base64
BUFFER = 256 * 1024 * 1024  # an answer larger than this would hold its thread until it is sent


class Server:
    """Listens from the moment it is made; answers while ``run`` runs."""

    def __init__(self, app: Flask, host: str, port: int, settings: Settings) -> None:
        self._map: dict[int, Any] = {}
        self._timeout = settings.timeout
        self._stopping = False
        self.socket = listen(host, port)
        # Full threads are no trouble, they are what the limit is for.
        logging.getLogger("waitress.queue").setLevel(logging.ERROR)
        self._waitress = create_server(
            app,
            map=self._map,
            sockets=[self.socket],
            threads=settings.concurrent + SPARE_THREADS,
            ident=None,
            connection_limit=CONNECTIONS,
            recv_bytes=RECEIVE,
            channel_timeout=IDLE_SECONDS,
            cleanup_interval=IDLE_SECONDS,
            max_request_body_size=settings.max_body
            + 1,  # waitress refuses what is equal to its limit
            outbuf_high_watermark=BUFFER,
        )
        self._waitress.channel_class = Channel

    @property
    def address(self) -> str:
        """``http://127.0.0.1:8000``"""
        host, port = self.socket.getsockname()[:2]
        return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"

    def run(self) -> None:
        """Answer requests until ``stop``, then finish those in flight."""
        looked = 0.0
        while not self._stopping:
            self._turn(LOOK_SECONDS)
            if time.monotonic() - looked >= LOOK_SECONDS:
                self._refuse_slow()
                looked = time.monotonic()
        self._drain()

    def stop(self) -> None:
        """Take no more requests and let ``run`` return. For any thread, and signal handlers."""
        self._stopping = True
        self._waitress.pull_trigger()

    def stop_at_signals(self) -> None:
        """SIGTERM and SIGINT stop it; the second signal ends the process at once."""

        def handle(number: int, frame: Any) -> None:
            signal.signal(signal.SIGTERM, signal.SIG_DFL)
            signal.signal(signal.SIGINT, signal.SIG_DFL)
            self.stop()

        signal.signal(signal.SIGTERM, handle)
        signal.signal(signal.SIGINT, handle)

    def _refuse_slow(self) -> None:
        """A client that sends a byte now and then would keep its connection for ever."""
        latest = time.monotonic() - self._timeout
        for channel in list(self._waitress.active_channels.values()):
            if channel.began is None:
                continue
            channel.last_activity = time.time()  # not idle: a request has all the time there is
            if channel.began < latest:
                channel.refuse(RequestTimeout("the request took too long to arrive"))

    def _turn(self, seconds: float) -> None:
        """One look at all sockets; waits up to so many seconds for something to do."""
        # poll, because select takes no more than 1024 files
        wasyncore.loop(timeout=seconds, use_poll=True, map=self._map, count=1)

    def _drain(self) -> None:
        """Close the door, wait for the requests that are inside, then for the threads."""
        wasyncore.dispatcher.close(self._waitress)  # the listening socket alone
        deadline = time.monotonic() + GRACE_SECONDS
        while time.monotonic() < deadline:
            channels = list(self._waitress.active_channels.values())
            if not any(channel.busy for channel in channels):
                break
            for channel in channels:
                channel.will_close |= not channel.busy
            self._turn(0.2)
        self._waitress.task_dispatcher.shutdown()
        wasyncore.close_all(self._map)


def listen(host: str, port: int) -> socket.socket:
    """A listening socket; port 0 is any that is free (KkcvError)."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=1024)
    except (OSError, OverflowError) as error:
        why = getattr(error, "strerror", None) or error
        raise KkcvError(
            f"cannot listen at {host}, port {port}: {why}; "
            "choose another with --port (0 finds a free one)"
        ) from None
