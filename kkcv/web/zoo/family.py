"""A family of networks: paper, diagram, stages, and verified figures."""

import re
from collections.abc import Sequence
from typing import Any

import streamlit as st

from kkcv.errors import MissingExtra
from kkcv.web.components.markup import as_html, data_url
from kkcv.web.session import diagrams
from kkcv.web.strings import Strings
from kkcv.zoo.book.reading import lesson
from kkcv.zoo.printed import short

from .facts import families, network_facts

ARXIV = re.compile(r"arXiv:([0-9.]+[0-9])")


def show_family(text: Strings) -> None:
    known = {family["name"]: family for family in families(text.language)}
    titles = {n: f"{f['title']} · {f['paper']['year']}" for n, f in known.items()}
    names = list(known)
    left, right = st.columns(2)
    name = left.selectbox(
        text("zoo.family"), names, names.index("resnet"), format_func=titles.__getitem__
    )
    family = known[name]
    networks = family["networks"]
    chosen = right.selectbox(
        text("zoo.network"), networks, networks.index(family["example"]), key=f"network-{name}"
    )
    st.markdown(f"### {family['title']}")
    st.markdown(family["idea"])
    st.caption(cited(family["paper"]))
    facts = network_facts(chosen, text.language)
    show_figures(text, facts)
    show_diagram(text, chosen)
    with st.expander(text("zoo.chapter")):
        st.markdown(lesson(family["name"], text.language))
    st.markdown(f"##### {text('zoo.stages')}")
    st.html(stage_table(text, facts["stages"]))
    st.markdown(f"##### {text('zoo.verified')}")
    st.markdown(verdict(text, facts))
    if facts["printed"]:
        heads = ("zoo.figure", "zoo.printed", "zoo.ours", "zoo.why")
        st.html(table([text(head) for head in heads], facts["printed"]))


def show_diagram(text: Strings, network: str) -> None:
    """The diagram, laid out for wide screens and for phones, or what it takes to draw one."""
    try:
        with st.spinner(text("zoo.drawing")):
            drawn = diagrams(network, text.language)
    except MissingExtra as error:
        st.info(str(error))
        return
    drawings = {s: data_url(d.encode(), "image/svg+xml") for s, d in drawn.items()}
    shown = (f'<img class="{s}" alt="{network}" src="{url}">' for s, url in drawings.items())
    st.html(f'<div class="diagram">{"".join(shown)}</div>')


def verdict(text: Strings, facts: dict[str, Any]) -> str:
    """Whether our counts and independent ones agree."""
    counted = facts["counted"]
    if counted is None:
        return text("zoo.not_counted")
    if counted == {"parameters": facts["parameters"], "macs": facts["macs"]}:
        return text("zoo.counted")
    numbers = {name: f"{number:,}" for name, number in counted.items()}
    return text("zoo.differs", **numbers)


def cited(paper: dict[str, Any]) -> str:
    """Authors, title and place, the arXiv number as a link."""
    where = ARXIV.sub(r"[arXiv:\1](https://arxiv.org/abs/\1)", paper["where"])
    return f"{paper['authors']}: *{paper['title']}*. {where}"


def show_figures(text: Strings, facts: dict[str, Any]) -> None:
    figures = [
        (text("zoo.parameters"), short(facts["parameters"])),
        (text("zoo.macs"), short(facts["macs"])),
        (text("zoo.input"), "×".join(map(str, facts["input"]))),
        (text("zoo.embedding"), str(facts["embedding"])),
        (text("zoo.top1"), f"{facts['top1']:.1f}%" if facts["top1"] else "–"),
    ]
    with st.container(key="facts", horizontal=True):
        for label, value in figures:
            st.metric(label, value, width="content")
    if not facts["weights_here"]:
        st.caption(text("zoo.weights_away") if facts["top1"] else text("zoo.no_weights"))


def stage_table(text: Strings, stages: Sequence[dict[str, Any]]) -> str:
    heads = ("zoo.stage", "zoo.output", "zoo.blocks", "zoo.parameters", "zoo.macs")
    rows = [
        (
            stage["name"],
            " × ".join(map(str, stage["shape"])),
            stage["blocks"] or "",
            f"{stage['parameters']:,}" if stage["parameters"] else "",
            short(stage["macs"]) if stage["macs"] else "",
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
