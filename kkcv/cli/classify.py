"""``kkcv classify``."""

import os
from collections.abc import Iterable
from typing import TYPE_CHECKING

import click

from kkcv.errors import PictureError, RequestError

from .language import language
from .network import ema_option, weights_meant
from .options import json_option
from .output import print_json, print_table, progress_bar, tell_skipped

if TYPE_CHECKING:
    from kkcv.classify import Guess


@click.command()
@click.argument("pictures", nargs=-1, required=True)
@click.option(
    "--model",
    metavar="NAME|RUN",
    default="efficientnet_lite0",
    show_default=True,
    help="A network of the zoo (kkcv zoo list), or the folder of a training run.",
)
@click.option(
    "--weights",
    metavar="imagenet|none|PATH",
    default="imagenet",
    show_default=True,
    help="Public weights, none (random), or a .pth or .safetensors file.",
)
@ema_option
@click.option(
    "-k", "--top", type=int, help="How many classes to name.  [default: 5, or all if fewer]"
)
@click.option(
    "--lang",
    type=click.Choice(["en", "zh"]),
    help="Language of the names.  [default: that of the locale; en with --json]",
)
@click.option("--device", help="Where the network runs: cpu, cuda, mps.")
@json_option
def classify(
    pictures: tuple[str, ...],
    model: str,
    weights: str,
    ema: bool | None,
    top: int | None,
    lang: str | None,
    device: str | None,
    as_json: bool,
) -> None:
    """Name what PICTURES show: files, or folders with everything below them.

    Unreadable pictures are skipped and reported; the exit code is 2 if none could be read. A folder
    gives a table with a line for each picture.

    \b
    kkcv classify cat.jpg --top 3 --lang zh
    kkcv classify ~/Pictures
    """
    from kkcv.classify import Classifier

    lang = lang or ("en" if as_json else language())  # a program reads the same labels everywhere
    paths = files_of(pictures)
    classifier = Classifier(model, weights_meant(weights, ema) or weights, device)
    answers: list[tuple[str, list[Guess]]] = []
    rejects: list[dict[str, str]] = []
    with progress_bar("classifying") as update:
        for done, picture in enumerate(paths, 1):
            try:
                answers.append((picture, classifier.classify(picture, top, lang)))
            except PictureError as error:
                rejects.append({"path": picture, "reason": error.reason, "message": str(error)})
                if len(rejects) == len(paths):
                    tell_skipped(rejects[:-1])
                    raise
            update(done, len(paths))
    tell_skipped(rejects)
    if as_json:
        named = [{"path": p, "guesses": [g._asdict() for g in guesses]} for p, guesses in answers]
        network = classifier.checkpoint.network
        print_json({"pictures": named, "rejects": rejects, "network": network})
        return
    if len(paths) > len(pictures):  # a folder was named: a line for each
        best = [(p, guesses[0].label, f"{guesses[0].probability:.1%}") for p, guesses in answers]
        print_table(["picture", "label", "probability"], best)
        return
    rows = [
        (picture if rank == 1 else "", rank, guess.probability, guess.label)
        for picture, guesses in answers
        for rank, guess in enumerate(guesses, 1)
    ]
    print_table(["picture", "rank", "probability", "label"], rows)


def files_of(pictures: Iterable[str]) -> list[str]:
    """The files, and those in the folders (RequestError for folders without any)."""
    from kkcv.images.folder import find_pictures

    paths: list[str] = []
    for picture in pictures:
        below = map(str, find_pictures(picture)) if os.path.isdir(picture) else [picture]
        paths += below
    if not paths:
        raise RequestError("there is no picture in what was named")
    return paths
