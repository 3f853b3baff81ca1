"""Routes that list, add, change and remove pictures, and give their files."""

import hashlib
import io

from flask import Response, request, send_file
from werkzeug.datastructures import Range

from kkcv.errors import KkcvError
from kkcv.images.formats import sniff
from kkcv.images.limits import DEFAULT_LIMITS
from kkcv.search.picture import Picture
from kkcv.serve.models.requests import (
    ChosenPictures,
    Description,
    NewPicture,
    NewPictures,
    OtherPicture,
    PageQuery,
    ThumbnailQuery,
)
from kkcv.serve.models.responses import (
    Added,
    AddedMany,
    Page,
    PictureInfo,
    ProblemInfo,
    RemovedMany,
    Undone,
)
from kkcv.serve.problems import Problem, problem_of
from kkcv.serve.service import Service

from .search import picture_bytes

Created = tuple[PictureInfo, int, dict[str, str]]  # with status and headers

# By the bytes of a file, not by its name.
MEDIA_TYPES = {
    "JPEG": "image/jpeg",
    "PNG": "image/png",
    "GIF": "image/gif",
    "WEBP": "image/webp",
    "BMP": "image/bmp",
    "TIFF": "image/tiff",
    "AVIF": "image/avif",
    "HEIF": "image/heif",
    "JPEG2000": "image/jp2",
    "ICO": "image/x-icon",
    "PPM": "image/x-portable-anymap",
    "PSD": "image/vnd.adobe.photoshop",
    "QOI": "image/qoi",
}


def info(service: Service, picture: Picture) -> PictureInfo:
    """A row of the catalog as clients see it."""
    path = str(service.gallery.path(picture))
    return PictureInfo(
        id=picture.id,
        path=path,
        missing=bool(service.gallery.library.missing([path])),
        url=service.url(picture.id, "file"),
        thumbnail=service.url(picture.id, "thumbnail"),
        sha256=picture.file.sha256.hex(),
        bytes=picture.file.bytes,
        added=picture.added,
        metadata=picture.metadata,
    )


def list_pictures(service: Service, query: PageQuery) -> Page:
    """List the pictures of the gallery, a page at a time, in the order of their ids."""
    where = query.where or None
    after = int(query.cursor.removeprefix("after-")) if query.cursor else None
    # one more tells whether there is a next page
    found = service.gallery.page(query.limit + 1, after, newest=query.newest, where=where)
    page = found[: query.limit]
    more = len(found) > len(page)
    return Page(
        pictures=[info(service, picture) for picture in page],
        total=service.gallery.count(where),
        next=f"after-{page[-1].id}" if more else None,
    )


def add(service: Service, body: NewPicture) -> Created:
    """Add a picture; the next search finds it. The same bytes again are the same picture."""
    data = picture_bytes(service, body.image)
    service.wait_until_loaded()
    picture, new = service.gallery.find_or_add(data, body.metadata, limits=service.limits)
    answer = info(service, picture)
    if new:
        return answer, 201, {"Location": service.url(picture.id)}
    if body.metadata and body.metadata != picture.metadata:
        answer.metadata_kept = True
    return answer, 200, {}


def add_batch(service: Service, body: NewPictures) -> AddedMany:
    """Add several pictures. Each has its own result: a bad one does not stop the others."""
    return AddedMany(results=[add_one(service, each) for each in body.pictures])


def add_one(service: Service, body: NewPicture) -> Added:
    try:
        picture, status, _ = add(service, body)
    except (KkcvError, Problem) as error:
        problem = problem_of(error, field="image")
        if problem.code == "internal":
            raise
        return Added(status=problem.status, problem=ProblemInfo(**problem.document()))
    return Added(status=status, picture=picture)


def get(service: Service, id: int) -> PictureInfo:
    """Show what the gallery knows of a picture."""
    return info(service, service.gallery.get(id))


def describe(service: Service, id: int, body: Description) -> PictureInfo:
    """Replace the metadata of a picture."""
    return info(service, service.gallery.describe(id, body.metadata))


def replace(service: Service, id: int, body: OtherPicture) -> PictureInfo:
    """Replace a picture. Its id stays, and its metadata unless new metadata is sent."""
    data = picture_bytes(service, body.image)
    service.wait_until_loaded()
    picture = service.gallery.replace(id, data, body.metadata, limits=service.limits)
    return info(service, picture)


def remove(service: Service, id: int) -> None:
    """Remove a picture from the gallery. Files outside of the gallery are never deleted."""
    if not service.gallery.remove([id]):
        service.gallery.get(id)  # raises UnknownPicture


def remove_many(service: Service, body: ChosenPictures) -> RemovedMany:
    """Remove several pictures. It can be undone until the next change of many pictures."""
    removed = service.gallery.remove(body.ids, at_least=1)
    missing = set(body.ids).difference(removed)
    return RemovedMany(ids=removed, missing=sorted(missing))


def undo(service: Service, body: ChosenPictures) -> Undone:
    """Take back the last change of many pictures, if it was one of exactly these."""
    return Undone(pictures=service.gallery.undo(only=body.ids).pictures)


def file(service: Service, id: int) -> Response:
    """Send the file of a picture, as it was indexed."""
    picture = service.gallery.get(id)
    data = service.gallery.read(picture)
    return content(data, media_type(data), picture.file.sha256.hex())


def thumbnail(service: Service, id: int, query: ThumbnailQuery) -> Response:
    """Send a small version of a picture, as JPEG."""
    picture = service.gallery.get(id)
    sha256 = picture.file.sha256
    small = service.thumbnails.find(sha256, query.size)
    if small is None:
        with service.worker():
            data = service.gallery.read(picture)
            limits = DEFAULT_LIMITS.or_more(service.limits)  # it may have come in by either
            small = service.thumbnails.make(sha256, query.size, data, limits)
    return content(small, "image/jpeg", hashlib.sha256(small).hexdigest())


def content(data: bytes, mimetype: str, etag: str) -> Response:
    """Bytes with an ETag, or the one range of them that was requested.

    Browsers must revalidate each time: another picture may get the same id.
    """
    answer = send_file(
        io.BytesIO(data), mimetype, etag=etag, max_age=0, conditional=False, last_modified=None
    )
    answer.headers["Cache-Control"] = "private, no-cache"
    # an SVG or HTML in a gallery must run nothing here
    answer.headers["Content-Security-Policy"] = "default-src 'none'; sandbox"
    # of any other kind of range HTTP lets a server send the whole, where Werkzeug would refuse it
    length = len(data) if is_range(request.range, len(data)) else None
    answer.make_conditional(request, accept_ranges=True, complete_length=length)
    return answer


def is_range(asked: Range | None, length: int) -> bool:
    """Whether it is one range of bytes, and not the last of more than there are."""
    if asked is None or asked.units != "bytes" or len(asked.ranges) != 1:
        return False
    return asked.ranges[0][0] >= -length


def media_type(data: bytes) -> str:
    """``image/jpeg`` and so on."""
    found = sniff(data)
    return MEDIA_TYPES.get(found.name if found else "", "application/octet-stream")
