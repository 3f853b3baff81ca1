"""A gallery on another machine: the words of ``Gallery``, over HTTP.

    from kkcv.client import Client

    service = Client("http://127.0.0.1:8000")
    for hit in service.search("cat.jpg", k=10):
        print(hit.score, hit.path)

It raises what ``Gallery`` raises (PictureError, UnknownPicture, RequestError), and ServiceError for
what can go wrong on the way. It needs neither torch nor Faiss.
"""

import base64
import json
from collections.abc import Iterator, Mapping
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from typing import Any
from urllib.parse import urlencode, urlsplit

from kkcv.errors import KkcvError, PictureError, RequestError, ServiceError, UnknownPicture
from kkcv.images.source import Source, read_bytes
from kkcv.serve.schemas import Guess, Guesses, Hit, Hits, Page, PictureInfo, Region, Stats

PLAIN_ERRORS = {"unknown-picture": UnknownPicture, "bad-request": RequestError}


class Client:
    """A kkcv service at an address. Safe to use from several threads.

    ``timeout`` is how many seconds the service may be silent.
    """

    def __init__(
        self,
        address: str = "http://127.0.0.1:8000",
        *,
        api_key: str | None = None,
        timeout: float = 60.0,
    ) -> None:
        parts = urlsplit(address)
        if parts.scheme not in ("http", "https") or not parts.netloc:
            raise RequestError(f"an address is like http://127.0.0.1:8000, not {address!r}")
        self.address = address.rstrip("/")
        self.timeout = timeout
        self._parts = parts
        self._headers = {"Authorization": f"Bearer {api_key}"} if api_key else {}

    def search(
        self,
        picture: Source,
        k: int = 10,
        *,
        where: str | None = None,
        min_score: float = -1.0,
        region: Region | None = None,
    ) -> list[Hit]:
        """The k pictures most like this one (a path, bytes or file object), nearest first.

        ``where`` is a filter on the metadata, ``region`` the part of the picture to search with.

        Raises PictureError, RequestError.
        """
        question: dict[str, Any] = {"image": as_base64(picture), "k": k, "min_score": min_score}
        question["where"] = where or ""
        if region is not None:
            question["region"] = region.model_dump()
        return Hits.model_validate_json(self._send("POST", "/v1/search", question)).hits

    def search_id(
        self, id: int, k: int = 10, *, where: str | None = None, min_score: float = -1.0
    ) -> list[Hit]:
        """The k pictures most like one of the gallery, without itself (UnknownPicture)."""
        path = f"/v1/images/{id:d}/similar"
        answer = self._get(path, k=k, where=json.dumps(where or ""), min_score=min_score)
        return Hits.model_validate_json(answer).hits

    def classify(self, picture: Source, top: int = 5, lang: str = "en") -> list[Guess]:
        """The most probable classes of a picture, best first (PictureError)."""
        question = {"image": as_base64(picture), "top": top, "lang": lang}
        return Guesses.model_validate_json(self._send("POST", "/v1/classify", question)).guesses

    def add(self, picture: Source, metadata: Mapping[str, Any] | None = None) -> PictureInfo:
        """Add a picture; the same bytes twice are one picture (PictureError)."""
        question = {"image": as_base64(picture), "metadata": dict(metadata or {})}
        return PictureInfo.model_validate_json(self._send("POST", "/v1/images", question))

    def get(self, id: int) -> PictureInfo:
        """What the gallery knows of a picture (UnknownPicture)."""
        return PictureInfo.model_validate_json(self._get(f"/v1/images/{id:d}"))

    def describe(self, id: int, metadata: Mapping[str, Any]) -> PictureInfo:
        """Other metadata for a picture, in place of what it had (UnknownPicture)."""
        answer = self._send("PATCH", f"/v1/images/{id:d}", {"metadata": dict(metadata)})
        return PictureInfo.model_validate_json(answer)

    def remove(self, id: int) -> None:
        """Take a picture out of the gallery (UnknownPicture)."""
        self._send("DELETE", f"/v1/images/{id:d}")

    def pictures(self) -> Iterator[PictureInfo]:
        """All pictures, in the order of their ids, fetched a page at a time."""
        cursor: str | None = "after-0"
        while cursor is not None:
            page = Page.model_validate_json(self._get("/v1/images", limit=100, cursor=cursor))
            yield from page.pictures
            cursor = page.next

    def file(self, id: int) -> bytes:
        """The picture's file as it was indexed (UnknownPicture)."""
        return self._get(f"/v1/images/{id:d}/file")

    def thumbnail(self, id: int, size: int = 256) -> bytes:
        """A small version as JPEG, its longer side 128, 256 or 512 (UnknownPicture)."""
        return self._get(f"/v1/images/{id:d}/thumbnail", size=size)

    def stats(self) -> Stats:
        """Figures of the gallery."""
        return Stats.model_validate_json(self._get("/v1/stats"))

    def ready(self) -> bool:
        """Whether it can be reached and its network is loaded."""
        try:
            self._get("/readyz")
        except ServiceError:
            return False
        return True

    def _get(self, path: str, **query: Any) -> bytes:
        return self._send("GET", f"{path}?{urlencode(query)}" if query else path)

    def _send(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> bytes:
        """The body of the answer, or the error that it stands for."""
        https = self._parts.scheme == "https"
        connection = (HTTPSConnection if https else HTTPConnection)(
            self._parts.netloc, timeout=self.timeout
        )
        headers = dict(self._headers)
        data = None
        if body is not None:
            headers["Content-Type"] = "application/json"
            data = json.dumps(body).encode()
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
            raise error_of(self.address, answer.status, content)
        return content


def as_base64(picture: Source) -> str:
    return base64.b64encode(read_bytes(picture)).decode()


def error_of(address: str, status: int, content: bytes) -> KkcvError:
    """The error that a problem document stands for."""
    try:
        problem = json.loads(content)
        code, detail = problem["type"].rpartition("/")[2], problem["detail"]
        if code == "bad-picture":
            return PictureError(detail, problem["reason"])
    except (ValueError, KeyError, TypeError, AttributeError):
        return ServiceError(f"{address} answers {status}; is it a kkcv service?", status)
    if code in PLAIN_ERRORS:
        return PLAIN_ERRORS[code](detail)
    return ServiceError(f"{address} answers {status}: {detail}", status)
