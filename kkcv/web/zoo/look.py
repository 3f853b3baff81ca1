"""Networks looking at one picture: classes, Grad-CAM, and feature maps."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

import streamlit as st

from kkcv.errors import KkcvError, PictureError
from kkcv.web.components.job import Job, wait_for
from kkcv.web.components.markup import as_html, as_markdown, data_url
from kkcv.web.session import worker
from kkcv.web.strings import Strings
from kkcv.web.training.runs import runs as all_runs
from kkcv.zoo.weights import offered

T = TypeVar("T")
TOP = 5
DECIDED = 2  # classes that get a Grad-CAM
MOST_NETWORKS = 4  # side by side


def look(text: Strings) -> None:
    file = st.file_uploader(text("zoo.drop"), key="zoo-picture")
    choices = offered()
    finished = [run for run in all_runs().all() if run.folder.is_finished]
    runs = {str(run.path): f"{run.path.name} ({text('zoo.trained')})" for run in finished}
    labels = {
        **{n: n if here else f"{n} ({text('zoo.download')})" for n, here in choices.items()},
        **runs,
    }
    here = [name for name, is_here in choices.items() if is_here]
    chosen = st.multiselect(
        text("zoo.networks"),
        [*here, *runs, *(name for name in choices if name not in here)],
        [*here, *runs][:2],
        format_func=labels.__getitem__,
        max_selections=MOST_NETWORKS,
        placeholder=text("zoo.choose"),
    )
    if file is None:
        with st.container(key="empty", horizontal_alignment="center"):
            st.markdown(f"### {text('zoo.start')}")
            st.markdown(text("zoo.start_more"))
        return
    if not chosen:
        return
    try:
        show(text, chosen, labels, file.getvalue())
    except PictureError as error:
        st.error(f"**{as_markdown(file.name)}** — {text(f'reason.{error.reason}')}")


def show(text: Strings, chosen: Sequence[str], labels: Mapping[str, str], picture: bytes) -> None:
    """The answers of the networks, side by side, and the inside of one of them (PictureError)."""
    columns = st.columns(len(chosen))
    for column, model in zip(columns, chosen, strict=True):
        with column:
            st.markdown(f"**{as_markdown(labels[model])}**")
            show_labels(text, model, picture)
    model = chosen[0]
    if len(chosen) > 1:
        model = st.segmented_control(
            text("zoo.inside"), chosen, default=chosen[0], format_func=labels.__getitem__,
            required=True,
        ) or chosen[0]  # fmt: skip
    show_inside(text, model, picture)


def asked(text: Strings, ask: Callable[..., T], model: str, picture: bytes, *rest: Any) -> T | None:
    """The worker's answer, kept for the visitor; None while it works, or after an error.

    Raises PictureError, which concerns every network. ``ask`` is a method of the worker that takes
    a model and a picture.
    """
    what = ask.__name__
    key = (what, model, hash(picture), rest)
    jobs: dict[Any, Job[T]] = st.session_state.setdefault("looked", {})
    if key not in jobs:
        jobs[key] = Job(
            lambda job: ask((model, "imagenet"), picture, *rest, unwanted=lambda: job.stopped),
            on_stop=worker().stop,
        )
    try:
        if wait_for(jobs[key], text, text("zoo.working"), key=f"{what}-{model}"):
            return jobs[key].result
    except PictureError:
        raise
    except KkcvError as error:
        st.error(as_markdown(text.error(error)))
    return None


def show_labels(text: Strings, model: str, picture: bytes) -> None:
    guesses = asked(text, worker().classify, model, picture, TOP, text.language)
    if guesses:
        rows = "".join(
            f'<div class="guess"><span>{as_html(label)}</span><b>{percent}%</b>'
            f'<i style="width:{percent}%"></i></div>'
            for label, percent in ((g.label, f"{100 * g.probability:.1f}") for g in guesses)
        )
        st.html(f'<div class="guesses">{rows}</div>')


def show_inside(text: Strings, model: str, picture: bytes) -> None:
    st.markdown(f"##### {text('zoo.decided')}")
    st.caption(text("zoo.decided_more"))
    decided = asked(text, worker().gradcam, model, picture, DECIDED, text.language)
    if not decided:
        return
    for column, (label, p, shown) in zip(st.columns(DECIDED), decided, strict=False):
        with column:
            st.html(f'<img class="warm" alt="" src="{data_url(shown)}">')
            st.caption(f"{as_markdown(label)} · {100 * p:.1f}%")
    st.markdown(f"##### {text('zoo.layers')}")
    st.caption(text("zoo.layers_more"))
    for layer in asked(text, worker().feature_maps, model, picture) or []:
        shape = " × ".join(map(str, layer.shape))
        st.markdown(f"**{layer.name}** · {shape}")
        st.html(f'<img class="maps" alt="" src="{data_url(layer.sheet, "image/png")}">')
