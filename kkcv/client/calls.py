"""HTTP requests to a service: they return a response, or raise the error of the service."""

import json
import time
from collections.abc import Mapping
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from kkcv.errors import (
    AlreadyThere,
    FileMissing,
    KkcvError,
    NothingToUndo,
    PictureError,
    RequestError,
    ServiceError,
    UnknownPicture,
)
from kkcv.query import plain

PLAIN_ERRORS: dict[str, type[KkcvError]] = {
    "already-there": AlreadyThere,
    "file-missing": FileMissing,
    "nothing-to-undo": NothingToUndo,
    "unknown-picture": UnknownPicture,
}


def as_json(value: Any) -> str:
    """A value as JSON, NumPy's numbers too (RequestError: it has what JSON cannot hold)."""
    try:
        return json.dumps(value, allow_nan=False, default=plain)
    except TypeError as error:
        raise RequestError(f"a request is what JSON can hold: {error}") from None
    except ValueError:
        raise RequestError("a number of the request is not finite") from None


class Response(NamedTuple):
    status: int
    content: bytes


class Later(Exception):
    """The service asks to try again after so many seconds; else this is the error."""

    def __init__(self, error: KkcvError, seconds: float) -> None:
        self.error = error
        self.seconds = seconds


class Calls:
    """The address of a service, with the headers of its requests. Safe to use from several threads.

    Raises RequestError for an invalid address.
    """

    def __init__(self, address: str, api_key: str | None, timeout: float) -> None:
        try:
            parts = urlsplit(address)
            good = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
        except ValueError:  # a port beyond 65535, brackets that do not close
            good = False
        if not good:
            raise RequestError(f"an address is like http://127.0.0.1:8000, not {address!r}")
        self.address = address.rstrip("/")
        self._parts = parts
        self._timeout = timeout
        self._headers = {"Authorization": f"Bearer {api_key}"} if api_key else {}

    def send(
        self, method: str, path: str, body: Mapping[str, Any] | None = None, *, patient: bool = True
    ) -> Response:
        """The response of the service (ServiceError, and the errors of a gallery).

        A service that is busy or loading, or whose key is used too often, says when to try again:
        a ``patient`` call does so, for up to the timeout.
        """
        latest = time.monotonic() + self._timeout
        while True:
            try:
                return self._send_once(method, path, body)
            except Later as later:
                if not patient or time.monotonic() + later.seconds > latest:
                    raise later.error from None
                time.sleep(later.seconds)

    def _send_once(self, method: str, path: str, body: Mapping[str, Any] | None) -> Response:
        # one connection a request: threads need not share any
        https = self._parts.scheme == "https"
        connection = (HTTPSConnection if https else HTTPConnection)(
            self._parts.netloc, timeout=self._timeout
        )
        headers = dict(self._headers)
        data = None
        if body is not None:
            headers["Content-Type"] = "application/json"
            data = as_json(body).encode()
        try:
            connection.request(method, self._parts.path.rstrip("/") + path, data, headers)
            answer = connection.getresponse()
            content = answer.read()
        except (OSError, HTTPException) as error:
            why = str(error) or type(error).__name__
            raise ServiceError(f"{self.address} does not answer: {why}") from None
        finally:
            connection.close()
        if answer.status >= 300:
            found = error_of(self.address, answer.status, content)
            wait = answer.headers.get("Retry-After", "")
            # what took too long once would take as long again
            if wait.isdecimal() and b"/problems/timed-out" not in content:
                raise Later(found, float(wait))
            raise found
        return Response(answer.status, content)


def error_of(address: str, status: int, content: bytes) -> KkcvError:
    """The error that a problem document describes."""
    try:
        problem = json.loads(content)
        code, detail = problem["type"].rpartition("/")[2], problem["detail"]
        if code == "bad-picture":
            return PictureError(detail, problem["reason"])
    except (ValueError, KeyError, TypeError, AttributeError):
        return ServiceError(f"{address} answers {status}; is it a kkcv service?", status)
    if code == RequestError.code:
        return RequestError(detail, problem.get("field"))
    if code in PLAIN_ERRORS:
        return PLAIN_ERRORS[code](detail)
    return ServiceError(f"{address} answers {status}: {detail}", status)
