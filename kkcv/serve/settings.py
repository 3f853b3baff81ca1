"""The settings of a service, in the units that it computes in."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from functools import cached_property
from ipaddress import ip_address
from pathlib import Path

from kkcv.errors import RequestError
from kkcv.images.limits import Limits

from .parameters import Resolved, default_workers

MIB = 1024 * 1024
BYTES_A_PIXEL = 8  # of memory while decoding: for most formats, this is no further limit
SLOW_PIXELS = 1_000_000  # of formats that Pillow decodes in Python: about 2 s of a core
PATH = re.compile(r"(/[A-Za-z0-9._~-]+)+")  # nothing on which a page or a header could break
FIXED = ("gallery", "host", "port", "threads", "workers", "batch_wait", "recall_check", "log")
# names of this machine, under which only it is reached
LOOPBACK = ("localhost", "127.0.0.1", "::1")


@dataclass(frozen=True)
class Settings:
    """Limits and access of the service.

    Without a key, requests must address it by one of ``hosts``, so that a web page cannot reach it
    by a name that it points at this machine. None lets any name pass.
    """

    api_key: str | None = None
    keys: Path | None = None  # a file of hashed keys
    hosts: tuple[str, ...] | None = LOOPBACK
    base_path: str = ""  # under which a proxy offers the service: /kkcv
    trusted_proxy: tuple[str, ...] = ()  # addresses whose X-Forwarded-Prefix is believed
    cors: tuple[str, ...] = ()  # origins of web pages that may call
    rate: int = 1200  # requests a minute with one key; 0: unlimited
    concurrent: int = 64  # requests at the same time
    timeout: float = 60.0  # seconds to receive a request, and again to answer it
    max_body: int = 32 * MIB  # bytes of a request
    max_pixels: int = 64_000_000  # of one picture; 64 megapixels take 512 MB at most while decoded
    workers: int = field(default_factory=default_workers)  # pictures decoded at the same time
    wait_seconds: float = 20.0  # for the network or a worker, before the answer is 503
    recall_check: int = 0  # seconds between two checks of the index; 0: never
    batch_wait: float = 0.002  # seconds for pictures that are being decoded, to share a batch

    def __post_init__(self) -> None:
        if self.api_key is not None and not (self.api_key.isascii() and self.api_key.isprintable()):
            raise RequestError("the API key must be printable ASCII characters")
        if self.api_key is not None and (not self.api_key or " " in self.api_key):
            raise RequestError("the API key must not be empty or have a space in it")
        if self.max_body < 1024:
            raise RequestError(f"max_body must be 1024 bytes or more, not {self.max_body}")
        if self.workers < 1:
            raise RequestError(f"there must be one worker or more, not {self.workers}")
        if self.base_path and not PATH.fullmatch(self.base_path):
            raise RequestError(f"a base path is like /kkcv, not {self.base_path!r}")
        for origin in self.cors:
            scheme, mark, host = origin.partition("://")
            if scheme not in ("http", "https") or not mark or not host or "/" in host:
                raise RequestError(f"an origin is like https://photos.example, not {origin!r}")
        for proxy in self.trusted_proxy:
            try:
                ip_address(proxy)
            except ValueError:
                raise RequestError(
                    f"a trusted proxy is an address like 127.0.0.1, not {proxy!r}"
                ) from None

    @property
    def needs_key(self) -> bool:
        return self.api_key is not None or self.keys is not None

    @cached_property
    def limits(self) -> Limits:
        """The limits of one picture."""
        return Limits(
            self.max_body,
            self.max_pixels,
            max_slow_pixels=SLOW_PIXELS,
            max_memory=BYTES_A_PIXEL * self.max_pixels,
        )


def settings_of(values: Mapping[str, Resolved], *, host: str) -> Settings:
    """Settings for a service that listens at ``host`` (RequestError)."""
    value = {name: each.value for name, each in values.items()}
    if not value["api_key"] and values["api_key"].is_set:
        raise RequestError(
            f"{values['api_key'].source}: the key is empty; leave it out to serve without one"
        )
    has_key = bool(value["api_key"] or value["keys"])
    converted = {
        "api_key": value["api_key"] or None,
        "keys": Path(value["keys"]) if value["keys"] else None,
        "hosts": allowed_hosts(host, has_key, value["insecure"]),
        "base_path": value["base_path"].rstrip("/"),
        "concurrent": value["threads"],
        "max_body": value["max_body"] * MIB,
        "max_pixels": value["max_megapixels"] * 1_000_000,
        "batch_wait": value["batch_wait"] / 1000,
    }
    same = {each.name: value[each.name] for each in fields(Settings) if each.name in value}
    return Settings(**{**same, **converted})


def allowed_hosts(host: str, has_key: bool, insecure: bool) -> tuple[str, ...] | None:
    """The host names of a service that listens at ``host``; None: any, where keys decide.

    Raises RequestError for an address beyond this machine without a key.
    """
    if has_key or insecure:
        return None
    if host in LOOPBACK:
        return LOOPBACK
    raise RequestError(
        f"{host} can be reached from other machines, and there is no API key: make keys with "
        "kkcv keys add and name their file with --keys (or set KKCV_API_KEY), or say --insecure "
        "to let everybody in"
    )
