"""How each benchmark runs as a command: a wrong argument is one line and exit status 2."""

import sys
from argparse import ArgumentTypeError
from collections.abc import Callable, Collection, Sequence
from pathlib import Path
from subprocess import CalledProcessError

from kkcv.errors import DataError, KkcvError
from kkcv.images.folder import find_pictures


def run(main: Callable[[], None]) -> None:
    """Run a benchmark."""
    try:
        main()
    except (KkcvError, FileNotFoundError) as error:
        print(f"{Path(sys.argv[0]).name}: error: {error}", file=sys.stderr)
        sys.exit(2)
    except CalledProcessError as error:
        sys.exit(error.returncode)  # a command of kkcv, which has said why


def existing(name: str) -> Path:
    """The type of an argument that names a file or folder."""
    if not Path(name).exists():
        raise ArgumentTypeError(f"no file or folder {name}")
    return Path(name)


def some_of(known: Collection[str]) -> Callable[[str], list[str]]:
    """The type of an argument that names some of these, parted by commas."""

    def chosen(names: str) -> list[str]:
        for name in names.split(","):
            if name not in known:
                raise ArgumentTypeError(f"no {name!r}; there are: {', '.join(known)}")
        return names.split(",")

    return chosen


def pictures_in(folders: Sequence[Path]) -> list[Path]:
    """The pictures in folders, at least one (DataError)."""
    if found := list(find_pictures(folders)):
        return found
    raise DataError(f"there are no pictures in {', '.join(map(str, folders))}")
