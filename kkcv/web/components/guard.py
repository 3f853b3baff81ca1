"""Errors as messages: in place of a page or a dialog, or in passing after a click."""

import logging
from collections.abc import Callable
from functools import wraps
from typing import ParamSpec

import streamlit as st

from kkcv.errors import KkcvError, UnknownPicture
from kkcv.web.session import strings

from .markup import as_markdown

P = ParamSpec("P")
log = logging.getLogger("kkcv.web")


def guarded(page: Callable[[], None]) -> Callable[[], None]:
    """A page, or a dialog, whose errors become a message and a line in the terminal."""

    @wraps(page)
    def run() -> None:
        try:
            page()
        except KkcvError as error:
            show_error(error)
            st.button(strings()("page.again"))  # any click runs the page again
        except Exception:
            log.exception("the page failed")
            st.error(strings()("page.failed"))

    return run


def attempted(action: Callable[P, None]) -> Callable[P, None]:
    """The action of a click, whose errors are told in passing."""

    @wraps(action)
    def run(*args: P.args, **kwargs: P.kwargs) -> None:
        try:
            action(*args, **kwargs)
        except KkcvError as error:
            tell(error)

    return run


def show_error(error: KkcvError) -> None:
    """An error as a message where it is called, and a line in the terminal."""
    log.error("%s", error)
    st.error(in_words(error))


def tell(error: KkcvError) -> None:
    st.toast(in_words(error), icon="⚠️", duration="long")


def in_words(error: KkcvError) -> str:
    """An error as Markdown; pictures that the page shows are unknown only if they were removed."""
    text = strings()
    return (
        text("page.gone") if isinstance(error, UnknownPicture) else as_markdown(text.error(error))
    )
