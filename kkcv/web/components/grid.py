"""A grid of clickable pictures."""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any, NamedTuple

import streamlit as st

from kkcv.hit import Place

from .component import component, reported
from .guard import attempted


@dataclass(frozen=True)
class Tile:
    """A picture of the grid. ``src`` is a data URL, or None where the file is missing.

    ``score`` stands beside the name with a bar, ``note`` below them, ``badge`` on the picture.
    """

    id: int
    src: str | None
    name: str
    title: str
    label: str
    score: float | None = None
    note: str | None = None
    badge: str | None = None
    place: Place | None = None  # corners of the query's object


class Action(NamedTuple):
    """A small button on every picture."""

    name: str
    sign: str
    label: str


def grid(
    tiles: Sequence[Tile],
    *,
    key: str,
    missing: str,
    score: str = "",
    on_pick: Callable[[int], None] | None = None,
    actions: Sequence[Action] = (),
    on_act: Callable[[str, int], None] = lambda name, id: None,
    chosen: Sequence[int] = (),
    small: bool = False,
    divider: tuple[int, str] | None = None,
) -> list[int]:
    """Show the tiles; the ids of the selected ones.

    Args:
        score: what the bar of a score means.
        on_pick: called with the id of a clicked tile; without it, clicks select.
        on_act: called with the name of the clicked action and the id.
        chosen: ids that are selected at first.
        divider: after so many tiles stands this text, and the tiles behind it are pale.
    """
    mount = component("grid")
    state = st.session_state.get(key) or {"selected": chosen}
    shown = {tile.id for tile in tiles}
    selected = [id for id in state.get("selected") or [] if id in shown]
    data: dict[str, Any] = {
        "mode": "pick" if on_pick else "select",
        "pictures": [{k: v for k, v in asdict(t).items() if v is not None} for t in tiles],
        "selected": selected,
        "missing": missing,
        "score": score,
        "actions": [action._asdict() for action in actions],
        "small": small,
        "divider": divider,
    }

    @attempted
    def picked() -> None:
        id = reported(key, "picked")
        if on_pick is not None and id is not None:
            on_pick(int(id))

    @attempted
    def acted() -> None:
        act = reported(key, "acted")
        if act:
            on_act(str(act["name"]), int(act["id"]))

    mount(
        key=key,
        data=data,
        on_picked_change=picked,
        on_acted_change=acted,
        on_selected_change=lambda: None,
    )
    return selected
