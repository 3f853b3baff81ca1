"""The settings of a service as parameters of Click: by flag, environment and TOML file.

Click resolves them in this order, and knows which of them set a value: ``kkcv config`` shows it.
"""

import shlex
import tomllib
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import click
from click.core import ParameterSource

from kkcv.disk import read_file, typed
from kkcv.errors import RequestError
from kkcv.machine import cores

FILE = "kkcv.toml"  # in the current folder, unless --config or KKCV_CONFIG names another
TABLE = "serve"
# In the meta data of a context: the TOML file that was read, and the arguments as they were given.
FILE_USED, ARGUMENTS = "kkcv.serve.file", "kkcv.serve.arguments"
CONTEXT = {"auto_envvar_prefix": "KKCV"}  # --rate is KKCV_RATE
HANDED_OVER = Path("/dev/fd")
DEFAULT = "default"


class Setting(click.Option):
    """A flag that the environment and the TOML file can set too. Errors name the one that did."""

    def __init__(self, *flags: str, secret: bool = False, **more: Any) -> None:
        super().__init__(flags, show_envvar=True, **{"show_default": True, **more})
        self.secret = secret

    def get_error_hint(self, ctx: click.Context | None) -> str:
        source = "" if ctx is None else source_of(ctx, self)
        in_file = ctx is not None and source == ctx.meta.get(FILE_USED)
        return f"{self.name} in {source}" if in_file else source


class Galleries(click.Path):
    """Folders and addresses of galleries; in the environment and in the file split by spaces."""

    def split_envvar_value(self, rv: str) -> Sequence[str]:
        # a folder with a space in its name is one
        return [rv] if Path(rv).exists() else shlex.split(rv)


class Origins(click.ParamType):
    """Origins of web pages, separated by commas."""

    name = "origins"

    def convert(self, value: Any, param: Any, ctx: Any) -> tuple[str, ...]:
        if isinstance(value, tuple):
            return value
        return tuple(part.strip() for part in value.split(",") if part.strip())


def default_workers() -> int:
    """One a core, but not so many that their pictures fill the memory."""
    return min(cores(), 4)  # a picture of 64 megapixels takes half a gigabyte


# Host and port have longer variables: Kubernetes sets KKCV_PORT for a service called kkcv.
PARAMETERS: tuple[click.Argument | Setting, ...] = (
    click.Argument(["gallery"], type=Galleries(), nargs=-1, required=False,
                   envvar="KKCV_GALLERY"),
    Setting("--host", envvar="KKCV_SERVE_HOST", default="127.0.0.1",
            help="The address to listen at."),
    Setting("--port", envvar="KKCV_SERVE_PORT", type=click.IntRange(0, 65535), default=8000,
            metavar="PORT", help="0 finds a free one."),
    Setting("--api-key", default="", show_default="none", metavar="KEY", secret=True,
            help="A key that may do everything. Better set it in the environment: others can see "
            "the command."),
    Setting("--keys", type=click.Path(), default="", show_default="none", metavar="FILE",
            help="A file of keys, made with: kkcv keys add."),
    Setting("--insecure", is_flag=True, help="Listen beyond this machine without a key."),
    Setting("--base-path", default="", show_default="none", metavar="PATH",
            help="The path under which a proxy offers the service, such as /kkcv."),
    Setting("--trusted-proxy", type=Origins(), default=(), show_default="none",
            metavar="ADDRESSES", help="Addresses of proxies whose header X-Forwarded-Prefix is "
            "the path under which they offer the service."),
    Setting("--cors", type=Origins(), default=(), show_default="none", metavar="ORIGINS",
            help="Let web pages of these origins call, such as "
            "https://photos.example,https://a.example."),
    Setting("--rate", type=click.IntRange(0, 1_000_000), default=1200, metavar="N",
            help="Requests a minute with one key, unless the key has its own rate; 0: unlimited."),
    Setting("--threads", type=click.IntRange(1, 512), default=64, metavar="N",
            help="Requests answered at the same time; more are refused with 503."),
    Setting("--workers", type=click.IntRange(1, 256), default=default_workers, metavar="N",
            show_default="one a core, at most 4", help="Pictures decoded at the same time."),
    Setting("--batch-wait", type=click.IntRange(0, 1000), default=2, metavar="MS",
            help="Milliseconds that the network waits for more pictures to share a batch."),
    Setting("--timeout", type=click.IntRange(1, 3600), default=60, metavar="SECONDS",
            help="Time for a request to arrive, and again to be answered."),
    Setting("--max-body", type=click.IntRange(1, 1024), default=32, metavar="MIB",
            help="The largest request."),
    Setting("--max-megapixels", type=click.IntRange(1, 170), default=64, metavar="N",
            help="The largest picture."),
    Setting("--recall-check", type=click.IntRange(0, 604_800), default=3600, metavar="SECONDS",
            help="Time between two checks of the index against the exact answer; 0: never."),
    Setting("--log", type=click.Choice(["auto", "json", "text"]), default="auto",
            help="Form of the log; auto: text on a terminal, else JSON."),
    Setting("--quiet", is_flag=True, help="Do not log each request."),
)  # fmt: skip
NAMES = tuple(str(parameter.name) for parameter in PARAMETERS)


