"""Two tasks of the browser: the document's language, and scrolling up for a new query."""

from .component import component


def show_from_the_top(lang: str, question: str) -> None:
    """Say the language of the page, and scroll to the top whenever the question is another."""
    component("visit")(key="visit", data={"lang": lang, "question": question})
