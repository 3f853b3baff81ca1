"""``kkcv models``: the embedders that go by one word."""

import sys
from typing import Any

import click

from kkcv.errors import KkcvError, UnknownNetwork

from .language import each_said, language, say
from .options import json_option
from .output import echo, print_json, print_table, progress_bar


@click.command()
@click.argument("names", nargs=-1)
@click.option(
    "--measure",
    is_flag=True,
    help="Measure milliseconds and memory here, with random weights of the same shape.",
)
@json_option
def models(names: tuple[str, ...], measure: bool, as_json: bool) -> None:
    """List the embedders that --model takes by one word: what each needs, gives and allows.

    The first comes with kkcv. Weights of the others are downloaded at their first use. With NAMES,
    only those, and all that is known of them. --measure needs the libraries that build the
    networks, and some minutes for the large ones; what it finds is shown from then on. What cannot
    be measured is said; the exit code is 1 if nothing could be.

    \b
    kkcv models
    kkcv models dinov3-small siglip2-base
    kkcv models dinov3-small --measure
    """
    from kkcv.embedding.price import prices
    from kkcv.presets.table import rows

    chosen = known(rows(), names)
    failed: list[str] = []
    if measure:
        failed = measured([row["name"] for row in chosen])
    remembered = prices()
    for row in chosen:
        price = remembered.get(row["name"])
        row |= {"milliseconds": None, "memory_megabytes": None}
        if price:
            measured_here = price._asdict()  # whose megabytes are of memory, the row's of the file
            row |= {"memory_megabytes": measured_here.pop("megabytes"), **measured_here}
    if as_json:
        print_json({"models": chosen})
    elif names:
        for row in chosen:
            show(row)
    else:
        show_all(chosen)
    for reason in failed:
        echo(reason, err=True)
    if failed and len(failed) == len(chosen):
        sys.exit(1)


def known(rows: list[dict[str, Any]], names: tuple[str, ...]) -> list[dict[str, Any]]:
    """The rows with these names, or all (UnknownNetwork)."""
    by_name = {row["name"]: row for row in rows}
    for name in names:
        if name not in by_name:
            raise UnknownNetwork(f"no embedder {name!r}; there are: {', '.join(by_name)}")
    return [by_name[name] for name in names] or rows


def measured(names: list[str]) -> list[str]:
    """Measure each network, which is remembered; returns why some cannot be."""
    from kkcv.embedding.price import measure

    failed = []
    with progress_bar("measuring") as update:
        for done, name in enumerate(names, 1):
            try:
                measure(name)
            except KkcvError as error:
                failed.append(f"{name} cannot be measured: {error}")
            update(done, len(names))
    return failed


def show_all(rows: list[dict[str, Any]]) -> None:
    from kkcv.presets.table import quoted

    columns = ["model", "network", "input", "numbers", "MB", "text", "license"]
    priced = any(row["milliseconds"] for row in rows)
    print_table(
        [*columns, *(["ms here", "MB here"] if priced else [])],
        [
            (
                row["name"],
                row["id"],
                row["input"],
                row["numbers"],
                row["megabytes"],
                say("yes" if row["reads_text"] else "no"),
                row["license"],
                *([row["milliseconds"] or "", row["memory_megabytes"] or ""] if priced else []),
            )
            for row in rows
        ],
        spare=["network", "license", "MB"],
    )
    print_table(
        ["model", "measured", "figure", "source"],
        [(row["name"], *figure) for row in rows for figure in quoted(row, language())],
        title="published, not measured here",
        spare=["source"],
    )
    for name, words in {row["license"]: license_of(row) for row in rows[1:]}.items():
        click.echo(f"{name}: {words}")
    if not priced:
        echo("milliseconds and memory on this machine: kkcv models --measure")
    echo("networks of the zoo: kkcv zoo list")


def license_of(row: dict[str, Any]) -> str:
    """The terms in a sentence, in the language of the user."""
    return str(row["license_in_words" if language() == "en" else "license_in_chinese"])


def show(row: dict[str, Any]) -> None:
    """All that is known of one."""
    from kkcv.presets.table import quoted

    text = f"yes, up to {row['context']} tokens" if row["reads_text"] else "no"
    pairs = [
        ("network", row["id"]),
        ("weights", row.get("repository") or "embedded"),
        ("size", f"{row['megabytes']:,} MB, {row['parameters']:,} parameters"),
        ("license", f"{row['license']}. {license_of(row)} {row['license_address']}"),
        ("picture", each_said(f"{row['input']} pixels, {row['resize']}, {row['interpolation']}")),
        ("vector", f"{row['numbers']} numbers: {row['vector']}"),
        ("reads text", text),
    ]
    if row["milliseconds"]:
        run = f"{row['runtime']}, {row['precision']}"
        pairs.append(("here", f"{row['milliseconds']} ms, {row['memory_megabytes']:,} MB ({run})"))
    if row["figures"]:
        pairs += [
            (what, f"{figure} ({source})") for what, figure, source in quoted(row, language())
        ]
    print_table(["", ""], [(name, say(value)) for name, value in pairs], title=row["name"])
