"""The libraries and networks that all visitors share, and the language of each visitor."""

from collections.abc import Mapping, Sequence
from pathlib import PurePath
from urllib.parse import urlsplit

import streamlit as st

from kkcv.client import Client
from kkcv.environment import web_settings
from kkcv.errors import RequestError
from kkcv.search.gallery import Gallery
from kkcv.web.galleries.library import Library
from kkcv.web.galleries.local_library import LocalLibrary
from kkcv.web.galleries.remote_library import RemoteLibrary
from kkcv.worker.worker import Worker

from .strings import LANGUAGES, Strings, best_language

LOOPBACK = ("localhost", "127.0.0.1", "::1")
FORWARDED = ("forwarded", "via", "x-forwarded-for", "x-forwarded-host", "x-real-ip")


@st.cache_resource(show_spinner=False)
def library() -> Library:
    """The library of ``kkcv web`` (RequestError, NotAGallery)."""
    gallery = web_settings().gallery
    if not gallery:
        raise RequestError("no gallery was named; start the page with: kkcv web GALLERY")
    return open_library(gallery)


def gallery_name() -> str:
    """The name of the gallery of ``kkcv web``: its folder without .kkcv, or its service."""
    named = web_settings().gallery
    if named.startswith(("http://", "https://")):
        return named.partition("://")[2]
    return PurePath(named).name.removesuffix(".kkcv")


@st.cache_resource(show_spinner=False)
def other_library() -> Library | None:
    """The library of ``--compare``."""
    gallery = web_settings().compare
    return open_library(gallery) if gallery else None


@st.cache_resource(show_spinner=False)
def worker() -> Worker:
    """Runs networks for all visitors, in the process that the galleries use too."""
    return Worker()


@st.cache_resource(show_spinner=False)
def diagrams(name: str, lang: str) -> dict[str, str]:
    """The diagram of one network of the zoo, as SVG, by kind of screen (MissingExtra)."""
    return worker().diagrams(name, lang)


def open_library(named: str) -> Library:
    """The library in a folder or behind the address of a service."""
    if named.startswith(("http://", "https://")):
        return RemoteLibrary(Client(named, api_key=web_settings().api_key or None))
    return LocalLibrary(Gallery(named))


def may_name_folders() -> bool:
    """Whether this visitor may name folders of this machine, to add or to train on."""
    chosen = web_settings().folders
    return is_at_this_machine(st.context.headers) if chosen is None else chosen


def is_at_this_machine(headers: Mapping[str, str]) -> bool:
    """Whether a browser asks for a page of loopback itself, and not through a proxy.

    A proxy leaves the header Origin as the browser sent it, and most add one of their own.
    """
    names = {name.lower(): value for name, value in headers.items()}
    addresses = [f"//{names.get('host', '')}", names.get("origin", "")]
    hosts = {urlsplit(address).hostname for address in addresses}
    return hosts <= set(LOOPBACK) and not any(name in names for name in FORWARDED)


def load(library: Library, text: Strings) -> None:
    """Wait for the network, which takes seconds for the first visitor."""
    with st.spinner(text("page.loading")):
        library.load()


def strings() -> Strings:
    """The texts in the visitor's language: the chosen, the address's, or the browser's."""
    chosen = st.session_state.get("language") or st.query_params.get("lang")
    return Strings(chosen if chosen in LANGUAGES else best_language(st.context.locale))


def choose_panel(text: Strings, page: str, panels: Sequence[str], key: str) -> str:
    """The switch between the panels of a page, whose texts are ``PAGE.PANEL``."""
    chosen = st.segmented_control(
        text(f"page.{page}"),
        panels,
        default=panels[0],
        format_func=lambda panel: text(f"{page}.{panel}"),
        key=key,
        label_visibility="collapsed",
        required=True,
    )
    return chosen or panels[0]


def choose_language(text: Strings) -> None:
    """The switch between languages. The address keeps the choice, and so does a link."""

    def keep() -> None:
        st.query_params["lang"] = st.session_state["language"]

    st.segmented_control(
        "Language · 语言",
        list(LANGUAGES),
        default=text.language,
        format_func=LANGUAGES.__getitem__,
        key="language",
        label_visibility="collapsed",
        required=True,
        on_change=keep,
    )
