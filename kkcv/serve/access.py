"""Access: by key and rate, by the host name of the service, and by the site of a web page."""

import math
import threading
import time
from collections.abc import Callable
from urllib.parse import urlsplit

from flask import Request, Response

from .keys import INCLUDED, MAY, Key, KeyRing
from .problems import HOW, Problem
from .settings import Settings

SAFE = ("GET", "HEAD", "OPTIONS")
MINUTE = 60.0  # seconds

# Headers for pages of other origins (CORS).
METHODS = "GET, POST, PUT, PATCH, DELETE"
HEADERS = "Authorization, X-API-Key, Content-Type, X-Request-Id"
EXPOSED = "X-Request-Id, Retry-After, Location, ETag"
MAX_AGE = "600"  # seconds for which a browser need not ask again


class Access:
    """Accepts or refuses each request. Safe to use from several threads."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._keys = KeyRing(settings.keys, settings.api_key)
        self._rates = Rates()

    def check(self, request: Request, scope: str | None) -> Key | None:
        """The key of the request, where it needs one with this scope; None: it needs none.

        Raises Problem: wrong-host, forbidden, unauthorized, read-only-key, too-many-requests.
        """
        check_host(request, self._settings.hosts)
        if not self._settings.needs_key:
            # with a key there is no need: pages of other sites do not have it
            check_site(request, self._settings.cors)
            return None
        if scope is None:
            return None
        key = self._key(request)
        self._take(key)
        if scope not in INCLUDED[key.scope]:
            raise Problem("read-only-key", f"the key {key.name!r} may only {MAY[key.scope]}")
        return key

    def _key(self, request: Request) -> Key:
        headers = request.headers
        sent = sent_key(headers.get("Authorization", ""), headers.get("X-API-Key", ""))
        key = self._keys.find(sent) if sent else None
        if key is None:
            what = "wrong" if sent else "missing"
            raise Problem("unauthorized", f"the API key is {what}: {HOW}")
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


def sent_key(authorization: str, api_key: str) -> str:
    """``Authorization: Bearer KEY`` or ``X-API-Key: KEY``; nothing if neither was sent."""
    scheme, _, token = authorization.partition(" ")
    return token.strip() if scheme.lower() == "bearer" else api_key


def check_host(request: Request, hosts: tuple[str, ...] | None) -> None:
    """Refuse other host names: a web page could point its own at loopback (DNS rebinding)."""
    if hosts is not None and host_name(request.host) not in hosts:
        raise Problem(
            "wrong-host",
            f"without an API key this service answers only on this machine, as {hosts[0]}",
        )


def check_site(request: Request, invited: tuple[str, ...]) -> None:
    """Refuse forms from web pages of other sites, which browsers send without asking first."""
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


class Rates:
    """How many requests a key may send: a bucket for each key that fills up steadily.

    Safe to use from several threads; each process counts for itself.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._taking = threading.Lock()
        self._buckets: dict[str, tuple[float, float]] = {}  # tokens, and when they were counted

    def take(self, name: str, a_minute: int) -> float:
        """Take one request: 0.0, or the seconds until there is one again.

        A full bucket holds the requests of a minute. A rate of 0 is no limit.
        """
        if not a_minute:
            return 0.0
        now = self._clock()
        with self._taking:
            left, since = self._buckets.get(name, (float(a_minute), now))
            # it has filled up since, but never beyond its size
            left = min(float(a_minute), left + (now - since) * a_minute / MINUTE)
            enough = left >= 1
            self._buckets[name] = (left - 1 if enough else left, now)
        return 0.0 if enough else (1 - left) * MINUTE / a_minute


def is_preflight(request: Request) -> bool:
    """Whether a browser asks, without a key, if its page may call."""
    return request.method == "OPTIONS" and "Access-Control-Request-Method" in request.headers


def invite(request: Request, answer: Response, origins: tuple[str, ...]) -> None:
    """Let the browser give the answer to its page, if the page is of a listed origin."""
    if not origins:
        return
    answer.headers.add("Vary", "Origin")
    if request.headers.get("Origin") not in origins:
        return
    answer.headers["Access-Control-Allow-Origin"] = request.headers["Origin"]
    answer.headers["Access-Control-Expose-Headers"] = EXPOSED
    if is_preflight(request):
        answer.headers["Access-Control-Allow-Methods"] = METHODS
        answer.headers["Access-Control-Allow-Headers"] = HEADERS
        answer.headers["Access-Control-Max-Age"] = MAX_AGE
