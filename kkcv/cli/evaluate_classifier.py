"""``kkcv evaluate classifier``."""

import click

from .options import json_option
from .output import print_json, print_table, progress_bar
from .train import source_of, source_options

HEADLINE = ("accuracy", "precision", "recall", "f1", "auc", "log_loss", "ece")


@click.command("classifier")
@click.argument("run")
@click.argument("data")
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
@click.option("--device", help="Where the network runs: cpu, cuda, mps.")
@click.option("--threads", type=click.IntRange(1), help="Decoding threads.  [default: one a core]")
@source_options
@json_option
def classifier(
    run: str,
    data: str,
    part: str,
    tta: bool | None,
    device: str | None,
    threads: int | None,
    path_column: str | None,
    label_column: str | None,
    root: str | None,
    as_json: bool,
) -> None:
    """Measure the classifier of RUN on the labelled pictures of DATA.

    Pictures that RUN was trained on are left out as it left them out: where DATA has no parts of
    its own, those of RUN's split hold. Figures have 95% intervals from the bootstrap; precision,
    recall, f1 and auc are means over the classes.

    \b
    kkcv evaluate classifier run/ pets/ --json
    """
    from kkcv.training.evaluation.evaluate import evaluate_classifier

    labelled = source_of(data, path_column, label_column, root).read()
    with progress_bar("measuring") as update:
        result = evaluate_classifier(
            run, labelled, part=part, tta=tta, device=device, threads=threads, progress=update
        )
    for each in result["unreadable"]:
        click.echo(f"skipped: {each['message']} [{each['reason']}]", err=True)
    if as_json:
        print_json(result)
        return
    intervals = result["intervals"]
    rows = [
        (name, result[name], *(intervals[name] or ("", "")))
        for name in HEADLINE
        if result[name] is not None
    ]
    title = f"{result['pictures']} pictures ({result['part']})"
    print_table(["", "figure", "from", "to"], rows, title)
