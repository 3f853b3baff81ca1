"""What the service says on standard error: a line a request, and every failure."""

import logging
import sys

FORMAT = "%(asctime)s %(levelname)s %(message)s"


def log_to_stderr(*, requests: bool) -> None:
    """For a process that is a service; a library leaves logging alone."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(logging.Formatter(FORMAT))
    logger = logging.getLogger("kkcv")
    logger.addHandler(handler)
    logger.setLevel(logging.INFO if requests else logging.WARNING)
    logger.propagate = False
