"""The fields of requests: what each may be, said once for the check and for the description."""

import json
from dataclasses import dataclass
from typing import Annotated, Any, Literal, get_args

from pydantic import AfterValidator, BeforeValidator, Field, GetCoreSchemaHandler, WithJsonSchema
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

from kkcv.search.ranking.names import RANKINGS

MAX_K = 1000
MAX_BATCH = 16  # queries or pictures in one request
MAX_METADATA = 16 * 1024  # characters of JSON
MAX_DEPTH = 16
LARGEST_ID = 2**63 - 1  # in SQLite
THUMBNAIL_SIZES = (128, 256, 512)
HitField = Literal["path", "url", "metadata", "chance", "place", "folded"]
HIT_FIELDS = get_args(HitField)

# A blue square of 8 × 8 pixels with an orange disk, as PNG.
EXAMPLE = (
    "iVBORw0KGgoAAAANSUhEUgAAAAgAAAAIAQMAAAD+wSzIAAAABlBMVEXmeCg8jNz8fDjDAAAAGElEQVR42mP4z3SEWYGJ"
    "gYmBiYHhMMN/AB4NA7F6EUCCAAAAAElFTkSuQmCC"
)


def refusal(message: str) -> PydanticCustomError:
    """What a validator raises: the message goes behind the name of the field."""
    return PydanticCustomError("refused", "{message}", {"message": message})


def got(value: Any) -> str:
    """``, got 'ten'``: a value that was sent, if it is short. A picture never is."""
    plain = value is None or isinstance(value, bool | int | float | str)
    if not plain or (isinstance(value, str) and len(value) > 20):
        return ""
    text = ascii(value)
    return f", got {text}" if len(text) <= 32 else ""


@dataclass(frozen=True)
class Whole:
    """A whole number. 20.0 is one, as JSON Schema has it; ``true`` and ``"20"`` are not."""

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


def check_picture(value: Any) -> str | bytes:
    """Base64 text in JSON, or bytes in a multipart body; decoding it is the next step."""
    if not isinstance(value, str | bytes):
        raise refusal("must be a picture, as base64 text")
    return value


def picture_id(text: str) -> int | None:
    """The id that a part of an address stands for, or None where it cannot be one."""
    if not (text.isascii() and text.isdecimal() and len(text) <= 19):
        return None
    return int(text) if 1 <= int(text) <= LARGEST_ID else None


def check_metadata(value: dict[str, Any]) -> dict[str, Any]:
    """What the catalog can keep, and JSON can carry back."""
    if deeper(value, MAX_DEPTH):
        raise refusal(f"must not be nested more than {MAX_DEPTH} deep")
    try:
        text = json.dumps(value, ensure_ascii=False, allow_nan=False)
        text.encode()
    except UnicodeEncodeError:
        raise refusal("has half of a surrogate pair in it, which is no character") from None
    except ValueError:
        raise refusal("has a number in it that is not finite") from None
    if len(text) > MAX_METADATA:
        raise refusal(f"must be at most {MAX_METADATA:,} characters of JSON, not {len(text):,}")
    return value


def deeper(value: Any, levels: int) -> bool:
    """Whether there are more levels of objects and lists."""
    if not isinstance(value, dict | list):
        return False
    inner = value.values() if isinstance(value, dict) else value
    return levels == 0 or any(deeper(each, levels - 1) for each in inner)


def check_ranking(value: str | None) -> str | None:
    if value is not None and value not in RANKINGS:
        raise refusal(f"must be one of {', '.join(RANKINGS)}{got(value)}")
    return value


def check_verify(value: Any) -> Any:
    if not isinstance(value, bool) and value != "ties":
        raise refusal(f"must be true, false or ties{got(value)}")
    return value


def check_size(value: Any) -> int:
    if isinstance(value, bool) or value not in THUMBNAIL_SIZES:
        raise refusal(f"must be one of {', '.join(map(str, THUMBNAIL_SIZES))}{got(value)}")
    return int(value)


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
    Field(description="Any JSON object; kept beside the picture as it is."),
]
K = Annotated[int, Whole(1, MAX_K), Field(description="How many hits at most.")]
Score = Annotated[
    float, Field(ge=-1, le=1, description="Cosine similarity, from -1 to 1; 1 is nearest.")
]
MinScore = Annotated[
    float, Field(ge=-1, le=1, description="Only hits with this score or a higher one.")
]
Where = Annotated[
    str,
    Field(
        max_length=2000,
        description='Only pictures that match, such as `label == "cat" and year >= 2020`; '
        "names are keys of the metadata, or id, path, bytes, added. Empty: all.",
    ),
]
Size = Annotated[
    int,
    BeforeValidator(check_size),
    WithJsonSchema({"type": "integer", "enum": list(THUMBNAIL_SIZES)}),
    Field(description="Of the longest side, in pixels."),
]
Fraction = Annotated[float, Field(ge=0, le=1)]

Id = Annotated[int, Whole(1, LARGEST_ID)]
MaxChance = Annotated[
    float | None,
    Field(
        gt=0,
        le=1,
        description="Only hits whose score unrelated pictures reach no more often than this.",
    ),
]
Ranking = Annotated[
    str | None,
    AfterValidator(check_ranking),
    WithJsonSchema({"anyOf": [{"enum": list(RANKINGS)}, {"type": "null"}]}),
    Field(description="The order of the hits; null: the gallery's own."),
]
Verify = Annotated[
    bool | Literal["ties"],
    BeforeValidator(check_verify),
    Field(
        description="Look for what the query shows in the first hits, and put those first where it "
        "is; ties: only where the scores do not decide."
    ),
]
Words = Annotated[
    str,
    Field(
        min_length=1,
        max_length=1000,
        pattern=r"\S",
        description="What is to be seen, for networks that read; see `text` of the model.",
    ),
]
Fold = Annotated[
    float | None,
    Field(
        gt=0, le=1, description="Hits that score this or more with a better one are folded into it."
    ),
]
Feedback = Annotated[
    list[Id],
    Field(max_length=MAX_BATCH, description="Ids of hits that were liked, or were not."),
]
Fields = Annotated[
    list[HitField] | None,
    Field(description="Which fields a hit has beside id and score; null: all."),
]
