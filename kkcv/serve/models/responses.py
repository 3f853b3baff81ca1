"""Responses as pydantic models: the service fills them, its client reads them."""

import dataclasses
from dataclasses import MISSING
from datetime import datetime
from typing import Annotated, Any, get_args, get_origin, get_type_hints

from pydantic import BaseModel, Field, create_model

from kkcv import hit
from kkcv.hit import HIGHEST, LOWEST

MAX_BATCH = 16  # queries or pictures in one request, and so answers
MAX_CHOSEN = 10_000  # ids in one request


def hit_fields() -> dict[str, Any]:
    """The fields of a hit as those of a model: type with description, and default."""
    fields: dict[str, Any] = {}
    defaults = {field.name: field.default for field in dataclasses.fields(hit.Hit)}
    for name, kind in get_type_hints(hit.Hit, include_extras=True).items():
        plain, description = get_args(kind) if get_origin(kind) is Annotated else (kind, None)
        limits: dict[str, Any] = {"ge": LOWEST, "le": HIGHEST} if name == "score" else {}
        default: Any
        if name in ("id", "score"):
            default = ...
        elif defaults[name] is not MISSING:
            default = defaults[name]
        else:  # missing where a request names its `fields`
            default = (get_origin(plain) or plain)()
        fields[name] = (Annotated[plain, Field(description=description, **limits)], default)
    return fields


Hit: Any = create_model(
    "Hit",
    __doc__="A picture that was found. Only the requested `fields` are there.",
    **hit_fields(),
)


class Hits(BaseModel):
    """The hits of a search, most similar first."""

    hits: list[Hit]
    divider: Annotated[
        int | None,
        Field(
            ge=0,
            description="The rank after which hits are no more alike than chance would have it in "
            "this gallery; 0: nothing is like the query; null: not known, in a small gallery. In a "
            "search for copies: the rank of the last confirmed copy; 0: none was confirmed.",
        ),
    ] = None


class Batch(BaseModel):
    """One answer for each query, in their order."""

    results: list[Hits]


class Guess(BaseModel):
    """A class and its probability."""

    class_index: int
    label: str
    probability: Annotated[float, Field(ge=0, le=1)]


class Guesses(BaseModel):
    """The classes of a picture, most probable first."""

    guesses: list[Guess]


class PictureInfo(BaseModel):
    """A picture of the gallery."""

    id: int
    path: Annotated[str, Field(description="The file, on the machine of the service.")]
    missing: Annotated[
        bool,
        Field(
            description="There is no file at this path now: deleted, or on a disk that is not "
            "plugged in."
        ),
    ] = False
    url: Annotated[str, Field(description="Address of the file on the service.")]
    thumbnail: Annotated[str, Field(description="Address of a small version.")]
    sha256: Annotated[str, Field(pattern="^[0-9a-f]{64}$", description="Hash of the file.")]
    bytes: int
    added: datetime
    metadata: dict[str, Any]
    metadata_kept: Annotated[
        bool,
        Field(
            description="After adding: the picture was there already, and kept other metadata than "
            "was sent; PATCH replaces it."
        ),
    ] = False


class Page(BaseModel):
    """A part of the gallery, in the order of the ids. ``next`` is null on the last page."""

    pictures: list[PictureInfo]
    total: Annotated[
        int, Field(description="Number of pictures that match the filter, on all pages.")
    ]
    next: Annotated[str | None, Field(description="The cursor of the next page.")]


class FieldError(BaseModel):
    """A field that is wrong, such as ``k`` or ``queries.0.k``."""

    field: str
    detail: str


class ProblemInfo(BaseModel):
    """RFC 9457 problem details; fields without a value are left out."""

    type: Annotated[str, Field(description="The kind of problem; its meaning never changes.")]
    title: str
    status: int
    detail: Annotated[str, Field(description="What happened, and what would work.")]
    field: Annotated[str, Field(description="The field that is wrong.")] = ""
    reason: Annotated[str, Field(description="Why a picture cannot be used.")] = ""
    errors: Annotated[
        list[FieldError], Field(description="Every field that is wrong, when there are several.")
    ] = []


