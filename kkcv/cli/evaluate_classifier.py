"""``kkcv evaluate classifier``."""

from typing import TYPE_CHECKING, Any

import click

from kkcv.errors import DataError

from .language import say
from .options import json_option, threads_option
from .output import counted, echo, print_json, print_table, progress_bar, tell_skipped
from .train import source_options

if TYPE_CHECKING:
    from kkcv.training.data.source import Source

HEADLINE = ("accuracy", "precision", "recall", "f1", "auc", "log_loss", "ece")


@click.command("classifier")
@click.argument("run")
@click.option(
    "--part",
    type=click.Choice(["auto", "train", "val", "test", "all"]),
    default="auto",
    show_default=True,
    help="auto: test if there is one, else val, else all pictures.",
)
@click.option(
    "--tta/--no-tta", default=None, help="With mirror images.  [default: as the run measured]"
)
@click.option(
    "--submission",
    metavar="FILE",
    help="Write predictions of the unlabelled pictures of DATA, a CSV as Kaggle takes it.",
)
@click.option("--device", help="Where the network runs: cpu, cuda, mps.")
@threads_option
@source_options
@json_option
def classifier(
    run: str,
    source: "Source",
    part: str,
    tta: bool | None,
    submission: str | None,
    device: str | None,
    threads: int | None,
    as_json: bool,
) -> None:
    """Measure the classifier of RUN on the labelled pictures of DATA.

    Pictures that RUN was trained on are left out: where DATA has no parts of its own, those of
    RUN's split hold. Figures have 95% intervals; precision, recall, f1 and auc are means over the
    classes. With --submission DATA may be a folder of unlabelled pictures alone.

    \b
    kkcv evaluate classifier run/ pets/ --json
    kkcv evaluate classifier run/ test1/ --submission submission.csv
    """
    from kkcv.training.evaluation.evaluate import evaluate_classifier, predict_unlabelled

    settings: dict[str, Any] = {"tta": tta, "device": device, "threads": threads}
    if submission is not None:
        with progress_bar("predicting") as update:
            skipped = predict_unlabelled(run, source.path, submission, progress=update, **settings)
        tell_skipped(skipped)
        click.echo(submission, err=as_json)
    try:
        labelled = source.read()
    except DataError:
        if submission is not None:  # unlabelled pictures alone
            return
        raise
    for folder in labelled.empty:
        echo(f"skipped: {folder} is an empty class folder", err=True)
    if labelled.loose:
        count, first = len(labelled.loose), labelled.loose[0]
        pictures = counted(count, "picture")
        echo(f"skipped: {pictures} in no class folder, the first: {first}", err=True)
    try:
        with progress_bar("measuring") as update:
            result = evaluate_classifier(run, labelled, part=part, progress=update, **settings)
    except DataError as error:
        if submission is None:
            raise
        echo(f"not measured: {error}", err=True)  # the submission is written
        if as_json:
            print_json({"not_measured": str(error)})
        return
    tell_skipped(result["unreadable"])
    if as_json:
        print_json(result)
        return
    intervals = result["intervals"]
    rows = [
        (say(name, "figure"), result[name], "–".join(f"{end:.4f}" for end in intervals[name] or ()))
        for name in HEADLINE
        if result[name] is not None
    ]
    title = f"{result['pictures']} pictures ({result['part']})"
    print_table(["", "figure", "95% interval"], rows, title)
