"""The route that names what a picture shows."""

from .questions import ClassifyQuestion
from .schemas import Guess, Guesses
from .searching import picture_bytes
from .service import Service


def classify(service: Service, body: ClassifyQuestion) -> Guesses:
    """What a picture shows: the classes of the gallery's network, the most probable first."""
    data = picture_bytes(service, body.image)
    settings = service.gallery.catalog.settings
    model = settings["model"], settings["weights"]
    with service.worker():
        guesses = service.gallery.worker.classify(model, data, body.top, body.lang, service.limits)
    return Guesses(guesses=[Guess(**guess) for guess in guesses])
