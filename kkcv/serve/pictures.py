"""Routes that list, add, change and remove pictures, and give their files."""

import hashlib
import io
from datetime import UTC, datetime

from flask import Response, request, send_file

from kkcv.errors import KkcvError
from kkcv.search.picture import Picture

from .answer import Answer
from .media import media_type
from .problem import Problem, problem_of
from .questions import Description, NewPicture, NewPictures, OtherPicture, PageQuery, ThumbnailQuery
from .schemas import Added, AddedMany, Page, PictureInfo, ProblemInfo
from .searching import check_where, file_url, picture_bytes
from .service import Service


def info(service: Service, picture: Picture) -> PictureInfo:
    """A row of the catalog, as clients see it."""
    return PictureInfo(
        id=picture.id,
        path=str(service.gallery.path(picture)),
        url=file_url(picture.id),
        thumbnail=f"/v1/images/{picture.id}/thumbnail",
        sha256=picture.file.sha256.hex(),
        bytes=picture.file.bytes,
        added=datetime.fromtimestamp(picture.added, UTC),
        metadata=picture.metadata,
    )


def list_pictures(service: Service, query: PageQuery) -> Page:
    """The pictures of the gallery, a page at a time, in the order of their ids."""
    check_where(query.where)
    where = query.where or None
    after = int(query.cursor.removeprefix("after-")) if query.cursor else None
    found = service.gallery.page(query.limit + 1, after, newest=query.newest, where=where)
    page = found[: query.limit]
    more = len(found) > len(page)
    return Page(
        pictures=[info(service, picture) for picture in page],
        total=service.gallery.count(where),
        next=f"after-{page[-1].id}" if more else None,
    )


def add(service: Service, body: NewPicture) -> Answer:
    """Add a picture; the next search finds it. The same bytes again are the same picture."""
    data = picture_bytes(service, body.image)
    service.wait_until_loaded()
    picture, new = service.gallery.find_or_add(data, body.metadata, limits=service.limits)
    headers = {"Location": f"/v1/images/{picture.id}"} if new else {}
    return Answer(info(service, picture), 201 if new else 200, headers)


def add_batch(service: Service, body: NewPictures) -> AddedMany:
    """Add several pictures. Each has its own result: one that is refused does not stop others."""
    return AddedMany(results=[add_one(service, each) for each in body.pictures])


def add_one(service: Service, body: NewPicture) -> Added:
    try:
        answer = add(service, body)
    except (KkcvError, Problem) as error:
        problem = problem_of(error, field="image")
        if problem.code == "internal":
            raise
        return Added(status=problem.status, problem=ProblemInfo(**problem.document()))
    assert isinstance(answer.content, PictureInfo)
    return Added(status=answer.status, picture=answer.content)


def get(service: Service, id: int) -> PictureInfo:
    """What the gallery knows of a picture."""
    return info(service, service.gallery.get(id))


def describe(service: Service, id: int, body: Description) -> PictureInfo:
    """Put other metadata in place of a picture's."""
    return info(service, service.gallery.describe(id, body.metadata))


def replace(service: Service, id: int, body: OtherPicture) -> PictureInfo:
    """Put another picture in place of one. Its id stays, and its metadata unless there is other."""
    data = picture_bytes(service, body.image)
    service.wait_until_loaded()
    picture = service.gallery.replace(id, data, body.metadata, limits=service.limits)
    return info(service, picture)


def remove(service: Service, id: int) -> None:
    """Take a picture out of the gallery. A file that lies outside of the gallery is left alone."""
    if not service.gallery.remove([id]):
        service.gallery.get(id)  # says that it is unknown


def file(service: Service, id: int) -> Response:
    """The picture's file, byte by byte as it was indexed."""
    picture = service.gallery.get(id)
    data = service.gallery.read(picture)
    return content(data, media_type(data), picture.file.sha256.hex())


def thumbnail(service: Service, id: int, query: ThumbnailQuery) -> Response:
    """A small version of the picture, as JPEG."""
    picture = service.gallery.get(id)
    sha256 = picture.file.sha256
    small = service.thumbnails.find(sha256, query.size)
    if small is None:
        with service.worker():
            data = service.gallery.read(picture)
            small = service.thumbnails.make(sha256, query.size, data)
    return content(small, "image/jpeg", hashlib.sha256(small).hexdigest())


def content(data: bytes, mimetype: str, etag: str) -> Response:
    """Bytes with an ETag, in ranges if asked for. Browsers ask each time whether they are current:
    another picture may be put under the same id."""
    answer = send_file(
        io.BytesIO(data), mimetype, etag=etag, max_age=0, conditional=False, last_modified=None
    )
    answer.headers["Cache-Control"] = "private, no-cache"
    answer.headers["Content-Security-Policy"] = "default-src 'none'; sandbox"
    answer.make_conditional(request, accept_ranges=True, complete_length=len(data))
    return answer
