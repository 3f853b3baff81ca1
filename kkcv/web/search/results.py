"""The hits as a grid of pictures, or those of two networks side by side."""

from collections.abc import Callable, Sequence
from itertools import zip_longest
from pathlib import PurePath
from typing import Any

import streamlit as st

from kkcv.errors import PictureError, RequestError, UnknownPicture
from kkcv.hit import Hit
from kkcv.hits import Hits
from kkcv.images.source import printable
from kkcv.query import Text
from kkcv.search.options import SearchOptions
from kkcv.search.picture import unknown
from kkcv.web.components.grid import Action, Tile, grid
from kkcv.web.components.guard import tell
from kkcv.web.components.markup import as_markdown, data_url
from kkcv.web.galleries.library import Entry, Library, name_of
from kkcv.web.session import load
from kkcv.web.strings import Strings

from .dialogs import explain, show_large
from .query_state import (
    Query,
    answer,
    go_back,
    queries,
    refuse,
    search_with_file,
    search_with_picture,
    steer,
)

BEGIN_WITH = 12  # full rows of 2, 3, 4 or 6
MATCHES = {
    "whole": "match.whole",
    "mirrored": "match.mirrored",
    "turned": "match.turned",
    "crop": "match.crop",
    "in the query": "match.in_the_query",
}


def show_answer(
    text: Strings, here: Library, other: Library | None, total: int, k: int, chosen: dict[str, Any]
) -> None:
    """The hits of the newest query: k of ``total`` pictures, with the chosen options."""
    query = queries()[-1]
    try:
        options = SearchOptions(**chosen)
        with st.spinner(text("search.searching")):
            hits = answer(here, total, query, k, options)
    except UnknownPicture as error:
        tell(error)
        go_back()
        st.rerun()
    except PictureError as error:
        go_back()
        refuse(query.name, error)
        st.rerun()
    except RequestError as error:
        st.error(as_markdown(text.error(error)))
        return
    if not hits:
        with st.container(key="nothing"):
            st.markdown(f"### {text('search.nothing')}")
            st.markdown(text("search.nothing_more"))
    elif (
        other is not None
        and (other.model.text or not isinstance(query.picture, Text))
        and st.toggle(text("compare.toggle"), key="comparing")
    ):
        show_both(text, here, other, query, k, options, hits)
    else:
        if options.where:
            total = here.count(options.where)
        title = text("search.found", count=len(hits), total=total)
        if hits.divider == 0:
            title = text("search.no_copy" if hits.copies else "search.unlike")
        elif hits.copies and hits.divider is not None:
            more = hits.divider >= k and total > k  # k hits are not all of them
            name = "search.copies_or_more" if more else "search.copies"
            title = text(name, count=min(hits.divider, len(hits)), total=total)
        st.markdown(f"##### {title}")
        show_hits(text, here, hits)


def show_start(text: Strings, here: Library, total: int) -> None:
    """Before the first query: an introduction, and pictures to begin with."""
    with st.container(key="start"):
        st.markdown(f"### {text('search.start')}")
        st.markdown(text("search.start_more", total=total))
    entries = here.starters(BEGIN_WITH)
    grid(
        tiles_of(text, here, entries),
        key="hits",
        missing=text("search.missing"),
        on_pick=lambda id: search_with_picture(here, id),
    )


def show_hits(text: Strings, here: Library, hits: Hits) -> None:
    """A click on a hit searches with it; its small buttons give feedback."""
    actions = [
        Action("more", "+", text("search.more_like")),
        Action("less", "−", text("search.less_like")),
        Action("large", "⤢", text("page.large")),
    ]
    if not isinstance(queries()[-1].picture, Text):
        actions.append(Action("why", "?", text("explain.title")))

    def act(name: str, id: int) -> None:
        if name in ("why", "large"):
            st.session_state["asked"] = name, id
        else:
            steer(id, more=name == "more")

    grid(
        tiles_of(text, here, hits),
        key="hits",
        missing=text("search.missing"),
        score=text("search.score"),
        on_pick=lambda id: search_with_picture(here, id),
        actions=actions,
        on_act=act,
        divider=divider_of(text, hits),
    )
    if asked := st.session_state.pop("asked", None):
        name, id = asked
        hit = next((hit for hit in hits if hit.id == id), None)
        if hit is None:
            tell(unknown(id, here.name))
        elif name == "why":
            explain(here, queries()[-1], hit)
        else:
            show_large(here, hit)


