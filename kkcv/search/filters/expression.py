"""Filters as people write them: a small safe expression, read into conditions.py.

    label == "cat" and year >= 2020
    label in ["cat", "dog"] and not path.startswith("/home/me/old")
    exif.taken >= "2024-05" and near(52.52, 13.40, 5)
    "beach" in tags
    meta["file-name"] == "a.jpg"
    label=cat                                  (short for label == "cat")

A name is a key of the metadata, with a dot for each level, or one of ``id``, ``path``, ``bytes``
and ``added``. After ``meta`` any word is a key, and in brackets any text. Nothing else is
understood, and nothing is ever executed.
"""

import json
import math
import re
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from kkcv.errors import RequestError
from kkcv.search.picture import LONE

from .conditions import (
    COLUMNS,
    META,
    OPERATORS,
    TAKEN,
    AllOf,
    AnyOf,
    Compare,
    Condition,
    Contains,
    Name,
    Near,
    Not,
    StartsWith,
)

LONGEST = 2000  # characters
DEEPEST = 50  # SQLite takes expressions 1000 deep
EXAMPLE = 'label == "cat" and year >= 2020'
ADDED: Name = ("added",)
DATES = (ADDED, TAKEN)
WORD = re.compile(r"[^\W\d]\w*")
CONSTANTS = {"True": True, "False": False, "None": None, "true": True, "false": False, "null": None}
OTHER_SIGNS = {"=": "==", "<>": "!="}  # as SQL has them
CLOSING = {"[": "]", "(": ")", "{": "}"}
# label=cat, as it is typed in a shell that takes the quotes
SHORT = re.compile(r"\s*([^\W\d][\w.-]*)\s*=\s*([^=\s'\"].*?)\s*")
TOKEN = re.compile(
    r"""\s*(?:
      (?P<text>  "(?:[^"\\]|\\.)*" | '(?:[^'\\]|\\.)*' )
    | (?P<number>-?(?:\d[\d_]*(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)? )
    | (?P<word>  [^\W\d]\w* )
    | (?P<sign>  [=!<>]=|<>|[-=<>()\[\]{},.] )
    )""",
    re.VERBOSE | re.DOTALL,
)
ESCAPE = re.compile(r"\\(?:x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|(.))", re.DOTALL)
CHARACTERS = {
    "n": "\n",
    "t": "\t",
    "r": "\r",
    "b": "\b",
    "f": "\f",
    "v": "\v",
    "a": "\a",
    "0": "\0",
    "\\": "\\",
    "'": "'",
    '"': '"',
    "\n": "",
}


class Token(NamedTuple):
    kind: str  # text, number, word, sign or end
    text: str


END = Token("end", "")


def parse(text: str) -> Condition:
    """The filter that an expression stands for (RequestError, its field ``where``)."""
    try:
        return parsed(text)
    except RequestError as error:
        error.field = "where"
        raise


def parsed(text: str) -> Condition:
    if not isinstance(text, str):
        raise RequestError(f"a filter is text, such as 'year >= 2020', got {text!r:.60}")
    if len(text) > LONGEST:
        raise RequestError(f"a filter has at most {LONGEST} characters, this has {len(text)}")
    if short := SHORT.fullmatch(text):
        return compared(named(short[1]), "==", number_or_text(short[2]))
    return Parser(text).whole()


