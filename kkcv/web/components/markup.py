"""Names of files and classes as Markdown and HTML that show just them; pictures as addresses."""

import base64
from html import escape

from kkcv.images.source import printable


def as_markdown(name: str) -> str:
    return "".join(f"\\{c}" if c in r"\`*_{}[]()#+-.!|<>$:~^" else c for c in printable(name))


def as_html(name: object) -> str:
    return escape(str(name))


def data_url(content: bytes | None, kind: str = "image/jpeg") -> str | None:
    """The address that holds all of a picture, which may be missing."""
    return None if content is None else f"data:{kind};base64,{base64.b64encode(content).decode()}"