def load_file(ctx: click.Context, parameter: click.Parameter, file: Path | None) -> None:
    """Let the ``[serve]`` table of a TOML file replace the defaults (RequestError)."""
    file = file or (Path(FILE) if Path(FILE).is_file() else None)
    if file is not None:
        ctx.default_map = read_table(file)
        ctx.meta[FILE_USED] = str(file)


CONFIG = click.Option(
    ["--config"],
    type=click.Path(path_type=Path),
    is_eager=True,  # before the parameters that it has values for
    expose_value=False,
    callback=load_file,
    show_envvar=True,
    help=f"A TOML file.  [default: {FILE} if there is one]",
)


class Serving(click.Command):
    """A command with the parameters of a service, which keeps its arguments for a later look."""

    def __init__(
        self, name: str | None, *, params: Sequence[click.Parameter] = (), **more: Any
    ) -> None:
        everything = [*PARAMETERS, CONFIG, *params]
        super().__init__(name, params=everything, context_settings=CONTEXT, **more)

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        ctx.meta[ARGUMENTS] = list(args)
        return super().parse_args(ctx, args)


def read_table(file: Path) -> dict[str, Any]:
    """The ``[serve]`` table of a TOML file, its keys known and its values as text (RequestError).

    As text, because ``port = true`` and ``port = 1.5`` must not be taken for a number.
    """
    try:
        # A shell hands over --config <(decrypt kkcv.toml) as an open pipe.
        data = file.read_bytes() if file.parent == HANDED_OVER else read_file(file)
        document = tomllib.loads(data.decode())
    except OSError as error:
        raise RequestError(f"{file} cannot be read: {error.strerror}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise RequestError(f"{file} is not TOML: {error}") from None
    refuse_unknown(file, "table", document, (TABLE,))
    table = document.get(TABLE, {})
    if not isinstance(table, dict):
        raise RequestError(f"{file}: {TABLE} must be a table: [{TABLE}]")
    refuse_unknown(file, "key", table, NAMES)
    values = {}
    for parameter in PARAMETERS:
        if parameter.name in table:
            value = text_of(file, parameter, table[parameter.name])
            values[str(parameter.name)] = (
                [value] if parameter.nargs == -1 and isinstance(value, str) else value
            )
    return values


def text_of(file: Path, parameter: click.Parameter, value: Any) -> Any:
    """A value of the TOML file as a flag would have it; paths are relative to the file."""
    if isinstance(parameter.type, Origins) and isinstance(value, list):
        return ",".join(map(str, value))
    if isinstance(parameter.type, Galleries) and isinstance(value, list):
        return [text_of(file, parameter, each) for each in value]
    is_path = isinstance(parameter.type, click.Path)
    if (is_path or parameter.type is click.STRING) and not isinstance(value, str):
        raise RequestError(f"{file}: {parameter.name} must be text")
    return str(file.parent / typed(value)) if is_path and "://" not in value else str(value)


def refuse_unknown(file: Path, what: str, found: Collection[str], known: Sequence[str]) -> None:
    for name in found:
        if name not in known:
            raise RequestError(f"{file}: no {what} {name!r}; there are: {', '.join(known)}")


class Resolved(NamedTuple):
    """A value, and what set it: ``--port``, ``KKCV_SERVE_PORT``, ``kkcv.toml``, ``default``."""

    value: Any
    source: str

    @property
    def is_set(self) -> bool:
        return self.source != DEFAULT


def resolved(ctx: click.Context) -> dict[str, Resolved]:
    """Every parameter with its value, as Click resolved it."""
    return {
        str(each.name): Resolved(ctx.params[str(each.name)], source_of(ctx, each))
        for each in PARAMETERS
    }


def source_of(ctx: click.Context, parameter: click.Parameter) -> str:
    """The flag, variable or file that set a parameter."""
    match ctx.get_parameter_source(str(parameter.name)):
        case ParameterSource.COMMANDLINE:
            return flag_of(parameter)
        case ParameterSource.ENVIRONMENT:
            return variable_of(parameter)
        case ParameterSource.DEFAULT_MAP:
            return str(ctx.meta[FILE_USED])
    return DEFAULT


def flag_of(parameter: click.Parameter) -> str:
    return parameter.opts[0] if isinstance(parameter, click.Option) else "GALLERY"


def variable_of(parameter: click.Parameter) -> str:
    return str(parameter.envvar or f"KKCV_{str(parameter.name).upper()}")


def resolve(arguments: Sequence[str] = ()) -> dict[str, Resolved]:
    """Every parameter from these arguments, the environment and the TOML file (RequestError)."""
    try:
        return resolved(Serving("serve").make_context("serve", list(arguments)))
    except click.UsageError as error:
        raise RequestError(error.format_message()) from None
