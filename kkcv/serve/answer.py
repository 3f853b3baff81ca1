"""What a route answers with, when it is more than a body with status 200."""

from typing import NamedTuple

from pydantic import BaseModel


class Answer(NamedTuple):
    content: BaseModel
    status: int
    headers: dict[str, str]
