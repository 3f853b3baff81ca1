"""What was found, as grids of pictures: one, or two networks' answers side by side."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import PurePath
from typing import Any

import streamlit as st

from kkcv.errors import PictureError, RequestError, UnknownPicture
from kkcv.query import Text
from kkcv.search.options import SearchOptions

from .asking import (
    Question,
    answer,
    ask_with_file,
    ask_with_picture,
    go_back,
    questions,
    refuse,
    steer,
)
from .escaping import as_markdown
from .explaining import explain
from .grid import Action, Tile, grid
from .library import Entry, Found, Library
from .session import data_url, load
from .strings import Strings

BEGIN_WITH = 12


def show_answer(
    text: Strings, here: Library, other: Library | None, k: int, chosen: dict[str, Any]
) -> None:
    """The answer to the newest question, with k hits and the chosen search options."""
    question = questions()[-1]
    try:
        options = SearchOptions(**chosen)
        with st.spinner(text("search.searching")):
            hits = answer(here, question, k, options)
    except UnknownPicture:  # it was removed since
        go_back()
        st.rerun()
    except PictureError as error:
        go_back()
        refuse(question.name, error)
        st.rerun()
    except RequestError as error:
        st.error(as_markdown(text.error(error)))
        return
    if not hits:
        show_nothing(text)
    elif (
        other is not None
        and (other.reads or not isinstance(question.picture, Text))
        and st.toggle(text("compare.toggle"), key="comparing")
    ):
        show_both(text, here, other, question, k, options, hits)
    else:
        found = text("search.found", count=len(hits), total=here.count(options.where or ""))
        st.markdown(f"##### {found}")
        show_hits(text, here, hits, "hits")


def show_nothing(text: Strings) -> None:
    with st.container(key="nothing"):
        st.markdown(f"### {text('search.nothing')}")
        st.markdown(text("search.nothing_more"))


def show_start(text: Strings, here: Library, total: int) -> None:
    """Before the first question: what this is, and some pictures to begin with."""
    with st.container(key="start"):
        st.markdown(f"### {text('search.start')}")
        st.markdown(text("search.start_more", total=total))
    entries = here.page(BEGIN_WITH, None, "")
    grid(
        tiles_of(text, here, entries),
        key="hits",
        missing=text("search.missing"),
        on_pick=lambda id: ask_with_picture(here, id),
    )


def show_hits(text: Strings, here: Library, hits: Sequence[Found], key: str) -> None:
    """A click searches with a hit; its small buttons steer the answer."""
    entries = here.among([hit.id for hit in hits])
    scores = {hit.id: hit for hit in hits}
    actions = [
        Action("more", "+", text("search.more_like")),
        Action("less", "−", text("search.less_like")),
    ]
    if not isinstance(questions()[-1].picture, Text):
        actions.append(Action("why", "?", text("explain.title")))

    def act(name: str, id: int) -> None:
        if name == "why":
            st.session_state["why"] = id
        else:
            steer(id, more=name == "more")

    grid(
        tiles_of(text, here, entries, scores),
        key=key,
        missing=text("search.missing"),
        score=text("search.score"),
        on_pick=lambda id: ask_with_picture(here, id),
        actions=actions,
        on_act=act,
    )
    if (id := st.session_state.pop("why", None)) is not None:
        explain(here, questions()[-1], id)


def show_both(
    text: Strings,
    here: Library,
    other: Library,
    question: Question,
    k: int,
    options: SearchOptions,
    hits: Sequence[Found],
) -> None:
    """Two columns; a badge tells which place a picture has in the other one."""
    load(other, text)
    own = {entry.sha256 for entry in here.among(list(question.own))}
    theirs = other.search(question.elsewhere(here), k + len(own), options)
    mine, others = here.among([hit.id for hit in hits]), other.among([hit.id for hit in theirs])
    others = [entry for entry in others if entry.sha256 not in own][:k]
    both = {e.sha256 for e in mine} & {e.sha256 for e in others}
    st.markdown(f"##### {text('compare.both', count=len(both), total=len(mine))}")
    left, right = st.columns(2)
    with left:
        show_column(text, here, mine, {hit.id: hit for hit in hits}, others, ask_with_picture)
    with right:
        show_column(text, other, others, {hit.id: hit for hit in theirs}, mine, ask_with_copy)


def show_column(
    text: Strings,
    library: Library,
    entries: Sequence[Entry],
    hits: Mapping[int, Found],
    against: Sequence[Entry],
    ask: Callable[[Library, int], None],
) -> None:
    """One network's answer; ``against`` is the other's."""
    places = {entry.sha256: place for place, entry in enumerate(against, 1)}
    st.markdown(f"**{library.network}**")
    st.caption(as_markdown(PurePath(library.name).name))
    grid(
        tiles_of(text, library, entries, hits, places),
        key=f"hits-{ask.__name__}",
        missing=text("search.missing"),
        score=text("search.score"),
        on_pick=lambda id: ask(library, id),
        small=True,
    )


def ask_with_copy(other: Library, id: int) -> None:
    """Search with a picture of the other library, which may not be in this one."""
    entry = other.get(id)
    ask_with_file(entry.name, other.file(entry))


def tiles_of(
    text: Strings,
    library: Library,
    entries: Sequence[Entry],
    found: Mapping[int, Found] | None = None,
    places: Mapping[str, int] | None = None,
) -> list[Tile]:
    """Thumbnails with their names and, of hits, scores and places in another answer."""
    tiles = []
    for entry, small in zip(entries, library.thumbnails(entries), strict=True):
        hit = found[entry.id] if found else None
        place = places.get(entry.sha256) if places else None
        tiles.append(
            Tile(
                entry.id,
                data_url(small),
                entry.name,
                entry.path,
                text("search.use", name=entry.name),
                hit.score if hit else None,
                chance_in_words(text, hit.chance) if hit and hit.chance is not None else None,
                text("compare.place", place=place) if place else None,
                hit.place if hit else None,
            )
        )
    return tiles


def chance_in_words(text: Strings, rate: float) -> str:
    """The rate of unrelated pictures that score as high, as people say it."""
    if rate >= 0.5:
        return text("search.by_chance")
    return text("search.chance", count=f"{rounded(1 / rate):,}" if rate else "∞")


def rounded(number: float) -> int:
    """Two digits of it are all that is known."""
    return int(float(f"{number:.2g}"))
