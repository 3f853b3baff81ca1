"""A dialog to edit the metadata of one picture, or to set fields of several."""

import json
import time
from collections.abc import Mapping, Sequence
from typing import Any, Literal

import streamlit as st

from kkcv.search.describing.describing import as_value
from kkcv.search.picture import unknown
from kkcv.web.components.guard import guarded
from kkcv.web.components.markup import as_markdown
from kkcv.web.galleries.library import Change, Library
from kkcv.web.search.query_state import forget_answer
from kkcv.web.strings import Strings

NEW_ROWS = 2  # empty rows for new fields


def edit(text: Strings, here: Library, ids: Sequence[int]) -> None:
    """Open the dialog for these pictures (UnknownPicture).

    Only what differs from what it shows is saved: another visitor may change the rest meanwhile.
    """
    one = here.get(ids[0]) if len(ids) == 1 else None
    shown = one.metadata if one else {}
    opened = str(time.monotonic_ns())  # the inputs of a dialog that was closed are not shown again

    @st.dialog(text("edit.title"))
    @guarded
    def dialog() -> None:
        if one:
            st.caption(as_markdown(one.path))
        else:
            st.write(text("edit.many", count=len(ids)))
        said = fields(text, shown, opened)
        st.caption(text("edit.help"))
        if st.button(text("edit.save"), type="primary"):
            change = save(here, ids, shown, said)
            st.session_state.update(changed=("library.described", change), report=None)
            forget_answer()
            st.rerun()

    dialog()


def save(
    here: Library, ids: Sequence[int], shown: Mapping[str, Any], said: Mapping[str, Any]
) -> Change:
    """Put what was said in place of what was shown, and leave every other field as it is now.

    Raises UnknownPicture if none of the pictures is left.
    """
    new = {
        name: value
        for name, value in said.items()
        if name not in shown or json.dumps(shown[name]) != json.dumps(value)  # 1 is not true
    }
    entries = here.get_many(ids)
    if not entries:
        raise unknown(ids[0], here.name)
    metadata = {}
    for entry in entries:
        kept = {k: v for k, v in entry.metadata.items() if k in said or k not in shown}
        metadata[entry.id] = {**kept, **new}
    return here.describe(metadata)


def fields(text: Strings, metadata: Mapping[str, Any], key: str) -> dict[str, Any]:
    """Text inputs for names and values; the metadata that they hold."""
    said: dict[str, Any] = {}
    for row, (old, value) in enumerate([*metadata.items(), *[("", "")] * NEW_ROWS]):
        left, right = st.columns([1, 2])
        with left:
            name = line(text("edit.name"), old, f"name-{key}-{row}", shown=row == 0).strip()
        with right:
            words = line(text("edit.value"), as_text(value), f"value-{key}-{row}", shown=row == 0)
        if name:
            said[name] = value if words == as_text(value) else (as_value(words) if words else "")
    return said


def line(label: str, value: str, key: str, *, shown: bool) -> str:
    """A text input; only the first row shows its label, the others while they are empty."""
    visibility: Literal["visible", "collapsed"] = "visible" if shown else "collapsed"
    return (
        st.text_input(label, value, key=key, label_visibility=visibility, placeholder=label) or ""
    )


def as_text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
