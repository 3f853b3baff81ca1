"""For schemathesis: real pictures now and then, and what may become of a request that fits.

No schema can say "the bytes of a picture" or "a filter", so a request that fits its description
may still be refused: for its picture, its filter, an id that is not there. For nothing else.
"""

from typing import Any

import schemathesis
from schemathesis import Case, CheckContext, GenerationMode, HookContext, Response

from kkcv.serve.models.fields import EXAMPLE

MAY_REFUSE = (
    "bad-picture",
    "unknown-picture",
    "file-missing",
    "bad-range",
    "already-there",
    "nothing-to-undo",
)
BEYOND_SCHEMAS = (
    "text",
    "where",
    "region",
    "like",
    "unliked",
    "metadata",
    "max_chance",
    "verify",
    "copies",
)  # fields with rules that no schema says


def with_pictures(value: Any) -> Any:
    """Every second text that is called ``image`` becomes a picture."""
    if isinstance(value, dict):
        return {
            key: EXAMPLE
            if key == "image" and isinstance(each, str) and len(each) % 2
            else with_pictures(each)
            for key, each in value.items()
        }
    return [with_pictures(each) for each in value] if isinstance(value, list) else value


@schemathesis.hook
def map_body(context: HookContext, body: Any) -> Any:
    return with_pictures(body)


@schemathesis.check
def refused_for_the_picture_alone(context: CheckContext, response: Response, case: Case) -> None:
    meta = case.meta
    if meta is None or meta.generation.mode is not GenerationMode.POSITIVE:
        return
    if response.status_code >= 400:
        problem = response.json()
        allowed = problem["type"].rpartition("/")[2] in MAY_REFUSE
        allowed = allowed or problem.get("field", "").rpartition(".")[2] in BEYOND_SCHEMAS
        assert allowed, f"{case.method} {case.path} refused what fits: {response.text}"
