"""A family of networks: paper, diagram, stages, and verified figures."""

import re
from collections.abc import Sequence

import streamlit as st

from kkcv.errors import MissingExtra
from kkcv.web.components.markup import as_html, as_markdown, data_url
from kkcv.web.session import diagrams
from kkcv.web.strings import Strings
from kkcv.zoo.book.reading import lesson
from kkcv.zoo.facts import counts, printed_of
from kkcv.zoo.pages import Words, cited, printed_row, short
from kkcv.zoo.recorded import Recorded, StageCost, families, recorded
from kkcv.zoo.weights import is_here, published


def show_family(text: Strings) -> None:
    known, words = families(), Words(text.language)
    titles = {name: f"{family.title} · {family.paper.year}" for name, family in known.items()}
    names = list(known)
    left, right = st.columns(2)
    name = left.selectbox(
        text("zoo.family"), names, names.index("resnet"), format_func=titles.__getitem__
    )
    family = known[name]
    networks = family.networks
    chosen = right.selectbox(
        text("zoo.network"), networks, networks.index(family.example), key=f"network-{name}"
    )
    st.markdown(f"### {family.title}")
    st.markdown(words.said(family.idea))
    paper = family.paper
    st.caption(f"{paper.authors}: *{paper.title}*. {cited(paper.published)}")
    network = recorded(chosen)
    show_figures(text, network)
    show_diagram(text, chosen)
    with st.expander(text("zoo.chapter")):
        # under the headings of the page, which are of the third and fifth order
        st.markdown(re.sub("^## ", "##### ", lesson(name, text.language), flags=re.MULTILINE))
    st.markdown(f"##### {text('zoo.stages')}")
    st.html(stage_table(text, network.stages))
    st.markdown(f"##### {text('zoo.verified')}")
    st.markdown(verdict(text, network))
    if printed := printed_of(chosen):
        heads = ("zoo.figure", "zoo.printed", "zoo.ours", "zoo.why")
        rows = [printed_row(each, network, words)[1:] for each in printed]
        st.html(table([text(head) for head in heads], rows))


def show_diagram(text: Strings, network: str) -> None:
    """The diagram, laid out for wide screens and for phones, or what it takes to draw one."""
    try:
        with st.spinner(text("zoo.drawing")):
            drawn = diagrams(network, text.language)
    except MissingExtra as error:
        st.info(as_markdown(text.error(error)))
        return
    drawings = {s: data_url(d.encode(), "image/svg+xml") for s, d in drawn.items()}
    shown = (f'<img class="{s}" alt="{network}" src="{url}">' for s, url in drawings.items())
    st.html(f'<div class="diagram">{"".join(shown)}</div>')


def verdict(text: Strings, network: Recorded) -> str:
    """Whether our counts and independent ones agree."""
    counted = counts().get(network.name)
    if counted is None:
        return text("zoo.not_counted")
    if (counted.parameters, counted.macs) == (network.parameters, network.macs):
        return text("zoo.counted")
    return text("zoo.differs", parameters=f"{counted.parameters:,}", macs=f"{counted.macs:,}")


def show_figures(text: Strings, network: Recorded) -> None:
    weights = next(iter(published(network.name)), None)
    top1 = weights.top1 if weights else None
    figures = [
        (text("zoo.parameters"), short(network.parameters)),
        (text("zoo.macs"), short(network.macs)),
        (text("zoo.input"), "×".join(map(str, network.input_size))),
        (text("zoo.embedding"), str(network.embedding_dim)),
        (text("zoo.top1"), f"{top1:.1f}%" if top1 else "–"),
    ]
    with st.container(key="facts", horizontal=True):
        for label, value in figures:
            st.metric(label, value, width="content")
    if weights is None or not is_here(weights):
        st.caption(text("zoo.weights_away") if top1 else text("zoo.no_weights"))


def stage_table(text: Strings, stages: Sequence[StageCost]) -> str:
    heads = ("zoo.stage", "zoo.output", "zoo.blocks", "zoo.parameters", "zoo.macs")
    rows = [
        (
            stage.name,
            " × ".join(map(str, stage.shape)),
            stage.blocks or "",
            f"{stage.parameters:,}" if stage.parameters else "",
            short(stage.macs) if stage.macs else "",
        )
        for stage in stages
    ]
    return table([text(head) for head in heads], rows)


def table(heads: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """An HTML table that scrolls sideways where it is too wide."""

    def cells(tag: str, row: Sequence[object]) -> str:
        return "".join(f"<{tag}>{as_html(cell)}</{tag}>" for cell in row)

    body = "".join(f"<tr>{cells('td', row)}</tr>" for row in rows)
    return f'<div class="scroll"><table><tr>{cells("th", heads)}</tr>{body}</table></div>'
