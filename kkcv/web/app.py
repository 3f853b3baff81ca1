"""The script that Streamlit runs for each visitor: language, style, and the pages."""

import json
from collections.abc import Callable
from pathlib import Path

import streamlit as st

from kkcv.images.limits import DEFAULT_LIMITS
from kkcv.web.components.guard import guarded
from kkcv.web.components.markup import as_markdown
from kkcv.web.library.page import library_page
from kkcv.web.search.page import search_page
from kkcv.web.session import choose_language, gallery_name, strings
from kkcv.web.strings import Strings
from kkcv.web.training.page import training_page
from kkcv.web.uploads import limit_uploads
from kkcv.web.zoo.page import zoo_page

# By the name in the address; their titles are the texts page.NAME.
PAGES: dict[str, Callable[[], None]] = {
    "search": search_page,
    "library": library_page,
    "zoo": zoo_page,
    "training": training_page,
}
STYLE = Path(__file__).with_name("style.css")


def main() -> None:
    limit_uploads()
    text = strings()
    st.set_page_config(page_title="kkcv", page_icon="🔎", layout="wide")
    st.html(f"<style>{STYLE.read_text(encoding='utf-8')}{widget_texts(text)}</style>")
    pages = {
        name: st.Page(
            guarded(page), title=text(f"page.{name}"), url_path=name, default=page is search_page
        )
        for name, page in PAGES.items()
    }
    st.session_state["pages"] = pages
    page = st.navigation(list(pages.values()), position="hidden")
    with st.container(horizontal=True, vertical_alignment="center", key="head"):
        st.markdown(f"**{as_markdown(gallery_name())}**")
        for each in pages.values():
            st.page_link(each)
        choose_language(text)
    st.session_state["arrived"] = st.session_state.get("at") != page.url_path  # by a link
    st.session_state["at"] = page.url_path
    page.run()


def widget_texts(text: Strings) -> str:
    """CSS that replaces the texts that Streamlit has in English only."""
    megabytes = DEFAULT_LIMITS.max_bytes >> 20
    uploader, camera = "[data-testid=stFileUploaderDropzone", "[data-testid=stCameraInput"
    places = {
        f"{uploader}] button p": text("widget.choose"),
        f"{uploader}Instructions] span": text("widget.limit", megabytes=megabytes),
        f"{camera}WebcamComponent] p": text("widget.camera"),
        f"{camera}Button]": text("widget.shoot"),
        f"{camera}]:has(img) {camera}Button]": text("widget.again"),
    }
    refused = json.dumps(text("widget.refused", megabytes=megabytes), ensure_ascii=False)
    told = "[data-testid=stFileChips]:has([data-testid=stFileChipIconError])::after"
    return f"{told} {{content: {refused}; font-size: 0.9rem}}" + "".join(
        f"{place}, {place} * {{font-size: 0 !important}}"
        f"{place}::after {{content: {json.dumps(words, ensure_ascii=False)}; font-size: 0.9rem}}"
        for place, words in places.items()
    )


if __name__ == "__main__":
    main()
