"""The production server: waitress, which slow clients cannot block and which drains on stop.

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

from kkcv.environment import handed_over
from kkcv.errors import KkcvError
from kkcv.serve.keys import KeyRing
from kkcv.serve.settings import Settings

from .channel import Channel, Refusal

CONNECTIONS = 1000
ARRIVING = 800  # requests at the same time; the other connections are for health checks and answers
HELD = 2 * 1024**3  # bytes of all bodies, most of them in the temporary folder
IDLE_SECONDS = 5  # before a connection without a request is closed
LOOK_SECONDS = 1.0  # between two looks for requests that take too long to arrive
SPARE_THREADS = 4  # for health checks and refusals while all others work
FIRST_HANDED_OVER = 3  # the number of the first file that systemd hands over
FRESH_SECONDS = 1.0  # in which the first request of a connection may still be on its way
GRACE_SECONDS = 30  # for running requests when the server stops
RECEIVE = 256 * 1024  # bytes at a time: waitress's 8 KB are 15 turns for a picture in base64
BUFFER = 256 * 1024 * 1024  # a larger response would block its thread until it is sent


class Server:
    """Listens as soon as it is constructed; answers while ``run`` runs."""

    def __init__(self, app: Flask, host: str, port: int, settings: Settings) -> None:
        self._map: dict[int, Any] = {}
        self.stopping = False
        self.socket = listen(host, port)
        # A full queue is expected: the limit refuses further requests.
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
            outbuf_high_watermark=BUFFER,
        )
        self._waitress.channel_class = Channel
        self.reload(settings)

    def reload(self, settings: Settings) -> None:
        """Take the keys and limits of other settings (RequestError)."""
        keys = KeyRing(settings.keys, settings.api_key)
        self._waitress.is_known = lambda sent: not settings.needs_key or bool(keys.find(sent))
        # waitress refuses what is equal to its limit
        self._waitress.adj.max_request_body_size = settings.max_body + 1
        self._timeout = settings.timeout

    @property
    def address(self) -> str:
        """``http://127.0.0.1:8000``"""
        host, port = self.socket.getsockname()[:2]
        return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"

    def run(self) -> None:
        """Answer requests until ``stop``, then finish the running ones."""
        looked = 0.0
        while not self.stopping:
            self._turn(LOOK_SECONDS)
            if time.monotonic() - looked >= LOOK_SECONDS:
                self._refuse_slow()
                self._refuse_many()
                looked = time.monotonic()
        self._drain()

    def stop(self) -> None:
        """Take no more requests and let ``run`` return. For any thread, and signal handlers."""
        if not self.stopping:  # else the trigger may be closed
            self.stopping = True
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
        """Refuse requests that arrive too slowly, so that they do not hold a connection."""
        latest = time.monotonic() - self._timeout
        for channel in list(self._waitress.active_channels.values()):
            if channel.began is None:
                continue
            channel.last_activity = time.time()  # not idle: a request has all the time there is
            if channel.began < latest:
                channel.refuse(Refusal(408, "the request took too long to arrive"))

    def _refuse_many(self) -> None:
        """Refuse the requests that have been arriving longest, where there are too many of them."""
        channels = list(self._waitress.active_channels.values())
        arriving = sorted((c for c in channels if c.began is not None), key=lambda c: c.began)
        held = sum(channel.held for channel in channels)
        for number, channel in enumerate(arriving):
            if len(arriving) - number <= ARRIVING and held <= HELD:
                break
            held -= channel.held
            channel.refuse(Refusal(503, "too many requests are arriving"))

    def _turn(self, seconds: float) -> None:
        """Poll all sockets once, for at most so many seconds."""
        # select is limited to 1024 files
        wasyncore.loop(timeout=seconds, use_poll=True, map=self._map, count=1)

    def _drain(self) -> None:
        """Stop listening, wait for running requests, then for the threads."""
        wasyncore.dispatcher.close(self._waitress)  # only the listening socket
        deadline = time.monotonic() + GRACE_SECONDS
        while time.monotonic() < deadline:
            channels = list(self._waitress.active_channels.values())
            if not any(channel.busy or fresh(channel) for channel in channels):
                break
            for channel in channels:
                # idle, it reads no further request
                channel.will_close |= not (channel.busy or fresh(channel))
            self._turn(0.2)  # shorter than LOOK_SECONDS: somebody waits for the stop
        self._waitress.task_dispatcher.shutdown()
        wasyncore.close_all(self._map)


def fresh(channel: Channel) -> bool:
    """Whether a connection is so new that its first request may still arrive."""
    return bool(time.time() - channel.creation_time < FRESH_SECONDS)


def listen(host: str, port: int) -> socket.socket:
    """A listening socket: the one that was handed over, else a new one (KkcvError).

    Port 0 is any free port. A handed-over socket outlives this process: while the next one starts,
    clients wait in its queue instead of being refused.
    """
    if handed_over():
        return socket.socket(fileno=FIRST_HANDED_OVER)
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        # clients wait in its queue while a burst is taken up
        return socket.create_server((host, port), family=family, backlog=1024)
    except (OSError, OverflowError) as error:
        why = getattr(error, "strerror", None) or error
        raise KkcvError(
            f"cannot listen at {host}, port {port}: {why}; "
            "choose another with --port (0 finds a free one)"
        ) from None
