"""A grid of pictures that can be clicked: a component of the page, without any network."""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import streamlit as st

FOLDER = Path(__file__).parent


@dataclass(frozen=True)
class Tile:
    """A picture of the grid. ``src`` is a data URL, or None where the file has gone."""

    id: int
    src: str | None
    name: str
    title: str
    label: str
    score: float | None = None


def grid(
    tiles: Sequence[Tile],
    *,
    key: str,
    missing: str,
    score: str = "",
    on_pick: Callable[[int], None] | None = None,
) -> list[int]:
    """Show the tiles. With ``on_pick`` a click reports the id; without it, clicks select.

    Returns the ids that are selected.
    """
    mount = st.components.v2.component(
        "kkcv_grid",
        css=(FOLDER / "grid.css").read_text(encoding="utf-8"),
        js=(FOLDER / "grid.js").read_text(encoding="utf-8"),
    )
    state = st.session_state.get(key) or {}
    shown = {tile.id for tile in tiles}
    selected = [id for id in state.get("selected") or [] if id in shown]
    data: dict[str, Any] = {
        "mode": "pick" if on_pick else "select",
        "pictures": [{k: v for k, v in asdict(t).items() if v is not None} for t in tiles],
        "selected": selected,
        "missing": missing,
        "score": score,
    }

    def picked() -> None:
        id = st.session_state[key].get("picked")
        if on_pick is not None and id is not None:
            on_pick(int(id))

    mount(key=key, data=data, on_picked_change=picked, on_selected_change=lambda: None)
    return selected
