"""``kkcv classify``."""

from typing import TYPE_CHECKING

import click

from kkcv.errors import PictureError

from .options import json_option
from .output import print_json, print_table

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
@click.option("--top", type=int, help="How many classes to name.  [default: 5, or all if fewer]")
@click.option("--lang", type=click.Choice(["en", "zh"]), default="en", show_default=True)
@click.option("--device", help="Where the network runs: cpu, cuda, mps.")
@json_option
def classify(
    pictures: tuple[str, ...],
    model: str,
    weights: str,
    top: int | None,
    lang: str,
    device: str | None,
    as_json: bool,
) -> None:
    """Name what PICTURES show.

    Unreadable pictures are skipped and reported; the exit code is 2 if none could be read.

    \b
    kkcv classify cat.jpg --top 3 --lang zh
    """
    from kkcv.classify import Classifier

    classifier = Classifier.load(model, weights, device)
    answers: list[tuple[str, list[Guess]]] = []
    rejects: list[dict[str, str]] = []
    for picture in pictures:
        try:
            guesses = classifier.classify(picture, top, lang)
        except PictureError as error:
            rejects.append({"path": picture, "reason": error.reason, "message": str(error)})
            if len(rejects) == len(pictures):
                raise
            continue
        answers.append((picture, guesses))
    for reject in rejects:
        click.echo(f"skipped: {reject['message']} [{reject['reason']}]", err=True)
    if as_json:
        named = [{"path": p, "guesses": [g._asdict() for g in guesses]} for p, guesses in answers]
        network = classifier.checkpoint.network
        print_json({"pictures": named, "rejects": rejects, "network": network})
        return
    rows = [
        (picture if rank == 1 else "", rank, guess.probability, guess.label)
        for picture, guesses in answers
        for rank, guess in enumerate(guesses, 1)
    ]
    print_table(["picture", "rank", "probability", "label"], rows)
