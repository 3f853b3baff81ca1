"""A WSGI entry point for other servers, told by the environment what to serve:

    KKCV_GALLERY=photos.kkcv gunicorn --threads 8 'kkcv.serve.wsgi:create_app()'

``KKCV_API_KEY`` is the key. Without one, only requests to a loopback name are answered, unless
``KKCV_INSECURE=1``. ``KKCV_MAX_BODY`` (MiB), ``KKCV_MAX_MEGAPIXELS`` and ``KKCV_WORKERS`` are what
the options of ``kkcv serve`` are.
"""

import os

from flask import Flask

from kkcv.errors import RequestError
from kkcv.search.gallery import Gallery

from . import app
from .logs import log_to_stderr
from .service import Service
from .settings import LOOPBACK, MIB, Settings, usual_workers


def create_app() -> Flask:
    """The application, its network loaded (NotAGallery, WeightsError, RequestError)."""
    folder = os.environ.get("KKCV_GALLERY")
    if not folder:
        raise RequestError("set KKCV_GALLERY to the folder of a gallery")
    api_key = os.environ.get("KKCV_API_KEY")
    open_to_all = bool(api_key) or os.environ.get("KKCV_INSECURE") == "1"
    settings = Settings(
        api_key=api_key or None,
        hosts=None if open_to_all else LOOPBACK,
        max_body=whole("KKCV_MAX_BODY", 32) * MIB,
        max_pixels=whole("KKCV_MAX_MEGAPIXELS", 64) * 1_000_000,
        workers=whole("KKCV_WORKERS", usual_workers()),
    )
    log_to_stderr(requests=True)
    service = Service(Gallery.open(folder), settings)
    service.load()
    return app.create_app(service)


def whole(name: str, default: int) -> int:
    """A whole number from the environment (RequestError)."""
    text = os.environ.get(name) or str(default)
    if not text.isdecimal():
        raise RequestError(f"{name} must be a whole number, got {text!r}")
    return int(text)
