"""The search options that are not at their defaults, each with a click that takes it back."""

from typing import Any

import streamlit as st

from kkcv.search.option import Option
from kkcv.search.options import OPTIONS
from kkcv.web.strings import Strings

LONGEST = 40  # characters of a value


def show_chips(text: Strings, chosen: dict[str, Any]) -> None:
    """A button for each option that narrows or orders the answer; a click removes it."""
    active = {
        name: each for name, each in OPTIONS.items() if chosen[name] not in (each.default, "")
    }
    if not active:
        return
    with st.container(horizontal=True, key="chips"):
        for name, option in active.items():
            st.button(
                f"{in_words(text, option, chosen[name])} ✕",
                key=f"chip-{name}",
                help=text("search.chip"),
                on_click=take_back,
                args=(option,),
            )


def in_words(text: Strings, option: Option, value: Any) -> str:
    """``Filter: label == "cat"``; a switch is its name alone."""
    label = text(f"option.{option.name}")
    if value is True:
        return label
    named = f"option.{option.name}_{value}"
    shown = text(named) if text.has(named) else f"{value:g}" if isinstance(value, float) else value
    short = shown if len(str(shown)) <= LONGEST else f"{str(shown)[:LONGEST]}…"
    return f"{label}: {short}"


def take_back(option: Option) -> None:
    """Set the widget of an option to its default."""
    if isinstance(st.session_state.get(option.name), bool):
        st.session_state[option.name] = False
    else:
        st.session_state[option.name] = "" if option.name == "where" else option.default
