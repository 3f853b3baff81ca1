"""What a service can be told, in one table: flags, environment and the TOML file are made from it.

The first that has a value wins: flag, environment, file, default. ``kkcv config`` shows which.
"""

import os
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from kkcv.disk import read_file
from kkcv.errors import RequestError

FILE = "kkcv.toml"  # in the current folder, unless --config or KKCV_CONFIG says another
TABLE = "serve"
HANDED_OVER = Path("/dev/fd")
TRUE, FALSE = ("1", "true", "yes", "on"), ("0", "false", "no", "off")
LOGS = ("auto", "json", "text")


class Wrong(Exception):
    """What a value must be."""


@dataclass(frozen=True)
class Whole:
    """A whole number."""

    low: int
    high: int

    def read(self, value: Any) -> int:
        if isinstance(value, str) and value.isascii() and value.isdecimal():
            value = int(value)
        if isinstance(value, bool) or not isinstance(value, int):
            raise Wrong("must be a whole number")
        if not self.low <= value <= self.high:
            raise Wrong(f"must be from {self.low} to {self.high}")
        return value


@dataclass(frozen=True)
class Text:
    """Text, one of some words if there are any."""

    words: tuple[str, ...] = ()

    def read(self, value: Any) -> str:
        if not isinstance(value, str):
            raise Wrong("must be text")
        if self.words and value not in self.words:
            raise Wrong(f"must be {', '.join(self.words[:-1])} or {self.words[-1]}")
        return value


class File(Text):
    """A path; in the TOML file, relative to the folder of that file."""


class Switch:
    """Yes or no."""

    def read(self, value: Any) -> bool:
        if isinstance(value, str):
            word = value.lower()
            if word not in TRUE + FALSE:
                raise Wrong(f"must be {TRUE[0]} or {FALSE[0]}")
            return word in TRUE
        if not isinstance(value, bool):
            raise Wrong("must be true or false")
        return value


class Many:
    """Several texts; a list in the TOML file, elsewhere parted by commas."""

    def read(self, value: Any) -> tuple[str, ...]:
        if isinstance(value, str):
            value = [part.strip() for part in value.split(",") if part.strip()]
        if not isinstance(value, list | tuple) or not all(isinstance(v, str) for v in value):
            raise Wrong("must be a list of texts")
        return tuple(value)


@dataclass(frozen=True)
class Option:
    """One thing that can be told. ``default`` may be a function, for what depends on the machine.

    ``name`` is the key in the TOML file, and with dashes the flag.
    """

    name: str
    kind: Whole | Text | Switch | Many
    default: Any
    help: str
    metavar: str | None = None
    shown: str = ""  # the default in words, where it is none
    secret: bool = False
    variable: str = ""

    @property
    def flag(self) -> str:
        return "GALLERY" if self.name == "gallery" else "--" + self.name.replace("_", "-")

    @property
    def environment(self) -> str:
        return self.variable or "KKCV_" + self.name.upper()


def usual_workers() -> int:
    """One a core, but never so many that their pictures fill the memory."""
    return min(os.cpu_count() or 1, 4)


