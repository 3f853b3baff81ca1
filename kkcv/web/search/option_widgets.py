"""A widget for each search option by its kind; its label is the text ``option.NAME``."""

from typing import Any

import streamlit as st

from kkcv.search.option import Number, OneOf, Option, Text
from kkcv.web.strings import Strings

from .results import chance_in_words


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
            step = 1 if option.whole else (high - low) / 40
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
