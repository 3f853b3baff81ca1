"""Terminals that do not speak UTF-8, such as zh_CN.GBK: names of files are bytes, and stay so.

Python would read all names in the terminal's encoding and refuse those that are not in it. So the
command is started again in Python's UTF-8 mode. Only what is typed and printed is in the encoding
of the terminal.
"""

import locale
import os
import sys
from collections.abc import Sequence
from contextlib import suppress

from kkcv.environment import environment_in_utf8

STARTED_AGAIN = "kkcv_started_again"


def use_utf8_for_names() -> None:
    """Start this command again where names would not be read as UTF-8; else prepare its output."""
    if STARTED_AGAIN in sys._xoptions:
        for stream in (sys.stdout, sys.stderr):
            stream.reconfigure(encoding=locale.getencoding(), errors="backslashreplace")  # type: ignore[union-attr]
    elif sys.getfilesystemencoding() != "utf-8" and os.name == "posix":
        # the second -X tells the new process why
        again = [sys.executable, "-X", "utf8", "-X", STARTED_AGAIN, "-m", "kkcv", *sys.argv[1:]]
        os.execve(sys.executable, again, environment_in_utf8())  # noqa: S606 (no shell: wanted)


def as_meant(arguments: Sequence[str]) -> list[str]:
    """Arguments as text: the shell has completed names of files, and the rest was typed."""
    return [*map(meant, arguments)] if STARTED_AGAIN in sys._xoptions else list(arguments)


def meant(argument: str) -> str:
    if not argument.isascii() and not os.path.lexists(argument):
        with suppress(UnicodeDecodeError):
            return os.fsencode(argument).decode(locale.getencoding())
    return argument
