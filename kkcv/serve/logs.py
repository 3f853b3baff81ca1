"""The log of the service on standard error: a line a request, and every failure."""

import json
import logging
import sys
from datetime import UTC, datetime
from typing import Any

from kkcv.images.source import printable

FORMAT = "%(asctime)s %(levelname)s %(message)s"


class JsonLines(logging.Formatter):
    """One JSON object a line: time, level, logger, message, what the record has in ``fields``,
    and the traceback of a failure."""

    def format(self, record: logging.LogRecord) -> str:
        line = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
            **getattr(record, "fields", {}),
        }
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        text = json.dumps(line, ensure_ascii=False)
        if text.isprintable():
            return text
        return "".join(c if c.isprintable() else json.dumps(c)[1:-1] for c in text)


class TextLines(logging.Formatter):
    """One line a record, with what a terminal would obey escaped; a traceback is indented."""

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 (logging's name)
        record.message = printable(record.message)
        return super().formatMessage(record)

    def formatException(self, failure: Any) -> str:  # noqa: N802
        lines = super().formatException(failure).splitlines()
        return "\n".join(f"    {printable(line)}" for line in lines)


def log_to_stderr(*, requests: bool, form: str = "auto") -> None:
    """Set up logging in the process of a service; a library must not.

    ``form`` is json, text, or auto: text on a terminal.
    """
    as_text = form == "text" or (form == "auto" and sys.stderr.isatty())
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(TextLines(FORMAT) if as_text else JsonLines())
    logger = logging.getLogger("kkcv")
    logger.addHandler(handler)
    logger.setLevel(logging.INFO if requests else logging.WARNING)
    logger.propagate = False  # else a root logger of another server prints each line again
