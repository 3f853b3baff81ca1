"""Reviewing duplicates, which are found in the background."""

from collections.abc import Sequence

import streamlit as st

from kkcv.web.components.job import Job, wait_for
from kkcv.web.libraries.library import DuplicateGroup, Library
from kkcv.web.strings import Strings

from .browse import choose, remove

USUAL, LEAST = 0.95, 0.80
SHOWN = 20  # groups at once


def review_duplicates(text: Strings, here: Library) -> None:
    score = st.slider(text("duplicates.score"), LEAST, 1.0, USUAL, 0.01)
    if st.button(text("duplicates.look"), type="primary"):
        st.session_state["duplicates"] = Job(lambda job: here.duplicates(score, job.progress))
    job: Job[list[DuplicateGroup]] | None = st.session_state.get("duplicates")
    if job is None:
        st.caption(text("duplicates.hint"))
    elif wait_for(job, text, text("duplicates.looking")) and job.result is not None:
        show_groups(text, here, job.result)


def show_groups(text: Strings, here: Library, groups: Sequence[DuplicateGroup]) -> None:
    """The groups; all but the largest file of each are selected at first."""
    there = {entry.id: entry for entry in here.get_many(id for each in groups for id in each.ids)}
    left = [(group, [there[id] for id in group.ids if id in there]) for group in groups]
    left = [(group, entries) for group, entries in left if len(entries) > 1]
    if not left:
        st.success(text("duplicates.none"))
        return
    st.markdown(f"##### {text('duplicates.found', count=len(left))}")
    bar = st.container()
    selected: list[int] = []
    for group, entries in left[:SHOWN]:
        best = max(entries, key=lambda entry: entry.bytes)
        kind = text("duplicates.exact", count=len(entries))
        if not group.exact:
            score = f"{group.similarity:.3f}"
            kind = text("duplicates.near", count=len(entries), score=score)
        st.markdown(kind)
        others = [entry.id for entry in entries if entry is not best]
        selected += choose(text, here, entries, f"group-{group.ids[0]}", others)
    with bar:
        label = text("duplicates.remove", count=len(selected))
        if st.button(label, disabled=not selected):
            remove(here, selected)
