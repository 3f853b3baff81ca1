"""Statistics of the library: figures, growth, distribution of scores, and a map."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import PurePath
from typing import Any

import altair as alt
import numpy as np
import streamlit as st

from kkcv.images.decode import decode
from kkcv.images.limits import DEFAULT_LIMITS
from kkcv.images.thumbnails import shrink
from kkcv.web.components.job import Job, wait_for
from kkcv.web.components.map import show_map
from kkcv.web.components.markup import data_url
from kkcv.web.galleries.library import Entry, Library, name_of
from kkcv.web.galleries.local_library import LocalLibrary
from kkcv.web.strings import Strings

from .browse import find_similar
from .map_layout import clusters, plane

ON_MAP = 800  # pictures at most: a sample of a larger library
SMALL = 80  # pixels
GROUPS = range(2, 41)  # numbers of values that colors can tell apart
BINS = 40  # of the scores from -0.2 to 1: each 0.03 wide
ACCENT = "#0d9488"
MIB = 1024 * 1024
# Labels of times without the English names of months and the hours of a twelve-hour clock.
TIMES = {
    "year": "%Y",
    "quarter": "%Y-%m",
    "month": "%Y-%m",
    "week": "%m-%d",
    "date": "%m-%d",
    "hours": "%H:%M",
    "minutes": "%H:%M",
    "seconds": "%H:%M:%S",
}


@dataclass(frozen=True)
class Overview:
    """A sample of a library: its map, points (N, 2), and scores with the nearest and all others."""

    entries: list[Entry]
    smalls: list[str | None]
    points: np.ndarray
    clusters: np.ndarray
    nearest: np.ndarray
    others: np.ndarray


def show_statistics(text: Strings, here: Library) -> None:
    show_facts(text, here.facts())
    if not isinstance(here, LocalLibrary):
        st.info(text("page.local_only"))
        return
    total = here.count()
    if total == 0:
        return
    show_growth(text, here)
    key = (here.name, here.model.fingerprint, total)
    if st.session_state.get("overview_of") != key:
        st.session_state["overview_of"] = key
        st.session_state["overview"] = Job(lambda job: overview(here, job))
    job: Job[Overview] = st.session_state["overview"]
    if not wait_for(job, text, text("statistics.drawing")):
        return
    if job.result is None:
        st.info(text("statistics.stopped"))
        if st.button(text("statistics.again")):
            st.session_state["overview_of"] = None
            st.rerun()
    else:
        show_scores(text, job.result)
        show_plane(text, here, job.result)


def overview(here: LocalLibrary, job: Job[Overview]) -> Overview:
    """Lay out an even sample of the library."""
    ids, vectors = sample(here)
    entries = here.get_many(ids.tolist())
    there = np.isin(ids, [entry.id for entry in entries])  # the others were removed meanwhile
    vectors = vectors[there]
    smalls = []
    for number, entry in enumerate(entries):
        job.progress(number, 2 * len(entries))
        smalls.append(data_url(tiny(here.thumbnails([entry])[0])))
    points = plane(vectors, lambda done, total: job.progress(total + done, 2 * total))
    scores = vectors @ vectors.T
    others = scores[np.triu_indices(len(scores), 1)]
    np.fill_diagonal(scores, -1)  # no picture is its own nearest
    nearest = scores.max(1) if len(scores) > 1 else scores[:0, 0]
    return Overview(entries, smalls, points, clusters(vectors), nearest, others)


def sample(here: LocalLibrary) -> tuple[np.ndarray, np.ndarray]:
    """Ids int64 (N,), ascending, and vectors float32 (N, D), N at most ON_MAP."""
    total = here.count()
    places = np.unique(np.linspace(0, total - 1, min(total, ON_MAP)).astype(int))
    ids, vectors, seen = [], [], 0
    with here.gallery.catalog.reading() as rows:
        for some, theirs in rows.vectors():
            inside = places[(places >= seen) & (places < seen + len(some))] - seen
            ids.append(some[inside])
            vectors.append(theirs[inside])
            seen += len(some)
    return np.concatenate(ids), np.concatenate(vectors)


def tiny(small: bytes | None) -> bytes | None:
    return small and shrink(decode(small, DEFAULT_LIMITS), SMALL)


def show_facts(text: Strings, facts: dict[str, Any]) -> None:
    index = facts["index"]
    kind = index.get("kind", "?")
    figures = [
        (text("statistics.pictures"), f"{facts['pictures']:,}"),
        (text("statistics.files"), f"{facts['picture_bytes'] / MIB:,.1f} MB"),
        (text("statistics.catalog"), f"{facts['catalog_bytes'] / MIB:,.1f} MB"),
        (text("statistics.vector"), f"{facts['dim']} × {facts['vectors']}"),
        (text("statistics.index"), text("statistics.exact") if kind == "exact" else kind),
        (text("statistics.recall"), f"{100 * index.get('recall', 1.0):.1f}%"),
    ]
    with st.container(key="facts", horizontal=True):
        for label, value in figures:
            st.metric(label, value, width="content")


def show_growth(text: Strings, here: LocalLibrary) -> None:
    """A chart of the number of pictures over time."""
    times = np.sort([picture.added_seconds for picture in here.gallery.pictures()])
    places = np.unique(np.linspace(0, len(times) - 1, 200).astype(int))
    points = [(float(times[n]), int(n) + 1) for n in places] + [(time.time(), len(times))]
    rows = [{"t": datetime.fromtimestamp(t).isoformat(), "n": n} for t, n in points]
    line = (
        alt.Chart(alt.Data(values=rows))
        .mark_area(line={"color": ACCENT}, color=ACCENT, opacity=0.25, interpolate="step-after")
        .encode(
            alt.X("t:T", title=None, axis=alt.Axis(format=TIMES, tickCount=6, labelOverlap=True)),
            alt.Y("n:Q", title=None, stack=None),
            [
                alt.Tooltip("t:T", title=text("statistics.when"), format="%Y-%m-%d %H:%M"),
                alt.Tooltip("n:Q", title=text("statistics.pictures")),
            ],
        )
        .properties(height=200)
    )
    st.markdown(f"##### {text('statistics.growth')}")
    st.altair_chart(line, width="stretch")


def show_scores(text: Strings, seen: Overview) -> None:
    """Histograms of the scores of nearest neighbors and of any two pictures."""
    if len(seen.nearest) == 0:
        return
    # lower ones hardly occur
    edges = np.linspace(-0.2, 1, BINS + 1).tolist()
    rows = []
    whats = [text("statistics.nearest"), text("statistics.others")]
    for what, scores in zip(whats, (seen.nearest, seen.others), strict=True):
        counts, _ = np.histogram(scores, edges)
        rows += [
            {"from": a, "to": b, "share": 100 * n / len(scores), "what": what}
            for a, b, n in zip(edges[:-1], edges[1:], counts.tolist(), strict=True)
        ]
    chart = (
        alt.Chart(alt.Data(values=rows))
        .mark_bar(opacity=0.65, binSpacing=0)
        .encode(
            alt.X("from:Q", bin="binned", title=text("statistics.score")),
            alt.X2("to:Q"),
            alt.Y("share:Q", title="%", stack=None),
            alt.Color(
                "what:N",
                title=None,
                scale=alt.Scale(domain=whats, range=[ACCENT, "#f58518"]),
                legend=alt.Legend(orient="top"),
            ),
            [alt.Tooltip("what:N", title=" "), alt.Tooltip("from:Q", format=".2f", title="≥"),
             alt.Tooltip("share:Q", format=".1f", title="%")],
        )
        .properties(height=240)
    )  # fmt: skip
    st.markdown(f"##### {text('statistics.scores')}")
    st.caption(text("statistics.scores_more"))
    st.altair_chart(chart, width="stretch")


def show_plane(text: Strings, here: Library, seen: Overview) -> None:
    st.markdown(f"##### {text('statistics.map')}")
    st.caption(text("statistics.map_more", count=len(seen.entries)))
    ways = colorings(text, seen)
    label = st.segmented_control(
        text("statistics.color"), list(ways), default=next(iter(ways)), required=True
    )

    show_map(
        seen.points,
        [entry.id for entry in seen.entries],
        [name_of(entry) for entry in seen.entries],
        seen.smalls,
        ways[label or next(iter(ways))],
        key="map",
        label=text("statistics.map"),
        others=text("statistics.other_groups"),
        on_pick=lambda id: find_similar(here, id),
    )


def colorings(text: Strings, seen: Overview) -> dict[str, Sequence[str]]:
    """Ways to color: by folder, by each simple field with few values, and by cluster."""
    ways = {text("statistics.by_folder"): [PurePath(e.path).parent.name for e in seen.entries]}
    fields = {k: v for entry in seen.entries for k, v in entry.metadata.items()}
    for name in (name for name, value in fields.items() if not isinstance(value, dict | list)):
        ways[name] = [str(entry.metadata.get(name, "")) for entry in seen.entries]
    telling: dict[str, Sequence[str]] = {
        name: groups for name, groups in ways.items() if len(set(groups)) in GROUPS
    }
    telling[text("statistics.by_cluster")] = [f"{n + 1}" for n in seen.clusters]
    return telling