# The variables of host and port are longer: Kubernetes sets KKCV_PORT for a service called kkcv.
OPTIONS: tuple[Option, ...] = (
    Option("gallery", File(), "", "The gallery to serve.", "GALLERY"),
    Option("host", Text(), "127.0.0.1", "The address to listen at.", variable="KKCV_SERVE_HOST"),
    Option(
        "port", Whole(0, 65535), 8000, "0 finds a free one.", "PORT", variable="KKCV_SERVE_PORT"
    ),
    Option(
        "api_key", Text(), "",
        "A key that may do everything. Better set KKCV_API_KEY: others see the command.",
        "KEY", "none", secret=True,
    ),
    Option("keys", File(), "", "A file of keys, made with: kkcv keys add.", "FILE", "none"),
    Option("insecure", Switch(), False, "Listen beyond this machine without a key."),
    Option(
        "cors", Many(), (),
        "Web pages of these origins may call, such as https://photos.example,https://a.example.",
        "ORIGINS", "none",
    ),
    Option(
        "rate", Whole(0, 1_000_000), 1200,
        "Requests a minute with one key, unless the key has a rate of its own; 0: any number.",
        "N",
    ),
    Option(
        "threads", Whole(1, 512), 64,
        "Requests inside at the same time; one more is told to come back.", "N",
    ),
    Option(
        "workers", Whole(1, 256), usual_workers, "Pictures decoded at the same time.",
        "N", "one a core, at most 4",
    ),
    Option(
        "batch_wait", Whole(0, 1000), 2,
        "How long the network waits for pictures that are being decoded, to share a batch.", "MS",
    ),
    Option(
        "timeout", Whole(1, 3600), 60,
        "Seconds that a request may take to arrive, and again to be answered.", "SECONDS",
    ),
    Option("max_body", Whole(1, 1024), 32, "The largest request.", "MIB"),
    Option("max_megapixels", Whole(1, 170), 64, "The largest picture.", "N"),
    Option(
        "recall_check", Whole(0, 604_800), 3600,
        "Seconds between two checks of the index against the exact answer; 0: never.", "SECONDS",
    ),
    Option(
        "log", Text(LOGS), "auto", "What the log looks like; auto: text on a terminal, else JSON.",
        "auto|json|text",
    ),
    Option("quiet", Switch(), False, "No line for each request in the log."),
)  # fmt: skip
NAMES = tuple(option.name for option in OPTIONS)


class Told(NamedTuple):
    """A value, and who said so: ``--port``, ``KKCV_SERVE_PORT``, ``kkcv.toml``, ``default``."""

    value: Any
    source: str


def resolve(
    flags: Mapping[str, Any], environment: Mapping[str, str], file: Path | None = None
) -> dict[str, Told]:
    """Every option with its value and where that comes from.

    ``flags`` that were not given are None. Without a ``file`` it is ``$KKCV_CONFIG``, or kkcv.toml
    where there is one.

    Raises RequestError for an unknown key or a value that cannot be.
    """
    file = file or chosen_file(environment)
    written = {} if file is None else read_table(file)
    told = {}
    for option in OPTIONS:
        given = [
            (flags.get(option.name), option.flag),
            (environment.get(option.environment) or None, option.environment),
            (written.get(option.name), str(file)),
        ]
        for value, source in given:
            if value is not None:
                told[option.name] = Told(checked(option, value, source, file), source)
                break
        else:
            default = option.default
            told[option.name] = Told(default() if callable(default) else default, "default")
    return told


def chosen_file(environment: Mapping[str, str]) -> Path | None:
    if named := environment.get("KKCV_CONFIG"):
        return Path(named)
    return Path(FILE) if Path(FILE).is_file() else None


def read_table(file: Path) -> dict[str, Any]:
    """The ``[serve]`` table of a TOML file, its keys known (RequestError)."""
    try:
        # What a shell hands over, as in --config <(decrypt kkcv.toml), is a pipe that is open.
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
    return table


def refuse_unknown(file: Path, what: str, found: Mapping[str, Any], known: Sequence[str]) -> None:
    for name in found:
        if name not in known:
            raise RequestError(f"{file}: no {what} {name!r}; there are: {', '.join(known)}")


def checked(option: Option, value: Any, source: str, file: Path | None) -> Any:
    """The value as what it must be (RequestError)."""
    in_file = file is not None and source == str(file)
    try:
        good = option.kind.read(value)
    except Wrong as wrong:
        of = f"{source}: {option.name}" if in_file else source
        got = "" if option.secret else f", got {value!r}"
        raise RequestError(f"{of} {wrong}{got}") from None
    if isinstance(option.kind, File) and in_file and "://" not in str(good):
        return str(Path(source).parent / str(good))
    return good
