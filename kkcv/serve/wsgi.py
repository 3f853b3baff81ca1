"""A WSGI entry point for other servers, which reads the environment and kkcv.toml:

    KKCV_GALLERY=photos.kkcv gunicorn --threads 8 'kkcv.serve.wsgi:create_app()'

It reads the settings of ``kkcv serve`` (parameters.py). Without a key it answers only requests to a
loopback name, unless ``KKCV_INSECURE=1``.
"""

from flask import Flask

from kkcv.errors import RequestError
from kkcv.search.gallery import Gallery

from . import app
from .logs import log_to_stderr
from .parameters import resolve
from .service import Service
from .settings import LOOPBACK, settings_of


def create_app() -> Flask:
    """The application, its network loaded (NotAGallery, WeightsError, RequestError)."""
    values = resolve()
    if not values["gallery"].value:
        raise RequestError("set KKCV_GALLERY to the folder of a gallery")
    settings = settings_of(values, host=LOOPBACK[0])  # only the other server knows where it listens
    log_to_stderr(requests=not values["quiet"].value, form=values["log"].value)
    service = Service.of_all(map(Gallery, values["gallery"].value), settings)
    service.load()
    return app.create_app(service)
