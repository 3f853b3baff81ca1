"""The search options on the page: a widget for each, and chips for those that were changed.

The label of a widget is the text ``option.NAME``; a click on a chip takes the option back.
"""

from typing import Any

import streamlit as st

from kkcv.search.option import Number, OneOf, Option, Text
from kkcv.search.options import OPTIONS
from kkcv.web.strings import Strings

from .results import chance_in_words

LONGEST = 40  # characters of a value on a chip


def choose(text: Strings, option: Option) -> Any:
    """The widget of an option, and the value that the visitor chose."""
    name, kind, default = option.name, option.kind, option.default
    label = text(f"option.{name}")
    more: dict[str, Any] = {"key": name, "help": text(f"option.{name}_help")}
    match kind:
        case Text():
            return st.text_input(label, placeholder=kind.example, **more)
        case Number(choices=[_, *_]):
            rates = kind.metavar == "RATE"

            def in_words(value: float | None) -> str:
                if value is None:
                    return text("search.any")
                return chance_in_words(text, value) if rates else f"{value:g}"

            return st.selectbox(label, [None, *kind.choices], format_func=in_words, **more)
        case Number() if kind.usual is None:
            number = int if option.whole else float  # Streamlit goes by the type of the limits
            low, high = number(kind.low), number(kind.high)
            if default is None:
                return st.number_input(label, low, high, None, **more)
            step = 1 if option.whole else (high - low) / 40  # as fine as a mouse can set it
            st.session_state.setdefault(name, number(default))
            return st.slider(label, low, high, step=step, **more)
        case OneOf() if kind.usual is None:
            names = kind.names() if default is not None else [None, *kind.names()]
            return st.selectbox(
                label, names, format_func=lambda each: text(f"option.{name}_{each}"), **more
            )
    if not st.toggle(label, **more):
        return default
    return True if kind.usual is None else kind.usual


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
