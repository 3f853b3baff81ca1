"""Requests as pydantic models: they check what comes in, and OpenAPI describes them.

Nothing is guessed: an unknown field, a number in quotes, or a ``k`` of 0 is an error.
"""

from typing import Annotated, Any, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Discriminator, Field, Tag, create_model, model_validator

from kkcv.search.options import OPTIONS, SearchOptions

from .fields import (
    HIT_FIELDS,
    MAX_FIELDS,
    Feedback,
    Fraction,
    Id,
    Image,
    K,
    Metadata,
    Size,
    Whole,
    Words,
    at_most,
    field_of,
    refusal,
)
from .responses import MAX_BATCH, MAX_CHOSEN

MAX_PAGE = 500  # pictures: some hundred kilobytes of JSON
Item = TypeVar("Item")
Some = Annotated[list[Item], at_most(MAX_BATCH), Field(min_length=1, max_length=MAX_BATCH)]


class Strict(BaseModel):
    """A request: no field too many, no value of another type."""

    # strict: "10" is no number, so a typo is not taken for a value
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, allow_inf_nan=False)

    @model_validator(mode="before")
    @classmethod
    def check_count(cls, values: Any) -> Any:
        """Refuse too many fields before each unknown one has an error of its own."""
        if isinstance(values, dict) and len(values) > MAX_FIELDS:
            raise refusal(f"must have at most {MAX_FIELDS} fields, not {len(values):,}")
        return values


class Nothing(Strict):
    """No parameters."""


class Region(Strict):
    """A rectangle inside the upright picture, as fractions of its width and height."""

    left: Fraction
    top: Fraction
    width: Annotated[float, Field(gt=0, le=1)]
    height: Annotated[float, Field(gt=0, le=1)]


PartOfPicture = Annotated[
    Region | None, Field(description="Search with this part of the picture only.")
]


class Search(Strict):
    """The fields of every search: the number of hits, and the search options."""

    k: K = 10

    def options(self) -> SearchOptions:
        """The options as a gallery takes them (RequestError)."""
        return SearchOptions(**{name: getattr(self, name) for name in OPTIONS})


option_fields: dict[str, Any] = {name: field_of(each) for name, each in OPTIONS.items()}
SearchFields: Any = create_model("SearchFields", __base__=Search, **option_fields)
FieldNames = Annotated[
    list[Literal[HIT_FIELDS]],  # type: ignore[valid-type]
    at_most(len(HIT_FIELDS)),
    Field(max_length=len(HIT_FIELDS)),
]
Fields = Annotated[
    FieldNames | None, Field(description="Fields of a hit beside id and score; null: all.")
]


class SearchRequest(SearchFields):
    """Find the pictures most like this one."""

    image: Image
    region: PartOfPicture = None
    liked: Feedback = Field([])
    unliked: Feedback = Field([])
    fields: Fields = None


Weight = Annotated[
    float, Field(ge=-100, le=100, description="How much it counts; negative: unlike it.")
]


class LikeImage(Strict):
    """A picture in the request, and its weight."""

    image: Image
    weight: Weight = 1.0
    region: PartOfPicture = None


class LikePicture(Strict):
    """A picture of the gallery, and its weight."""

    id: Id
    weight: Weight = 1.0
    region: PartOfPicture = None


class LikeText(Strict):
    """A text that says what to look for, and its weight."""

    text: Words
    weight: Weight = 1.0


def by_field(*names: str) -> Discriminator:
    """Chooses the model of an object by the one of these fields that it has.

    Tags are in angle brackets so that errors can leave them out (parsing.py).
    """

    def tag(value: Any) -> str | None:
        found = [name for name in names if isinstance(value, dict) and name in value]
        return f"<{found[0]}>" if len(found) == 1 else None

    return Discriminator(tag, "refused", f"must have one of {', '.join(names)}")


