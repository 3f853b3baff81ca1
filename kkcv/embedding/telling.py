"""A word about what takes long, to people alone."""

import sys


def tell(message: str) -> None:
    """One line on standard error where that is a terminal."""
    if sys.stderr is not None and sys.stderr.isatty():
        print(f"kkcv: {message}", file=sys.stderr, flush=True)
