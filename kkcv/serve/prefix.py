"""The path under which a proxy offers the service, such as ``/kkcv``.

Addresses in answers begin with it, and it is taken off the path of a request that still has it.
"""

from collections.abc import Callable, Iterable
from typing import Any

from .settings import PATH, Settings


class Prefix:
    """A WSGI application below a path: that of the settings, or the one that a trusted proxy names
    in ``X-Forwarded-Prefix``.
    """

    def __init__(self, app: Callable[..., Iterable[bytes]], settings: Callable[[], Settings]):
        self._app = app
        self._settings = settings

    def __call__(self, environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
        settings = self._settings()
        prefix = settings.base_path
        if environ.get("REMOTE_ADDR") in settings.trusted_proxy:
            told = environ.get("HTTP_X_FORWARDED_PREFIX", "").rstrip("/")
            prefix = told if PATH.fullmatch(told) else prefix
        if prefix:
            path = environ.get("PATH_INFO", "")
            environ["SCRIPT_NAME"] = prefix
            if path == prefix or path.startswith(f"{prefix}/"):
                environ["PATH_INFO"] = path.removeprefix(prefix) or "/"
        return self._app(environ, start)
