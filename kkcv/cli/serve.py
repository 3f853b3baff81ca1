"""``kkcv serve``, the HTTP API, with ``kkcv config`` and ``kkcv keys``."""

import logging
from pathlib import Path
from typing import Any

import click

from kkcv import environment
from kkcv.machine import cores
from kkcv.serve.parameters import (
    ARGUMENTS,
    PARAMETERS,
    Serving,
    flag_of,
    resolve,
    resolved,
    variable_of,
)

from .language import say
from .options import json_option
from .output import echo, print_json, print_table

KEYS = click.argument("file", type=click.Path(path_type=Path))


@click.command(cls=Serving)
@click.pass_context
def serve(context: click.Context, **_: Any) -> None:
    """Answer searches over HTTP; the API is described at /docs.

    Of several galleries the first is at /v1, and each by its name at /v1/galleries/NAME. Each
    option can also be set in the environment or in a TOML file: kkcv config shows them all. SIGTERM
    and Ctrl-C let running requests finish; SIGHUP takes keys and settings again.

    \b
    kkcv serve photos.kkcv --port 8000
    kkcv serve photos.kkcv shop.kkcv
    """
    from kkcv.serve.settings import Settings, settings_of

    values = resolved(context)
    if not values["gallery"].value:
        raise click.UsageError("Missing argument 'GALLERY'.")
    settings = settings_of(values, host=values["host"].value)
    # Before torch and Faiss are imported: each worker would start a thread for every core.
    environment.set_default("OMP_NUM_THREADS", str(max(1, cores() // settings.workers)))
    from kkcv.serve.logs import log_to_stderr
    from kkcv.serve.run import run

    log_to_stderr(requests=not values["quiet"].value, form=values["log"].value)
    changed = [f"{name} by {each.source}" for name, each in values.items() if each.is_set]

    def announce(line: str) -> None:
        echo(line)
        logging.getLogger("kkcv.serve").info("not by default: %s", ", ".join(changed) or "nothing")

    def reload() -> Settings:
        return settings_of(resolve(context.meta[ARGUMENTS]), host=values["host"].value)

    run(
        values["gallery"].value,
        settings,
        host=values["host"].value,
        port=values["port"].value,
        announce=announce,
        reload=reload,
    )


@click.command(cls=Serving)
@json_option
@click.pass_context
def config(context: click.Context, as_json: bool, **_: Any) -> None:
    """Show every setting and where it was set: those of kkcv serve, and those of all commands.

    A flag wins over the environment, the environment over the TOML file. Flags are those of kkcv
    serve.

    \b
    kkcv config photos.kkcv --port 0
    """
    values = resolved(context)
    rows = [(each, *values[str(each.name)]) for each in PARAMETERS]
    if as_json:
        document = {
            each.name: {"value": plain(each, v), "from": source} for each, v, source in rows
        }
        document |= {
            name: {"value": v, "from": source} for name, v, source in environment.resolved()
        }
        print_json(document)
        return
    print_table(
        ["setting", "value", "from", "flag", "variable"],
        [
            [each.name, shown(plain(each, value)), say(source), flag_of(each), variable_of(each)]
            for each, value, source in rows
        ],
        title="kkcv serve",
    )
    own = [(name, value, say(source)) for name, value, source in environment.resolved()]
    print_table(["variable", "value", "from"], own, title="every command")


def plain(parameter: click.Parameter, value: Any) -> Any:
    """The value for JSON, without secrets."""
    if getattr(parameter, "secret", False) and value:
        return "(hidden)"
    if parameter.nargs == -1 and len(value) <= 1:  # one gallery, or none
        return "".join(value)
    return list(value) if isinstance(value, tuple) else value


def shown(value: Any) -> str:
    if isinstance(value, bool):
        return say("yes" if value else "no")
    return ", ".join(value) if isinstance(value, list) else str(value)


@click.group()
def keys() -> None:
    """API keys for kkcv serve: a file that holds their hashes, never the keys."""


@keys.command()
@KEYS
@click.argument("name")
@click.option(
    "--scope",
    type=click.Choice(["metrics", "read", "write"]),
    default="read",
    show_default=True,
    help="metrics reads /metrics alone; read searches and reads; write changes the gallery too.",
)
@click.option(
    "--rate",
    type=click.IntRange(0, 1_000_000),  # as MAX_RATE of serve/keys.py
    metavar="N",
    help="Requests a minute; 0: unlimited.  [default: that of kkcv serve --rate]",
)
def add(file: Path, name: str, scope: str, rate: int | None) -> None:
    """Make a key and print it. It is shown only this once.

    \b
    kkcv keys add keys.json phone --scope write
    """
    from kkcv.serve.keys import add_key

    click.echo(add_key(file, name, scope, rate))


@keys.command("list")
@KEYS
@json_option
def list_(file: Path, as_json: bool) -> None:
    """List the keys with their scopes.

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
    """Refuse a key from now on; a running service need not be restarted.

    \b
    kkcv keys remove keys.json phone
    """
    from kkcv.serve.keys import remove_key

    remove_key(file, name)
