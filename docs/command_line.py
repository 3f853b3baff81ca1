"""The reference of the command line, made from the help texts (docs/generated.py)."""

from collections.abc import Iterator

import click

from kkcv.cli import main

INTRODUCTION = """\
# The command line

What `kkcv COMMAND --help` prints, of every command. Results go to standard output, progress and
errors to standard error. The exit code is 0 when all went well, 2 for what was asked wrongly, 1 for
what failed, 130 after Ctrl-C and 143 after SIGTERM.
"""
WIDTH = 92


def markdown() -> str:
    """The page: a section for each command, in the order of ``kkcv --help``."""
    return "\n".join([INTRODUCTION, *parts(main, "kkcv", None)])


def parts(command: click.Command, name: str, parent: click.Context | None) -> Iterator[str]:
    """The section of a command, then those of its subcommands."""
    context = click.Context(
        command, parent, info_name=name, terminal_width=WIDTH, **command.context_settings
    )
    yield f"## {context.command_path}\n\n```text\n{command.get_help(context)}\n```\n"
    if isinstance(command, click.Group):
        for below in command.list_commands(context):
            yield from parts(command.commands[below], below, context)
