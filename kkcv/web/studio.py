"""What the pages need torch for, done in a child process (child.py)."""

from collections import OrderedDict
from collections.abc import Callable
from typing import Any

from kkcv.child import Child, answer_all

MOST_NETWORKS = 3  # that the child holds


class Studio:
    """Asks the child. Safe for several threads."""

    def __init__(self) -> None:
        self._child = Child("kkcv.web.studio")
        self._known: dict[tuple[Any, ...], Any] = {}

    def families(self, lang: str) -> list[dict[str, Any]]:
        """The families of the zoo."""
        return self._remembered("families", lang)

    def network(self, name: str, lang: str) -> dict[str, Any]:
        """What is known of one network."""
        return self._remembered("network", name, lang)

    def classify(self, model: str, picture: bytes, top: int, lang: str) -> list[tuple[str, float]]:
        """Labels and probabilities, the best first (PictureError, WeightsError)."""
        return self._ask("classify", model, picture, top, lang)

    def layers(self, model: str, picture: bytes) -> list[dict[str, Any]]:
        """The feature maps of every stage: name, shape, and a sheet as PNG."""
        return self._ask("layers", model, picture)

    def deciding(
        self, model: str, picture: bytes, top: int, lang: str
    ) -> list[tuple[str, float, bytes]]:
        """Labels, probabilities, and the picture with what spoke for each as JPEG."""
        return self._ask("deciding", model, picture, top, lang)

    def stop(self) -> None:
        """End the child in the middle of its work; the next question starts another."""
        self._child.stop()

    def _remembered(self, *question: Any) -> Any:
        if question not in self._known:
            self._known[question] = self._ask(*question)
        return self._known[question]

    def _ask(self, *question: Any) -> Any:
        return self._child.ask(question)


def answers_of_child() -> dict[str, Callable[..., Any]]:
    """What the child can be asked."""
    from kkcv.classify import Classifier
    from kkcv.images.thumbnails import shrink

    from . import inside, zoo_facts

    held: OrderedDict[str, Classifier] = OrderedDict()

    def network(model: str) -> Classifier:
        if model not in held:
            held[model] = Classifier.load(model)
            while len(held) > MOST_NETWORKS:
                held.popitem(last=False)
        held.move_to_end(model)
        return held[model]

    def classify(model: str, picture: bytes, top: int, lang: str) -> list[tuple[str, float]]:
        classifier = network(model)
        top = min(top, len(classifier.labels()))
        return [(g.label, g.probability) for g in classifier.classify(picture, top, lang)]

    def layers(model: str, picture: bytes) -> list[dict[str, Any]]:
        return [
            {"name": layer.name, "shape": layer.shape, "sheet": inside.as_png(layer.sheet)}
            for layer in inside.layers(network(model), picture)
        ]

    def deciding(model: str, picture: bytes, top: int, lang: str) -> list[tuple[str, float, bytes]]:
        return [
            (label, probability, shrink(shown, 512))
            for label, probability, shown in inside.deciding(network(model), picture, top, lang)
        ]

    return {
        "families": zoo_facts.families,
        "network": zoo_facts.network_facts,
        "classify": classify,
        "layers": layers,
        "deciding": deciding,
    }


if __name__ == "__main__":
    known = answers_of_child()
    answer_all(lambda question: known[question[0]](*question[1:]))
