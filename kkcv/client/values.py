"""Values of Python as the JSON of the service, and back."""

import base64
import json
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from kkcv import hits
from kkcv.errors import RequestError
from kkcv.hit import Hit
from kkcv.images.source import Source, read_bytes
from kkcv.metadata import storable
from kkcv.query import Like, Text
from kkcv.serve.models.responses import Added, Hits, PictureInfo
from kkcv.where import as_text

Answer = TypeVar("Answer", bound=BaseModel)


class AddedPicture(PictureInfo):
    """A picture that was sent; ``new`` says whether it was added, or was there already.

    It equals other answers about the same picture.
    """

    new: bool

    def __eq__(self, other: object) -> bool:
        mine, theirs = dict(self), dict(other) if isinstance(other, PictureInfo) else {}
        return {**mine, "new": None} == {**theirs, "new": None}


def parsed(model: type[Answer], content: bytes) -> Answer:
    """A response of the service, with paths that need not be UTF-8."""
    try:
        return model.model_validate_json(content)
    except ValidationError:  # pydantic reads no half of a surrogate pair
        return model.model_validate(json.loads(content))


def added(picture: PictureInfo, status: int) -> AddedPicture:
    return AddedPicture(**dict(picture), new=status == 201)  # 201 Created; 200: it was there


def hits_of(found: Hits, request: Mapping[str, Any]) -> hits.Hits:
    """The hits as a gallery gives them; fields that were not requested have their defaults."""
    return hits.Hits(
        (Hit(**dict(each)) for each in found.hits),
        divider=found.divider,
        copies=bool(request.get("copies")),
    )


def which(picture: Source | int | Text) -> dict[str, Any]:
    """A picture to send, the id of one, or a text, as JSON."""
    if isinstance(picture, Text):
        return {"text": picture.text}
    return {"id": picture} if isinstance(picture, int) else {"image": as_base64(picture)}


def like_as_json(like: Like) -> dict[str, Any]:
    """A part of a query as JSON."""
    region = {"region": asdict(like.region)} if like.region else {}
    return {**which(like.picture), "weight": like.weight, **region}


def problem_bytes(added: Added) -> bytes:
    return b"" if added.problem is None else added.problem.model_dump_json().encode()


def as_metadata(metadata: Mapping[str, Any]) -> dict[str, Any]:
    """Metadata as a gallery takes them, but no None for none (RequestError)."""
    if metadata is None:
        raise RequestError("metadata is a dict, got None", field="metadata")
    return storable(metadata)


def in_words(request: Mapping[str, Any]) -> dict[str, Any]:
    """A request whose filter may be a mapping, with its text."""
    return {**request, "where": as_text(request["where"])} if "where" in request else {**request}


def as_base64(picture: Source) -> str:
    return base64.b64encode(read_bytes(picture)).decode()
