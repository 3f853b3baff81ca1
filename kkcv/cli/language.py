"""Chinese where the locale is Chinese: every text by its English, from strings.toml.

    say("no duplicates")                       a text
    say("6 pictures are in photos.parquet")    a text of the pattern "{} pictures are in {}"

What the file does not have stays English. In English it is not even read.
"""

import inspect
import re
import unicodedata
from collections.abc import Iterator, Mapping
from functools import cache
from importlib import import_module
from pathlib import Path

import click

from kkcv import environment

FILE = Path(__file__).with_name("strings.toml")
PARAGRAPH, OPTION = 76, 44  # columns of a terminal for a paragraph, and for the help of an option
CLICK = ("core", "decorators", "exceptions", "formatting", "parser", "types")  # have words
ASCII_WORD = re.compile(r"[!-~]+ ?|.", re.DOTALL)


language = cache(environment.language)  # it does not change while a command runs


@cache
def sections() -> Mapping[str, Mapping[str, str]]:
    """The file: in each section texts in Chinese by their English."""
    import tomllib

    return tomllib.loads(FILE.read_text(encoding="utf-8"))


@cache
def texts() -> Mapping[str, str]:
    return {english: own for section in sections().values() for english, own in section.items()}


@cache
def patterns() -> list[tuple[list[str], str]]:
    """The texts with places to be filled, in pieces, those that say the most first."""
    with_places = [(english.split("{}"), own) for english, own in texts().items()]
    with_places = [each for each in with_places if len(each[0]) > 1]
    # else "{} is {}" would match nearly everything
    return sorted(with_places, key=lambda each: -sum(map(len, each[0])))


def filled(pieces: list[str], text: str) -> tuple[str, ...] | None:
    """The texts in the places of a pattern, or None where the text does not match it."""
    if not all(piece in text for piece in pieces):  # most are told apart without an expression
        return None
    pattern = "(.*?)".join(map(re.escape, pieces))
    if pieces[:2] == ["", ""]:  # "a.jpg: " or nothing, and then another place
        pattern = pattern.replace("(.*?)", "((?:.*: )?)", 1)
    found = re.fullmatch(pattern, text, re.DOTALL)
    return found and found.groups()


def say(text: str, section: str = "") -> str:
    """A text in the language of the user; what is filled into a pattern is said too.

    A single word that is filled in stays: it is a name, such as that of a network or a key.
    One word may mean two things ("embedding" a number and a work): that of the section is first.
    """
    if language() == "en" or not text:
        return text
    if section and text in sections()[section]:
        return sections()[section][text]
    if text in texts():
        return texts()[text]
    for pieces, own in patterns():
        values = filled(pieces, text)
        if values is not None:
            return own.format(*(said(v) if v != text else v for v in values))
    return text


def said(value: str) -> str:
    """A value of a pattern in the language; "a.jpg: " is one that ends in a colon."""
    if value.endswith(": "):
        return value[:-2] + say(": ")
    return say(value) if " " in value else value


def each_said(text: str) -> str:
    """Words with commas between, such as "mirrored, turned by 90", each in the language."""
    return say(", ").join(map(say, text.split(", ")))


def in_language(command: click.Command) -> click.Command:
    """The command with its help, and that of its subcommands, in the language of the user."""
    if language() == "en":
        return command
    speak_in_click()
    if command.help:
        said = [paragraph_in_language(each) for each in paragraphs(command.help)]
        command.short_help = say(next(paragraphs(command.help)))
        command.help = "\n\n".join(said)
    for parameter in command.params:
        if isinstance(parameter, click.Option) and parameter.help:
            own = say(parameter.help)
            if own != parameter.help:
                parameter.help = wrapped(own, OPTION)
    if isinstance(command, click.Group) and isinstance(command.commands, dict):
        for below in command.commands.values():  # those of kkcv itself are made when looked up
            in_language(below)
    return command


def paragraphs(help: str) -> Iterator[str]:
    """The paragraphs of a help text, each on one line, except those that are laid out."""
    for each in inspect.cleandoc(help).partition("\f")[0].split("\n\n"):
        yield each if "\b" in each else " ".join(each.split())


def paragraph_in_language(text: str) -> str:
    own = say(text)
    return own if own == text or "\b" in text else wrapped(own, PARAGRAPH)


def wrapped(text: str, width: int) -> str:
    """Chinese in lines of so many columns, which Click leaves as they are: it counts letters."""
    lines, columns = [""], 0
    for piece in ASCII_WORD.findall(text):
        # a Chinese character is two columns wide
        size = sum(2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in piece)
        starts = piece in "，。；：、）！？”』"  # never at the start of a line
        if columns + len(piece.rstrip()) > width and not starts and columns:
            lines.append("")
            columns = 0
        lines[-1] += piece
        columns += size
    return "\b\n" + "\n".join(line.rstrip() for line in lines)


@cache
def speak_in_click() -> None:
    """Let Click say its own words ("Usage:", "No such option {name!r}.") in the language too.

    It asks gettext for them, by its function ``_``, and comes without any translation.
    """
    words = sections()["click"]
    setattr(click.HelpFormatter, "write_heading", write_heading)  # noqa: B010
    for name in CLICK:
        module = import_module(f"click.{name}")
        if hasattr(module, "_"):
            setattr(module, "_", lambda text: words.get(text, text))  # noqa: B010
        if hasattr(module, "ngettext"):
            setattr(module, "ngettext", one_or_many)  # noqa: B010


def write_heading(formatter: click.HelpFormatter, heading: str) -> None:
    formatter.write(f"{'':>{formatter.current_indent}}{heading}{say(': ')}\n")


def one_or_many(one: str, many: str, number: int) -> str:
    english = one if number == 1 else many
    return sections()["click"].get(english, english)