def show_both(
    text: Strings,
    here: Library,
    other: Library,
    query: Query,
    k: int,
    options: SearchOptions,
    hits: Hits,
) -> None:
    """Two columns; a badge has the rank of a picture in the other one."""
    load(other, text)
    own = {entry.sha256 for entry in here.get_many(query.own)}
    mine = with_hashes(here, hits)
    # more, as pictures of the query itself may be among them
    found = with_hashes(other, other.search(query.elsewhere(here), k + len(own), options))
    theirs = [(sha256, hit) for sha256, hit in found if sha256 not in own][:k]
    both = dict(mine).keys() & dict(theirs).keys()
    st.markdown(f"##### {text('compare.both', count=len(both), total=len(mine))}")
    left, right = st.columns(2)
    with left:
        show_column(text, here, mine, theirs, search_with_picture)
    with right:
        show_column(text, other, theirs, mine, search_with_copy)


Hashed = Sequence[tuple[str, Hit]]


def with_hashes(library: Library, hits: Sequence[Hit]) -> Hashed:
    """Hits with the sha256 of their files, which tells the same pictures of two libraries."""
    hashes = {entry.id: entry.sha256 for entry in library.get_many(hit.id for hit in hits)}
    return [(hashes[hit.id], hit) for hit in hits if hit.id in hashes]


def show_column(
    text: Strings,
    library: Library,
    hits: Hashed,
    others: Hashed,
    ask: Callable[[Library, int], None],
) -> None:
    """The hits of one network; a badge has the rank of each among the ``others``."""
    ranks = {sha256: rank for rank, (sha256, _) in enumerate(others, 1)}
    st.markdown(f"**{library.model.network}**")
    st.caption(as_markdown(PurePath(library.name).name))
    grid(
        tiles_of(text, library, [hit for _, hit in hits], [ranks.get(sha) for sha, _ in hits]),
        key=f"hits-{ask.__name__}",
        missing=text("search.missing"),
        score=text("search.score"),
        on_pick=lambda id: ask(library, id),
        small=True,
    )


def search_with_copy(other: Library, id: int) -> None:
    """Search with a picture of the other library, which may not be in this one."""
    search_with_file(name_of(other.get(id)), other.file(id))


def tiles_of(
    text: Strings,
    library: Library,
    pictures: Sequence[Entry | Hit],
    ranks: Sequence[int | None] = (),
) -> list[Tile]:
    """Thumbnails with their names and, of hits, their scores.

    ``ranks`` are those in another answer, counted from 1.
    """
    tiles = []
    smalls = library.thumbnails(pictures)
    for picture, small, rank in zip_longest(pictures, smalls, ranks):
        hit = picture if isinstance(picture, Hit) else None
        name = name_of(picture)
        tiles.append(
            Tile(
                picture.id,
                data_url(small),
                name,
                printable(picture.path),
                text("search.use", name=name),
                hit.score if hit else None,
                note_of(text, hit, small is not None) if hit else None,
                text("compare.place", place=rank) if rank else None,
                hit.place if hit else None,
            )
        )
    return tiles


def divider_of(text: Strings, hits: Hits) -> tuple[int, str] | None:
    """The place of the divider and its text; None if it is unknown, or after the last hit."""
    if hits.divider is None or hits.divider >= len(hits):
        return None
    return hits.divider, text("search.copies_end" if hits.copies else "search.divider")


def note_of(text: Strings, hit: Hit, pictured: bool) -> str | None:
    """How surely a hit is alike, how often chance makes its score, or what was done to it to get
    the query, and whether its file is missing.

    A hit that is not ``pictured`` says that its file is missing in place of the picture.
    """
    told = [text("search.missing")] if hit.missing and pictured else []
    if hit.likeness is not None:
        told.append(text(f"likeness.{hit.likeness.replace(' ', '_')}"))
    if hit.chance is not None and not hit.match:  # a copy is confirmed by its points
        told.append(chance_in_words(text, hit.chance, hit.or_less))
    for done in filter(None, hit.match.split(", ")):
        name, _, degrees = done.partition(" by ")
        told.append(text(MATCHES[name], degrees=degrees))
    return " · ".join(told) or None


def chance_in_words(text: Strings, rate: float, or_less: bool = False) -> str:
    """The rate of unrelated pictures that score as high, in words."""
    if rate >= 0.5:  # "1 in 1" would say less
        return text("search.by_chance")
    name = "search.chance_or_less" if or_less else "search.chance"
    return text(name, count=f"{rounded(1 / rate):,}" if rate else "∞")


def rounded(number: float) -> int:
    """Rounded to two digits; the rate is not known better."""
    return int(float(f"{number:.2g}"))
