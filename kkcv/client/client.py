"""The client of a kkcv service, with the methods of a gallery."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict
from typing import Any, Self
from urllib.parse import quote, urlencode

from kkcv import hits
from kkcv.errors import KkcvError, ServiceError
from kkcv.images.source import Source
from kkcv.query import Like, Region, checked_likes, checked_region, whole
from kkcv.serve.models.responses import (
    MAX_BATCH,
    AddedMany,
    Batch,
    DuplicateGroup,
    Duplicates,
    Explained,
    Galleries,
    Guess,
    Guesses,
    Hits,
    Model,
    NamedGallery,
    Page,
    PictureInfo,
    RemovedMany,
    Stats,
    Undone,
)
from kkcv.where import Where

from .calls import Calls, Response, as_json, error_of
from .values import (
    AddedPicture,
    Answer,
    added,
    as_base64,
    as_metadata,
    hits_of,
    in_words,
    like_as_json,
    parsed,
    problem_bytes,
    which,
)

IDS_IN_A_FILTER = 80  # of 19 digits, they fit into the 2,000 characters of a filter


class Client:
    """A kkcv service at an address. Safe to use from several threads.

    ``timeout`` is in seconds: for each wait on the network, and for all tries of a call while the
    service answers that it is busy or loading. ``gallery`` is the name of one of several galleries;
    None is the first.
    """

    def __init__(
        self,
        address: str = "http://127.0.0.1:8000",
        *,
        api_key: str | None = None,
        timeout: float = 60.0,
        gallery: str | None = None,
    ) -> None:
        self._calls = Calls(address, api_key, timeout)
        # safe="": a name may have a slash in it
        self._v1 = "/v1" if gallery is None else f"/v1/galleries/{quote(gallery, safe='')}"

    def __repr__(self) -> str:
        return f"Client({self.address!r})"  # never the key

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        """Nothing is kept open: each request has a connection of its own."""

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
        fields: Sequence[str] | None = None,
        **options: Any,
    ) -> hits.Hits:
        """The k pictures most like this one, nearest first.

        Args:
            picture: a path, bytes, a binary file or a Pillow image.
            k: the largest number of hits.
            region: the part of the picture to search with.
            liked: ids of earlier hits; the query moves toward them.
            unliked: ids of earlier hits; the query moves away from them.
            fields: names of the fields of hits beside id and score; None: all.
            options: fields of SearchOptions, such as ``where="year >= 2020"``.

        Raises PictureError, UnknownPicture, RequestError.
        """
        request = {"image": as_base64(picture), "k": k, **options}
        if region is not None:
            request["region"] = asdict(checked_region(region))
        request |= {"liked": list(liked), "unliked": list(unliked)}
        return self._hits("/v1/search", request, fields)

    def search_text(
        self, text: str, k: int = 10, *, fields: Sequence[str] | None = None, **options: Any
    ) -> hits.Hits:
        """The k pictures that look most like a text.

        Raises RequestError where the gallery's network reads no text (see ``model().text``).
        """
        return self._hits("/v1/search/text", {"text": text, "k": k, **options}, fields)

    def search_id(
        self, id: int, k: int = 10, *, fields: Sequence[str] | None = None, **options: Any
    ) -> hits.Hits:
        """The k pictures most like one of the gallery, without itself (UnknownPicture)."""
        return self.search_like([Like(whole(id))], k, fields=fields, **options)

    def search_like(
        self,
        pictures: Sequence[Like],
        k: int = 10,
        *,
        fields: Sequence[str] | None = None,
        **options: Any,
    ) -> hits.Hits:
        """The k pictures most like some and unlike others, without those of them that have ids.

        Raises PictureError, UnknownPicture, RequestError.
        """
        likes = [like_as_json(like) for like in checked_likes(pictures)]
        return self._hits("/v1/search/like", {"like": likes, "k": k, **options}, fields)

    def search_batch(
        self, pictures: Sequence[Source], k: int = 10, **options: Any
    ) -> list[hits.Hits]:
        """The hits of each picture, sixteen pictures a request (PictureError, RequestError)."""
        answers: list[hits.Hits] = []
        for start in range(0, len(pictures), MAX_BATCH):
            some = pictures[start : start + MAX_BATCH]
            queries = [{"image": as_base64(each), "k": k, **in_words(options)} for each in some]
            found = self._ask(Batch, "POST", "/v1/batch/search", {"queries": queries})
            answers += [hits_of(each, options) for each in found.results]
        return answers

    def explain(self, query: Source | int, hit: Source | int) -> Explained:
        """Where the score of two pictures, sent or of the gallery, comes from.

        Raises PictureError, UnknownPicture, RequestError.
        """
        request = {"query": which(query), "hit": which(hit)}
        return self._ask(Explained, "POST", "/v1/explain", request)

    def explanation(self, query: Source | int, hit: Source | int) -> bytes:
        """A PNG of both pictures with heat maps that explain their score."""
        request = {"query": which(query), "hit": which(hit)}
        return self._send("POST", "/v1/explain/picture", request)

    def classify(self, picture: Source, top: int = 5, lang: str = "en") -> list[Guess]:
        """The most probable classes of a picture, best first (PictureError)."""
        request = {"image": as_base64(picture), "top": top, "lang": lang}
        return self._ask(Guesses, "POST", "/v1/classify", request).guesses

    def add(self, picture: Source, metadata: Mapping[str, Any] | None = None) -> AddedPicture:
        """Add a picture; the same bytes twice are one picture, ``new`` the first time.

        Raises PictureError.
        """
        request = {"image": as_base64(picture), "metadata": as_metadata(metadata or {})}
        answer = self._call("POST", "/v1/images", request)
        return added(parsed(PictureInfo, answer.content), answer.status)

    def add_many(
        self, pictures: Sequence[tuple[Source, Mapping[str, Any]]]
    ) -> list[AddedPicture | KkcvError]:
        """Add pictures with their metadata, sixteen a request.

        Returns the picture or the error of each: one failure does not stop the others.
        """
        results: list[AddedPicture | KkcvError] = []
        for start in range(0, len(pictures), MAX_BATCH):
            some = pictures[start : start + MAX_BATCH]
            new = [{"image": as_base64(each), "metadata": as_metadata(data)} for each, data in some]
            answer = self._ask(AddedMany, "POST", "/v1/batch/images", {"pictures": new})
            results += [
                added(each.picture, each.status)
                if each.picture
                else error_of(self.address, each.status, problem_bytes(each))
                for each in answer.results
            ]
        return results

    def replace(
        self, id: int, picture: Source, metadata: Mapping[str, Any] | None = None
    ) -> PictureInfo:
        """Replace the picture of an id; None keeps its metadata.

        Raises PictureError, UnknownPicture, AlreadyThere.
        """
        # None keeps the metadata, {} takes it away
        request = {"image": as_base64(picture), "metadata": metadata and as_metadata(metadata)}
        return self._ask(PictureInfo, "PUT", f"/v1/images/{whole(id)}", request)

    def get(self, id: int) -> PictureInfo:
        """A picture of the gallery, with its metadata (UnknownPicture)."""
        return self._ask(PictureInfo, "GET", f"/v1/images/{whole(id)}")

    def get_many(self, ids: Iterable[int]) -> list[PictureInfo]:
        """The pictures with these ids that exist, in this order."""
        wanted, found = [whole(id) for id in ids], dict[int, PictureInfo]()
        for start in range(0, len(wanted), IDS_IN_A_FILTER):
            some = wanted[start : start + IDS_IN_A_FILTER]
            for picture in self.page(len(some), where=f"id in {some}"):
                found[picture.id] = picture
        return [found[id] for id in wanted if id in found]

    def describe(self, id: int, metadata: Mapping[str, Any]) -> PictureInfo:
        """Replace the metadata of a picture (UnknownPicture)."""
        body = {"metadata": as_metadata(metadata)}
        return self._ask(PictureInfo, "PATCH", f"/v1/images/{whole(id)}", body)

    def remove(self, id: int) -> None:
        """Remove a picture from the gallery (UnknownPicture)."""
        self._send("DELETE", f"/v1/images/{whole(id)}")

    def remove_many(self, ids: Iterable[int]) -> list[int]:
        """Remove pictures; the ids that existed, for ``undo`` (RequestError)."""
        body = {"ids": [whole(id) for id in ids]}
        return self._ask(RemovedMany, "POST", "/v1/batch/remove", body).ids

    def undo(self, ids: Iterable[int]) -> int:
        """Take back the last change of many pictures; of how many.

        Raises NothingToUndo if it was not one of exactly these.
        """
        body = {"ids": [whole(id) for id in ids]}
        return self._ask(Undone, "POST", "/v1/undo", body).pictures

    def pictures(self, where: Where | None = None) -> Iterator[PictureInfo]:
        """All pictures, or those that match a filter, in the order of their ids."""
        after: int | None = None
        # after an id, so that a removal meanwhile skips nothing
        while found := self.page(after=after, where=where):
            yield from found
            after = found[-1].id

    def page(
        self,
        limit: int = 100,
        after: int | None = None,
        *,
        newest: bool = False,
        where: Where | None = None,
    ) -> list[PictureInfo]:
        """Up to ``limit`` (at most 500) pictures after an id, or with ``newest`` before it."""
        return self._page(limit, after, newest, where).pictures

    def count(self, where: Where | None = None) -> int:
        """The number of pictures, or of those that match a filter."""
        return self._page(1, None, False, where).total

    def duplicates(
        self, min_score: float = 0.95, limit: int = 100, *, copies: bool = False
    ) -> list[DuplicateGroup]:
        """Groups of exact and near duplicates, the largest first.

        ``copies``: turned, mirrored, recolored and cropped ones too.
        """
        query = {"min_score": min_score, "limit": limit, "copies": as_json(copies)}
        answer = self._get("/v1/duplicates", **query)
        return parsed(Duplicates, answer).groups

    def keep_both(self, ids: Iterable[int]) -> None:
        """Remember that these are no duplicates (UnknownPicture, RequestError)."""
        self._send("POST", "/v1/duplicates/keep", {"ids": [whole(id) for id in ids]})

    def file(self, id: int) -> bytes:
        """The bytes of a picture as it was indexed (UnknownPicture)."""
        return self._get(f"/v1/images/{whole(id)}/file")

    def thumbnail(self, id: int, size: int = 256) -> bytes:
        """A small JPEG; its longer side has 128, 256 or 512 pixels (UnknownPicture)."""
        return self._get(f"/v1/images/{whole(id)}/thumbnail", size=size)

    def galleries(self) -> list[NamedGallery]:
        """The galleries of the service."""
        answer = self._calls.send("GET", "/v1/galleries")
        return parsed(Galleries, answer.content).galleries

    def stats(self) -> Stats:
        """Figures of the gallery."""
        return self._ask(Stats, "GET", "/v1/stats")

    def model(self) -> Model:
        """The gallery's network, and the search options that depend on it."""
        return self._ask(Model, "GET", "/v1/model")

    def ready(self) -> bool:
        """Whether the service can be reached and has loaded its network."""
        try:
            self._calls.send("GET", "/readyz", patient=False)
        except ServiceError:
            return False
        return True

    def _hits(self, path: str, request: dict[str, Any], fields: Sequence[str] | None) -> hits.Hits:
        if fields is not None:
            request["fields"] = list(fields)
        return hits_of(self._ask(Hits, "POST", path, in_words(request)), request)

    def _page(self, limit: int, after: int | None, newest: bool, where: Where | None) -> Page:
        cursor = "" if after is None else f"after-{whole(after)}"
        query = in_words({"cursor": cursor, "where": where, "newest": newest})
        # as JSON, so that a filter that looks like a number stays text
        text = {name: as_json(value) for name, value in query.items()}
        answer = self._get("/v1/images", limit=limit, **text)
        return parsed(Page, answer)

    def _get(self, path: str, **query: Any) -> bytes:
        return self._send("GET", f"{path}?{urlencode(query)}" if query else path)

    def _ask(
        self, model: type[Answer], method: str, path: str, body: Mapping[str, Any] | None = None
    ) -> Answer:
        """The response as a model."""
        return parsed(model, self._send(method, path, body))

    def _send(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> bytes:
        return self._call(method, path, body).content

    def _call(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> Response:
        return self._calls.send(method, path.replace("/v1", self._v1, 1), body)
