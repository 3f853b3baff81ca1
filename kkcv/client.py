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
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from typing import Any, Unpack
from urllib.parse import urlencode

from kkcv.errors import KkcvError, ServiceError
from kkcv.images.source import Source, read_bytes
from kkcv.search.options import OptionWords
from kkcv.search.query import Like, Region, Text
from kkcv.serve.calls import Calls, error_of
from kkcv.serve.fields import HitField
from kkcv.serve.schemas import (
    Added,
    AddedMany,
    Batch,
    DuplicateGroup,
    Duplicates,
    Explained,
    Guess,
    Guesses,
    Hit,
    Hits,
    Model,
    Page,
    PictureInfo,
    Stats,
)


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
        self._calls = Calls(address, api_key, timeout)

    @property
    def address(self) -> str:
        return self._calls.address

    def search(
        self,
        picture: Source,
        k: int = 10,
        *,
        region: Region | None = None,
        liked: Sequence[int] = (),
        unliked: Sequence[int] = (),
        fields: Sequence[HitField] | None = None,
        **words: Unpack[OptionWords],
    ) -> list[Hit]:
        """The k pictures most like this one (a path, bytes or file object), nearest first.

        ``region`` is the part of the picture to search with; ``liked`` and ``unliked`` are ids of
        hits before, which move the query. ``fields`` are those that a hit has beside id and score.
        ``words`` are those of ``SearchOptions``, such as ``where`` and ``min_score``.

        Raises PictureError, UnknownPicture, RequestError.
        """
        question = {"image": as_base64(picture), "k": k, **said(words)}
        if region is not None:
            question["region"] = asdict(region)
        question |= {"liked": list(liked), "unliked": list(unliked)}
        return self._hits("/v1/search", question, fields)

    def search_text(
        self,
        text: str,
        k: int = 10,
        *,
        fields: Sequence[HitField] | None = None,
        **words: Unpack[OptionWords],
    ) -> list[Hit]:
        """The k pictures that look most like what a text says, where the gallery's network reads.

        Raises RequestError where it does not: ``model().text`` tells.
        """
        return self._hits("/v1/search/text", {"text": text, "k": k, **said(words)}, fields)

    def search_id(self, id: int, k: int = 10, **words: Unpack[OptionWords]) -> list[Hit]:
        """The k pictures most like one of the gallery, without itself (UnknownPicture)."""
        query = {name: json.dumps(word) for name, word in said(words).items()}
        answer = self._get(f"/v1/images/{id:d}/similar", k=k, **query)
        return Hits.model_validate_json(answer).hits

    def search_like(
        self,
        pictures: Sequence[Like],
        k: int = 10,
        *,
        fields: Sequence[HitField] | None = None,
        **words: Unpack[OptionWords],
    ) -> list[Hit]:
        """The k pictures most like some and unlike others, without those of them that have ids.

        Raises PictureError, UnknownPicture, RequestError.
        """
        likes = [like_as_json(like) for like in pictures]
        return self._hits("/v1/search/like", {"like": likes, "k": k, **said(words)}, fields)

    def search_batch(
        self, pictures: Sequence[Source], k: int = 10, **words: Unpack[OptionWords]
    ) -> list[list[Hit]]:
        """Up to 16 searches in one request: the hits of each (PictureError, RequestError)."""
        queries = [{"image": as_base64(each), "k": k, **said(words)} for each in pictures]
        answer = self._send("POST", "/v1/batch/search", {"queries": queries})
        return [each.hits for each in Batch.model_validate_json(answer).results]

    def explain(self, query: Source | int, hit: Source | int) -> Explained:
        """Which positions of two pictures, sent or of the gallery, made them score what they do.

        Raises PictureError, UnknownPicture, RequestError.
        """
        question = {"query": which(query), "hit": which(hit)}
        return Explained.model_validate_json(self._send("POST", "/v1/explain", question))

    def explanation(self, query: Source | int, hit: Source | int) -> bytes:
        """The same as a PNG of both pictures with heat maps."""
        question = {"query": which(query), "hit": which(hit)}
        return self._send("POST", "/v1/explain/picture", question)

    def classify(self, picture: Source, top: int = 5, lang: str = "en") -> list[Guess]:
        """The most probable classes of a picture, best first (PictureError)."""
        question = {"image": as_base64(picture), "top": top, "lang": lang}
        return Guesses.model_validate_json(self._send("POST", "/v1/classify", question)).guesses

    def add(self, picture: Source, metadata: Mapping[str, Any] | None = None) -> PictureInfo:
        """Add a picture; the same bytes twice are one picture (PictureError)."""
        question = {"image": as_base64(picture), "metadata": dict(metadata or {})}
        return PictureInfo.model_validate_json(self._send("POST", "/v1/images", question))

    def add_many(
        self, pictures: Sequence[tuple[Source, Mapping[str, Any]]]
    ) -> list[PictureInfo | KkcvError]:
        """Add up to 16 pictures with their metadata in one request.

        What became of each: one that is refused does not stop the others.
        """
        new = [{"image": as_base64(each), "metadata": dict(data)} for each, data in pictures]
        answer = self._send("POST", "/v1/batch/images", {"pictures": new})
        return [
            each.picture or error_of(self.address, each.status, problem_bytes(each))
            for each in AddedMany.model_validate_json(answer).results
        ]

    def replace(
        self, id: int, picture: Source, metadata: Mapping[str, Any] | None = None
    ) -> PictureInfo:
        """Another picture under the same id; without ``metadata`` it keeps what it had.

        Raises PictureError, UnknownPicture, AlreadyThere.
        """
        question = {"image": as_base64(picture), "metadata": metadata and dict(metadata)}
        return PictureInfo.model_validate_json(self._send("PUT", f"/v1/images/{id:d}", question))

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

    def pictures(self, where: str | None = None) -> Iterator[PictureInfo]:
        """All pictures, or those that match a filter, by their ids, fetched a page at a time."""
        after: int | None = None
        while found := self.page(after=after, where=where):
            yield from found
            after = found[-1].id

    def page(
        self,
        limit: int = 100,
        after: int | None = None,
        *,
        newest: bool = False,
        where: str | None = None,
    ) -> list[PictureInfo]:
        """Up to ``limit`` (500 at most) pictures after an id, by ids; ``newest``: against them."""
        return self._page(limit, after, newest, where).pictures

    def count(self, where: str | None = None) -> int:
        """How many pictures there are, or match a filter."""
        return self._page(1, None, False, where).total

    def duplicates(self, min_score: float = 0.95, limit: int = 100) -> list[DuplicateGroup]:
        """Groups of exact and near duplicates, the largest first."""
        answer = self._get("/v1/duplicates", min_score=min_score, limit=limit)
        return Duplicates.model_validate_json(answer).groups

    def file(self, id: int) -> bytes:
        """The picture's file as it was indexed (UnknownPicture)."""
        return self._get(f"/v1/images/{id:d}/file")

    def thumbnail(self, id: int, size: int = 256) -> bytes:
        """A small version as JPEG, its longer side 128, 256 or 512 (UnknownPicture)."""
        return self._get(f"/v1/images/{id:d}/thumbnail", size=size)

    def stats(self) -> Stats:
        """Figures of the gallery."""
        return Stats.model_validate_json(self._get("/v1/stats"))

    def model(self) -> Model:
        """The network that makes the vectors of the gallery, and what can be asked of it."""
        return Model.model_validate_json(self._get("/v1/model"))

    def ready(self) -> bool:
        """Whether it can be reached and its network is loaded."""
        try:
            self._get("/readyz")
        except ServiceError:
            return False
        return True

    def _hits(
        self, path: str, question: dict[str, Any], fields: Sequence[HitField] | None
    ) -> list[Hit]:
        if fields is not None:
            question["fields"] = list(fields)
        return Hits.model_validate_json(self._send("POST", path, question)).hits

    def _page(self, limit: int, after: int | None, newest: bool, where: str | None) -> Page:
        query = {"cursor": "" if after is None else f"after-{after:d}", "where": where or ""}
        text = {name: json.dumps(word) for name, word in query.items()}
        answer = self._get("/v1/images", limit=limit, newest=json.dumps(newest), **text)
        return Page.model_validate_json(answer)

    def _get(self, path: str, **query: Any) -> bytes:
        return self._send("GET", f"{path}?{urlencode(query)}" if query else path)

    def _send(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> bytes:
        return self._calls.send(method, path, body)


def said(words: OptionWords) -> dict[str, Any]:
    """The search options that were given, as the service reads them."""
    return {**words, **({"where": words["where"] or ""} if "where" in words else {})}


def which(picture: Source | int | Text) -> dict[str, Any]:
    """A picture that is sent, one of the gallery, or a text."""
    if isinstance(picture, Text):
        return {"text": picture.text}
    return {"id": picture} if isinstance(picture, int) else {"image": as_base64(picture)}


def like_as_json(like: Like) -> dict[str, Any]:
    """A part of a question as the service reads it."""
    region = {"region": asdict(like.region)} if like.region else {}
    return {**which(like.picture), "weight": like.weight, **region}


def problem_bytes(added: Added) -> bytes:
    return b"" if added.problem is None else added.problem.model_dump_json().encode()


def as_base64(picture: Source) -> str:
    return base64.b64encode(read_bytes(picture)).decode()
