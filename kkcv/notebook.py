"""Values as a notebook shows them: HTML without a style sheet, in the notebook's own colors."""

import base64
from collections.abc import Iterable, Sequence
from html import escape
from typing import Any


def table(columns: Sequence[str], rows: Iterable[Sequence[Any]], title: str = "") -> str:
    """A table; numbers are aligned right."""
    head = "".join(f"<th>{escape(name)}</th>" for name in columns)
    body = "".join(f"<tr>{''.join(map(cell, row))}</tr>" for row in rows)
    caption = f"<caption>{escape(title)}</caption>" if title else ""
    return f"<table>{caption}<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def cell(value: Any) -> str:
    number = isinstance(value, int | float)
    text = f"{value:,}" if number else escape(str(value))
    return f'<td style="text-align:{"right" if number else "left"}">{text}</td>'


def thumbnails(pictures: Iterable[tuple[bytes | None, str, str]]) -> str:
    """Pictures beside each other: a JPEG or None, the text below it, its tooltip."""
    return (
        f'<div style="display:flex;flex-wrap:wrap;gap:8px">{"".join(map(figure, pictures))}</div>'
    )


def figure(picture: tuple[bytes | None, str, str]) -> str:
    jpeg, caption, tooltip = picture
    if jpeg is None:
        shown = '<div style="height:96px;width:96px;border:1px dashed gray"></div>'
    else:
        data = base64.b64encode(jpeg).decode()
        shown = f'<img src="data:image/jpeg;base64,{data}" style="height:96px" alt="">'
    return (
        f'<figure style="margin:0;max-width:160px" title="{escape(tooltip)}">{shown}'
        f'<figcaption style="font-size:smaller;overflow-wrap:anywhere">{escape(caption)}'
        "</figcaption></figure>"
    )
