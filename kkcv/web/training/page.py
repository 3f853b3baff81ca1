"""The training page: start a run, watch its curves, read its report, use its network."""

import shlex
import time
from typing import Any

import altair as alt
import streamlit as st

from kkcv.embedding.embedder import Embedder
from kkcv.errors import RequestError
from kkcv.search.maintenance.reindex import Reindexed, reindex
from kkcv.web.components.job import Job, wait_for
from kkcv.web.components.markup import as_markdown
from kkcv.web.galleries.library import Library
from kkcv.web.galleries.local_library import LocalLibrary
from kkcv.web.session import library, may_name_folders, strings
from kkcv.web.strings import Strings
from kkcv.zoo.recorded import families
from kkcv.zoo.weights import offered

from .runs import Run, State, runs

WAYS = {"head": (), "all": ("--unfreeze", "all"), "scratch": ("--weights", "none")}
COLORS = {"train": "#f58518", "val": "#0d9488"}


def training_page() -> None:
    text = strings()
    if may_name_folders():
        with st.expander(text("training.begin"), expanded=not runs().all()):
            begin(text)
    else:
        st.info(text("training.not_here"))
    known = runs().all()
    if not known:
        with st.container(key="empty", horizontal_alignment="center"):
            st.markdown(f"### {text('training.none')}")
            st.markdown(text("training.none_more", folder=runs().folder))
        return
    names = [run.path.name for run in known]
    if st.session_state.get("run") not in names:
        st.session_state["run"] = names[0]
    name = st.selectbox(text("training.run"), names, key="run")
    run = known[names.index(name)]
    st.caption(text(f"training.{runs().state(run).value}"))
    show_run(text, run)


def begin(text: Strings) -> None:
    """The settings of a new run."""
    data = st.text_input(text("training.data"), placeholder="~/pets", help=text("training.layout"))
    left, middle, right = st.columns(3)
    st.session_state.setdefault("run_name", time.strftime("%Y-%m-%d %H.%M"))
    name = left.text_input(text("training.name"), key="run_name")
    choices = offered()
    way = right.selectbox(
        text("training.way"), list(WAYS), format_func=lambda way: text(f"training.way_{way}")
    )
    networks = list(choices)
    if way == "scratch":
        networks = [n for family in families().values() for n in family.networks]

    def named(network: str) -> str:
        away = way != "scratch" and not choices[network]
        return f"{network} ({text('zoo.download')})" if away else network

    model = middle.selectbox(text("training.network"), networks, format_func=named)
    more = st.text_input(
        text("training.more"), placeholder="--epochs 3 --augment light", help="kkcv train --help"
    )
    if st.button(text("training.start"), type="primary", disabled=not (data and name)):
        try:
            options = ["--model", model or "", *WAYS[way or "head"], *words_of(more)]
            run = runs().begin(name, data, options)
        except RequestError as error:
            st.error(as_markdown(text.error(error)))
            return
        st.session_state["run"] = run.path.name
        st.rerun()


def words_of(more: str) -> list[str]:
    """Command-line options, split as a shell does (RequestError)."""
    try:
        return shlex.split(more)
    except ValueError as error:
        raise RequestError(f"the further settings cannot be read: {error}") from None


def show_run(text: Strings, run: Run) -> None:
    state = runs().state(run)
    if state is State.RUNNING:
        watch(text, run)
        return
    show_curves(text, run)
    if state is State.FINISHED:
        show_finished(text, run)
        return
    stopped = state is State.STOPPED
    st.warning(text("training.is_stopped") if stopped else text("training.is_failed"))
    if said := run.said():
        st.code(said, language=None, wrap_lines=True)
    if stopped and may_name_folders() and st.button(text("training.go_on")):
        runs().go_on(run)
        st.rerun()
    if not stopped and may_name_folders() and st.button(text("training.forget")):
        runs().forget(run)
        st.rerun()


@st.fragment(run_every=1.0)
def watch(text: Strings, run: Run) -> None:
    """The curves of a run in progress, and its log."""
    if runs().state(run) is not State.RUNNING:
        st.rerun()
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown(f"**{text('training.is_running')}**", width="stretch")
        if runs().begun_here(run) and st.button(text("page.stop")):
            runs().stop(run)
            st.toast(text("training.stopping"))
    if steps := run.steps():
        done, total = steps
        st.progress(min(1.0, done / max(1, total)), text("page.of", done=done, total=total))
    show_curves(text, run)
    if said := run.said():
        with st.expander(text("training.log")):
            st.code(said, language=None, wrap_lines=True)


def show_curves(text: Strings, run: Run) -> None:
    """Loss and accuracy of the training and validation sets by epoch."""
    epochs = run.epochs()
    if not epochs:
        return
    for column, figure in zip(st.columns(2), ("loss", "accuracy"), strict=True):
        rows = [
            {"epoch": n, "value": float(row[f"{part}_{figure}"]), "part": text(f"training.{part}")}
            for n, row in enumerate(epochs, 1)
            for part in COLORS
        ]
        with column:
            st.markdown(f"##### {text(f'training.{figure}')}")
            st.altair_chart(curve(text, rows), width="stretch")


def curve(text: Strings, rows: list[dict[str, Any]]) -> alt.Chart:
    parts = [text(f"training.{part}") for part in COLORS]
    return (
        alt.Chart(alt.Data(values=rows))
        .mark_line(point=len(rows) < 100)  # beyond, the dots would be a band
        .encode(
            alt.X("epoch:Q", title=text("training.epoch"), axis=alt.Axis(tickMinStep=1)),
            alt.Y("value:Q", title=None, scale=alt.Scale(zero=False)),
            alt.Color(
                "part:N",
                title=None,
                scale=alt.Scale(domain=parts, range=list(COLORS.values())),
                legend=alt.Legend(orient="top"),
            ),
            [
                alt.Tooltip("part:N", title=" "),
                alt.Tooltip("epoch:Q", title=text("training.epoch")),
                alt.Tooltip("value:Q", title=" ", format=".4f"),
            ],
        )
        .properties(height=230)
    )


def show_finished(text: Strings, run: Run) -> None:
    adopt(text, library(), run)
    report = run.folder.report
    if report.is_file():
        st.markdown(f"##### {text('training.report')}")
        st.download_button(
            text("training.download"), report.read_bytes(), f"{run.path.name}.html", "text/html"
        )
        st.iframe(run.folder.report_in(text.language), height=700)


def adopt(text: Strings, here: Library, run: Run) -> None:
    """Offer to embed the gallery with the run's network and to search with it."""
    if not isinstance(here, LocalLibrary):
        st.info(text("page.local_only"))
        return
    job: Job[Reindexed] | None = st.session_state.get("adopting")
    if job is not None:
        try:
            if not wait_for(job, text, text("training.adopting"), key="adopt"):
                return
        except Exception:
            st.session_state["adopting"] = None  # show the error once
            raise
        if job.result is not None:
            overlap = f"{100 * job.result.overlap:.0f}%"
            st.success(text("training.adopted", count=job.result.pictures, overlap=overlap))
            st.caption(text("training.undo", gallery=here.name))
        st.session_state["adopting"] = None
    used = here.gallery.catalog.settings["model"] == str(run.path)
    if used:
        st.caption(text("training.used"))
        return
    space = here.gallery.space
    if run.folder.finds_the_same(space.weights, space.preprocess.to_dict()):
        st.info(text("training.same_search"))
    if may_name_folders() and st.button(text("training.adopt")):
        st.session_state["adopting"] = Job(
            lambda job: reindex(here.gallery, Embedder(str(run.path)), progress=job.progress)
        )
        st.rerun()
