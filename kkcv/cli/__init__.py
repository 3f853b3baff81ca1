"""The command line: ``kkcv COMMAND``. One file a group of commands.

A command's file is imported when the command is named, and what it works with inside its function:
``kkcv --help`` is instant, and ``kkcv search`` does not load what trains.
"""

import builtins
import os
import re
import sys
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from importlib import import_module
from keyword import iskeyword
from typing import Any, ClassVar

import click

from kkcv import environment
from kkcv.errors import KkcvError
from kkcv.extras import missing

from .language import in_language, say
from .locales import as_meant, use_utf8_for_names
from .shell import version_option
from .stopping import stoppable

# heading: {command: the file here that has it}, in the order of use
COMMANDS = {
    "Search": {
        "demo": "demo",
        "index": "index",
        "search": "search",
        "explain": "explain",
        "duplicates": "gallery",
        "list": "metadata",
        "show": "metadata",
        "describe": "metadata",
        "remove": "library",
        "undo": "library",
        "stats": "gallery",
    },
    "Better answers": {
        "selfcheck": "quality",
        "calibrate": "quality",
        "tune": "care",
        "adapt": "quality",
        "reindex": "care",
    },
    "Keep a gallery": {
        "roots": "library",
        "watch": "library",
        "doctor": "care",
        "backup": "care",
        "restore": "care",
        "export": "care",
        "import": "care",
        "embed": "embed",
    },
    "Serve": {"serve": "serve", "config": "serve", "keys": "serve", "web": "web"},
    "Networks": {"models": "models", "classify": "classify", "zoo": "zoo", "runtimes": "runtimes"},
    "Train": {"data": "train", "train": "train", "evaluate": "evaluate", "onnx": "train"},
    "Shell": {"help": "shell", "completion": "shell"},
}


class Commands(Mapping[str, click.Command]):
    """The commands by name; each file is imported when one of its commands is looked up."""

    files: ClassVar = {name: file for names in COMMANDS.values() for name, file in names.items()}

    def __getitem__(self, name: str) -> click.Command:
        taken = iskeyword(name) or hasattr(builtins, name)  # import, list
        file, function = self.files[name], f"{name}_" if taken else name
        command: click.Command = getattr(import_module(f"{__name__}.{file}"), function)
        for below in getattr(command, "commands", {}).values():  # in full, as kkcv --help has them
            below.short_help = below.get_short_help_str(1000)
        return in_language(command)

    def __iter__(self) -> Iterator[str]:
        return iter(self.files)

    def __len__(self) -> int:
        return len(self.files)


class Failure(click.ClickException):
    """One line on standard error, exit code 2."""

    exit_code = 2

    def show(self, file: Any = None) -> None:
        click.echo(line(self.message), file=file or sys.stderr)


class Kkcv(click.Group):
    """The group of all commands, which turns errors into one line."""

    def __init__(self, *args: Any, **extra: Any) -> None:
        super().__init__(*args, **extra)
        self.commands = Commands()  # type: ignore[assignment]  # nothing is added to it

    def make_context(
        self, info_name: str | None, args: list[str], *more: Any, **extra: Any
    ) -> click.Context:
        in_language(self)
        with usage_in_one_line(lambda: "kkcv"):
            args = [*map(as_typed, as_meant(args))]
            must_answer(args)
            return super().make_context(info_name, args, *more, **extra)

    def main(self, *args: Any, **extra: Any) -> Any:
        if not args and "args" not in extra:  # of this process
            use_utf8_for_names()
        try:
            return super().main(*args, **extra)
        except OSError as error:  # also in --help, which is not a command
            Failure(refusal(error)).show()
            sys.exit(Failure.exit_code)

    def invoke(self, ctx: click.Context) -> Any:
        if environment.language() != "en":
            from kkcv.embedding import telling

            telling.in_words = say
        with warnings.catch_warnings():
            warnings.showwarning = show_warning
            try:
                with stoppable(), usage_in_one_line(lambda: f"kkcv {ctx.invoked_subcommand}"):
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
        for heading, names in COMMANDS.items():
            with formatter.section(say(heading)):
                formatter.write_dl(
                    [
                        (name.ljust(width), self.commands[name].get_short_help_str(1000))
                        for name in names
                    ]
                )


def as_typed(argument: str) -> str:
    """An argument that begins as a path with ~ or $HOME, which no shell has expanded.

    Shells leave alone what is quoted, and ``--out=~/x``.
    """
    from kkcv.disk import typed

    flag, sign, value = argument.partition("=") if argument.startswith("--") else ("", "", argument)
    is_path = re.match(r"~[\w-]*(/|$)|\$(\w+|\{\w+\})(/|$)", value)
    return f"{flag}{sign}{typed(value)}" if is_path else argument


def must_answer(args: list[str]) -> None:
    """Refuse paths of a dead mount, except where a command knows what to do without looking."""
    from kkcv.answering import SILENT, answers

    if args and args[0] not in ("index", "remove", "roots", "show"):
        for argument in args:
            path = argument.partition("=")[2] if argument.startswith("--") else argument
            if not answers(path):
                raise Failure(f"{path}: {SILENT}")


@contextmanager
def usage_in_one_line(command: Callable[[], str]) -> Iterator[None]:
    """Turn usage errors of Click, which do not always name the command, into one line."""
    try:
        yield
    except click.exceptions.NoArgsIsHelpError:  # prints help
        raise
    except click.UsageError as error:
        text = " ".join(error.format_message().split()).removesuffix(".").removesuffix("。")
        text = re.sub(r"[.。] \(?Did you mean (.*\?)\)?", r" (did you mean \1)", text)
        path = error.ctx.command_path if error.ctx else command()
        raise Failure(f"{text[:1].lower()}{text[1:]}; see {path} --help") from None


def line(message: str) -> str:
    from kkcv.images.source import printable

    return f"kkcv: {say(printable(message))}"


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
    environment.set_default("OMP_WAIT_POLICY", "PASSIVE")
