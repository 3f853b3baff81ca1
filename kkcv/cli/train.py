"""``kkcv train``, ``kkcv data`` and ``kkcv onnx``."""

import dataclasses
import logging
import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any

import click

from kkcv.environment import launched, offline, set_default
from kkcv.errors import RequestError
from kkcv.extras import need
from kkcv.training.recipe import Recipe

from .language import say
from .output import print_json

if TYPE_CHECKING:
    from kkcv.training.data.source import Source
    from kkcv.training.reporter import Reporter

Command = Callable[..., Any]
LINE_SECONDS = 10.0  # between lines that replace a bar; web/training/runs.py reads them


def recipe_options(command: Command) -> Command:
    """An option for every setting of the recipe."""
    # the last decorator is the first option of the help
    for each in reversed(dataclasses.fields(Recipe)):
        name = f"--{each.name.replace('_', '-')}"
        if isinstance(each.default, bool):
            option = click.option(name, is_flag=True, help=each.metadata["help"])
        else:
            choices = each.metadata.get("of")
            option = click.option(
                name,
                type=click.Choice(choices) if choices else type(each.default),
                default=each.default,
                show_default=True,
                help=each.metadata["help"],
            )
        command = option(command)
    return command


def take_recipe(context: click.Context, name: str | None) -> None:
    """The settings of a paper become the defaults of the other options."""
    if name is not None:
        from kkcv.zoo.book.recipes import preset

        context.default_map = {**(context.default_map or {}), **preset(name)}


def source_options(command: Command) -> Command:
    """Gives a command the argument DATA, and how a CSV is read, as one Source named ``source``."""

    @wraps(command)
    def call(*arguments: Any, data: str, root: str | None, **others: Any) -> Any:
        from kkcv.training.data.source import Source

        columns = {name: others.pop(name) for name in ("path_column", "label_column")}
        source = Source(Path(data), **columns, root=Path(root) if root else None)
        return command(*arguments, source=source, **others)

    with_options: Command = call
    for option in (
        click.option("--root", help="Where the paths of a CSV begin.  [default: its folder]"),
        click.option("--label-column", help="Column of a CSV with the classes."),
        click.option("--path-column", help="Column of a CSV with the paths."),
        click.argument("data"),
    ):
        with_options = option(with_options)
    return with_options


@click.command()
@click.option("--out", required=True, help="Folder for all that comes out; it is made.")
@click.option("--resume", "resumes", is_flag=True, help="Go on with the stopped run in --out.")
@click.option(
    "--accept-changes",
    is_flag=True,
    help="With --resume: train on the pictures as they are now, if they have changed.",
)
@click.option(
    "--recipe",
    "paper",
    is_eager=True,  # before the options whose defaults it sets
    expose_value=False,
    callback=lambda context, _, name: take_recipe(context, name),
    help="Begin with the settings of a paper, as resnet or vgg; further options change them.",
)
@recipe_options
@source_options
@click.option("--json", "as_json", is_flag=True, help="Print the evaluation as one JSON object.")
@click.pass_context
def train(
    context: click.Context,
    source: "Source",
    out: str,
    resumes: bool,
    accept_changes: bool,
    as_json: bool,
    **settings: Any,
) -> None:
    """Train a classifier on the labelled pictures of DATA.

    DATA has one folder a class, perhaps within train, val and test; or is Kaggle's Dogs vs. Cats as
    it unzips; or a CSV of path and label. Without further options the head alone is trained on what
    the pretrained network makes of the pictures: seconds, on any computer.

    \b
    kkcv train pets/ --out run
    kkcv train pets/ --model resnet50 --unfreeze 1,all --out run
    kkcv train pets/ --auto --minutes 10 --out run
    kkcv train pets/ --recipe resnet --epochs 30 --out run
    kkcv classify cat.jpg --model run
    """
    from kkcv.training.start import check

    recipe = Recipe(**settings)
    need("lightning")  # before torch, which another extra brings too
    if launched() is None:
        check(source, recipe, out, resumes=resumes)  # before torch is imported
        if recipe.devices > 1:
            from kkcv.training.run import device_for

            if not resumes:
                source.read().check_trainable()  # once, not in each process
            device_for(recipe)
            context.exit(start_processes(recipe.devices))
    from kkcv.training.run import resume
    from kkcv.training.run import train as run

    with reporting() as reporter, saying_how_to_go_on(source.path, out):
        if resumes:
            given = click.core.ParameterSource.COMMANDLINE
            changes = {
                name: value
                for name, value in settings.items()
                if context.get_parameter_source(name) == given
            }
            evaluation = resume(source, out, changes, reporter, accept_changes=accept_changes)
        else:
            evaluation = run(source, recipe, out, reporter)
    if evaluation and as_json:
        print_json(evaluation)
    elif evaluation:
        click.echo(f"{Path(out) / 'report.html'}")


