"""Each kind of search option: its check, its HTTP field, its flags, its widget."""

from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import Any

import click
import pytest
from click.testing import CliRunner
from pydantic import ValidationError, create_model
from streamlit.testing.v1 import AppTest

from kkcv.cli.options import chosen, flags_of
from kkcv.errors import RequestError
from kkcv.search.option import Number, OneOf, Switch, Text, option, options_of
from kkcv.serve.models.fields import field_of
from kkcv.serve.models.requests import Strict


@dataclass
class Made:
    """Options of every kind."""

    copies: int = option(3, Number("N", 1, 9), "How many copies.")
    most: int | None = option(None, Number("N", 1, 9), "At most so many.")
    share: float | None = option(None, Number("SHARE", 0, 1, above=True), "Which share.")
    rate: float | None = option(None, Number("RATE", 0, 1, choices=(0.1, 0.01)), "Which rate.")
    level: float | None = option(None, Number("SCORE", 0, 1, usual=0.5), "Which level.")
    sort: str = option("score", OneOf("KEY", lambda: ("score", "date")), "In which order.")
    parts: bool = option(False, Switch(), "Also parts.")
    check: Any = option(False, Switch({"twice": "Check twice."}), "Check.")
    below: str | None = option(None, Text("FOLDER", 10), "Below which folder.")


OPTIONS = options_of(Made)
GOOD = {
    "copies": [1, 9],
    "most": [None, 5],
    "share": [None, 0.5, 1],
    "rate": [None, 0, 0.01],
    "level": [None, 0.5],
    "sort": ["score", "date"],
    "parts": [True, False],
    "check": [True, False, "twice"],
    "below": [None, "", "a/b"],
}
BAD = {
    "copies": [0, 10, 2.5, None, "3", True],
    "most": [0, 1.5, "1"],
    "share": [0, 1.1, "x", float("nan"), False],
    "rate": [-0.1, "x"],
    "level": [2],
    "sort": ["name", None, 1, []],
    "parts": [None, 1, "true", []],
    "check": ["thrice", 1, None, []],
    "below": [5, "x" * 11],
}
CASES = [(name, value, good) for good, table in ((True, GOOD), (False, BAD)) for name in table
         for value in table[name]]  # fmt: skip


def test_there_are_values_for_each() -> None:
    assert [*GOOD] == [*BAD] == [*OPTIONS] == [field.name for field in fields(Made)]


@pytest.mark.parametrize(("name", "value", "good"), CASES)
def test_python_and_http_accept_the_same_values(name: str, value: object, good: bool) -> None:
    field: Any = {name: field_of(OPTIONS[name])}
    model = create_model("Request", __base__=Strict, **field)

    if good:
        OPTIONS[name].check(value)
        assert getattr(model(**{name: value}), name) == value
    else:
        with pytest.raises(RequestError) as error:
            OPTIONS[name].check(value)
        assert error.value.field == name
        with pytest.raises(ValidationError):
            model(**{name: value})


def given(*flags: str) -> Any:
    """The values of the options for a command with these flags, or what it prints."""
    found = {}

    def command(**values: Any) -> None:
        found.update({name: chosen(each, values) for name, each in OPTIONS.items()})

    decorated: Callable[..., Any] = command
    for each in OPTIONS.values():
        for flag in flags_of(each):
            decorated = flag(decorated)
    done = CliRunner().invoke(click.command()(decorated), flags)
    return found or done.output


def test_flags_give_what_python_takes() -> None:
    flags = "--copies 4 --most 2 --rate 0.1 --level --sort date --parts --check-twice --below x"

    assert given() == {name: each.default for name, each in OPTIONS.items()}
    assert given(*flags.split()) == {
        "copies": 4, "most": 2, "share": None, "rate": 0.1, "level": 0.5, "sort": "date",
        "parts": True, "check": "twice", "below": "x",
    }  # fmt: skip
    assert given("--level", "0.7", "--check")["level"] == 0.7
    assert "'2.5' is not a valid integer" in given("--copies", "2.5")
    assert "0.0 is not in the range 0<x<=1" in given("--share", "0")


def script() -> None:
    import streamlit as st

    from kkcv.web.search.options import choose
    from tests.search.test_option import OPTIONS

    def text(name: str, **values: object) -> str:
        return f"{name} {values}"

    st.session_state["chosen"] = {
        name: choose(text, each)  # type: ignore[arg-type]
        for name, each in OPTIONS.items()
    }


def test_widgets_give_what_python_takes() -> None:
    page = AppTest.from_function(script).run()
    assert page.session_state["chosen"] == {
        name: each.default or (None if name != "parts" and name != "check" else False)
        for name, each in OPTIONS.items()
        if name != "below"
    } | {"below": ""}

    page.slider(key="copies").set_value(5)
    page.number_input(key="most").set_value(7)
    page.number_input(key="share").set_value(0.25)
    page.selectbox(key="rate").set_value(0.1)
    page.toggle(key="level").set_value(True)
    page.selectbox(key="sort").set_value("date")
    page.toggle(key="parts").set_value(True)
    page.text_input(key="below").set_value("a/b").run()

    assert page.session_state["chosen"] == {
        "copies": 5, "most": 7, "share": 0.25, "rate": 0.1, "level": 0.5, "sort": "date",
        "parts": True, "check": False, "below": "a/b",
    }  # fmt: skip
