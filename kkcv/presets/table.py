"""The table of embedders: the embedded network and the presets, as plain values.

Nothing here takes PyTorch or another library, so that ``kkcv models`` is quick.
"""

import csv
from functools import cache
from pathlib import Path
from typing import Any

from .preset import Preset, presets

EMBEDDED: dict[str, Any] = {  # comes with kkcv; a test compares it with the zoo
    "name": "efficientnet_lite0",
    "library": "kkcv",
    "id": "efficientnet_lite0",
    "input": 224,
    "numbers": 1280,
    "parameters": 4_652_008,
    "megabytes": 19,
    "license": "Apache 2.0",
    "license_address": "https://www.apache.org/licenses/LICENSE-2.0",
    "license_in_words": "Comes with kkcv. Any use is allowed, also commercial.",
    "license_in_chinese": "随 kkcv 一同安装。可自由使用，包括商业用途。",
    "vector": "mean of the map",
    "resize": "crop",
    "interpolation": "bicubic",
    "reads_text": False,
    "context": 0,
    "here": "embedded",
}


def rows() -> list[dict[str, Any]]:
    """The embedded network, then every preset, each with its published figures."""
    every = [EMBEDDED, *map(row_of, presets().values())]
    return [{**row, "figures": figures().get(row["name"], [])} for row in every]


def row_of(preset: Preset) -> dict[str, Any]:
    terms = preset.terms
    return {
        "name": preset.name,
        "library": preset.library,
        "id": preset.id,
        "repository": preset.repository,
        "input": preset.pixels,
        "numbers": preset.numbers,
        "parameters": preset.parameters,
        "megabytes": preset.megabytes,
        "license": terms.name,
        "license_address": terms.address,
        "license_in_words": terms.en,
        "license_in_chinese": terms.zh,
        "vector": preset.vector,
        "resize": preset.resize,
        "interpolation": preset.interpolation,
        "reads_text": preset.reads_text,
        "context": preset.context,
        "here": "",
    }


@cache
def figures() -> dict[str, list[dict[str, str]]]:
    """Published retrieval figures by network: what was measured, the figure, who says so.

    A network of which none is published has none.

    They are quoted; nothing of them was measured here.
    """
    found: dict[str, list[dict[str, str]]] = {}
    with Path(__file__).with_name("figures.csv").open(encoding="utf-8") as lines:
        for row in csv.DictReader(lines):
            found.setdefault(row.pop("name"), []).append(row)
    return found


def quoted(row: dict[str, Any], language: str) -> list[tuple[str, str, str]]:
    """The published figures of a row: what was measured, the figure, its source; or dashes."""
    end = "_in_chinese" if language == "zh" else ""
    found = [(f[f"measured{end}"], f["figure"], f[f"source{end}"]) for f in row["figures"]]
    return found or [("—", "—", "—")]
