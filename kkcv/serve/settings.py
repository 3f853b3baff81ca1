"""What a service is told when it starts; below this, nothing reads flags or the environment."""

import os
from dataclasses import dataclass, field

from kkcv.errors import RequestError
from kkcv.images.limits import Limits

MIB = 1024 * 1024
LOOPBACK = ("localhost", "127.0.0.1", "::1")


def usual_workers() -> int:
    """One a core, but never so many that their pictures fill the memory."""
    return min(os.cpu_count() or 1, 4)


@dataclass(frozen=True)
class Settings:
    """Limits and doors of the service.

    ``hosts`` are the names by which a request without a key may address it: a web page that points
    a name of its own at this machine is turned away. ``None`` lets any name pass.
    """

    api_key: str | None = None
    hosts: tuple[str, ...] | None = LOOPBACK
    max_body: int = 32 * MIB  # bytes of a request
    max_pixels: int = 64_000_000  # of one picture; 64 megapixels take about 400 MB while decoded
    workers: int = field(default_factory=usual_workers)  # pictures decoded at the same time
    wait_seconds: float = 20.0  # for the network or a worker, before the answer is 503

    def __post_init__(self) -> None:
        if self.api_key is not None and not (self.api_key.isascii() and self.api_key.isprintable()):
            raise RequestError("the API key must be printable ASCII characters")
        if self.api_key is not None and (not self.api_key or " " in self.api_key):
            raise RequestError("the API key must not be empty or have a space in it")
        if self.max_body < 1024:
            raise RequestError(f"a body must be let have 1024 bytes or more, not {self.max_body}")
        if self.workers < 1:
            raise RequestError(f"there must be one worker or more, not {self.workers}")

    @property
    def limits(self) -> Limits:
        """Of one picture in a request."""
        return Limits(max_bytes=self.max_body, max_pixels=self.max_pixels)


def allowed_hosts(host: str, api_key: str | None, insecure: bool) -> tuple[str, ...] | None:
    """Who may call a service that listens at ``host``: loopback names, or whoever has the key.

    Raises RequestError for an address beyond this machine without a key.
    """
    if api_key or insecure:
        return None
    if host in LOOPBACK:
        return LOOPBACK
    raise RequestError(
        f"{host} can be reached from other machines, and there is no API key: set KKCV_API_KEY "
        "(or --api-key), or say --insecure to let everybody in"
    )
