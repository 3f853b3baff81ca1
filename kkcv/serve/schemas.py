"""What comes out of the service, as pydantic models, which describe it too."""

from datetime import datetime
from typing import Annotated, Any

from pydantic import BaseModel, Field

from .fields import Score

Corner = tuple[float, float]


class Hit(BaseModel):
    """A picture that was found. What `fields` does not name is left out."""

    id: int
    score: Score
    path: Annotated[str, Field(description="Of the file, on the machine of the service.")] = ""
    url: Annotated[str, Field(description="Of the file, from the service.")] = ""
    metadata: dict[str, Any] = {}
    chance: Annotated[
        float | None,
        Field(description="How often unrelated pictures score that high; null: not known."),
    ] = None
    place: Annotated[
        list[Corner] | None,
        Field(
            description="Where a verified hit shows what the query shows: four corners, clockwise "
            "from the query's top left, in fractions of the hit's width and height.",
        ),
    ] = None
    folded: Annotated[
        list[int], Field(description="Ids of near-duplicates that were folded into it.")
    ] = []


class Hits(BaseModel):
    """What was found, nearest first."""

    hits: list[Hit]


class Batch(BaseModel):
    """One answer for each query, in their order."""

    results: list[Hits]


class Guess(BaseModel):
    """A class, and how probable the network finds it."""

    class_index: int
    label: str
    probability: Annotated[float, Field(ge=0, le=1)]


class Guesses(BaseModel):
    """What a picture shows, the most probable first."""

    guesses: list[Guess]


class PictureInfo(BaseModel):
    """A picture of the gallery."""

    id: int
    path: Annotated[str, Field(description="Of the file, on the machine of the service.")]
    url: Annotated[str, Field(description="Of the file, from the service.")]
    thumbnail: Annotated[str, Field(description="Of a small version, from the service.")]
    sha256: Annotated[str, Field(pattern="^[0-9a-f]{64}$", description="Of the file's bytes.")]
    bytes: int
    added: datetime
    metadata: dict[str, Any]


class Page(BaseModel):
    """A part of the gallery, in the order of the ids. ``next`` is null on the last page."""

    pictures: list[PictureInfo]
    total: Annotated[int, Field(description="How many match the filter, on all pages.")]
    next: Annotated[str | None, Field(description="The cursor of the next page.")]


class FieldError(BaseModel):
    """A field at fault, as ``k`` or ``queries.0.k``."""

    field: str
    detail: str


class ProblemInfo(BaseModel):
    """RFC 9457 problem details; members without a value are left out."""

    type: Annotated[str, Field(description="Which kind of problem; never changes its meaning.")]
    title: str
    status: int
    detail: Annotated[str, Field(description="What happened, and what would have worked.")]
    field: Annotated[str, Field(description="The field at fault.")] = ""
    reason: Annotated[str, Field(description="Why a picture cannot be used.")] = ""
    errors: Annotated[
        list[FieldError], Field(description="Every field at fault, when there are several.")
    ] = []


class Added(BaseModel):
    """What became of one of several pictures: there is a ``picture`` or a ``problem``."""

    status: Annotated[int, Field(description="201 added, 200 there already, or the problem's.")]
    picture: PictureInfo | None = None
    problem: ProblemInfo | None = None


class AddedMany(BaseModel):
    """One result for each picture, in their order."""

    results: list[Added]


class DuplicateGroup(BaseModel):
    """Pictures that are one another's duplicates, the oldest first."""

    ids: list[int]
    exact: Annotated[bool, Field(description="Whether they have the same bytes.")]
    similarity: Annotated[float, Field(description="The least score that joined them.")]


class Duplicates(BaseModel):
    """The largest groups first."""

    groups: list[DuplicateGroup]
    total: Annotated[int, Field(description="How many groups there are, beyond the limit too.")]


class Side(BaseModel):
    """One picture's share of a score: the sum of `heat`, and `rest`, are the score."""

    heat: Annotated[list[list[float]], Field(description="What each position adds, row by row.")]
    rest: Annotated[float, Field(description="What belongs to no position.")]
    seen: Annotated[
        list[float],
        Field(description="The part under the map: left, top, width, height as fractions."),
    ]


class Explained(BaseModel):
    """Why two pictures score what they do, by the gallery's network in float32."""

    score: float
    query: Side
    hit: Side


class Network(BaseModel):
    """What makes the gallery's vectors."""

    network: str
    fingerprint: Annotated[str, Field(description="Of network, weights and preprocessing.")]
    dim: int
    vectors: Annotated[str, Field(description="The type that vectors are stored in.")]
    preprocess: dict[str, Any]


class Model(Network):
    """The network that makes the gallery's vectors, and what a search can ask for."""

    text: Annotated[bool, Field(description="Whether it can search with a text.")]
    rankings: Annotated[list[str], Field(description="The orders that there are.")]


class Stats(Network):
    """Figures of the gallery."""

    gallery: Annotated[str, Field(description="Its folder, on the machine of the service.")]
    pictures: int
    stored: Annotated[int, Field(description="Of how many the gallery holds the file.")]
    picture_bytes: int
    catalog_bytes: int
    index: Annotated[dict[str, Any], Field(description="What answers searches, as measured.")]


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
