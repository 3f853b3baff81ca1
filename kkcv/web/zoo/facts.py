"""Families and networks of the zoo as plain values, for the web page. None of it takes torch."""

import dataclasses
from typing import Any

from kkcv.zoo import recorded
from kkcv.zoo.facts import counts, printed_of
from kkcv.zoo.page_words import Words
from kkcv.zoo.printed import printed_row
from kkcv.zoo.weights import is_here, published


def families(lang: str) -> list[dict[str, Any]]:
    """Every family in the order of the zoo, with the names of its networks."""
    words = Words(lang)
    return [
        {
            **dataclasses.asdict(family),
            "idea": words.said(family.idea),
            "paper": {**dataclasses.asdict(family.paper), "where": family.paper.published},
        }
        for family in recorded.families().values()
    ]


def network_facts(name: str, lang: str) -> dict[str, Any]:
    """One network: stages, cost, and what was verified of it."""
    known = recorded.recorded(name)
    independent = counts().get(known.name)
    weights = published(known.name)
    words = Words(lang)
    return {
        "name": known.name,
        "aliases": list(known.aliases),
        "parameters": known.parameters,
        "macs": known.macs,
        "embedding": known.embedding_dim,
        "input": list(known.input_size),
        "top1": weights[0].top1 if weights else None,
        "weights_here": bool(weights) and is_here(weights[0]),
        "stages": [dataclasses.asdict(stage) for stage in known.stages],
        "counted": None
        if independent is None
        else {"parameters": independent.parameters, "macs": independent.macs},
        "printed": [list(printed_row(f, known, words)[1:]) for f in printed_of(known.name)],
    }