@contextmanager
def saying_how_to_go_on(data: Path, out: str) -> Iterator[None]:
    """When somebody stops the run by hand; Lightning turns that into an exit."""
    try:
        yield
    except (KeyboardInterrupt, SystemExit) as stop:
        if (Path(out) / "unfinished").is_dir():
            stop.add_note(f"stopped; to go on: kkcv train {data} --out {out} --resume")
        elif not Path(out).exists():
            stop.add_note("stopped before anything was trained; begin again without --resume")
        raise


def start_processes(count: int) -> int:
    """This command again, once for each device, by torchrun in this process; its exit code.

    So a signal reaches torchrun once, which passes it on, and kills what has not ended in 30 s.
    """
    from torch.distributed.elastic.multiprocessing import SignalException
    from torch.distributed.elastic.multiprocessing.errors import ChildFailedError
    from torch.distributed.run import main as torchrun

    ended_by = 0

    def interrupt(number: int, frame: FrameType | None) -> None:
        """Lightning answers SIGTERM with a broadcast, in which two processes may wait for good."""
        nonlocal ended_by
        ended_by = number
        signal.raise_signal(signal.SIGINT)

    signal.signal(signal.SIGTERM, interrupt)
    logging.disable(logging.ERROR)  # torchrun's remarks on signals and on who failed
    set_default("PET_SIGNALS_TO_HANDLE", "SIGINT,SIGHUP")  # an option of new torchruns
    # torchrun has options of its own before the --
    launch = ["--standalone", f"--nproc-per-node={count}", "-m", "--", "kkcv", *sys.argv[1:]]
    try:
        torchrun(launch)
    except SignalException as stop:
        return 128 + (ended_by or stop.sigval)  # as shells count a signal
    except ChildFailedError as failed:
        code = failed.get_first_failure()[1].exitcode
        if code >= 0:
            return code
        click.echo(say(f"a process of the run was ended by signal {-code}"), err=True)
        return 128 - code
    return 0


@contextmanager
def reporting() -> Iterator["Reporter"]:
    """Lines and a bar on standard error; without a terminal a line now and then is the bar."""
    from rich import progress
    from rich.console import Console

    from kkcv.training.reporter import Reporter

    console = Console(stderr=True, highlight=False, markup=False, soft_wrap=True)
    columns = (
        progress.TextColumn("{task.description}", markup=False),
        progress.BarColumn(),
        progress.MofNCompleteColumn(),
        progress.TimeRemainingColumn(),
    )
    with progress.Progress(*columns, console=console, disable=not console.is_terminal) as bar:
        tasks: dict[str, Any] = {}
        told = 0.0

        def show(text: str, done: int, total: int) -> None:
            nonlocal told
            what = text.partition(":")[0]
            due = what not in tasks or time.monotonic() - told >= LINE_SECONDS
            if due and not console.is_terminal:
                told = time.monotonic()
                console.print(say(f"{say(text)}: {done} of {total}"))
            if what not in tasks:
                tasks[what] = bar.add_task(say(text), total=total)
            bar.update(tasks[what], description=say(text), completed=done, total=total)

        yield Reporter(lambda line: console.print(say(line)), show)


@click.group()
def data() -> None:
    """Fetch pictures to train on."""


@data.command("cats-dogs")
@click.argument("folder")
@click.option(
    "--source",
    type=click.Choice(["kaggle", "pets"]),
    default="kaggle",
    show_default=True,
    help="Kaggle's Dogs vs. Cats (wants an account), or Oxford-IIIT Pet (wants none).",
)
def cats_dogs(folder: str, source: str) -> None:
    """Fetch labelled cats and dogs into FOLDER.

    Where there is no network, it says what to do by hand.

    \b
    kkcv data cats-dogs pets/ --source pets
    """
    from kkcv.training.data.download import fetch_cats_dogs

    click.echo(fetch_cats_dogs(folder, source, offline=offline()))


@click.command()
@click.argument("run")
@click.argument("file")
def onnx(run: str, file: str) -> None:
    """Write the classifier of RUN as an ONNX file.

    Its input is ``images``, normalized as the metadata say; its outputs are ``probabilities`` and
    ``embedding``.

    \b
    kkcv onnx run/ cats-dogs.onnx
    """
    if not file.endswith(".onnx"):
        raise RequestError(f"the file must end in .onnx, got {file!r}")
    from kkcv import checkpoint
    from kkcv.training.export import export_onnx

    export_onnx(checkpoint.load(run), file)
    click.echo(file)
