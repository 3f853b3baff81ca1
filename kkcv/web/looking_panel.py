"""Networks looking at one picture: what they call it, what decided that, what happens inside."""

from typing import Any

import streamlit as st

from kkcv.errors import KkcvError, PictureError
from kkcv.zoo.weights import offered

from .escaping import as_html, as_markdown
from .job import Job, wait_for
from .session import data_url, strings, studio, url_of
from .session import runs as all_runs
from .strings import Strings

TOP = 5
DECIDED = 2  # classes of which it is shown what spoke for them
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
    picture = file.getvalue()
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


def asked(text: Strings, what: str, model: str, picture: bytes, *rest: Any) -> Any:
    """What the studio answers, kept for the visitor; None while it works, or when it cannot."""
    key = (what, model, hash(picture), rest)
    jobs: dict[Any, Job[Any]] = st.session_state.setdefault("studio", {})
    if key not in jobs:
        method = getattr(studio(), what)
        jobs[key] = Job(lambda job: method(model, picture, *rest), on_stop=studio().stop)
    try:
        if wait_for(jobs[key], text, text("zoo.working"), key=f"{what}-{model}"):
            return jobs[key].result
    except PictureError as error:
        st.error(text(f"reason.{error.reason}"))
    except KkcvError as error:
        st.error(as_markdown(text.error(error)))
    return None


def show_labels(text: Strings, model: str, picture: bytes) -> None:
    guesses = asked(text, "classify", model, picture, TOP, strings().language)
    if guesses:
        rows = "".join(
            f'<div class="guess"><span>{as_html(label)}</span><b>{100 * p:.1f}%</b>'
            f'<i style="width:{100 * p:.1f}%"></i></div>'
            for label, p in guesses
        )
        st.html(f'<div class="guesses">{rows}</div>')


def show_inside(text: Strings, model: str, picture: bytes) -> None:
    st.markdown(f"##### {text('zoo.decided')}")
    st.caption(text("zoo.decided_more"))
    decided = asked(text, "deciding", model, picture, DECIDED, strings().language)
    if not decided:
        return
    for column, (label, p, shown) in zip(st.columns(DECIDED), decided, strict=False):
        with column:
            st.html(f'<img class="warm" alt="" src="{data_url(shown)}">')
            st.caption(f"{as_markdown(label)} · {100 * p:.1f}%")
    st.markdown(f"##### {text('zoo.layers')}")
    st.caption(text("zoo.layers_more"))
    for layer in asked(text, "layers", model, picture) or []:
        shape = " × ".join(map(str, layer["shape"]))
        st.markdown(f"**{layer['name']}** · {shape}")
        st.html(f'<img class="maps" alt="" src="{url_of("image/png", layer["sheet"])}">')
