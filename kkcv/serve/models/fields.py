"""Types of request fields. Each is written once, for the check and for the OpenAPI description."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field, GetCoreSchemaHandler, WithJsonSchema
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

from kkcv import metadata
from kkcv.hit import FIELDS
from kkcv.search.option import Number, OneOf, Option, Switch, Text
from kkcv.search.picture import LARGEST_ID
from kkcv.search.query import MAX_K

from .responses import MAX_BATCH

MAX_FIELDS = 64  # of a form, of an address, and of an object in JSON: more than any has
THUMBNAIL_SIZES = (128, 256, 512)  # few, so that caches hold them
HIT_FIELDS = tuple(name for name in FIELDS if name not in ("id", "score"))

# A blue square of 8 × 8 pixels with an orange disk, as PNG.
EXAMPLE = (
    "iVBORw0KGgoAAAANSUhEUgAAAAgAAAAIAQMAAAD+wSzIAAAABlBMVEXmeCg8jNz8fDjDAAAAGElEQVR42mP4z3SEWYGJ"
    "gYmBiYHhMMN/AB4NA7F6EUCCAAAAAElFTkSuQmCC"
)


def refusal(message: str) -> PydanticCustomError:
    """The error of a validator; the name of the field is put in front of its message."""
    return PydanticCustomError("refused", "{message}", {"message": message})


def got(value: Any) -> str:
    """``, got 'ten'`` or ``, got true`` for a short value; a picture is never sent back."""
    plain = value is None or isinstance(value, bool | int | float | str)
    if not plain or (isinstance(value, str) and len(value) > 20):
        return ""
    # in ASCII, as it may be shown anywhere
    text = ascii(value) if isinstance(value, str) else json.dumps(value)
    return f", got {text}" if len(text) <= 32 else ""


@dataclass(frozen=True)
class Whole:
    """A whole number. 20.0 is one, as in JSON Schema; ``true`` and ``"20"`` are not."""

    low: int
    high: int

    def check(self, value: Any) -> int:
        is_whole = isinstance(value, int) or (isinstance(value, float) and value.is_integer())
        if isinstance(value, bool) or not is_whole or not self.low <= value <= self.high:
            raise refusal(f"must be a whole number from {self.low} to {self.high}{got(value)}")
        return int(value)

    def __get_pydantic_core_schema__(
        self, source: Any, handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        return core_schema.no_info_plain_validator_function(self.check)

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: Any) -> dict[str, Any]:
        return {"type": "integer", "minimum": self.low, "maximum": self.high}


def one_of(values: Sequence[Any]) -> Callable[[Any], Any]:
    """A validator that lets these values pass."""
    names = ", ".join(each if isinstance(each, str) else json.dumps(each) for each in values)

    def check(value: Any) -> Any:
        for each in values:
            # for Python 1 is True, for JSON it is not
            if value == each and isinstance(value, bool) == isinstance(each, bool):
                return each
        raise refusal(f"must be one of {names}{got(value)}")

    return check


def field_of(option: Option) -> tuple[Any, Any]:
    """Type and default of the field for a search option."""
    kind: Any
    match option.kind:
        case Number(_, low, high, above):
            limits = Field(gt=low, le=high) if above else Field(ge=low, le=high)
            kind = Annotated[float, limits]
            if option.whole:
                kind = Annotated[int, Whole(int(low), int(high))]
        case OneOf(_, names):
            schema = WithJsonSchema({"enum": list(names())})
            kind = Annotated[str, BeforeValidator(one_of(names())), schema]
        case Switch(words) if words:
            schema = WithJsonSchema({"anyOf": [{"type": "boolean"}, {"enum": list(words)}]})
            kind = Annotated[bool | str, BeforeValidator(one_of((True, False, *words))), schema]
        case Switch():
            kind = bool
        case Text(_, longest):
            kind = Annotated[str, Field(max_length=longest)]
    if option.default is None:
        kind = kind | None
    return Annotated[kind, Field(description=option.help)], option.default


def at_most(count: int) -> BeforeValidator:
    """Refuses a longer list before its items are checked: each could have an error of its own."""

    def check(value: Any) -> Any:
        if isinstance(value, list) and len(value) > count:
            raise refusal(f"must have at most {count} items, not {len(value):,}")
        return value

    return BeforeValidator(check)


def check_picture(value: Any) -> str | bytes:
    """Base64 text in JSON, or bytes in a multipart body; it is decoded later."""
    if not isinstance(value, str | bytes):
        raise refusal("must be a picture, as base64 text")
    return value


def check_metadata(value: dict[str, Any]) -> dict[str, Any]:
    """Refuses metadata that the catalog cannot keep or JSON cannot carry back."""
    if wrong := metadata.fault(value):
        raise refusal(wrong)
    return value


Image = Annotated[
    str | bytes,
    BeforeValidator(check_picture),
    WithJsonSchema(
        {
            "type": "string",
            "contentEncoding": "base64",
            "contentMediaType": "image/*",
            "examples": [EXAMPLE],
        }
    ),
    Field(
        description="A picture file (JPEG, PNG, GIF, WebP, AVIF, HEIC, BMP, TIFF, …) as base64: "
        "plain, URL-safe or a data URL."
    ),
]
Metadata = Annotated[
    dict[str, Any],
    AfterValidator(check_metadata),
    Field(description="Any JSON object, stored with the picture."),
]
K = Annotated[int, Whole(1, MAX_K), Field(description="The largest number of hits.")]
Size = Annotated[
    int,
    BeforeValidator(one_of(THUMBNAIL_SIZES)),
    WithJsonSchema({"type": "integer", "enum": list(THUMBNAIL_SIZES)}),
    Field(description="Pixels of the longer side."),
]
Fraction = Annotated[float, Field(ge=0, le=1)]
Id = Annotated[int, Whole(1, LARGEST_ID)]
Words = Annotated[
    str,
    Field(
        min_length=1,
        max_length=1000,
        pattern=r"\S",
        description="What to look for, for networks that read text; see `text` of the model.",
    ),
]
Feedback = Annotated[
    list[Id],
    at_most(MAX_BATCH),
    Field(max_length=MAX_BATCH, description="Ids of hits that were liked, or were not."),
]
