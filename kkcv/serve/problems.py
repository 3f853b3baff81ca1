"""Everything that can go wrong in a request, as RFC 9457 problem details.

``type`` is ``/problems/CODE`` and never changes its meaning; ``detail`` is for people.
"""

import json
from collections.abc import Mapping
from typing import Any, NamedTuple

from flask import Response
from werkzeug.exceptions import HTTPException

from kkcv.errors import (
    AlreadyThere,
    FileMissing,
    GalleryError,
    GalleryLocked,
    GalleryReadOnly,
    KkcvError,
    MissingExtra,
    NotAGallery,
    NothingToUndo,
    PictureError,
    RequestError,
    Superseded,
    TimedOut,
    UnknownPicture,
)
from kkcv.extras import missing

CONTENT_TYPE = "application/problem+json"


class Kind(NamedTuple):
    """A kind of problem: its usual HTTP status and its title."""

    status: int
    title: str


KINDS: dict[str, Kind] = {
    "bad-json": Kind(400, "The body cannot be read"),
    "bad-http": Kind(400, "The request breaks the rules of HTTP"),
    "unauthorized": Kind(401, "The API key is missing or wrong"),
    "forbidden": Kind(403, "The request comes from another site"),
    "read-only-key": Kind(403, "The API key may not do this"),
    "not-found": Kind(404, "There is nothing at this address"),
    "unknown-picture": Kind(404, "The gallery has no such picture"),
    "unknown-gallery": Kind(404, "The service has no such gallery"),
    "file-missing": Kind(404, "The picture's file is no longer what was indexed"),
    "method-not-allowed": Kind(405, "The address does not take this method"),
    "too-slow": Kind(408, "The request took too long to arrive"),
    "already-there": Kind(409, "The gallery has this picture under another id"),
    "nothing-to-undo": Kind(409, "There is no such change to undo"),
    "gallery-read-only": Kind(409, "The gallery may not be changed here"),
    "length-required": Kind(411, "The body must come with its length"),
    "too-large": Kind(413, "The body is larger than the limit"),
    "unsupported-media-type": Kind(415, "The body is of no type that is taken here"),
    "bad-range": Kind(416, "The range lies outside of the file"),
    "wrong-host": Kind(421, "The service is not to be reached by this name"),
    "bad-picture": Kind(422, "The picture cannot be used"),
    "bad-request": Kind(422, "The request does not fit its description"),
    "too-many-requests": Kind(429, "The API key was used too often"),
    "headers-too-large": Kind(431, "The headers are larger than the limit"),
    "internal": Kind(500, "The service failed"),
    "not-implemented": Kind(501, "The service cannot do this"),
    "missing-extra": Kind(501, "A part of kkcv is not installed"),
    "busy": Kind(503, "The service is busy"),
    "timed-out": Kind(503, "The answer took too long"),
    "loading": Kind(503, "The service is not ready yet"),
    "gallery-locked": Kind(503, "Another process is writing to the gallery"),
    "gallery-superseded": Kind(503, "The gallery was given another network just now"),
    "not-a-gallery": Kind(503, "The gallery is no longer where it was"),
}

# By the reason of a PictureError; other reasons are 422.
REASON_STATUS = {
    "not-an-image": 415,
    "unsupported": 415,
    "too-many-bytes": 413,
    "too-many-pixels": 413,
}

# The kind for each status with which Werkzeug or waitress refuses a request.
HTTP_CODES = {
    400: "bad-http",
    401: "unauthorized",
    404: "not-found",
    405: "method-not-allowed",
    408: "too-slow",
    413: "too-large",
    415: "unsupported-media-type",
    416: "bad-range",
    431: "headers-too-large",
    501: "not-implemented",
    503: "busy",
}
HOW = "send the header Authorization: Bearer KEY"

# The nearest base class decides; other errors of kkcv are failures of the service.
ERROR_CODES: dict[type[KkcvError], str] = {
    PictureError: "bad-picture",
    UnknownPicture: "unknown-picture",
    FileMissing: "file-missing",
    AlreadyThere: "already-there",
    NothingToUndo: "nothing-to-undo",
    RequestError: "bad-request",
    GalleryLocked: "gallery-locked",
    GalleryReadOnly: "gallery-read-only",
    Superseded: "gallery-superseded",
    TimedOut: "timed-out",
    NotAGallery: "not-a-gallery",
    MissingExtra: "missing-extra",
}

RETRY_SECONDS = 2


class Problem(Exception):
    """A problem response, which any code below a route may raise.

    ``extra`` are further members: ``field``, ``reason``, ``errors``. ``retry_after`` is in
    seconds, and sent with 429 and 503.
    """

    def __init__(
        self,
        code: str,
        detail: str,
        *,
        status: int | None = None,
        extra: Mapping[str, Any] | None = None,
        retry_after: int = RETRY_SECONDS,
    ) -> None:
        super().__init__(detail)
        self.code = code
        self.status = status or KINDS[code].status
        self.detail = detail
        self.extra = dict(extra or {})
        self.retry_after = retry_after

    def document(self) -> dict[str, Any]:
        return {
            "type": f"/problems/{self.code}",
            "title": KINDS[self.code].title,
            "status": self.status,
            "detail": self.detail,
            **self.extra,
        }

    def response(self) -> Response:
        answer = Response(json.dumps(self.document()), self.status, content_type=CONTENT_TYPE)
        if self.status in (429, 503):
            answer.headers["Retry-After"] = str(self.retry_after)
        if self.status == 401:
            answer.headers["WWW-Authenticate"] = "Bearer"  # RFC 9110 demands it with 401
        return answer


def problem_of(error: Exception, field: str | None = None) -> Problem:
    """The problem that an exception is answered with.

    ``field`` is the field at fault, where the error does not name one itself.
    """
    if isinstance(error, Problem):
        return error
    if isinstance(error, ModuleNotFoundError):
        error = missing(error) or error
    field = getattr(error, "field", None) or field
    extra: dict[str, Any] = {} if field is None else {"field": field}
    if isinstance(error, PictureError):
        status = REASON_STATUS.get(error.reason)
        extra["reason"] = error.reason
        return Problem("bad-picture", str(error), status=status, extra=extra)
    for kind in type(error).__mro__:  # the nearest class first
        if kind in ERROR_CODES:
            return Problem(ERROR_CODES[kind], str(error), extra=extra)
    # of a full disk, say: whether the change was made matters to the client
    says = isinstance(error, GalleryError)
    return Problem("internal", str(error) if says else DETAILS["internal"])


def http_problem(error: HTTPException, max_body: int) -> Problem:
    """An exception of Werkzeug as a problem with the same status; the limit is in bytes."""
    status = error.code or 500
    code = HTTP_CODES.get(status, "bad-http" if status < 500 else "internal")
    return Problem(code, DETAILS[code].format(max_body=max_body), status=status)


DETAILS = {
    "bad-http": "the request breaks the rules of HTTP",
    "unauthorized": f"the API key is missing or wrong: {HOW}",
    "too-slow": "the request took longer to arrive than the service allows",
    "headers-too-large": "the headers have more bytes than the limit of the service",
    "not-implemented": "the only transfer encoding that is taken is chunked",
    "busy": "too many requests are arriving; try again",
    "not-found": "there is nothing at this address; /docs shows what there is",
    "method-not-allowed": "this address takes other methods; the header Allow names them",
    "too-large": "the body has more bytes than the limit of the service, {max_body:,}",
    "unsupported-media-type": "the body is of no type that is taken here",
    "bad-range": "the range lies outside of the file",
    "internal": "the service failed; its log says why",
}
