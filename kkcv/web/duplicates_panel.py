"""Pictures that are the same or nearly: found in the background, reviewed a group at a time."""

from collections.abc import Sequence

import streamlit as st

from kkcv.errors import UnknownPicture
from kkcv.search.duplicates import Group, duplicates

from .browsing import choose, remove
from .job import Job, wait_for
from .library import Library
from .near import NearLibrary
from .strings import Strings

USUAL, LEAST = 0.95, 0.80
SHOWN = 20  # groups at once


def review_duplicates(text: Strings, here: Library) -> None:
    if not isinstance(here, NearLibrary):
        st.info(text("page.local_only"))
        return
    score = st.slider(text("duplicates.score"), LEAST, 1.0, USUAL, 0.01)
    if st.button(text("duplicates.look"), type="primary"):
        st.session_state["duplicates"] = Job(
            lambda job: duplicates(here.gallery, score, job.progress)
        )
    job: Job[list[Group]] | None = st.session_state.get("duplicates")
    if job is None:
        st.caption(text("duplicates.hint"))
    elif wait_for(job, text, text("duplicates.looking")) and job.result is not None:
        show_groups(text, here, job.result)


def show_groups(text: Strings, here: NearLibrary, groups: Sequence[Group]) -> None:
    """All but the largest file of each group are selected at first."""
    there = {p.id for g in groups for p in g.pictures if exists(here, p.id)}
    left = [g for g in groups if sum(p.id in there for p in g.pictures) > 1]
    if not left:
        st.success(text("duplicates.none"))
        return
    st.markdown(f"##### {text('duplicates.found', count=len(left))}")
    bar = st.container()
    selected: list[int] = []
    for group in left[:SHOWN]:
        entries = [here.get(p.id) for p in group.pictures if p.id in there]
        best = max(entries, key=lambda entry: entry.bytes)
        kind = "duplicates.exact" if group.exact else "duplicates.near"
        st.markdown(text(kind, count=len(entries), score=f"{group.similarity:.3f}"))
        others = [entry.id for entry in entries if entry is not best]
        selected += choose(text, here, entries, f"group-{group.pictures[0].id}", others)
    with bar:
        label = text("duplicates.remove", count=len(selected))
        if st.button(label, disabled=not selected):
            remove(here, selected)


def exists(here: NearLibrary, id: int) -> bool:
    try:
        here.get(id)
    except UnknownPicture:
        return False
    return True
