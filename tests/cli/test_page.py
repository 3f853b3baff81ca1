"""The reference of the command line is made from the help."""

import click

from docs.command_line import markdown
from kkcv.cli import main


def paths(command: click.Command, path: str) -> list[str]:
    below = command.commands.items() if isinstance(command, click.Group) else ()
    return [path, *(p for name, each in below for p in paths(each, f"{path} {name}"))]


def test_every_command_has_its_part_with_its_help() -> None:
    page = markdown()

    titles = [line[3:] for line in page.splitlines() if line.startswith("## ")]
    assert sorted(titles) == sorted(paths(main, "kkcv"))
    assert page.count("Usage: ") == len(paths(main, "kkcv"))
    assert "-h, --help" in page
