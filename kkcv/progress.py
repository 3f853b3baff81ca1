"""How long work says how far it is."""

from collections.abc import Callable

Progress = Callable[[int, int], None]  # how many are done, and of how many


def no_progress(done: int, total: int) -> None:
    """Follows no progress."""
