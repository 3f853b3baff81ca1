"""The zoo page and its panels."""

from kkcv.web.session import choose_panel, strings

from .embedders import show_embedders
from .family import show_family
from .look import look

PANELS = {"families": show_family, "look": look, "embedders": show_embedders}


def zoo_page() -> None:
    text = strings()
    PANELS[choose_panel(text, "zoo", list(PANELS), "zoo-panel")](text)
