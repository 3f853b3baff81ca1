"""A word about what takes long at the first use of a network."""

import logging
import sys
from collections.abc import Callable

logger = logging.getLogger(__name__)
in_words: Callable[[str], str] = str  # the command line sets its own: the language of the user


def tell(message: str) -> None:
    """One line, as INFO in the log where there is one (a service's), else on standard error."""
    if logger.hasHandlers():
        logger.info(message)
    elif sys.stderr is not None:
        print(f"kkcv: {in_words(message)}", file=sys.stderr, flush=True)
