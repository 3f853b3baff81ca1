"""Pages of the site beyond the files of this folder: a hook of MkDocs (mkdocs.yml)."""

from typing import Any

from mkdocs.config.defaults import MkDocsConfig

from kkcv.zoo.registry import FAMILIES


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """Put the families of the zoo into the navigation."""
    titles = [(module.FAMILY.name, module.FAMILY.title) for module in FAMILIES]
    for page, folder in (("zoo.md", "zoo"), ("zh/zoo.md", "zh/zoo")):
        pages = part_with(config.nav or [], page)
        pages += [{title: f"{folder}/{name}.md"} for name, title in titles]
    return config


def part_with(nav: list[Any], page: str) -> list[Any]:
    """The list of the navigation that has this page."""
    for entry in nav:
        for below in entry.values() if isinstance(entry, dict) else ():
            if below == page:
                return nav
            if isinstance(below, list):
                if page in below:
                    return below
                if found := part_with(below, page):
                    return found
    return []