class Parser:
    """Reads a filter from left to right; each method reads what its name says."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self.next = END
        self.take()

    def take(self) -> Token:
        """The next token, which is read then."""
        taken = self.next
        rest = self.text[self.at :]
        if found := TOKEN.match(rest):
            self.at += found.end()
            self.next = Token(str(found.lastgroup), str(found[str(found.lastgroup)]))
        elif rest.strip():
            self.next = Token("other", rest.strip())
        else:
            self.next, self.at = END, len(self.text)
        return taken

    def takes(self, *texts: str) -> bool:
        """Whether the next token is a word or sign that is one of these; if so, it is read."""
        good = self.next.kind in ("word", "sign") and self.next.text in texts
        if good:
            self.take()
        return good

    def refused(self, why: str = "") -> RequestError:
        where = f" at {self.next.text[:30]!r}" if self.next.kind != "end" else ""
        text = self.text.strip()[:80]
        if not why:
            return RequestError(f"the filter {text!r} cannot be read{where}; such as: {EXAMPLE}")
        return RequestError(f"the filter {text!r} cannot be read{where}: {why}")

    def whole(self) -> Condition:
        condition = self.any_of(DEEPEST)
        if self.next is not END:
            raise self.refused()
        return condition

    def any_of(self, levels: int) -> Condition:
        parts = [self.all_of(levels)]
        while self.takes("or"):
            parts.append(self.all_of(levels))
        return parts[0] if len(parts) == 1 else AnyOf(tuple(parts))

    def all_of(self, levels: int) -> Condition:
        parts = [self.one(levels)]
        while self.takes("and"):
            parts.append(self.one(levels))
        return parts[0] if len(parts) == 1 else AllOf(tuple(parts))

    def one(self, levels: int) -> Condition:
        if levels == 0:
            raise RequestError(f"a filter is nested at most {DEEPEST} deep")
        if self.takes("not"):
            return Not(self.one(levels - 1))
        if self.takes("("):
            condition = self.any_of(levels - 1)
            if not self.takes(")"):
                raise self.refused()
            return condition
        if self.next.kind in ("text", "number"):
            return self.membership()
        return self.comparison()

    def membership(self) -> Condition:
        """``"beach" in tags``"""
        value = self.value()
        absent = self.takes("not")
        if not self.takes("in"):
            raise self.refused("the name comes first, then the value")
        name = rooted(self.words())
        if name[0] != META or value is None:
            found = name[0] if value is not None else "None"
            raise RequestError(f'{found} cannot be asked for so; such as: "beach" in tags')
        condition = Contains(name, value)
        return Not(condition) if absent else condition

    def comparison(self) -> Condition:
        """A name and what it is compared with; ``near`` and ``startswith`` are calls."""
        words = self.words()
        if self.takes("("):
            return self.call(words)
        name = rooted(words)
        absent = self.takes("not")
        if absent or self.next == Token("word", "in"):
            if not self.takes("in"):
                raise self.refused("not in")
            among = self.among(name)
            return Not(among) if absent else among
        if self.next.kind != "sign" or self.next.text not in {*OPERATORS, *OTHER_SIGNS}:
            raise self.refused("comparisons are == != < <= > >= and in")
        sign = self.take().text
        condition = compared(name, OTHER_SIGNS.get(sign, sign), self.value())
        if self.next.text in OPERATORS and self.next.kind == "sign":
            raise self.refused("one comparison at a time: write year > 1 and year < 5")
        return condition

    def words(self) -> list[str]:
        """The words of a name: ``label``, ``exif.taken``, ``meta["file-name"].year``."""
        if self.next.kind != "word" or self.next.text in CONSTANTS:
            raise self.refused("a name of the metadata was expected here")
        words = [self.take().text]
        while self.next.kind == "sign" and self.next.text in (".", "["):
            if self.takes("."):
                if self.next.kind != "word":
                    raise self.refused(f'a key with other signs is written {META}["file-name"]')
                words.append(self.take().text)
            else:
                self.take()
                if self.next.kind != "text":
                    raise self.refused(f'such as {META}["file-name"]')
                words.append(self.value())
                if LONE.search(words[-1]):
                    raise self.refused("keys of the metadata are UTF-8")
                if not self.takes("]"):
                    raise self.refused()
        return words

    def call(self, words: list[str]) -> Condition:
        values = [] if self.next.text == ")" else self.values(")")
        if values == [] and not self.takes(")"):
            raise self.refused()
        if words == ["near"]:
            return near(values)
        *of, verb = words
        if not of or verb != "startswith" or len(values) != 1 or not isinstance(values[0], str):
            raise RequestError(
                'a filter has two calls: path.startswith("/home/me") and near(52.52, 13.40, 5)'
            )
        return StartsWith(rooted(of), values[0])

    def among(self, name: Name) -> AnyOf:
        if self.next.kind != "sign" or self.next.text not in CLOSING:
            raise RequestError(f'{spelled(name)} in […] wants a list, such as ["cat", "dog"]')
        closing = CLOSING[self.take().text]
        values = [] if self.takes(closing) else self.values(closing)
        return AnyOf(tuple(compared(name, "==", value) for value in values))

    def values(self, closing: str) -> list[Any]:
        """Values separated by commas, up to the sign that closes them."""
        values = [self.value()]
        while not self.takes(closing):
            if not self.takes(","):
                raise self.refused()
            if self.takes(closing):
                break
            values.append(self.value())
        return values

    def value(self) -> Any:
        """A number, a text, True, False or None."""
        kind, text = self.next
        if kind == "text":
            self.take()
            return bindable(unescaped(text[1:-1]))
        if kind == "number":
            self.take()
            return bindable(number(text))
        if kind == "word" and text in CONSTANTS:
            self.take()
            return CONSTANTS[text]
        raise self.refused(f'a text stands in quotes: "{text}"' if kind == "word" else "")


def rooted(words: list[str]) -> Name:
    first, *more = words
    if first == META and more:
        return (META, *more)
    return (first,) if not more and first in COLUMNS else (META, *words)


def named(text: str) -> Name:
    """The name of a short form, a header or an assignment: dots divide keys."""
    try:
        parser = Parser(text)
        name = rooted(parser.words())
        if parser.next is END:
            return name
    except RequestError:
        pass
    return (META, text)


def spelled(name: Name) -> str:
    """A name as a filter has it."""
    first, *keys = name
    if first != META:
        return first
    words = [bool(WORD.fullmatch(key)) for key in keys]
    plain = words[0] and keys[0] not in (*COLUMNS, *CONSTANTS, META, "not")
    text = keys[0] if plain else f"{META}{step(keys[0])}"
    return text + "".join(map(step, keys[1:]))


def step(key: str) -> str:
    return f".{key}" if WORD.fullmatch(key) else f"[{json.dumps(key, ensure_ascii=False)}]"


def near(values: list[Any]) -> Near:
    """``near(52.52, 13.40, 5)``: within 5 km of a place."""
    numbers = [value for value in values if isinstance(value, int | float)]
    if len(values) == len(numbers) == 3:
        latitude, longitude, km = numbers
        if abs(latitude) <= 90 and abs(longitude) <= 180 and km > 0:
            return Near(latitude, longitude, km)
    raise RequestError(
        "near takes a latitude from -90 to 90, a longitude from -180 to 180 and kilometers, "
        "such as near(52.52, 13.40, 5)"
    )


def compared(name: Name, sign: str, value: Any) -> Condition:
    """``added`` and ``exif.taken`` are compared with dates."""
    if value is None and sign not in ("==", "!="):
        raise RequestError(f"nothing is less or more than None: write {spelled(name)} != None")
    if name in DATES and isinstance(value, str):
        return dated(name, sign, value)
    if name == TAKEN and value is not None:
        raise RequestError(f'{spelled(name)} is compared with a date, such as "2024-05-01"')
    return Compare(name, sign, value)


def dated(name: Name, sign: str, date: str) -> Condition:
    """A date stands for all of its year, month, day or minute."""
    first, end = (
        moment.timestamp() if name == ADDED else moment.replace(tzinfo=None).isoformat()
        for moment in span(date)
    )
    if first == end:
        return Compare(name, sign, first)
    before, since = Compare(name, "<", first), Compare(name, ">=", first)
    until, after = Compare(name, "<", end), Compare(name, ">=", end)
    choice: dict[str, Condition] = {
        "==": AllOf((since, until)),
        "!=": AnyOf((before, after)),
        "<": before,
        "<=": until,
        ">": after,
        ">=": since,
    }
    return choice[sign]


def span(date: str) -> tuple[datetime, datetime]:
    """The first moment of a date of ISO 8601, and the first after it; without a zone it is UTC.

    A date with seconds is one moment, given twice.
    """
    try:
        if found := re.fullmatch(r"(\d{4})(?:-(\d\d))?", date):
            year, month = int(found[1]), int(found[2] or 1)
            first = datetime(year, month, 1)
            later = divmod(month, 12) if found[2] else (1, 0)
            end = datetime(year + later[0], later[1] + 1, 1)
        else:
            first = datetime.fromisoformat(date)
            to_the_day = not re.search(r"[T ]", date)
            to_the_minute = re.fullmatch(r".*[T ]\d\d:?\d\d(Z|[+-]\d\d:?\d\d)?", date)
            end = first + timedelta(days=to_the_day, minutes=bool(to_the_minute))
    except (ValueError, OverflowError):
        raise RequestError(f"{date!r} is no date; such as 2026-01-31 or 2026-01-31T12:00") from None
    if first.tzinfo is None:
        first, end = first.replace(tzinfo=UTC), end.replace(tzinfo=UTC)
    return first, end


def number_or_text(value: str) -> Any:
    try:
        found = json.loads(value, parse_constant=str)
    except (ValueError, RecursionError):
        found = value
    return bindable(found if isinstance(found, str | int | float | None) else value)


def number(text: str) -> int | float:
    try:
        return int(text) if re.fullmatch(r"-?[\d_]+", text) else float(text)
    except ValueError:
        raise RequestError(f"{text[:60]} is no number") from None


def unescaped(text: str) -> str:
    """Text between quotes, with the escapes of Python and JSON."""

    def character(found: re.Match[str]) -> str:
        code = found[1] or found[2] or found[3]
        return chr(int(code, 16)) if code else CHARACTERS.get(found[4], found[0])

    try:
        return ESCAPE.sub(character, text)
    except (ValueError, OverflowError):
        raise RequestError(f"{text[:60]!a} has an escape of no character") from None


HALF = re.compile("[\ud800-\udc7f\udd00-\udfff]")  # others are bytes of a path (picture.py)


def bindable(value: str | int | float | None) -> str | int | float | None:
    """The value, if a catalog can hold it (RequestError)."""
    if isinstance(value, int) and abs(value) >= 2**63:
        raise RequestError(f"{value} is too large a number for a filter")
    if isinstance(value, float) and not math.isfinite(value):
        raise RequestError("a number in a filter is finite; there is nothing beyond 1.8e308")
    if isinstance(value, str) and HALF.search(value):
        raise RequestError(f"{value[:60]!a} has half of a surrogate pair, which is no character")
    return value
