"""Output: tables for people, one JSON object for programs, progress bars."""

import json
import re
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import click

from .language import say

EVERY = 10  # seconds between the lines of a log
READABLE = 24  # columns of a terminal, in which a folded path can still be read
NUMBER = re.compile(r"|-?[\d,.]+(e-?\d+)?%?( [KMG])?")  # or empty: such columns are aligned right


def print_json(value: dict[str, Any]) -> None:
    """Print one object on standard output; in ASCII where the output cannot show its letters."""
    click.echo(json_text(value))


def json_text(value: Any) -> str:
    """A value as JSON with its letters as they are; in ASCII where the output has them not."""
    text = json.dumps(value, ensure_ascii=False)
    try:
        text.encode(sys.stdout.encoding or "ascii")
    except UnicodeEncodeError:  # half of a surrogate pair in a path, too
        return json.dumps(value)
    return text


def echo(text: str, err: bool = False) -> None:
    """Print a line for people, in their language."""
    click.echo(say(text), err=err)


def print_result(facts: dict[str, Any], line: str, as_json: bool) -> None:
    """Print the result of a command: facts for programs, or a line for people."""
    if as_json:
        print_json(facts)
    else:
        echo(line)


def print_facts(facts: dict[str, Any], as_json: bool) -> None:
    """Print names and values: as an object for programs, as a table for people."""
    if as_json:
        print_json(facts)
    else:
        print_table(["", ""], list(facts.items()))


def tell_skipped(rejects: Iterable[Mapping[str, Any]]) -> None:
    """Name the pictures that could not be read, by their ``message`` and ``reason``."""
    for reject in rejects:  # the message first: its pattern may say more than that of the line
        echo(f"skipped: {say(reject['message'])} [{reject['reason']}]", err=True)


def counted(number: int, what: str) -> str:
    """``1 network``, ``2 networks``."""
    return f"{number:,} {what}" if number == 1 else f"{number:,} {what}s"


def print_table(
    columns: Sequence[str],
    rows: Sequence[Sequence[Any]],
    title: str = "",
    *,
    spare: Sequence[str] = (),
    line_after: int = 0,
) -> None:
    """Print a table on standard output; where that is no terminal, each row is one whole line.

    A line is drawn after so many rows, ``line_after``, if others follow.
    In a narrow terminal empty columns are left out, then the ``spare`` ones, the last first, until
    it fits; a cell that still has no room to be read stands under its row.
    Control characters in cells are escaped.
    """
    from rich import box
    from rich.cells import cell_len
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    from kkcv.images.source import printable

    console = Console(highlight=False)
    if not console.is_terminal:  # Rich would fold at 80 columns
        console = Console(highlight=False, width=10_000)
    if not any(columns):  # names of figures, and the figures
        rows = [(say(str(name)), *figures) for name, *figures in rows]
    names = [say(name, "table") for name in columns]
    cells = [
        [f"{v:.4f}" if isinstance(v, float) else printable(str(v)) for v in row] for row in rows
    ]
    texts = list(zip(names, *cells, strict=True))
    widths = [max(map(cell_len, column)) for column in texts]
    empty = [i for i, (name, *column) in enumerate(texts) if name and not any(column)]
    last = [columns.index(name) for name in spare if name in columns]
    leave = [i for i in last if i not in empty] + empty
    shown = list(range(len(columns)))
    while leave and across(widths[i] for i in shown) > console.width:
        shown.remove(leave.pop())
    numeric = [bool(rows) and all(map(NUMBER.fullmatch, column[1:])) for column in texts]
    under = without_room(shown, widths, console.width)
    if under:  # each row becomes one cell of several lines
        beside = {i: (widths[i], numeric[i]) for i in shown if i not in under}
        names, *cells = ([stacked(row, beside, under)] for row in [names, *cells])
        shown, numeric = [0], [False]
    table = Table(box=box.SIMPLE_HEAD, show_header=any(columns), pad_edge=False)
    for i in shown:
        table.add_column(names[i], justify="right" if numeric[i] else "left", overflow="fold")
    for number, row in enumerate(cells, 1):
        table.add_row(*(Text(row[i]) for i in shown), end_section=number == line_after)
    if title:
        console.print(Text(say(title), "italic"), soft_wrap=True)
    with console.capture() as printed:
        console.print(table)
    text = printed.get()
    if not console.is_terminal:  # the last column is not filled up to its longest cell
        text = re.sub(r" +$", "", text, flags=re.MULTILINE)
    click.echo(text, nl=False)


def across(widths: Iterable[int]) -> int:
    """The width of a table with columns of these widths."""
    return sum(width + 3 for width in widths) - 1


def without_room(shown: Sequence[int], widths: Sequence[int], room: int) -> list[int]:
    """The columns that cannot be read beside the others, in their order."""
    beside = list(shown)
    if not beside:
        return []
    widest = max(beside, key=widths.__getitem__)
    folded = across(min(widths[i], READABLE) if i == widest else widths[i] for i in beside)
    if folded <= room or widths[widest] <= READABLE:
        return []
    while across(widths[i] for i in beside) > room and len(beside) > 1:
        beside.remove(max(beside[1:], key=widths.__getitem__))
    return [i for i in shown if i not in beside]


def stacked(
    row: Sequence[str], beside: Mapping[int, tuple[int, bool]], under: Sequence[int]
) -> str:
    """The cells ``beside`` each other, by width and whether it is a number; the others below."""
    from rich.cells import cell_len

    blanks = {i: " " * (width - cell_len(row[i])) for i, (width, _) in beside.items()}
    line = "   ".join(
        blanks[i] + row[i] if number else row[i] + blanks[i] for i, (_, number) in beside.items()
    )
    return "\n".join([line, *(f"    {row[i]}" for i in under if row[i])])


def lines_of(what: str) -> Callable[[int, int | None], None]:
    """Progress for a log: at most a line every ten seconds."""
    begun = said = time.monotonic()

    def update(done: int, total: int | None) -> None:
        nonlocal said
        now = time.monotonic()
        if now - said < EVERY or not done:  # without one done there is no rate
            return
        said = now
        rate = done / (now - begun)
        words = [f"{done:,} / {total:,}" if total else f"{done:,}"]
        words.append(f"{rate:,.1f}/s" if rate < 10 else f"{rate:,.0f}/s")
        if total:
            words.append(say(f"{timedelta(seconds=round((total - done) / rate))} left"))
        click.echo(say(what) + say(": ") + say(", ").join(words), err=True)

    return update


@contextmanager
def progress_bar(what: str) -> Iterator[Any]:
    """Progress on standard error: yields ``update(done, total)``; ``total`` may be None.

    In a terminal a bar with rate and time left, in a log a line every ten seconds.
    """
    if not sys.stderr.isatty():
        yield lines_of(what)
        return
    from rich import progress
    from rich.console import Console

    columns = (
        progress.TextColumn("{task.description}"),
        progress.BarColumn(),
        progress.MofNCompleteColumn(),
        progress.TextColumn("{task.fields[rate]}"),
        progress.TimeRemainingColumn(),
    )
    with progress.Progress(*columns, console=Console(stderr=True)) as bar:
        task = bar.add_task(say(what), total=None, rate="")

        def update(done: int, total: int | None) -> None:
            # speed is None once all are done
            speed = bar.tasks[0].finished_speed or bar.tasks[0].speed
            rate = f"{speed:.0f}/s" if speed else ""
            bar.update(task, completed=done, total=total, rate=rate)

        yield update
