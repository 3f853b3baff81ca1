"""Who may come in: by key, by the name that the service was called by, and by site."""

import hashlib
import hmac
from urllib.parse import urlsplit

from flask import Request

from .problem import Problem
from .settings import Settings

SAFE = ("GET", "HEAD", "OPTIONS")


def check_doors(request: Request, settings: Settings, *, open: bool) -> None:
    """Raises Problem: wrong-host, forbidden, unauthorized."""
    check_host(request, settings.hosts)
    if settings.api_key is None:
        check_site(request)
    elif not open:
        check_key(request, settings.api_key)


def check_host(request: Request, hosts: tuple[str, ...] | None) -> None:
    """A web page cannot reach a service on loopback by a name of its own (DNS rebinding)."""
    if hosts is not None and host_name(request.host) not in hosts:
        raise Problem(
            "wrong-host",
            f"without an API key this service is reached as {hosts[0]}, from this machine alone",
        )


def check_site(request: Request) -> None:
    """A web page of another site can send a form here without asking: it changes nothing."""
    origin = request.headers.get("Origin")
    if request.method in SAFE or origin is None:
        return
    if urlsplit(origin).netloc != request.host:
        raise Problem("forbidden", "requests from web pages of other sites are not answered")


def check_key(request: Request, api_key: str) -> None:
    """``Authorization: Bearer KEY`` or ``X-API-Key: KEY``, compared in constant time."""
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    sent = token.strip() if scheme.lower() == "bearer" else request.headers.get("X-API-Key", "")
    if not hmac.compare_digest(digest(sent), digest(api_key)):
        what = "wrong" if sent else "missing"
        raise Problem(
            "unauthorized", f"the API key is {what}: send the header Authorization: Bearer KEY"
        )


def digest(key: str) -> bytes:
    """Of one length, so that comparing tells nothing of the key's."""
    return hashlib.sha256(key.encode()).digest()


def host_name(host: str) -> str:
    """``localhost`` of ``localhost:8000``, ``::1`` of ``[::1]:8000``."""
    try:
        return urlsplit(f"//{host}").hostname or ""
    except ValueError:
        return ""
