"""The command line: ``kkcv COMMAND``. One file a group of commands.

Commands import what they need inside their functions, so that ``kkcv --help`` is instant.
"""

import os
import re
import sys
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import click

from kkcv.environment import set_default
from kkcv.errors import KkcvError
from kkcv.extras import missing

from .care import backup, doctor, export, import_, reindex, restore, tune
from .classify import classify
from .demo import demo
from .embed import embed
from .evaluate import evaluate
from .evaluate_classifier import classifier
from .explain import explain
from .gallery import duplicates, remove, stats
from .index import index
from .quality import adapt, calibrate, selfcheck
from .runtimes import runtimes
from .search import search
from .serve import config, keys, serve
from .shell import completion, version_option
from .train import data, onnx, train
from .web import web
from .zoo import zoo


class Failure(click.ClickException):
    """One line on standard error, exit code 2."""

    exit_code = 2

    def show(self, file: Any = None) -> None:
        click.echo(line(self.message), file=file or sys.stderr)


class Kkcv(click.Group):
    """The group of all commands, which turns errors into one line."""

    def make_context(self, *args: Any, **extra: Any) -> click.Context:
        with usage_in_one_line(lambda: "kkcv"):
            return super().make_context(*args, **extra)

    def main(self, *args: Any, **extra: Any) -> Any:
        try:
            return super().main(*args, **extra)
        except OSError as error:  # also in --help, which is not a command
            Failure(refusal(error)).show()
            sys.exit(Failure.exit_code)

    def invoke(self, ctx: click.Context) -> Any:
        with warnings.catch_warnings():
            warnings.showwarning = show_warning
            try:
                with usage_in_one_line(lambda: f"kkcv {ctx.invoked_subcommand}"):
                    return super().invoke(ctx)
            except KkcvError as error:
                raise Failure(str(error)) from None
            except ModuleNotFoundError as error:
                if (lacking := missing(error)) is None:
                    raise
                raise Failure(str(lacking)) from None

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(self.commands)  # in the order of use, not alphabetical

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the commands under their headings, each with its whole first sentence."""
        width = max(map(len, self.commands))
        for heading, commands in COMMANDS.items():
            with formatter.section(heading):
                formatter.write_dl(
                    [
                        (str(command.name).ljust(width), command.get_short_help_str(1000))
                        for command in commands
                    ]
                )


@contextmanager
def usage_in_one_line(command: Callable[[], str]) -> Iterator[None]:
    """Turn usage errors of Click, which do not always name the command, into one line."""
    try:
        yield
    except click.exceptions.NoArgsIsHelpError:  # prints help
        raise
    except click.UsageError as error:
        text = " ".join(error.format_message().split()).removesuffix(".")
        text = re.sub(r"\. \(?Did you mean (.*\?)\)?", r" (did you mean \1)", text)
        path = error.ctx.command_path if error.ctx else command()
        raise Failure(f"{text[:1].lower()}{text[1:]}; see {path} --help") from None


def line(message: str) -> str:
    from kkcv.images.source import printable

    return f"kkcv: {printable(message)}"


def refusal(error: OSError) -> str:
    """The message for an OSError that no command has handled."""
    why = error.strerror or str(error) or type(error).__name__
    if error.filename is None:
        return f"the output cannot be written: {why}"
    return f"{os.fsdecode(error.filename)} cannot be used: {why}"


def show_warning(message: Warning | str, *where: Any, **more: Any) -> None:
    """Print a warning as one line, without its place in the code."""
    click.echo(line(" ".join(str(message).split())), err=True)


@click.group(cls=Kkcv, context_settings={"help_option_names": ["-h", "--help"]})
@version_option
def main() -> None:
    """Search your own pictures by picture, and read the classic CNNs.

    \b
    kkcv index photos.kkcv ~/Pictures      make a gallery of a folder
    kkcv search photos.kkcv cat.jpg        the pictures most like this one
    """
    # Before Faiss is loaded: else its threads spin while they wait (docs/speed.md).
    set_default("OMP_WAIT_POLICY", "PASSIVE")


COMMANDS: dict[str, tuple[click.Command, ...]] = {
    "Search": (demo, index, search, explain, duplicates, remove, stats),
    "Better answers": (selfcheck, calibrate, tune, adapt, reindex),
    "Keep a gallery": (doctor, backup, restore, export, import_, embed),
    "Serve": (serve, config, keys, web),
    "Networks": (classify, zoo, runtimes),
    "Train": (data, train, evaluate, onnx),
    "Shell": (completion,),
}
for commands in COMMANDS.values():
    for command in commands:
        main.add_command(command)
evaluate.add_command(classifier)