AnyLike = Annotated[
    Annotated[LikeImage, Tag("<image>")]
    | Annotated[LikePicture, Tag("<id>")]
    | Annotated[LikeText, Tag("<text>")],
    by_field("image", "id", "text"),
]


class LikeRequest(SearchFields):
    """Find the pictures most like some, and unlike others."""

    like: Some[AnyLike]
    fields: Fields = None


class BatchRequest(Strict):
    """Several searches at once."""

    queries: Some[SearchRequest]


class NewPicture(Strict):
    """A picture to add."""

    image: Image
    metadata: Metadata = {}


class OtherPicture(Strict):
    """A picture that replaces another."""

    image: Image
    metadata: Annotated[Metadata | None, Field(description="Null: keep the metadata.")] = None


class NewPictures(Strict):
    """Several pictures to add."""

    pictures: Some[NewPicture]


class Description(Strict):
    """Metadata that replaces a picture's."""

    metadata: Metadata


class FormRequest(Strict):
    """The form of the compatibility route."""

    image: Image
    k: K = 10


class TextRequest(SearchFields):
    """Find the pictures most like this text."""

    text: Words
    fields: Fields = None


class SimilarQuery(SearchFields):
    fields: Annotated[
        str,
        Field(
            pattern=rf"^({'|'.join(HIT_FIELDS)})(,({'|'.join(HIT_FIELDS)}))*$",
            description="Fields of a hit beside id and score, separated by commas.",
        ),
    ] = ",".join(HIT_FIELDS)


class SentPicture(Strict):
    """A picture in the request."""

    image: Image


class KnownPicture(Strict):
    """A picture of the gallery."""

    id: Id


AnyPicture = Annotated[
    Annotated[SentPicture, Tag("<image>")] | Annotated[KnownPicture, Tag("<id>")],
    by_field("image", "id"),
]


class ExplainRequest(Strict):
    """Explain the score of two pictures."""

    query: AnyPicture
    hit: AnyPicture


class DuplicatesQuery(Strict):
    min_score: Annotated[
        float, Field(ge=0.5, le=1, description="The score from which two pictures are duplicates.")
    ] = 0.95
    copies: Annotated[
        bool,
        Field(
            description="Also turned, mirrored, recolored and cropped copies: every picture is "
            "embedded four more times."
        ),
    ] = False
    limit: Annotated[
        int, Whole(1, MAX_PAGE), Field(description="The largest number of groups.")
    ] = 100


class KeepRequest(Strict):
    """Keep pictures that look like duplicates."""

    ids: Annotated[
        list[Id],
        at_most(MAX_PAGE),
        Field(
            min_length=2,
            max_length=MAX_PAGE,
            description="Ids of at least two pictures.",
            json_schema_extra={"uniqueItems": True},
        ),
    ]


class ChosenPictures(Strict):
    """Some pictures of the gallery."""

    ids: Annotated[
        list[Id],
        at_most(MAX_CHOSEN),
        Field(min_length=1, max_length=MAX_CHOSEN, description="Their ids."),
    ]


class ClassifyRequest(Strict):
    """Name what this picture shows."""

    image: Image
    top: Annotated[int, Whole(1, 100), Field(description="The largest number of classes.")] = 5
    lang: Annotated[Literal["en", "zh"], Field(description="Language of the class names.")] = "en"


PageFields: Any = create_model("PageFields", __base__=Strict, where=option_fields["where"])


class PageQuery(PageFields):
    limit: Annotated[
        int, Whole(1, MAX_PAGE), Field(description="The largest number of pictures.")
    ] = 100
    cursor: Annotated[
        # 18 digits are fewer than those of the largest id, so that every number fits
        str, Field(description="`next` of the page before.", pattern=r"^(after-[0-9]{1,18})?$")
    ] = ""
    newest: Annotated[bool, Field(description="The newest first, instead of the oldest.")] = False


class ThumbnailQuery(Strict):
    size: Size = 256
