"""A dialog to edit the metadata of one picture, or to set fields of several."""

import json
from collections.abc import Mapping, Sequence
from typing import Any, Literal

import streamlit as st

from kkcv.search.describing import as_value
from kkcv.web.components.markup import as_markdown
from kkcv.web.libraries.library import Library
from kkcv.web.search.query_state import forget_answer
from kkcv.web.strings import Strings

NEW_ROWS = 2  # empty rows for new fields


def edit(text: Strings, here: Library, ids: Sequence[int]) -> None:
    """Open the dialog for these pictures."""

    @st.dialog(text("edit.title"))
    def dialog() -> None:
        one = here.get(ids[0]) if len(ids) == 1 else None
        if one:
            st.caption(as_markdown(one.path))
        else:
            st.write(text("edit.many", count=len(ids)))
        changed = fields(text, one.metadata if one else {}, str(one.id) if one else "many")
        st.caption(text("edit.help"))
        if st.button(text("edit.save"), type="primary"):
            for entry in [one] if one else here.get_many(ids):
                here.describe(entry.id, changed if one else {**entry.metadata, **changed})
            forget_answer()
            st.rerun()

    dialog()


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
    """A text input; only the first row shows its label."""
    visibility: Literal["visible", "collapsed"] = "visible" if shown else "collapsed"
    return st.text_input(label, value, key=key, label_visibility=visibility) or ""


def as_text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
