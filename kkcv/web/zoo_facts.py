"""What the page of the zoo tells of families and networks, as plain values.

It needs torch, so that only the child process of ``studio.py`` imports it.
"""

from typing import Any

from kkcv.zoo.costs import cost
from kkcv.zoo.draw import EXAMPLES, draw
from kkcv.zoo.facts import counts
from kkcv.zoo.network import Family, Spec
from kkcv.zoo.page import printed_rows
from kkcv.zoo.registry import FAMILIES, spec
from kkcv.zoo.weights import is_here, published


def families() -> list[dict[str, Any]]:
    """Every family in the order of the zoo, with the names of its networks."""
    return [family_facts(module.FAMILY, module.NETWORKS) for module in FAMILIES]


def family_facts(family: Family, networks: tuple[Spec, ...]) -> dict[str, Any]:
    paper = family.paper
    return {
        "name": family.name,
        "title": family.title,
        "idea": family.idea,
        "paper": {
            "title": paper.title,
            "authors": paper.authors,
            "year": paper.year,
            "where": paper.where,
        },
        "example": EXAMPLES[family.name],
        "networks": [known.name for known in networks],
    }


def network_facts(name: str) -> dict[str, Any]:
    """One network: diagram, stages, cost, and what was verified of it."""
    known, measured = spec(name), cost(name)
    independent = counts().get(known.name)
    weights = published(known.name)
    return {
        "name": known.name,
        "aliases": list(known.aliases),
        "diagram": draw(known.name),
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
        "printed": [list(row[1:]) for row in printed_rows(known)],
    }
