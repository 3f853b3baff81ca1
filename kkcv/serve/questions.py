"""What goes into the service, as pydantic models: they check it, and they describe it.

Nothing is guessed: an unknown field, a number in quotes, or a ``k`` of 0 is an error.
"""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Discriminator, Field, Tag

from .fields import (
    HIT_FIELDS,
    MAX_BATCH,
    Feedback,
    Fields,
    Fold,
    Fraction,
    Id,
    Image,
    K,
    MaxChance,
    Metadata,
    MinScore,
    Ranking,
    Size,
    Verify,
    Where,
    Whole,
    Words,
)

MAX_PAGE = 500


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


class SearchWords(Strict):
    """What may be found, in which order, and what is told of it."""

    k: K = 10
    min_score: MinScore = -1.0
    max_chance: MaxChance = None
    where: Where = ""
    ranking: Ranking = None
    verify: Verify = False
    fold: Fold = None


class SearchQuestion(SearchWords):
    """Which pictures are most like this one?"""

    image: Image
    region: PartOfPicture = None
    liked: Feedback = []
    unliked: Feedback = []
    fields: Fields = None


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

    id: Id
    weight: Weight = 1.0
    region: PartOfPicture = None


class LikeText(Strict):
    """What is to be seen, in words, as a part of a question."""

    text: Words
    weight: Weight = 1.0


def told_apart(*names: str) -> Discriminator:
    """Which of several models an object is: each has one of these fields, and no two of them.

    The tags are in angle brackets, for errors leave them out (body.py).
    """

    def tag(value: Any) -> str | None:
        found = [name for name in names if isinstance(value, dict) and name in value]
        return f"<{found[0]}>" if len(found) == 1 else None

    return Discriminator(tag, "refused", f"must have one of {', '.join(names)}")


AnyLike = Annotated[
    Annotated[LikeImage, Tag("<image>")]
    | Annotated[LikePicture, Tag("<id>")]
    | Annotated[LikeText, Tag("<text>")],
    told_apart("image", "id", "text"),
]


class LikeQuestion(SearchWords):
    """Which pictures are most like some, and unlike others?"""

    like: Annotated[list[AnyLike], Field(min_length=1, max_length=MAX_BATCH)]
    fields: Fields = None


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


class TextQuestion(SearchWords):
    """Which pictures look most like what this text says?"""

    text: Words
    fields: Fields = None


class SimilarQuery(SearchWords):
    fields: Annotated[
        str,
        Field(
            pattern=rf"^({'|'.join(HIT_FIELDS)})(,({'|'.join(HIT_FIELDS)}))*$",
            description="Which fields a hit has beside id and score, parted by commas.",
        ),
    ] = ",".join(HIT_FIELDS)


class SentPicture(Strict):
    """A picture that is sent."""

    image: Image


class KnownPicture(Strict):
    """A picture of the gallery."""

    id: Id


AnyPicture = Annotated[
    Annotated[SentPicture, Tag("<image>")] | Annotated[KnownPicture, Tag("<id>")],
    told_apart("image", "id"),
]


class ExplainQuestion(Strict):
    """Why do two pictures score what they do?"""

    query: AnyPicture
    hit: AnyPicture


class DuplicatesQuery(Strict):
    min_score: Annotated[
        float, Field(ge=0.5, le=1, description="From which score on two pictures are duplicates.")
    ] = 0.95
    limit: Annotated[int, Whole(1, MAX_PAGE), Field(description="How many groups at most.")] = 100


class ClassifyQuestion(Strict):
    """What does this picture show?"""

    image: Image
    top: Annotated[int, Whole(1, 100), Field(description="How many classes at most.")] = 5
    lang: Annotated[Literal["en", "zh"], Field(description="Of the names of the classes.")] = "en"


class PageQuery(Strict):
    limit: Annotated[int, Whole(1, MAX_PAGE), Field(description="How many pictures at most.")] = 100
    cursor: Annotated[
        str,
        Field(description="`next` of the page before.", pattern=r"^(after-[0-9]{1,18})?$"),
    ] = ""
    newest: Annotated[bool, Field(description="The newest first, in place of the oldest.")] = False
    where: Where = ""


class ThumbnailQuery(Strict):
    size: Size = 256
