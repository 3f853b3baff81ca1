"""Record the facts of all networks (recorded.py): ``python -m kkcv.zoo.record``."""

import dataclasses
import json
from pathlib import Path
from typing import Any

from kkcv.disk import write_file

from .costs import cost
from .network import Spec
from .registry import FAMILIES, NETWORKS


def facts() -> dict[str, Any]:
    """Families and networks, measured now."""
    return {
        "families": [
            {
                "name": module.FAMILY.name,
                "title": module.FAMILY.title,
                "idea": module.FAMILY.idea,
                "example": module.FAMILY.example,
                "paper": dataclasses.asdict(module.FAMILY.paper),
                "networks": [known.name for known in module.NETWORKS],
            }
            for module in FAMILIES
        ],
        "networks": [facts_of(known) for known in NETWORKS.values()],
    }


def facts_of(known: Spec) -> dict[str, Any]:
    measured = cost(known.name)
    return {
        "name": known.name,
        "family": known.family.name,
        "aliases": list(known.aliases),
        "input_size": list(known.input_size),
        "min_size": known.min_size,
        "embedding_dim": known.embedding_dim,
        "parameters": measured.parameters,
        "macs": measured.macs,
        "stages": [dataclasses.astuple(row) for row in measured.stages],
    }


def text() -> str:
    """The file: a family or a network a line, so that a change is seen where it is."""
    parts = [
        f'"{name}": [\n' + ",\n".join(json.dumps(row, ensure_ascii=False) for row in rows) + "\n]"
        for name, rows in facts().items()
    ]
    return "{\n" + ",\n".join(parts) + "\n}\n"


if __name__ == "__main__":
    write_file(Path(__file__).with_name("recorded.json"), text())
