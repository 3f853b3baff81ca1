"""Metadata of a picture: a JSON object of bounded size, also where it comes from outside."""

import json
from collections.abc import Mapping
from typing import Any

from kkcv.errors import RequestError
from kkcv.query import plain

MAX_METADATA = 16 * 1024  # characters of JSON
MAX_DEPTH = 16  # no reader of the JSON then meets its limit of recursion
EXIF = "exif"  # the key of what a file tells of its photograph (images/exif.py)


def storable(metadata: Mapping[str, Any] | None) -> dict[str, Any]:
    """Metadata that can be stored, exported and imported again; none are {} (RequestError)."""
    if metadata is not None and not isinstance(metadata, Mapping):
        raise RequestError(f"metadata is a dict, got {metadata!r:.60}", field="metadata")
    found = dict(metadata or {})
    if wrong := fault(found):
        raise RequestError(f"metadata {wrong}", field="metadata")
    kept: dict[str, Any] = json.loads(json.dumps(found, default=plain))
    return kept


def with_exif(metadata: dict[str, Any], exif: Mapping[str, Any]) -> dict[str, Any]:
    """Metadata with what the file tells under ``exif``, instead of an earlier file's.

    What would be too much together is left out.
    """
    told = {**metadata, EXIF: dict(exif)}
    if not exif:
        del told[EXIF]
    return metadata if fault(told) else told


def fault(metadata: dict[str, Any]) -> str | None:
    """Why JSON cannot carry metadata, or too much of it: "must …" or "has …"; None if it can."""
    if deeper(metadata, MAX_DEPTH):
        return f"must not be nested more than {MAX_DEPTH} deep"
    if (key := key_of_no_text(metadata)) is not None:
        return f"must have texts as keys, not {key!r:.60}"
    try:
        text = json.dumps(metadata, ensure_ascii=False, allow_nan=False, default=plain)
        text.encode()
    except UnicodeEncodeError:
        return "has half of a surrogate pair in it, which is not a character"
    except TypeError as error:
        return f"must be what JSON can hold ({error})"
    except ValueError:
        return "has a number in it that is not finite"
    if len(text) > MAX_METADATA:
        return f"must be at most {MAX_METADATA:,} characters of JSON, not {len(text):,}"
    return None


def deeper(value: Any, levels: int) -> bool:
    """Whether there are more levels of objects and lists."""
    if not isinstance(value, dict | list | tuple):
        return False
    inner = value.values() if isinstance(value, dict) else value
    return levels == 0 or any(deeper(each, levels - 1) for each in inner)


def key_of_no_text(value: Any) -> Any:
    """A key that is no text, which JSON would make one; None if there is none."""
    if isinstance(value, list | tuple):
        inner = value
    elif isinstance(value, dict):
        if odd := [key for key in value if not isinstance(key, str)]:
            return repr(odd[0]) if odd[0] is None else odd[0]
        inner = tuple(value.values())
    else:
        return None
    return next((key for each in inner if (key := key_of_no_text(each)) is not None), None)


def read_metadata(text: str | bytes) -> dict[str, Any]:
    """Metadata from their JSON; a NaN that an older kkcv has let in is null (ValueError)."""
    return json.loads(text, parse_constant=lambda name: None)
