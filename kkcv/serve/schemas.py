"""What goes in and out of the service, as pydantic models: they check it, and they describe it.

Nothing is guessed: an unknown field, a number in quotes, or a ``k`` of 0 is an error.
"""

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from .fields import LARGEST_ID, Fraction, Image, K, Metadata, MinScore, Score, Size, Where, Whole

MAX_BATCH = 16  # queries or pictures in one request
MAX_PAGE = 500

# Questions


class Strict(BaseModel):
    """A request: no field too many, no value of another type."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, allow_inf_nan=False)


class Nothing(Strict):
    """No parameters."""


class Region(Strict):
    """A rectangle inside of the upright picture, in fractions of its width and height."""

    left: Fraction
    top: Fraction
    width: Annotated[float, Field(gt=0, le=1)]
    height: Annotated[float, Field(gt=0, le=1)]


PartOfPicture = Annotated[
    Region | None, Field(description="Search with this part of the picture alone.")
]


class SearchQuestion(Strict):
    """Which pictures are most like this one?"""

    image: Image
    k: K = 10
    min_score: MinScore = -1.0
    where: Where = ""
    region: PartOfPicture = None


Weight = Annotated[
    float,
    Field(ge=-100, le=100, description="How much it counts; negative: unlike this one."),
]


class LikeImage(Strict):
    """A picture that was sent, as a part of a question."""

    image: Image
    weight: Weight = 1.0
    region: PartOfPicture = None


class LikePicture(Strict):
    """A picture of the gallery, as a part of a question."""

    id: Annotated[int, Whole(1, LARGEST_ID)]
    weight: Weight = 1.0
    region: PartOfPicture = None


class LikeQuestion(Strict):
    """Which pictures are most like some, and unlike others?"""

    like: Annotated[list[LikeImage | LikePicture], Field(min_length=1, max_length=MAX_BATCH)]
    k: K = 10
    min_score: MinScore = -1.0
    where: Where = ""


class BatchQuestion(Strict):
    """Several searches at once."""

    queries: Annotated[list[SearchQuestion], Field(min_length=1, max_length=MAX_BATCH)]


class NewPicture(Strict):
    """A picture to add."""

    image: Image
    metadata: Metadata = {}


class OtherPicture(Strict):
    """A picture in place of another."""

    image: Image
    metadata: Annotated[Metadata | None, Field(description="Null: it stays as it is.")] = None


class NewPictures(Strict):
    """Several pictures to add."""

    pictures: Annotated[list[NewPicture], Field(min_length=1, max_length=MAX_BATCH)]


class Description(Strict):
    """Other metadata for a picture."""

    metadata: Metadata


class FormQuestion(Strict):
    """The form of the compatibility route."""

    image: Image
    k: K = 10


class SimilarQuery(Strict):
    k: K = 10
    min_score: MinScore = -1.0
    where: Where = ""


class ClassifyQuestion(Strict):
    """What does this picture show?"""

    image: Image
    top: Annotated[int, Whole(1, 100), Field(description="How many classes at most.")] = 5
    lang: Annotated[Literal["en", "zh"], Field(description="Of the names of the classes.")] = "en"


class PageQuery(Strict):
    limit: Annotated[int, Whole(1, MAX_PAGE), Field(description="How many pictures at most.")] = 100
    cursor: Annotated[
        str,
        Field(description="`next` of the page before.", pattern=r"^after-[0-9]{1,18}$"),
    ] = "after-0"


class ThumbnailQuery(Strict):
    size: Size = 256


# Answers


class Hit(BaseModel):
    """A picture that was found."""

    id: int
    score: Score
    path: Annotated[str, Field(description="Of the file, on the machine of the service.")]
    url: Annotated[str, Field(description="Of the file, from the service.")]
    metadata: dict[str, Any]


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


class Model(BaseModel):
    """The network that makes the gallery's vectors."""

    network: str
    fingerprint: Annotated[str, Field(description="Of network, weights and preprocessing.")]
    dim: int
    vectors: Annotated[str, Field(description="The type that vectors are stored in.")]
    preprocess: dict[str, Any]


class Stats(Model):
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
