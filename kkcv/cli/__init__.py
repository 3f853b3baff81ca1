"""The command line: ``kkcv COMMAND``. One file a group of commands; heavy imports inside them."""

import os
import sys
from typing import Any

import click

from kkcv.errors import KkcvError

from .adapt import adapt
from .calibrate import calibrate
from .care import backup, doctor, export, import_, reindex, restore, tune
from .classify import classify
from .completion import completion
from .demo import demo
from .embed import embed
from .evaluate import evaluate
from .evaluate_classifier import classifier
from .explain import explain
from .gallery import duplicates, remove, stats
from .index import index
from .runtimes import runtimes
from .search import search
from .selfcheck import selfcheck
from .serve import config, keys, serve
from .train import data, onnx, train
from .versions import version_option
from .web import web
from .zoo import zoo


class Failure(click.ClickException):
    """One line on standard error, exit code 2."""

    exit_code = 2

    def show(self, file: Any = None) -> None:
        click.echo(f"kkcv: {self.message}", file=file or sys.stderr)


class Kkcv(click.Group):
    """The group of all commands, which turns what a user can mend into one line."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except KkcvError as error:
            raise Failure(str(error)) from None

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(self.commands)  # in the order of use, not of the alphabet


@click.group(cls=Kkcv, context_settings={"help_option_names": ["-h", "--help"]})
@version_option
def main() -> None:
    """Search your own pictures by picture, and read the classic CNNs.

    \b
    kkcv index photos.kkcv ~/Pictures      make a gallery of a folder
    kkcv search photos.kkcv cat.jpg        the pictures most like this one
    """
    # Before Faiss is loaded: its threads else wait for each other by spinning (docs/speed.md).
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")


for command in (
    demo,
    index,
    embed,
    search,
    explain,
    remove,
    duplicates,
    selfcheck,
    calibrate,
    stats,
    tune,
    adapt,
    reindex,
    doctor,
    runtimes,
    backup,
    restore,
    export,
    import_,
    serve,
    config,
    keys,
    web,
    classify,
    zoo,
    train,
    evaluate,
    onnx,
    data,
    completion,
):
    main.add_command(command)
evaluate.add_command(classifier)