class Added(BaseModel):
    """The result for one of several pictures: a ``picture`` or a ``problem``."""

    status: Annotated[int, Field(description="201 added, 200 there already, or the problem's.")]
    picture: PictureInfo | None = None
    problem: ProblemInfo | None = None


class RemovedMany(BaseModel):
    """The ids of the pictures that were there, and of those that were not."""

    ids: list[int]
    missing: Annotated[
        list[int], Field(description="Ids that were sent, but are of no picture.")
    ] = []


class Undone(BaseModel):
    """How many pictures are as they were."""

    pictures: int


class AddedMany(BaseModel):
    """One result for each picture, in their order."""

    results: list[Added]


class DuplicateGroup(BaseModel):
    """Duplicates of each other, the file that was modified first in front."""

    ids: list[int]
    exact: Annotated[bool, Field(description="Whether their bytes are the same.")]
    similarity: Annotated[float, Field(description="The lowest score with the first.")]
    how: Annotated[
        list[str],
        Field(
            description="How each of the others is a copy of the first: the same bytes, the same; "
            "among copies other colors, turned by 90, 180 or 270 (degrees, clockwise), mirrored, a "
            "part, a mirrored part, with more around it (the first is in it), also mirrored."
        ),
    ] = []


class Duplicates(BaseModel):
    """Groups of duplicates, the largest first."""

    groups: list[DuplicateGroup]
    total: Annotated[int, Field(description="Number of all groups, also beyond the limit.")]


class Side(BaseModel):
    """Where a score comes from in one picture: `heat` and `rest` add up to it."""

    heat: Annotated[
        list[list[float]], Field(description="What each position adds to the score, row by row.")
    ]
    rest: Annotated[float, Field(description="The part of the score that belongs to no position.")]
    seen: Annotated[
        list[float],
        Field(description="The part under the map: left, top, width, height as fractions."),
    ]


class Explained(BaseModel):
    """Where the score of a search comes from, by the gallery's network in float32."""

    score: float
    whole: Annotated[
        float | None,
        Field(description="Of the whole pictures, where a part of the hit scores more."),
    ] = None
    query: Side
    hit: Side


class Network(BaseModel):
    """The network that makes the gallery's vectors."""

    network: str
    fingerprint: Annotated[str, Field(description="Hash of network, weights and preprocessing.")]
    dim: int
    vectors: Annotated[str, Field(description="Number type of the stored vectors.")]
    preprocess: dict[str, Any]


class Model(Network):
    """The gallery's network, and the options of a search that depend on it."""

    text: Annotated[bool, Field(description="Whether it can search by text.")]
    rankings: Annotated[list[str], Field(description="Names of the orders of hits.")]


class Stats(Network):
    """Figures of the gallery."""

    gallery: Annotated[
        str, Field(description="Its folder or address, on the machine of the service.")
    ]
    pictures: int
    parts: Annotated[
        int, Field(description="Vectors of parts of each picture, beside its own.")
    ] = 0  # an older service does not tell
    stored: Annotated[int, Field(description="Number of pictures whose file the gallery stores.")]
    picture_bytes: int
    catalog_bytes: int
    index: Annotated[
        dict[str, Any], Field(description="The index that answers searches, as measured.")
    ]


class NamedGallery(BaseModel):
    """A gallery of the service."""

    name: Annotated[str, Field(description="Its name in addresses: its folder, without .kkcv.")]
    url: Annotated[str, Field(description="Under which its routes are: `URL/search`.")]
    pictures: int
    network: str


class Galleries(BaseModel):
    """The galleries of the service. Routes without a name are of the first."""

    galleries: list[NamedGallery]


class Health(BaseModel):
    status: str
    version: str


class FormHit(BaseModel):
    image_path: str
    similarity: float


class FormAnswer(BaseModel):
    """The answer of the compatibility route: ``code`` is the HTTP status."""

    code: int
    message: str
    data: list[FormHit]
