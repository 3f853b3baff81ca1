"""How good the answers are: ``kkcv evaluate search`` and ``kkcv evaluate classifier``."""

import click

from .options import json_option, load_embedder, network_options
from .output import print_json, print_table, progress_bar


@click.group()
def evaluate() -> None:
    """Measure retrieval, or a trained classifier, on labelled pictures."""


@evaluate.command("search")
@click.argument("folder")
@network_options
@click.option("--threads", type=click.IntRange(1), help="Decoding threads.  [default: one a core]")
@json_option
def search(
    folder: str,
    model: str | None,
    weights: str | None,
    backend: str | None,
    device: str | None,
    threads: int | None,
    as_json: bool,
) -> None:
    """Leave-one-out retrieval over FOLDER, whose subfolders are classes.

    Each picture is searched among all others. mAP ranks them all; precision@k is the share of the
    first k hits that are of the query's class; recall@k is the share of queries with at least one
    of their class among the first k.

    \b
    kkcv evaluate search flowers/ --model resnet50
    """
    from kkcv.search.evaluate import evaluate_search

    embedder = load_embedder(model, weights, backend, device)
    with progress_bar("embedding") as update:
        result = evaluate_search(folder, embedder, threads=threads, progress=update)
    for reject in result["rejected"]:
        click.echo(f"skipped: {reject['message']} [{reject['reason']}]", err=True)
    if as_json:
        print_json(result)
    else:
        rows = [(k, f"{v:.4f}" if isinstance(v, float) else v) for k, v in result.items()]
        print_table(["", ""], [row for row in rows if row[0] != "rejected"])
