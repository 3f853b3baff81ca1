"""``kkcv serve``, the HTTP API; ``kkcv config`` and ``kkcv keys``, what belongs to it."""

import logging
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from kkcv import environment
from kkcv.serve.options import OPTIONS, Option, Switch, Told, resolve

from .options import json_option
from .output import print_json, print_table

KEYS = click.argument("file", type=click.Path(path_type=Path))


def told_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """An argument and a flag for each option; where none is given, others may say it."""
    for option in reversed(OPTIONS[1:]):
        command = flag(option)(command)
    config = click.option(
        "--config",
        "config_file",
        type=click.Path(path_type=Path),
        help="A TOML file.  [default: $KKCV_CONFIG, or kkcv.toml if there is one]",
    )
    return click.argument("gallery", required=False)(config(command))


def flag(option: Option) -> Callable[..., Any]:
    shown = option.shown or option.default
    if isinstance(option.kind, Switch):
        return click.option(option.flag, is_flag=True, default=None, help=option.help)
    help = f"{option.help}  [default: {shown}]"
    return click.option(option.flag, option.name, metavar=option.metavar, help=help)


def in_words(told: dict[str, Told]) -> str:
    """What is not the default, and who said it."""
    names = [option.name for option in OPTIONS if told[option.name].source != "default"]
    return ", ".join(f"{name} by {told[name].source}" for name in names) or "nothing"


def tell(flags: dict[str, Any], config_file: Path | None) -> dict[str, Told]:
    return resolve(flags, environment.variables(), config_file)


@click.command()
@told_options
def serve(config_file: Path | None, **flags: Any) -> None:
    """Answer searches over HTTP; the API is described at /docs.

    Each option can also be said by the environment or in a TOML file: kkcv config shows them all.
    SIGTERM and Ctrl-C let the requests in flight finish.

    \b
    kkcv serve photos.kkcv --port 8000
    """
    from kkcv.serve.settings import settings_of

    told = tell(flags, config_file)
    if not told["gallery"].value:
        raise click.UsageError("Missing argument 'GALLERY'.")
    settings = settings_of(told, host=told["host"].value)
    # Before torch and Faiss are imported: each worker would start a thread for every core.
    cores = os.cpu_count() or 1
    environment.set_default("OMP_NUM_THREADS", str(max(1, cores // settings.workers)))
    from kkcv.serve.logs import log_to_stderr
    from kkcv.serve.run import run

    log_to_stderr(requests=not told["quiet"].value, form=told["log"].value)

    def announce(line: str) -> None:
        click.echo(line)
        logging.getLogger("kkcv.serve").info("not by default: %s", in_words(told))

    run(
        told["gallery"].value,
        settings,
        host=told["host"].value,
        port=told["port"].value,
        announce=announce,
    )


@click.command()
@told_options
@json_option
def config(config_file: Path | None, as_json: bool, **flags: Any) -> None:
    """Show every setting, and who said it: those of kkcv serve, and those of all commands.

    A flag goes before the environment, the environment before the TOML file. Flags are those of
    kkcv serve.

    \b
    kkcv config photos.kkcv --port 0
    """
    told = tell(flags, config_file)
    rows = []
    for option in OPTIONS:
        value, source = told[option.name]
        value = "(hidden)" if option.secret and value else value
        rows.append((option, list(value) if isinstance(value, tuple) else value, source))
    if as_json:
        said = {option.name: {"value": v, "from": source} for option, v, source in rows}
        said |= {name: {"value": v, "from": source} for name, v, source in environment.resolved()}
        print_json(said)
        return
    print_table(
        ["setting", "value", "from", "flag", "variable"],
        [
            [option.name, shown(value), source, option.flag, option.environment]
            for option, value, source in rows
        ],
        title="kkcv serve",
    )
    print_table(["variable", "value", "from"], environment.resolved(), title="every command")


def shown(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return ", ".join(value) if isinstance(value, list) else str(value)


@click.group()
def keys() -> None:
    """API keys for kkcv serve: a file that holds their hashes, never the keys."""


@keys.command()
@KEYS
@click.argument("name")
@click.option(
    "--scope",
    type=click.Choice(["read", "write"]),
    default="read",
    show_default=True,
    help="read searches and reads; write changes the gallery too.",
)
@click.option(
    "--rate",
    type=click.IntRange(0, 1_000_000),
    metavar="N",
    help="Requests a minute; 0: any number.  [default: as kkcv serve --rate says]",
)
def add(file: Path, name: str, scope: str, rate: int | None) -> None:
    """Make a key and print it: it is shown this once, and cannot be had again.

    \b
    kkcv keys add keys.json phone --scope write
    """
    from kkcv.serve.keys import add_key

    click.echo(add_key(file, name, scope, rate))


@keys.command("list")
@KEYS
@json_option
def list_(file: Path, as_json: bool) -> None:
    """Show the names of the keys, and what each may do.

    \b
    kkcv keys list keys.json
    """
    from kkcv.serve.keys import read_keys

    found = read_keys(file)
    if as_json:
        fields = ("name", "scope", "rate", "made")
        print_json({"keys": [{name: getattr(key, name) for name in fields} for key in found]})
        return
    print_table(
        ["name", "scope", "requests a minute", "made"],
        [[k.name, k.scope, "" if k.rate is None else k.rate, k.made] for k in found],
    )


@keys.command()
@KEYS
@click.argument("name")
def remove(file: Path, name: str) -> None:
    """Refuse a key from now on; a service that runs need not be started again.

    \b
    kkcv keys remove keys.json phone
    """
    from kkcv.serve.keys import remove_key

    remove_key(file, name)
