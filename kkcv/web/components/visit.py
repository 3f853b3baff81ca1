"""What the browser itself must do: the document's language, and scrolling to a new question."""

from .component import component


def show_from_the_top(lang: str, question: str) -> None:
    """Say the language of the page, and scroll to the top whenever the question is another."""
    component("visit")(key="visit", data={"lang": lang, "question": question})
