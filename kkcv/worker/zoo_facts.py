"""Families and networks of the zoo as plain values, for the web page."""

from typing import Any

from kkcv.zoo.costs import cost
from kkcv.zoo.draw import PHONE, WIDTH, draw
from kkcv.zoo.facts import counts, printed_of
from kkcv.zoo.network import Family, Spec
from kkcv.zoo.page import printed_row
from kkcv.zoo.page_words import Words
from kkcv.zoo.registry import FAMILIES, spec
from kkcv.zoo.weights import is_here, published


def families(lang: str) -> list[dict[str, Any]]:
    """Every family in the order of the zoo, with the names of its networks."""
    words = Words(lang)
    return [family_facts(module.FAMILY, module.NETWORKS, words) for module in FAMILIES]


def family_facts(family: Family, networks: tuple[Spec, ...], words: Words) -> dict[str, Any]:
    paper = family.paper
    return {
        "name": family.name,
        "title": family.title,
        "idea": words.said(family.idea),
        "paper": {
            "title": paper.title,
            "authors": paper.authors,
            "year": paper.year,
            "where": paper.published,
        },
        "example": family.example,
        "networks": [known.name for known in networks],
    }


def network_facts(name: str, lang: str) -> dict[str, Any]:
    """One network: diagram, stages, cost, and what was verified of it."""
    known, measured = spec(name), cost(name)
    independent = counts().get(known.name)
    weights = published(known.name)
    return {
        "name": known.name,
        "aliases": list(known.aliases),
        "diagrams": {
            screen: draw(known.name, lang=lang, theme="auto", width=width)
            for screen, width in (("wide", WIDTH), ("phone", PHONE))
        },
        "parameters": measured.parameters,
        "macs": measured.macs,
        "embedding": known.embedding_dim,
        "input": list(measured.input_size),
        "top1": weights[0].top1 if weights else None,
        "weights_here": bool(weights) and is_here(weights[0]),
        "stages": [
            {
                "part": stage.part,
                "name": stage.name,
                "shape": list(stage.shape),
                "blocks": stage.blocks,
                "parameters": stage.parameters,
                "macs": stage.macs,
            }
            for stage in measured.stages
        ],
        "counted": None
        if independent is None
        else {"parameters": independent.parameters, "macs": independent.macs},
        "printed": [list(printed_row(f, Words(lang))[1:]) for f in printed_of(known.name)],
    }
