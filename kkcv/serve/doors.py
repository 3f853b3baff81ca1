"""Who may come in: by key, by the name that the service was called by, and by site."""

import math
from urllib.parse import urlsplit

from flask import Request

from .keys import WRITE, Key, KeyRing
from .problem import Problem
from .rates import Rates
from .settings import Settings

SAFE = ("GET", "HEAD", "OPTIONS")


class Doors:
    """What stands between the network and the routes. Safe to use from several threads."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._keys = KeyRing(settings.keys, settings.api_key)
        self._rates = Rates()

    def check(self, request: Request, *, open: bool, writes: bool) -> Key | None:
        """The key that the request came with, where one is needed.

        Raises Problem: wrong-host, forbidden, unauthorized, read-only-key, too-many-requests.
        """
        check_host(request, self._settings.hosts)
        if not self._settings.needs_key:
            check_site(request, self._settings.cors)
            return None
        if open:
            return None
        key = self._key(request)
        self._take(key)
        if writes and key.scope != WRITE:
            raise Problem("read-only-key", f"the key {key.name!r} may search and read alone")
        return key

    def _key(self, request: Request) -> Key:
        """``Authorization: Bearer KEY`` or ``X-API-Key: KEY``."""
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        sent = token.strip() if scheme.lower() == "bearer" else request.headers.get("X-API-Key", "")
        key = self._keys.find(sent) if sent else None
        if key is None:
            what = "wrong" if sent else "missing"
            raise Problem(
                "unauthorized", f"the API key is {what}: send the header Authorization: Bearer KEY"
            )
        return key

    def _take(self, key: Key) -> None:
        a_minute = self._settings.rate if key.rate is None else key.rate
        wait = self._rates.take(key.name, a_minute)
        if wait:
            raise Problem(
                "too-many-requests",
                f"the key {key.name!r} may send {a_minute} requests a minute",
                retry_after=math.ceil(wait),
            )


def check_host(request: Request, hosts: tuple[str, ...] | None) -> None:
    """A web page cannot reach a service on loopback by a name of its own (DNS rebinding)."""
    if hosts is not None and host_name(request.host) not in hosts:
        raise Problem(
            "wrong-host",
            f"without an API key this service is reached as {hosts[0]}, from this machine alone",
        )


def check_site(request: Request, invited: tuple[str, ...]) -> None:
    """A web page of another site can send a form here without asking: it changes nothing."""
    origin = request.headers.get("Origin")
    if request.method in SAFE or origin is None or origin in invited:
        return
    if urlsplit(origin).netloc != request.host:
        raise Problem("forbidden", "requests from web pages of other sites are not answered")


def host_name(host: str) -> str:
    """``localhost`` of ``localhost:8000``, ``::1`` of ``[::1]:8000``."""
    try:
        return urlsplit(f"//{host}").hostname or ""
    except ValueError:
        return ""
