"""Reviewing duplicates, which are found in the background."""

from collections.abc import Sequence

import streamlit as st

from kkcv.web.components.guard import attempted
from kkcv.web.components.job import Job, wait_for
from kkcv.web.galleries.library import Entry, Group, Library
from kkcv.web.strings import Strings

from .browse import choose, remove

USUAL, LEAST = 0.95, 0.80  # scores; below the least most groups are only alike
SHOWN = 20  # groups at first, and more at each click


def review_duplicates(text: Strings, here: Library) -> None:
    score = st.slider(text("duplicates.score"), LEAST, 1.0, USUAL, 0.01)
    copies = st.toggle(text("duplicates.copies"), help=text("duplicates.copies_help"))
    if st.button(text("duplicates.look"), type="primary"):
        looking = Job(lambda job: here.duplicates(score, job.progress, copies))
        st.session_state.update({"duplicates": looking, "groups-shown": SHOWN})
    job: Job[Sequence[Group]] | None = st.session_state.get("duplicates")
    if job is None:
        st.caption(text("duplicates.hint"))
    elif wait_for(job, text, text("duplicates.looking")) and job.result is not None:
        show_groups(text, here, job.result)


def show_groups(text: Strings, here: Library, groups: Sequence[Group]) -> None:
    """The groups. Only copies of the same bytes are selected at first, all but the oldest."""
    decided = st.session_state.setdefault("kept-both", set())
    there = {entry.id: entry for entry in here.get_many(id for each in groups for id in each.ids)}
    left = [(group, [there[id] for id in group.ids if id in there]) for group in groups]
    left = [(group, entries) for group, entries in left if len(entries) > 1]
    left = [(group, entries) for group, entries in left if tuple(group.ids) not in decided]
    if not left:
        st.success(text("duplicates.none"))
        return
    st.markdown(f"##### {text('duplicates.found', count=len(left))}")
    bar = st.container()
    selected: list[int] = []
    shown = st.session_state["groups-shown"]
    for group, entries in left[:shown]:
        kind = text("duplicates.exact", count=len(entries))
        if not group.exact:
            score = f"{group.similarity:.3f}"
            kind = text("duplicates.near", count=len(entries), score=score)
        st.markdown(kind)
        chosen = spare(entries)
        selected += choose(text, here, entries, f"group-{group.ids[0]}", chosen)
        st.button(
            text("duplicates.keep" if len(entries) == 2 else "duplicates.keep_all"),
            key=f"keep-{group.ids[0]}",
            on_click=keep_both,
            args=(here, group, [entry.id for entry in entries]),
        )
    if len(left) > shown:
        more = text("duplicates.more", count=min(SHOWN, len(left) - shown))
        st.button(more, on_click=show_more)
    with bar:
        label = text("duplicates.remove", count=len(selected))
        st.button(label, disabled=not selected, on_click=remove, args=(here, selected))


def show_more() -> None:
    st.session_state["groups-shown"] += SHOWN


@attempted
def keep_both(here: Library, group: Group, ids: Sequence[int]) -> None:
    """Remember that these of a group, all that are left, are no duplicates."""
    here.keep_both(ids)
    st.session_state["kept-both"].add(tuple(group.ids))


def spare(entries: Sequence[Entry]) -> list[int]:
    """The ids of those whose bytes another one before them has: removing them loses nothing."""
    first = {entry.sha256: entry.id for entry in reversed(entries)}
    return [entry.id for entry in entries if entry.id != first[entry.sha256]]
