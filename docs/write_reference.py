"""Writes the pages of docs/reference from the code: ``python docs/write_reference.py [FOLDER]``."""

import os
import sys
from collections.abc import Callable
from pathlib import Path

os.environ["KKCV_LANG"] = "en"  # before the commands are imported: their help is a page

import command_line
import http_api
import python_api
import search_options

from kkcv.disk import write_file

FOLDER = Path(__file__).with_name("reference")
PAGES: dict[str, Callable[[], str]] = {
    "python.md": python_api.markdown,
    "cli.md": command_line.markdown,
    "http.md": http_api.markdown,
    "options.md": search_options.markdown,
}


def main(folder: Path = FOLDER) -> None:
    for name, markdown in PAGES.items():
        write_file(folder / name, markdown())


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
