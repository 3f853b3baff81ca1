"""What the site has beyond the files of this folder: a hook of MkDocs (mkdocs.yml)."""

from typing import Any

import command_line  # all beside this file: MkDocs lets a hook import from its folder
import http_api
import search_options
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files

from kkcv.zoo.registry import FAMILIES

GENERATED = {
    "reference/cli.md": command_line.markdown,
    "reference/http.md": http_api.markdown,
    "reference/options.md": search_options.markdown,
}


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


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the pages that are made from the code."""
    for path, markdown in GENERATED.items():
        files.append(File.generated(config, path, content=markdown()))
    return files
