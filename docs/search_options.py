"""The reference of the search options, made from their declarations (docs/generated.py)."""

from kkcv.search.option import OneOf, Option, Switch
from kkcv.search.options import OPTIONS

INTRODUCTION = """\
# Search options

Each is a keyword argument of `Gallery.search` and its siblings and of the client, a field of
`SearchOptions` and of HTTP requests, and a flag of `kkcv search`. Most are in the web app, too.

| Python and HTTP | flag | default | values | what it does |
|---|---|---|---|---|
"""


def markdown() -> str:
    """The page: a row for each option."""
    return INTRODUCTION + "".join(row(option) for option in OPTIONS.values())


def row(option: Option) -> str:
    flag = f"--{option.name.replace('_', '-')}"
    values = getattr(option.type, "__name__", str(option.type))
    if isinstance(option.kind, OneOf):
        values = ", ".join(option.kind.names())
    flags = [flag]
    if isinstance(option.kind, Switch):
        values = ", ".join(["true", "false", *option.kind.words])
        flags += [f"{flag}-{word}" for word in option.kind.words]
    cells = (
        f"`{option.name}`",
        ", ".join(f"`{each}`" for each in flags),
        f"`{option.default}`",
        values.replace("|", "or").replace("None", "none"),
        option.help,
    )
    return f"| {' | '.join(cells)} |\n"
